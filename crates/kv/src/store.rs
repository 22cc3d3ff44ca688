//! The port, and what it speaks of.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{Changes, CommitError, Direction, KeyRange, StoreError, Transaction};

/// A future that a trait object can return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The place of a committed transaction in the order of all of them. Strictly increasing, over restarts too;
/// 0 stands before the first.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(pub u64);

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A value and the revision of the transaction that wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned<T = Bytes> {
    /// The value.
    pub value: T,
    /// Who wrote it; require it in a transaction to be sure that nobody has changed it since.
    pub revision: Revision,
}

/// One row of a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The encoded key.
    pub key: Bytes,
    /// Value and revision.
    pub row: Versioned,
}

/// An ordered map of bytes, in tables, that commits atomically and durably. Used as `Arc<dyn Store>`.
///
/// Every method may be called from any task and thread. A table exists as soon as something is written to it; an
/// unknown one reads as empty. Table names are constants of the program.
pub trait Store: Send + Sync + 'static {
    /// The state after some commit, not earlier than any commit that had returned when this was called. It stays as
    /// it is while others commit. Hold it briefly: the engine keeps what it can see.
    fn snapshot(&self) -> BoxFuture<'_, Result<Snapshot, StoreError>>;

    /// Writes everything, or nothing and says [`Conflict`](CommitError::Conflict), which it also may when it cannot
    /// be sure. Durable when it returns: neither `kill -9` nor a power cut takes it back. An empty
    /// transaction is a valid one; it gets a revision like any other.
    ///
    /// Dropping the future does not undo anything: the transaction may be committed all the same.
    fn commit(&self, transaction: Transaction) -> BoxFuture<'_, Result<Revision, CommitError>>;

    /// Everything committed after `from`, in order, one item per transaction. To follow a table: take a snapshot,
    /// read the table, then ask for the changes from the snapshot's revision.
    fn changes(&self, from: Revision) -> Changes;

    /// One row of the newest state. For several consistent reads, take a [`snapshot`](Self::snapshot).
    fn get<'a>(&'a self, table: &'static str, key: &'a [u8]) -> BoxFuture<'a, Result<Option<Versioned>, StoreError>> {
        Box::pin(async move { self.snapshot().await?.get(table, key).await })
    }

    /// Up to `limit` rows of the newest state.
    fn scan<'a>(
        &'a self,
        table: &'static str,
        range: &'a KeyRange,
        limit: usize,
        direction: Direction,
    ) -> BoxFuture<'a, Result<Vec<Entry>, StoreError>> {
        Box::pin(async move { self.snapshot().await?.scan(table, range, limit, direction).await })
    }
}

/// What a store implements for its snapshots; callers use [`Snapshot`].
pub trait ReadSnapshot: Send + Sync + 'static {
    /// The newest transaction that is part of the snapshot.
    fn revision(&self) -> Revision;

    /// One row.
    fn get<'a>(&'a self, table: &'static str, key: &'a [u8]) -> BoxFuture<'a, Result<Option<Versioned>, StoreError>>;

    /// Up to `limit` rows of the range, in the order of their keys.
    fn scan<'a>(
        &'a self,
        table: &'static str,
        range: &'a KeyRange,
        limit: usize,
        direction: Direction,
    ) -> BoxFuture<'a, Result<Vec<Entry>, StoreError>>;
}

/// The store as it was after one commit: all reads of one decision come from one of these. A clone is the same one.
#[derive(Clone)]
pub struct Snapshot(Arc<dyn ReadSnapshot>);

impl Snapshot {
    /// Wraps a store's own snapshot.
    pub fn new(snapshot: impl ReadSnapshot) -> Self {
        Self(Arc::new(snapshot))
    }

    /// The newest transaction that is part of the snapshot.
    pub fn revision(&self) -> Revision {
        self.0.revision()
    }

    /// One row, untyped. Prefer [`Table::get`](crate::Table::get).
    pub async fn get(&self, table: &'static str, key: &[u8]) -> Result<Option<Versioned>, StoreError> {
        self.0.get(table, key).await
    }

    /// Up to `limit` rows of the range, untyped. Prefer [`Table::scan`](crate::Table::scan).
    pub async fn scan(
        &self,
        table: &'static str,
        range: &KeyRange,
        limit: usize,
        direction: Direction,
    ) -> Result<Vec<Entry>, StoreError> {
        self.0.scan(table, range, limit, direction).await
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Snapshot({})", self.revision())
    }
}
