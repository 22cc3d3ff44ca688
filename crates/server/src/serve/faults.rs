//! Named points at which a test build ends itself as if it had been killed, or finds the disk full. A release build has none.

use std::sync::Arc;

use tidegate_kv::Store;
use tidegate_registry::FaultPoints;
use tidegate_standalone::Options;

/// The fault points of this build.
pub(super) fn points() -> Box<dyn FaultPoints> {
    #[cfg(feature = "fault-points")]
    if let Ok(point) = std::env::var("TIDEGATE_FAULT") {
        return Box::new(AbortAt(point));
    }
    Box::new(())
}

/// How the store is opened; in a test build with a disk that is stuck while the file named by `TIDEGATE_FAULT_STUCK_DISK` exists.
pub(super) fn disk(options: Options) -> Options {
    #[cfg(feature = "fault-points")]
    if let Some(marker) = std::env::var_os("TIDEGATE_FAULT_STUCK_DISK").map(std::path::PathBuf::from) {
        let before_batch = Box::new(move || {
            while marker.exists() {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
        });
        return Options { before_batch, ..options };
    }
    options
}

/// `store`; in a test build one with the faults that these variables ask for, each with the name of a file, while that file exists:
/// `TIDEGATE_FAULT_FULL_DISK`: the disk is full; `TIDEGATE_FAULT_KILL_AFTER_COMMIT`: the process ends once a commit is durable.
pub(super) fn store(store: Arc<dyn Store>) -> Arc<dyn Store> {
    #[cfg(feature = "fault-points")]
    {
        let marker = |name: &str| std::env::var_os(name).map(std::path::PathBuf::from);
        let (full, kill) = (marker("TIDEGATE_FAULT_FULL_DISK"), marker("TIDEGATE_FAULT_KILL_AFTER_COMMIT"));
        if full.is_some() || kill.is_some() {
            return Arc::new(faulty::Faulty { store, full, kill });
        }
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
mod faulty {
    use std::{path::PathBuf, sync::Arc};

    use tidegate_kv::{
        BoxFuture, Changes, CommitError, Direction, Entry, KeyRange, Revision, Snapshot, Store, StoreError,
        Transaction, Versioned,
    };

    /// A store that has a fault while a file exists.
    pub(super) struct Faulty {
        pub(super) store: Arc<dyn Store>,
        /// It takes no commits, as if its disk were full.
        pub(super) full: Option<PathBuf>,
        /// The process ends after a commit, before anybody hears of it.
        pub(super) kill: Option<PathBuf>,
    }

    impl Store for Faulty {
        fn snapshot(&self) -> BoxFuture<'_, Result<Snapshot, StoreError>> {
            self.store.snapshot()
        }

        fn commit(&self, transaction: Transaction) -> BoxFuture<'_, Result<Revision, CommitError>> {
            if let Some(marker) = self.full.as_ref().filter(|marker| marker.exists()) {
                let full = StoreError::Full { path: marker.clone(), free_bytes: 0, bytes_min: 1 };
                return Box::pin(async { Err(full.into()) });
            }
            let committing = self.store.commit(transaction);
            match self.kill.as_ref().filter(|marker| marker.exists()) {
                None => committing,
                Some(_) => Box::pin(async {
                    let _ = committing.await;
                    std::process::abort()
                }),
            }
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
