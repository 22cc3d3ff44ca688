//! From records to rows: what is on disk, as far as it must be known to write the next commit.

use std::collections::{BTreeMap, BTreeSet, hash_map::Entry};

use tidegate_broker::{QueuedRecord, Record};
use tidegate_ids::{NumberMap, Tenant};
use tidegate_kv::Key;

use super::{
    pending::{self, Pending, Table},
    queue::{Place, Queue},
    rows::{self, Body, Progress, Reference},
    segments::{Open, Segments},
    wire::{RowError, Writer},
};

/// A chunk of about this many bytes is one row.
const CHUNK_BYTES: usize = 1024 * 1024;
/// Few references take more in a chunk; room is made for so much at first.
const REFERENCE_BYTES: usize = 16;

/// The journal's memory: per session its queue, per segment its references; and rows to be written.
///
/// ```text
///   Queued ─▶ body into the commit's segment ─▶ reference into the session's chunk of this commit
///   Finished ─▶ the cursor moves ─▶ the chunk's last? delete it ─▶ the segment's last reference? delete it
/// ```
#[derive(Debug, Default)]
pub(super) struct Ledger {
    sessions: NumberMap<Queue>,
    segments: Segments,
    pending: Pending,
}

/// What one commit queued, per session.
type Fresh = BTreeMap<u64, Vec<Reference>>;

impl Ledger {
    /// Take records, in order; the rows that follow are [`pending`](Self::pending).
    pub(super) fn apply(&mut self, records: impl IntoIterator<Item = Record>) {
        let (mut open, mut fresh, mut steps) = (Open::default(), Fresh::new(), Vec::new());
        let mut moved = BTreeSet::new();
        for record in records {
            match record {
                Record::Session(session) => {
                    self.sessions.entry(session.session).or_insert_with(|| Queue::restored(Progress::default()));
                    let key = pending::session_key(session.tenant, session.session);
                    self.pending.put(Table::Sessions, key, rows::write_session(&session));
                }
                Record::SessionEnded { tenant, session, topic_filters } => {
                    for reference in fresh.remove(&session).unwrap_or_default() {
                        self.release((reference.segment, reference.index));
                    }
                    for topic_filter in topic_filters {
                        let key = pending::subscription_key(tenant, session, &topic_filter);
                        self.pending.delete(Table::Subscriptions, key);
                    }
                    self.end_session(tenant, session);
                }
                Record::Subscribed { tenant, session, subscription } => {
                    let key = pending::subscription_key(tenant, session, &subscription.topic_filter);
                    self.pending.put(Table::Subscriptions, key, rows::write_subscription(&subscription));
                }
                Record::Unsubscribed { tenant, session, topic_filter } => {
                    let key = pending::subscription_key(tenant, session, &topic_filter);
                    self.pending.delete(Table::Subscriptions, key);
                }
                Record::Queued { session, delivery } => self.add(session, &delivery, &mut open, &mut fresh),
                // After the chunks of this commit: these may be about them.
                Record::Released { session, sequence } => steps.push((session, sequence, false)),
                Record::Finished { session, sequence } => steps.push((session, sequence, true)),
                Record::Received { session, packet_id } => {
                    moved.insert(session);
                    self.receive(session, packet_id.get(), true);
                }
                Record::ReceivedEnded { session, packet_id } => {
                    moved.insert(session);
                    self.receive(session, packet_id.get(), false);
                }
                Record::Retained { tenant, retained } => {
                    let key = pending::retained_key(tenant, retained.message.topic_name());
                    self.pending.put(Table::Retained, key, rows::write_retained(&retained));
                }
                Record::RetainedDeleted { tenant, topic_name } => {
                    self.pending.delete(Table::Retained, pending::retained_key(tenant, &topic_name));
                }
            }
        }
        self.write_messages(open, fresh);
        for (session, sequence, finished) in steps {
            moved.insert(session);
            self.step(session, sequence, finished);
        }
        for session in moved {
            self.write_progress(session);
        }
    }

    /// Rows to be written.
    pub(super) fn pending(&mut self) -> &mut Pending {
        &mut self.pending
    }

    /// A segment that should be read from the store and given to [`compact`](Self::compact).
    pub(super) fn next_wasteful(&mut self) -> Option<u64> {
        self.segments.next_wasteful()
    }

    /// Write segment `number` again, without what nobody needs of `row`.
    pub(super) fn compact(&mut self, number: u64, row: &[u8]) -> Result<(), RowError> {
        if let Some(compacted) = self.segments.compact(number, row)? {
            self.pending.put(Table::Bodies, number.to_bytes(), compacted);
        }
        Ok(())
    }

