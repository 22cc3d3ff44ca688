//! What a core does because its time has come.

use super::{Core, EXPIRY_INTERVAL, State};
use crate::half_open::{GivenUp, Place};

/// Whose deadline it is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Due {
    /// A connection without CONNECT, by its arrival number.
    HalfOpen(u64),
    /// A slot: silence, or a close that takes too long.
    Slot(u32),
    /// A slot that sent too much at once may be read again; or another one in its place, which does no harm.
    Resume(u32),
    /// What waits in a slot's session may be sent; or in another's in its place, which does no harm.
    Write(u32),
    /// Something of the broker's.
    Expiry,
    /// Figures of the process.
    Sys,
    /// The end of a stop.
    Stop,
}

impl Core {
    pub(super) fn take_due(&mut self) {
        let mut due = std::mem::take(&mut self.due);
        self.wheel.advance(self.desk.now.monotonic, &mut due);
        for due in due.drain(..) {
            match due {
                Due::HalfOpen(arrival) => Place::give_up(&self.desk.shared.half_open, arrival, GivenUp::TooSlow),
                Due::Slot(key) => self.slot_is_due(key),
                Due::Resume(key) => self.take_turn(key),
                Due::Write(key) => self.has_its_turn(key),
                Due::Expiry => self.expire(),
                Due::Sys => self.publish_sys(),
                Due::Stop => self.state = State::Ended,
            }
        }
        self.due = due;
    }

    /// The time has come for what waits in the slot's session.
    fn has_its_turn(&mut self, key: u32) {
        if let Some(slot) = self.slots.get_mut(key as usize) {
            slot.has_turn = false;
            self.dirty.push(key);
        }
    }

    /// The end of a client's silence, unless it was heard since the timer was armed, or of its WebSocket's time; or the end of a close.
    fn slot_is_due(&mut self, key: u32) {
        let Some(slot) = self.slots.get_mut(key as usize) else { return };
        slot.timer = None;
        if slot.link.is_none() {
            return self.remove(key);
        }
        let Some((end, reason)) = slot.deadline(self.desk.now.monotonic) else { return };
        if end <= self.desk.now.monotonic {
            return self.close(key, reason);
        }
        slot.timer = Some(self.wheel.arm(end, Due::Slot(key)));
    }

    /// Lets the broker end what has expired: sessions, delayed Wills.
    fn expire(&mut self) {
        let now = self.desk.now;
        let soonest = now.monotonic + EXPIRY_INTERVAL;
        let next = self.desk.shared.broker.expire(now, &mut self.desk.effects);
        self.wheel.arm(next.map_or(soonest, |next| next.min(soonest)), Due::Expiry);
    }

    fn publish_sys(&mut self) {
        let Some(sys) = &mut self.sys else { return };
        sys.publish(&self.desk.shared.broker, self.desk.now, &mut self.desk.effects);
        self.wheel.arm(self.desk.now.monotonic + sys.topics.interval, Due::Sys);
    }
}
