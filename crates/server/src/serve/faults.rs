//! Named points at which a test build ends itself as if it had been killed, or finds the disk full. A release build has none.

use std::sync::Arc;

use tidegate_kv::Store;
use tidegate_registry::FaultPoints;

/// The fault points of this build.
pub(super) fn points() -> Box<dyn FaultPoints> {
    #[cfg(feature = "fault-points")]
    if let Ok(point) = std::env::var("TIDEGATE_FAULT") {
        return Box::new(AbortAt(point));
    }
    Box::new(())
}

/// `store`; in a test build whose `TIDEGATE_FAULT_FULL_DISK` names a file, one whose disk is full while that file exists.
pub(super) fn store(store: Arc<dyn Store>) -> Arc<dyn Store> {
    #[cfg(feature = "fault-points")]
    if let Some(marker) = std::env::var_os("TIDEGATE_FAULT_FULL_DISK") {
        return Arc::new(full_disk::FullDisk { store, marker: marker.into() });
    }
    store
}

/// Aborts the process at one named point: nothing is flushed, no destructor runs.
#[cfg(feature = "fault-points")]
struct AbortAt(String);

#[cfg(feature = "fault-points")]
impl FaultPoints for AbortAt {
    fn reached(&self, point: &'static str) {
        if self.0 == point {
            std::process::abort();
        }
    }
}

#[cfg(feature = "fault-points")]
mod full_disk {
    use std::{path::PathBuf, sync::Arc};

    use tidegate_kv::{
        BoxFuture, Changes, CommitError, Direction, Entry, KeyRange, Revision, Snapshot, Store, StoreError,
        Transaction, Versioned,
    };

    /// A store that takes no commits while a file exists, as if its disk were full.
    pub(super) struct FullDisk {
        pub(super) store: Arc<dyn Store>,
        pub(super) marker: PathBuf,
    }

    impl Store for FullDisk {
        fn snapshot(&self) -> BoxFuture<'_, Result<Snapshot, StoreError>> {
            self.store.snapshot()
        }

        fn commit(&self, transaction: Transaction) -> BoxFuture<'_, Result<Revision, CommitError>> {
            if self.marker.exists() {
                let full = StoreError::Full { path: self.marker.clone(), free_bytes: 0, bytes_min: 1 };
                return Box::pin(async { Err(full.into()) });
            }
            self.store.commit(transaction)
        }

        fn changes(&self, from: Revision) -> Changes {
            self.store.changes(from)
        }

        fn get<'a>(
            &'a self,
            table: &'static str,
            key: &'a [u8],
        ) -> BoxFuture<'a, Result<Option<Versioned>, StoreError>> {
            self.store.get(table, key)
        }

        fn scan<'a>(
            &'a self,
            table: &'static str,
            range: &'a KeyRange,
            limit: usize,
            direction: Direction,
        ) -> BoxFuture<'a, Result<Vec<Entry>, StoreError>> {
            self.store.scan(table, range, limit, direction)
        }
    }
}
