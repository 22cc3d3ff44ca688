//! Reads.

use std::sync::Arc;

use tidegate_kv::{BoxFuture, Direction, Entry, KeyRange, ReadSnapshot, Revision, StoreError, Versioned};
use tokio::{runtime::Handle, task::spawn_blocking};

use crate::engine::Engine;

/// Rows up to which a scan runs where it is asked for.
const IN_PLACE_ROWS_MAX: usize = 32;

/// A snapshot of all tables.
///
/// A point read is answered where it is asked for: what it looks for is nearly always in memory (recent writes, the
/// block cache) and costs some ten microseconds; at worst it is a few reads of the disk. So is a scan for a few rows: the
/// way to another thread and back costs more. A longer one may read many blocks, so it goes to the runtime's blocking
/// threads; outside a runtime it runs in place.
#[derive(Clone)]
pub(crate) struct StandaloneSnapshot(Arc<Inner>);

struct Inner {
    engine: Arc<Engine>,
    at: fjall::Snapshot,
    revision: Revision,
}

impl StandaloneSnapshot {
    pub(crate) fn take(engine: Arc<Engine>) -> Result<Self, StoreError> {
        let (at, revision) = engine.snapshot()?;
        Ok(Self(Arc::new(Inner { engine, at, revision })))
    }
}

impl Inner {
    fn scan(
        &self,
        table: &'static str,
        range: &KeyRange,
        limit: usize,
        direction: Direction,
    ) -> Result<Vec<Entry>, StoreError> {
        let mut found = Vec::new();
        if limit > 0 {
            self.engine.visit(&self.at, table, range, direction, |entry| {
                found.push(entry);
                found.len() < limit
            })?;
        }
        Ok(found)
    }
}

impl ReadSnapshot for StandaloneSnapshot {
    fn revision(&self) -> Revision {
        self.0.revision
    }

    fn get<'a>(&'a self, table: &'static str, key: &'a [u8]) -> BoxFuture<'a, Result<Option<Versioned>, StoreError>> {
        Box::pin(async move { self.0.engine.get(&self.0.at, table, key) })
    }

    fn scan<'a>(
        &'a self,
        table: &'static str,
        range: &'a KeyRange,
        limit: usize,
        direction: Direction,
    ) -> BoxFuture<'a, Result<Vec<Entry>, StoreError>> {
        Box::pin(async move {
            if limit <= IN_PLACE_ROWS_MAX || Handle::try_current().is_err() {
                return self.0.scan(table, range, limit, direction);
            }
            let (inner, range) = (self.0.clone(), range.clone());
            let scan = spawn_blocking(move || inner.scan(table, &range, limit, direction));
            // It ends without an answer only when the runtime is shutting down, or by a panic in the engine.
            scan.await.map_err(|error| StoreError::Engine { doing: "scanning a table", source: error.into() })?
        })
    }
}
