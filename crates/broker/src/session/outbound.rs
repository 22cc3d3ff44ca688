//! Messages on their way to one client, from the moment they enter its session until they are acknowledged.

mod acknowledged;
mod restored;

use std::{
    collections::VecDeque,
    num::{NonZeroU16, NonZeroU32},
    sync::Arc,
};

use tidegate_ids::Monotonic;
use tidegate_mqtt::QoS;

use crate::{message::Stamped, persist::Place, router::Group, seldom::Blank};

pub(crate) use acknowledged::Acknowledged;
pub(crate) use restored::{Earlier, Restored};

/// Packet ids are 1 to this.
const IDS: u64 = u16::MAX as u64;

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

/// One message on its way.
#[derive(Debug)]
pub(crate) struct Entry {
    sequence: u64,
    state: State,
    pub(crate) qos: QoS,
    pub(crate) retain: bool,
    /// Sent because of a SUBSCRIBE, not counted for bounds.
    backlog: bool,
    /// Its PUBLISH was sent on this connection and uses its window.
    counted: bool,
    /// It waits, and an earlier process may have sent it all the same.
    perhaps_sent: bool,
    pub(crate) identifiers: Option<Box<[NonZeroU32]>>,
    /// `None` once the client has it: from PUBREC on.
    message: Option<Stamped>,
    /// Its PUBREL may be sent: that the client has it is durable.
    settled: bool,
    /// The shared group it came by: other members may have it, if this one leaves.
    group: Option<Arc<Group>>,
    /// Where the record stands that it was queued.
    record: Place,
}

/// A message of a shared group that its member will not have.
#[derive(Debug)]
pub(crate) struct Undelivered {
    pub(crate) group: Arc<Group>,
    pub(crate) message: Stamped,
    /// RETAIN as the member was to see it.
    pub(crate) retain: bool,
}

/// How far one message is.
///
///   Waiting ─▶ Sent ─PUBACK─▶ Done
///                └──PUBREC─▶ Released ─PUBCOMP─▶ Done
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Sent,
    Released,
    Done,
}

/// The next thing to send.
#[derive(Debug)]
pub(crate) enum Next<'a> {
    /// PUBLISH, with DUP when it was sent on an earlier connection, or may have been.
    Publish { entry: &'a Entry, message: &'a Stamped, packet_id: Option<NonZeroU16>, dup: bool },
    /// PUBREL, owed since an earlier connection.
    Release(NonZeroU16),
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
}

fn packet_id(sequence: u64) -> NonZeroU16 {
    NonZeroU16::new(((sequence - 1) % IDS + 1) as u16).expect("one more than something is not zero")
}

/// What a message costs a queue: its own bytes; what surrounds them is bounded by the count.
fn cost(message: &Stamped) -> usize {
    message.message.held_bytes()
}

impl Outbound {
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

