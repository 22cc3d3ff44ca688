//! Records on their way to the journal.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use parking_lot::{Mutex, RwLock, RwLockReadGuard};

use super::Record;

/// Records that the journal has not taken, in the order in which things changed.
///
/// Its lock is the last of all and held for one push. What is here or being written is bounded by whoever reads from
/// publishers: they ask [`is_behind`](Self::is_behind) first.
#[derive(Debug, Default)]
pub(crate) struct RecordLog {
    waiting: Mutex<Vec<Record>>,
    /// Held for reading by whoever logs what may not be torn apart, for writing by whoever takes.
    whole: RwLock<()>,
    /// Of what waits, and of what was taken and not settled.
    bytes: AtomicUsize,
}

impl RecordLog {
    /// With more than this on its way to the disk, publishers are not read from.
    const BYTES_MAX: usize = 32 * 1024 * 1024;

    pub(crate) fn push(&self, record: Record) {
        self.bytes.fetch_add(record.cost(), Relaxed);
        self.waiting.lock().push(record);
    }

    /// What is logged until this is dropped is taken as a whole. The first of all locks; it does not nest.
    pub(crate) fn whole(&self) -> RwLockReadGuard<'_, ()> {
        self.whole.read()
    }

    /// Move what waits behind `records`; its bytes, owed to [`settle`](Self::settle).
    pub(crate) fn take(&self, records: &mut Vec<Record>) -> usize {
        let start = records.len();
        let _whole = self.whole.write();
        records.append(&mut self.waiting.lock());
        records[start..].iter().map(Record::cost).sum()
    }

    /// So many bytes are on disk, or given up.
    pub(crate) fn settle(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Relaxed);
    }

    pub(crate) fn is_behind(&self) -> bool {
        self.bytes.load(Relaxed) > Self::BYTES_MAX
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU16;

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
}
