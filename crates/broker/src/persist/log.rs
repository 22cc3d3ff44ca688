//! Records on their way to the journal.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use parking_lot::{Mutex, RwLock, RwLockReadGuard};
use tidegate_mqtt::QoS;

use super::{QueuedRecord, Record};

/// Records that the journal has not taken, in the order in which things changed.
///
/// Its lock is the last of all and held for one push. What is here or being written is bounded by whoever reads from
/// publishers: they ask [`is_behind`](Self::is_behind) first.
#[derive(Debug, Default)]
pub(crate) struct RecordLog {
    waiting: Mutex<Batch>,
    /// Held for reading by whoever logs what may not be torn apart, for writing by whoever takes.
    whole: RwLock<()>,
    /// Of what waits, and of what was taken and not settled.
    bytes: AtomicUsize,
}

/// What waits for the next time that the journal takes.
#[derive(Debug, Default)]
struct Batch {
    records: Vec<Record>,
    /// How often it was taken so far; it may begin anew.
    number: u32,
    /// What the records cost.
    bytes: usize,
}

/// Where a record stands, as long as the journal has not taken it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    batch: u32,
    at: u32,
}

impl Place {
    /// Where no record of interest stands.
    pub(crate) const NOWHERE: Self = Self { batch: u32::MAX, at: u32::MAX };
}

impl RecordLog {
    /// With more than this on its way to the disk, publishers are not read from.
    const BYTES_MAX: usize = 32 * 1024 * 1024;

    /// Log a record: where it stands.
    pub(crate) fn push(&self, record: Record) -> Place {
        let cost = record.cost();
        self.bytes.fetch_add(cost, Relaxed);
        let mut waiting = self.waiting.lock();
        let at = u32::try_from(waiting.records.len()).unwrap_or(u32::MAX);
        waiting.bytes += cost;
        waiting.records.push(record);
        Place { batch: waiting.number, at }
    }

    /// Log that a message in the queue of `session`, whose record stood at `place`, is done with. Where a QoS 1 message still stands there,
    /// this takes its place: what was queued and is done with before the journal looks is never written.
    pub(crate) fn finish(&self, session: u64, sequence: u64, place: Place) {
        let finished = Record::Finished { session, sequence };
        let mut waiting = self.waiting.lock();
        let there = match waiting.number == place.batch {
            true => waiting.records.get_mut(place.at as usize).filter(|record| record.queues(session, sequence)),
            false => None,
        };
        let Some(there) = there else {
            drop(waiting);
            self.push(finished);
            return;
        };
        let saved = there.cost() - finished.cost();
        let queued = std::mem::replace(there, finished);
        waiting.bytes -= saved;
        drop(waiting);
        self.bytes.fetch_sub(saved, Relaxed);
        drop(queued);
    }

    /// What is logged until this is dropped is taken as a whole. The first of all locks; it does not nest.
    pub(crate) fn whole(&self) -> RwLockReadGuard<'_, ()> {
        self.whole.read()
    }

    /// Move what waits behind `records`; its bytes, owed to [`settle`](Self::settle).
    pub(crate) fn take(&self, records: &mut Vec<Record>) -> usize {
        let _whole = self.whole.write();
        let mut waiting = self.waiting.lock();
        if records.is_empty() {
            std::mem::swap(records, &mut waiting.records);
        } else {
            records.append(&mut waiting.records);
        }
        waiting.number = waiting.number.wrapping_add(1);
        std::mem::take(&mut waiting.bytes)
    }

    /// So many bytes are on disk, or given up.
    pub(crate) fn settle(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Relaxed);
    }

    pub(crate) fn is_behind(&self) -> bool {
        self.bytes.load(Relaxed) > Self::BYTES_MAX
    }
}

impl Record {
    /// Whether it says that this QoS 1 message was queued. A QoS 2 message has records in between that need it to be there.
    fn queues(&self, of: u64, number: u64) -> bool {
        match self {
            Self::Queued { session, delivery: QueuedRecord { sequence, qos: QoS::AtLeastOnce, .. } } => {
                (*session, *sequence) == (of, number)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU16;

    use tidegate_mqtt::{Message, MessageProperties};

    use super::*;

    #[test]
    fn what_was_taken_counts_until_it_is_settled() {
        let log = RecordLog::default();
        let record = Record::Received { session: 1, packet_id: NonZeroU16::MIN };
        let many = RecordLog::BYTES_MAX / record.cost() + 1;
        for _ in 0..many {
            log.push(record.clone());
        }
        assert!(log.is_behind());
        let mut records = Vec::new();
        let bytes = log.take(&mut records);
        assert_eq!(records.len(), many);
        assert!(log.is_behind());
        log.settle(bytes);
        assert!(!log.is_behind());
        assert_eq!(log.take(&mut records), 0);
    }

    fn queued(session: u64, sequence: u64, qos: QoS) -> Record {
        let message = Message::new("t", &MessageProperties::default(), &[7; 99]).unwrap();
        let (retain, identifiers, expires_at, group) = (false, None, None, None);
        Record::Queued {
            session,
            delivery: QueuedRecord { sequence, qos, retain, identifiers, expires_at, group, message },
        }
    }

    /// What the journal takes, by session and sequence number: whether it is queued.
    fn taken(log: &RecordLog) -> Vec<(u64, u64, bool)> {
        let mut records = Vec::new();
        log.settle(log.take(&mut records));
        let told = |record| match record {
            Record::Queued { session, delivery } => (session, delivery.sequence, true),
            Record::Finished { session, sequence } => (session, sequence, false),
            other => unreachable!("{other:?} was not logged"),
        };
        records.into_iter().map(told).collect()
    }

    #[test]
    fn what_is_done_with_before_it_is_taken_is_never_written() {
        let log = RecordLog::default();
        let first = log.push(queued(1, 5, QoS::AtLeastOnce));
        let second = log.push(queued(2, 5, QoS::AtLeastOnce));
        log.finish(1, 5, first);
        assert_eq!(taken(&log), [(1, 5, false), (2, 5, true)]);
        assert_eq!(log.bytes.load(Relaxed), 0, "every byte is settled");
        // It was taken, and another stands at its place.
        log.push(queued(1, 6, QoS::AtLeastOnce));
        let third = log.push(queued(2, 6, QoS::AtLeastOnce));
        log.finish(2, 5, second);
        log.finish(2, 6, third);
        log.finish(9, 9, Place::NOWHERE);
        assert_eq!(taken(&log), [(1, 6, true), (2, 6, false), (2, 5, false), (9, 9, false)]);
        assert_eq!(log.bytes.load(Relaxed), 0);
    }

    #[test]
    fn a_qos_2_message_is_done_with_where_it_is() {
        let log = RecordLog::default();
        let place = log.push(queued(1, 5, QoS::ExactlyOnce));
        log.finish(1, 5, place);
        assert_eq!(taken(&log), [(1, 5, true), (1, 5, false)]);
    }
}
