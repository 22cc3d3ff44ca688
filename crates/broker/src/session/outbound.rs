//! Messages on their way to one client, from the moment they enter its session until they are acknowledged.

mod acknowledged;
mod durable;
mod entry;
mod restored;
mod sending;
mod withdrawn;

use std::{
    collections::VecDeque,
    num::{NonZeroU16, NonZeroU32},
    sync::Arc,
};

use tidegate_ids::Monotonic;
use tidegate_mqtt::QoS;

pub(crate) use acknowledged::Acknowledged;
pub(crate) use restored::{Earlier, Restored};
pub(crate) use sending::Next;
pub(crate) use withdrawn::Undelivered;

use crate::{message::Stamped, persist::Place, router::Group, seldom::Blank};
use entry::{Entry, IDS, State, cost};

/// What is on its way to one client: first what was sent on this connection, then what waits.
///
/// ```text
///   entries:  Sent Released Done Sent │ Waiting Waiting …       (or, resumed: everything behind the cursor)
///                                     └ cursor
/// ```
///
/// Each QoS 1 and 2 message has a sequence number, and its packet id follows from it, so that a resumed session, on
/// this process or the next, sends under the same id. Acknowledgements may come in any order.
#[derive(Debug)]
pub(crate) struct Outbound {
    entries: VecDeque<Entry>,
    /// The first entry that was not sent on this connection.
    cursor: usize,
    /// Finished entries, which stay while what was sent before them is not acknowledged.
    done: usize,
    /// No waiting message expires before this.
    expires_at: Option<Monotonic>,
    /// The sequence number of the next QoS 1 or 2 message.
    next_sequence: u64,
    /// Waiting messages that count for the session's bounds, and their bytes.
    waiting: u32,
    waiting_bytes: usize,
    /// Bytes of messages sent and not acknowledged.
    unacknowledged_bytes: usize,
    /// Bytes of all messages that are here.
    held_bytes: usize,
    /// Waiting retained messages: while there are any, later messages queue up behind them, QoS 0 too.
    backlog: u32,
    /// Whether what becomes of messages is logged, and QoS 2 messages wait until they are durable.
    kept: bool,
    /// QoS 2 messages up to this one are durable.
    durable_to: u64,
    /// What no connection has sent waits until it is durable that there is a connection again.
    resuming: bool,
    /// What is done with since the last look, and where its record stood.
    finished: Vec<(u64, Place)>,
}

impl Blank for Outbound {
    const BLANK: &'static Self = &Self::EMPTY;
}

impl Outbound {
    /// Nothing, and nothing was.
    const EMPTY: Self = Self {
        entries: VecDeque::new(),
        cursor: 0,
        done: 0,
        expires_at: None,
        next_sequence: 1,
        waiting: 0,
        waiting_bytes: 0,
        unacknowledged_bytes: 0,
        held_bytes: 0,
        backlog: 0,
        kept: false,
        durable_to: 0,
        resuming: false,
        finished: Vec::new(),
    };
    /// Finished entries that may stay whatever else there is.
    const DONE_MAX: usize = 64;
    /// Entries that an empty queue keeps the memory of.
    const IDLE_ENTRIES_MAX: usize = 64;

    /// An empty queue; whether what becomes of messages is logged.
    pub(crate) fn new(kept: bool) -> Self {
        Self { kept, ..Self::EMPTY }
    }

    /// An empty queue whose next message has this number.
    pub(crate) fn starting_at(next_sequence: u64) -> Self {
        Self { next_sequence: next_sequence.max(1), ..Self::EMPTY }
    }

    /// Bytes of all messages that are here.
    pub(crate) fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// Messages not finished: what the session has to do.
    pub(crate) fn len(&self) -> usize {
        self.entries.len() - self.done
    }

    /// Whether there is something that was not sent on this connection.
    pub(crate) fn has_unsent(&self) -> bool {
        self.cursor < self.entries.len()
    }

    /// Messages sent on some connection and not acknowledged to the end; messages that wait; bytes of those.
    pub(crate) fn depth(&self) -> (usize, usize, usize) {
        let waiting = self.waiting as usize + self.backlog as usize;
        (self.len() - waiting, waiting, self.waiting_bytes)
    }

    /// Retained messages that wait. While there are any, later messages queue up behind them, QoS 0 too.
    pub(crate) fn backlog(&self) -> usize {
        self.backlog as usize
    }

    /// Whether one more message of this size may wait.
    pub(crate) fn has_room(&self, message: &Stamped, messages_max: usize, bytes_max: usize) -> bool {
        (self.waiting as usize) < messages_max && (self.waiting == 0 || self.waiting_bytes + cost(message) <= bytes_max)
    }