    /// Take out the messages of `group`, or of all groups, that other members may have instead: those that no connection
    /// has sent; and when the session `ends`, QoS 1 messages that were not acknowledged.
    ///
    /// Spec: 4.8.2, [MQTT-4.8.2-4], [MQTT-4.8.2-5], [MQTT-3.10.4-3] (5.0): a QoS 2 message that was sent is nobody else's.
    pub(crate) fn withdraw(&mut self, group: Option<&Arc<Group>>, ends: bool) -> Vec<Undelivered> {
        let mut withdrawn = Vec::new();
        for at in 0..self.entries.len() {
            let entry = &self.entries[at];
            let free = match entry.state {
                State::Waiting if !entry.perhaps_sent => entry.qos != QoS::AtMostOnce,
                State::Waiting | State::Sent => ends && entry.qos == QoS::AtLeastOnce,
                State::Released | State::Done => false,
            };
            let of = entry.group.as_ref().filter(|of| free && group.is_none_or(|group| Arc::ptr_eq(group, of)));
            let Some(of) = of.cloned() else { continue };
            let message = entry.message.clone().expect("a message is there until the client has it");
            withdrawn.push(Undelivered { group: of, message, retain: entry.retain });
            match entry.state {
                State::Waiting => self.finish_waiting(at),
                State::Sent | State::Released | State::Done => self.finish(at),
            }
        }
        withdrawn
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

    /// Whether what becomes of messages is to be logged from now on.
    pub(crate) fn keep(&mut self, keep: bool) {
        if keep && !self.kept {
            self.durable_to = self.next_sequence - 1;
        }
        self.kept = keep;
        if !keep {
            self.finished = Vec::new();
            self.entries.iter_mut().for_each(|entry| entry.settled = true);
        }
    }

    /// The client is back: what no connection has sent waits, so that a crash cannot forget that it may have been sent. Whether
    /// there is such a message.
    pub(crate) fn resume(&mut self) -> bool {
        self.resuming = self.kept && self.entries.iter().any(Entry::was_never_sent);
        self.resuming
    }

    /// That the client is back is durable.
    pub(crate) fn settle_resume(&mut self) {
        self.resuming = false;
    }

    /// Call `log` with what is done with since the last call.
    pub(crate) fn take_finished(&mut self, log: impl FnMut((u64, Place))) {
        self.finished.drain(..).for_each(log);
    }

    /// That the youngest message was queued is logged, at `record`.
    pub(crate) fn logged(&mut self, record: Place) {
        if let Some(youngest) = self.entries.back_mut() {
            youngest.record = record;
        }
    }

    /// The QoS 2 message `sequence`, and whatever is before it, is durable, or it is not: then it will not be sent.
    pub(crate) fn settle_delivery(&mut self, sequence: u64, durable: bool) {
        if durable {
            self.durable_to = self.durable_to.max(sequence);
            return;
        }
        let at = self.entries.partition_point(|entry| entry.sequence < sequence);
        // QoS 0 entries may bear the same number.
        let wanted = |entry: &&Entry| entry.sequence == sequence;
        let same = self.entries.iter().skip(at).take_while(wanted);
        if let Some(ahead) = same.clone().position(|entry| entry.qos == QoS::ExactlyOnce)
            && self.entries[at + ahead].state == State::Waiting
        {
            self.finish_waiting(at + ahead);
        }
    }

    /// That the client has the message of packet id `id` is durable.
    pub(crate) fn settle_release(&mut self, id: NonZeroU16) {
        if let Some(at) = self.find(id) {
            self.entries[at].settled = true;
        }
    }

    /// The sequence number of what was sent with packet id `id`.
    pub(crate) fn sequence_of(&self, id: NonZeroU16) -> Option<u64> {
        self.find(id).map(|at| self.entries[at].sequence)
    }

    /// The first sequence number that no connection has sent, nor one of an earlier process may have.
    pub(crate) fn unsent_from(&self) -> u64 {
        let unsent = |entry: &&Entry| entry.was_never_sent() && entry.qos != QoS::AtMostOnce;
        self.entries.iter().find(unsent).map_or(self.next_sequence, |entry| entry.sequence)
    }

    /// Whether `next` is about the message that was pushed last.
    pub(crate) fn is_at_youngest(&self) -> bool {
        self.cursor + 1 == self.entries.len()
    }

    /// The next thing to send; tell what became of it by [`sent`](Self::sent) or [`skip`](Self::skip).
    /// `None`: nothing, or a PUBLISH that must wait for an acknowledgement. `quota` is what the client's window admits,
    /// `bytes_max` bounds what is sent and not acknowledged.
    pub(crate) fn next(&mut self, quota: u16, bytes_max: usize) -> Option<Next<'_>> {
        while self.entries.get(self.cursor)?.state == State::Done {
            self.cursor += 1;
            self.trim();
        }
        let oldest = self.entries.front()?.sequence;
        let entry = &self.entries[self.cursor];
        if entry.state == State::Released {
            if self.kept && !entry.settled {
                return None;
            }
            return Some(Next::Release(packet_id(entry.sequence)));
        }
        if self.resuming && entry.was_never_sent() {
            return None;
        }
        let message = entry.message.as_ref().expect("a message is there until the client has it");
        if entry.qos == QoS::AtMostOnce {
            return Some(Next::Publish { entry, message, packet_id: None, dup: false });
        }
        let fits = self.unacknowledged_bytes == 0 || self.unacknowledged_bytes + cost(message) <= bytes_max;
        // Ids are unique among what is unacknowledged because they are fewer than its span.
        let durable = entry.qos != QoS::ExactlyOnce || !self.kept || entry.sequence <= self.durable_to;
        if quota == 0 || !fits || !durable || entry.sequence - oldest >= IDS {
            return None;
        }
        let packet_id = Some(packet_id(entry.sequence));
        Some(Next::Publish { entry, message, packet_id, dup: entry.state == State::Sent || entry.perhaps_sent })
    }

    /// What `next` gave is in the outbox.
    pub(crate) fn sent(&mut self) {
        let entry = &mut self.entries[self.cursor];
        match entry.state {
            State::Released | State::Done => {}
            State::Waiting | State::Sent => {
                let cost = cost(entry.message.as_ref().expect("a message is there until the client has it"));
                let (backlog, first) = (entry.backlog, entry.state == State::Waiting);
                if entry.qos == QoS::AtMostOnce {
                    self.finish(self.cursor);
                } else {
                    entry.state = State::Sent;
                    entry.counted = true;
                    self.unacknowledged_bytes += cost;
                }
                if first {
                    self.not_waiting(backlog, cost);
                }
            }
        }
        self.cursor += 1;
        self.trim();
    }

    /// What `next` gave will not be sent: it expired, is too large, or may not be received.
    pub(crate) fn skip(&mut self) {
        match self.entries[self.cursor].state {
            State::Waiting => self.finish_waiting(self.cursor),
            State::Sent | State::Released => self.finish(self.cursor),
            State::Done => {}
        }
        self.cursor += 1;
        self.trim();
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

    /// The connection ended: everything unacknowledged will be sent again, what has QoS 0 is gone.
    pub(crate) fn rewind(&mut self) {
        for at in 0..self.entries.len() {
            if self.entries[at].qos == QoS::AtMostOnce && self.entries[at].state == State::Waiting {
                self.finish_waiting(at);
            }
            self.entries[at].counted = false;
        }
        self.cursor = 0;
        self.unacknowledged_bytes = 0;
        self.entries.retain(|entry| entry.state != State::Done);
        self.done = 0;
        self.finished.shrink_to(0);
        self.entries.shrink_to(self.entries.len().max(4));
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

impl Entry {
    /// One that waits.
    fn new(sequence: u64, qos: QoS, message: Option<Stamped>) -> Self {
        Self {
            sequence,
            state: State::Waiting,
            qos,
            retain: false,
            backlog: false,
            counted: false,
            perhaps_sent: false,
            identifiers: None,
            message,
            settled: false,
            group: None,
            record: Place::NOWHERE,
        }
    }

    /// Whether no process has sent it, or may have.
    fn was_never_sent(&self) -> bool {
        self.state == State::Waiting && !self.perhaps_sent
    }

    fn finish(&mut self) {
        self.state = State::Done;
        self.message = None;
        self.identifiers = None;
        self.group = None;
    }
}

#[cfg(test)]
mod tests;