    /// Note a segment that is on disk. First all of these.
    pub(super) fn restore_segment(&mut self, number: u64, sizes: impl IntoIterator<Item = usize>) {
        self.segments.restore(number, sizes);
    }

    /// Note a session that is on disk, with its chunks in order. An error when a body that it needs is not there.
    pub(super) fn restore_session(
        &mut self,
        session: u64,
        progress: Progress,
        chunks: &[Vec<Reference>],
    ) -> Result<&Queue, RowError> {
        let mut queue = Queue::restored(progress);
        for chunk in chunks.iter().filter(|chunk| !chunk.is_empty()) {
            queue.push(chunk);
        }
        if !queue.places().all(|place| self.segments.refer(place)) {
            return Err(RowError::Corrupt("the body of a message"));
        }
        match self.sessions.entry(session) {
            Entry::Occupied(_) => Err(RowError::Corrupt("each session once")),
            Entry::Vacant(vacant) => Ok(vacant.insert(queue)),
        }
    }

    /// All sessions are restored: what nobody refers to goes.
    pub(super) fn restored(&mut self) {
        for number in self.segments.take_unused() {
            self.pending.delete(Table::Bodies, number.to_bytes());
        }
    }

    fn add(&mut self, session: u64, queued: &QueuedRecord, open: &mut Open, fresh: &mut Fresh) {
        if !self.sessions.contains_key(&session) {
            debug_assert!(false, "a message is queued for a session that was logged");
            return;
        }
        let body = Body { expires_at: queued.expires_at, message: queued.message.clone() };
        let (segment, index) = self.segments.add(body, open);
        fresh.entry(session).or_default().push(rows::reference(queued, segment, index));
    }

    fn write_messages(&mut self, mut open: Open, fresh: Fresh) {
        self.segments.close(&mut open);
        for (number, row) in open.rows {
            if !self.segments.forget_if_unused(number) {
                self.pending.put(Table::Bodies, number.to_bytes(), row);
            }
        }
        for (session, references) in fresh {
            let Some(queue) = self.sessions.get_mut(&session) else { continue };
            let (mut row, mut start) = (Writer::with_capacity(references.len() * REFERENCE_BYTES), 0);
            for (at, reference) in references.iter().enumerate() {
                rows::write_reference(reference, &mut row);
                if row.len() > CHUNK_BYTES || at + 1 == references.len() {
                    let key = pending::chunk_key(session, references[start].sequence);
                    self.pending.put(Table::Chunks, key, std::mem::replace(&mut row, Writer::new()).finish());
                    queue.push(&references[start..=at]);
                    start = at + 1;
                }
            }
        }
    }

    fn step(&mut self, session: u64, sequence: u64, finished: bool) {
        let Some(queue) = self.sessions.get_mut(&session) else { return };
        if !finished {
            return queue.release(sequence);
        }
        let done = queue.finish(sequence);
        if let Some(first) = done.chunk {
            self.pending.delete(Table::Chunks, pending::chunk_key(session, first));
        }
        if let Some(place) = done.place {
            self.release(place);
        }
    }

    fn receive(&mut self, session: u64, packet_id: u16, in_use: bool) {
        if let Some(queue) = self.sessions.get_mut(&session) {
            queue.receive(packet_id, in_use);
        }
    }

    fn release(&mut self, place: Place) {
        if self.segments.release(place) {
            self.pending.delete(Table::Bodies, place.0.to_bytes());
        }
    }

    fn end_session(&mut self, tenant: Tenant, session: u64) {
        let Some(queue) = self.sessions.remove(&session) else { return };
        self.pending.delete(Table::Sessions, pending::session_key(tenant, session));
        self.pending.delete(Table::Progress, session.to_bytes());
        for first in queue.chunk_keys() {
            self.pending.delete(Table::Chunks, pending::chunk_key(session, first));
        }
        queue.places().for_each(|place| self.release(place));
    }

    fn write_progress(&mut self, session: u64) {
        if let Some(queue) = self.sessions.get(&session) {
            self.pending.put(Table::Progress, session.to_bytes(), rows::write_progress(queue.progress()));
        }
    }

    /// Sessions and segments.
    #[cfg(test)]
    pub(super) fn sizes(&self) -> (usize, usize) {
        (self.sessions.len(), self.segments.len())
    }
}
