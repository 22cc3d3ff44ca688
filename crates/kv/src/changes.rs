//! The change feed: committed transactions in order, for whoever keeps something in memory.

use std::{fmt, sync::Arc};

use bytes::Bytes;

use crate::{BoxFuture, Revision};

/// One row written or deleted by a committed transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The table.
    pub table: &'static str,
    /// The encoded key.
    pub key: Bytes,
    /// The new value, so that a consumer need not read it again; `None`: deleted.
    pub value: Option<Bytes>,
}

/// One committed transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// Its place in the order of all transactions.
    pub revision: Revision,
    /// What it wrote, in the order in which it was asked to. Empty for a transaction that only checked, and for a quiet one.
    pub changes: Vec<Change>,
}

/// Why the feed does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    /// Too late: transactions after the consumer's position are no longer remembered. Take a snapshot, read again
    /// what is kept in memory, and follow the changes from the snapshot's revision.
    #[error("the changes asked for are no longer remembered")]
    Gone,
    /// The store is closed and everything it committed has been handed out.
    #[error("the store is closed")]
    Closed,
}

/// What a store implements for its feed; callers use [`Changes`].
pub trait ChangeSource: Send + 'static {
    /// The next committed transaction, as soon as there is one. Dropping the future loses nothing.
    fn next(&mut self) -> BoxFuture<'_, Result<Arc<Committed>, FeedError>>;

    /// The next committed transaction, if it is there already.
    fn ready(&mut self) -> Option<Result<Arc<Committed>, FeedError>>;
}

/// One consumer's place in the feed. Any number of them exist beside each other; none can slow a commit down.
pub struct Changes(Box<dyn ChangeSource>);

impl Changes {
    /// Wraps a store's own source.
    pub fn new(source: impl ChangeSource) -> Self {
        Self(Box::new(source))
    }

    /// The next committed transaction, as soon as there is one. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Result<Arc<Committed>, FeedError> {
        self.0.next().await
    }

    /// The next committed transaction, if it is there already: whoever has work to do per batch asks this until `None`.
    pub fn ready(&mut self) -> Option<Result<Arc<Committed>, FeedError>> {
        self.0.ready()
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Changes")
    }
}
