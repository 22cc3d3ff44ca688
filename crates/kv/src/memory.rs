//! A store in memory, with the semantics of the durable ones: for unit tests.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
    sync::Arc,
};

use bytes::Bytes;
use parking_lot::Mutex;

use crate::{
    BoxFuture, Changes, CommitError, Committed, Direction, Entry, KeyRange, ReadSnapshot, Revision, Snapshot, Store,
    StoreError, Transaction, Versioned,
    single_writer::{Feed, FeedBounds, Recent, State, all_hold},
};

type Rows = BTreeMap<Bytes, Versioned>;

/// Tables are shared between snapshots until they are written to.
#[derive(Debug, Clone, Default)]
struct Tables {
    revision: Revision,
    tables: HashMap<&'static str, Arc<Rows>>,
}

/// A [`Store`] that forgets everything when it is dropped. A commit while a snapshot is held copies the tables it
/// writes, so it is for tests and not for volume.
pub struct MemoryStore {
    inner: Mutex<Inner>,
    feed: Feed,
}

struct Inner {
    tables: Tables,
    recent: Recent,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::with_feed_bounds(FeedBounds::default())
    }

    /// An empty store with a feed that remembers this much.
    pub fn with_feed_bounds(bounds: FeedBounds) -> Self {
        let start = Revision::default();
        let inner = Inner { tables: Tables::default(), recent: Recent::new(start) };
        Self { inner: Mutex::new(inner), feed: Feed::new(start, bounds) }
    }

    fn commit_now(&self, transaction: Transaction) -> Result<Revision, CommitError> {
        transaction.check_bounds()?;
        let mut inner = self.inner.lock();
        if !all_hold(transaction.preconditions(), &inner.tables, &inner.recent)? {
            return Err(CommitError::Conflict);
        }
        let revision = Revision(inner.tables.revision.0 + 1);
        inner.recent.note(revision, &transaction);
        inner.tables.revision = revision;
        for write in transaction.writes() {
            let rows = Arc::make_mut(inner.tables.tables.entry(write.table).or_default());
            match &write.value {
                Some(value) => rows.insert(write.key.clone(), Versioned { value: value.clone(), revision }),
                None => rows.remove(&write.key),
            };
        }
        self.feed.publish([Committed::new(revision, transaction)]);
        Ok(revision)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl Store for MemoryStore {
    fn snapshot(&self) -> BoxFuture<'_, Result<Snapshot, StoreError>> {
        let tables = self.inner.lock().tables.clone();
        Box::pin(async { Ok(Snapshot::new(tables)) })
    }

    fn commit(&self, transaction: Transaction) -> BoxFuture<'_, Result<Revision, CommitError>> {
        Box::pin(async { self.commit_now(transaction) })
    }

    fn changes(&self, from: Revision) -> Changes {
        self.feed.changes(from)
    }
}

impl Tables {
    fn rows<'a>(
        &'a self,
        table: &str,
        range: &'a KeyRange,
    ) -> impl DoubleEndedIterator<Item = (&'a Bytes, &'a Versioned)> {
        let bounds = (Bound::Included(range.start()), range.end().map_or(Bound::Unbounded, Bound::Excluded));
        // An empty range has its end before its start, which a BTreeMap takes for a mistake.
        let rows = self.tables.get(table).filter(|_| !range.is_empty());
        rows.into_iter().flat_map(move |rows| rows.range::<[u8], _>(bounds))
    }

    fn read(&self, table: &'static str, range: &KeyRange, limit: usize, direction: Direction) -> Vec<Entry> {
        let entry = |(key, row): (&Bytes, &Versioned)| Entry { key: key.clone(), row: row.clone() };
        let rows = self.rows(table, range);
        match direction {
            Direction::Ascending => rows.take(limit).map(entry).collect(),
            Direction::Descending => rows.rev().take(limit).map(entry).collect(),
        }
    }
}

impl ReadSnapshot for Tables {
    fn revision(&self) -> Revision {
        self.revision
    }

    fn get<'a>(&'a self, table: &'static str, key: &'a [u8]) -> BoxFuture<'a, Result<Option<Versioned>, StoreError>> {
        Box::pin(async move { Ok(self.tables.get(table).and_then(|rows| rows.get(key)).cloned()) })
    }

    fn scan<'a>(
        &'a self,
        table: &'static str,
        range: &'a KeyRange,
        limit: usize,
        direction: Direction,
    ) -> BoxFuture<'a, Result<Vec<Entry>, StoreError>> {
        Box::pin(async move { Ok(self.read(table, range, limit, direction)) })
    }
}

impl State for Tables {
    fn revision_of(&self, table: &'static str, key: &[u8]) -> Result<Option<Revision>, StoreError> {
        Ok(self.tables.get(table).and_then(|rows| rows.get(key)).map(|row| row.revision))
    }

    fn holds_any(&self, table: &'static str, range: &KeyRange) -> Result<bool, StoreError> {
        Ok(self.rows(table, range).next().is_some())
    }
}

#[cfg(test)]
mod tests;
