//! What can go wrong with durable state.

use std::{error::Error, path::PathBuf};

use crate::Revision;

/// Why the store could not read, or could not take a transaction.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process holds the directory.
    #[error("the data directory {} is in use by another process", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// The store was written by a newer program. Nothing was changed.
    #[error("the store has format {found}, this program knows formats up to {known}")]
    NewerFormat {
        /// The version found.
        found: u32,
        /// The newest version this program reads.
        known: u32,
    },
    /// A row was written by a newer program.
    #[error("a row of table {table} has schema {found}, this program knows schemas up to {known}")]
    NewerRecord {
        /// The table.
        table: &'static str,
        /// The schema byte found.
        found: u8,
        /// The newest schema this program reads.
        known: u8,
    },
    /// A row or key that no program of ours wrote.
    #[error("table {table} holds a row that cannot be read: {what}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// What is wrong with it, in a few words.
        what: String,
    },
    /// A key, value or transaction over its bound.
    #[error("{what} of {actual} exceeds the bound of {max}")]
    TooLarge {
        /// What is too large: `key bytes`, `value bytes`, `transaction steps` or `transaction bytes`.
        what: &'static str,
        /// Its size.
        actual: usize,
        /// The bound.
        max: usize,
    },
    /// A key without bytes.
    #[error("an empty key in table {table}")]
    EmptyKey {
        /// The table.
        table: &'static str,
    },
    /// A migration of the store's schema failed; the marker stays, so the next start repeats it.
    #[error("the migration to schema {to} failed")]
    Migration {
        /// The schema it leads to.
        to: u32,
        /// Why.
        #[source]
        source: Box<StoreError>,
    },
    /// The store is closed, or its commit thread has ended: nothing more is accepted, and whether a transaction
    /// that waited was committed is unknown.
    #[error("the store is closed")]
    Closed,
    /// The disk is nearly full: nothing is written until there is room again; reads go on. Nothing was changed.
    #[error("the disk is nearly full: {free_bytes} bytes are free in {}, {bytes_min} must be", path.display())]
    Full {
        /// The store's directory.
        path: PathBuf,
        /// What is free.
        free_bytes: u64,
        /// What must be free.
        bytes_min: u64,
    },
    /// Transactions that had been committed are gone from the disk.
    #[error(
        "the store in {} is damaged: it holds revision {found} as the newest, and had at least {expected_at_least}; \
         restore the whole directory from a backup, or remove the file `newest` in it to go on with what is left",
        path.display()
    )]
    Damaged {
        /// The store's directory.
        path: PathBuf,
        /// A revision that was once on disk.
        expected_at_least: Revision,
        /// The newest revision found.
        found: Revision,
    },
    /// The engine cannot make sense of its files.
    #[error("the store in {} is damaged: restore the whole directory from a backup ({doing} failed)", path.display())]
    Unreadable {
        /// The store's directory.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// The engine's own error.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The engine below failed, and not because its files make no sense.
    #[error("{doing} failed")]
    Engine {
        /// What was being done.
        doing: &'static str,
        /// The engine's own error.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

/// Why a transaction was not committed.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// A precondition does not hold (any more): read again and decide again. Nothing was written.
    #[error("the rows read have changed since")]
    Conflict,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