    /// Take a message; the caller asked [`has_room`](Self::has_room). Its sequence number, for QoS 1 and 2.
    pub(crate) fn push(
        &mut self,
        message: Stamped,
        qos: QoS,
        retain: bool,
        identifiers: &[NonZeroU32],
        backlog: bool,
        group: Option<&Arc<Group>>,
    ) -> u64 {
        let sequence = self.next_sequence;
        if qos != QoS::AtMostOnce {
            self.next_sequence += 1;
        }
        match backlog {
            true => self.backlog += 1,
            false => {
                self.waiting += 1;
                self.waiting_bytes += cost(&message);
            }
        }
        if let Some(at) = message.expires_at {
            self.expires_at = Some(self.expires_at.map_or(at, |earliest| earliest.min(at)));
        }
        self.held_bytes += cost(&message);
        let identifiers = (!identifiers.is_empty()).then(|| identifiers.into());
        let entry = Entry::new(sequence, qos, Some(message));
        self.entries.push_back(Entry { retain, backlog, identifiers, group: group.cloned(), ..entry });
        sequence
    }

    /// Finish the waiting messages that have expired; how many. Cheap while none can have.
    pub(crate) fn drop_expired(&mut self, now: Monotonic) -> u64 {
        if self.expires_at.is_none_or(|at| at > now) {
            return 0;
        }
        let mut dropped = 0;
        let mut earliest = None;
        for at in self.cursor..self.entries.len() {
            let entry = &self.entries[at];
            if entry.state != State::Waiting {
                continue;
            }
            match entry.message.as_ref().and_then(|message| message.expires_at) {
                Some(expires_at) if expires_at <= now => {
                    self.finish_waiting(at);
                    dropped += 1;
                }
                Some(expires_at) => earliest = Some(earliest.map_or(expires_at, |e: Monotonic| e.min(expires_at))),
                None => {}
            }
        }
        self.expires_at = earliest;
        self.compact();
        dropped
    }

    /// A waiting message will not be sent.
    fn finish_waiting(&mut self, at: usize) {
        let entry = &self.entries[at];
        let (backlog, cost) = (entry.backlog, entry.message.as_ref().map_or(0, cost));
        self.not_waiting(backlog, cost);
        self.finish(at);
    }

    fn finish(&mut self, at: usize) {
        let entry = &mut self.entries[at];
        self.held_bytes -= entry.message.as_ref().map_or(0, cost);
        if self.kept && entry.qos != QoS::AtMostOnce {
            self.finished.push((entry.sequence, entry.record));
        }
        entry.finish();
        self.done += 1;
    }

    fn not_waiting(&mut self, backlog: bool, cost: usize) {
        match backlog {
            true => self.backlog -= 1,
            false => {
                self.waiting -= 1;
                self.waiting_bytes -= cost;
            }
        }
    }

    /// The entry that was sent, now or on an earlier connection, with packet id `id`.
    fn find(&self, id: NonZeroU16) -> Option<usize> {
        let oldest = self.entries.front()?.sequence;
        let ahead = (u64::from(id.get() - 1) + IDS - (oldest - 1) % IDS) % IDS;
        let sequence = oldest + ahead;
        // Where it is as long as nothing between was forgotten, and nothing has QoS 0: nearly always.
        let near = usize::try_from(ahead)
            .ok()
            .filter(|&at| self.entries.get(at).is_some_and(|entry| entry.sequence == sequence));
        let at = match near {
            Some(at) if self.entries[at].qos != QoS::AtMostOnce => at,
            // Several QoS 0 entries may bear the number of the QoS 1 or 2 message behind them.
            Some(_) | None => self.entries.partition_point(|entry| entry.sequence <= sequence).checked_sub(1)?,
        };
        let entry = &self.entries[at];
        let was_sent = entry.qos != QoS::AtMostOnce && entry.state != State::Waiting;
        (entry.sequence == sequence && was_sent).then_some(at)
    }

    fn give_up_bytes(&mut self, at: usize) {
        let entry = &self.entries[at];
        if entry.counted {
            self.unacknowledged_bytes -= entry.message.as_ref().map_or(0, cost);
        }
    }

    /// Forget finished entries at the front, and the others once they are the most.
    fn trim(&mut self) {
        while self.cursor > 0 && self.entries.front().is_some_and(|entry| entry.state == State::Done) {
            self.entries.pop_front();
            self.cursor -= 1;
            self.done -= 1;
        }
        self.compact();
        if self.entries.is_empty() && self.entries.capacity() > Self::IDLE_ENTRIES_MAX {
            self.entries = VecDeque::new();
        }
    }

    /// Forget all finished entries when they are the most, so that one message that is never acknowledged keeps no others.
    /// Constant time on average.
    fn compact(&mut self) {
        if self.done <= Self::DONE_MAX || self.done * 2 <= self.entries.len() {
            return;
        }
        self.cursor -= self.entries.iter().take(self.cursor).filter(|entry| entry.state == State::Done).count();
        self.entries.retain(|entry| entry.state != State::Done);
        self.done = 0;
    }
}

#[cfg(test)]
mod tests;
