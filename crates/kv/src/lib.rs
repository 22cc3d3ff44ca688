//! The one shape of durable state: ordered keys, typed tables, atomic commits with preconditions, a change feed.
//!
//! ```text
//!   snapshot ──▶ read rows, each with its revision ──▶ decide ──▶ Transaction ──▶ commit ──▶ Changes
//!       ▲                                                             │
//!       └──────────────────────── Conflict: decide again ◀────────────┘
//! ```
//!
//! [`Store`] is the port; `standalone` implements it on an embedded engine, [`memory`] for unit tests, and
//! [`contract`] holds the tests that every implementation passes. Rows are typed through [`Table`]; a secondary
//! index is one more table, written in the same [`Transaction`]. [`commit_with`] is the shell around a decision.
//!
//! **Invariant:** nothing here does I/O, reads a clock, spawns or sleeps.

mod bounds;
mod changes;
pub mod contract;
mod decide;
mod error;
pub mod key;
pub mod memory;
mod range;
mod record;
pub mod schema;
pub mod single_writer;
mod store;
mod table;
mod transaction;

pub use bounds::{KEY_BYTES_MAX, TRANSACTION_BYTES_MAX, TRANSACTION_STEPS_MAX, VALUE_BYTES_MAX};
pub use changes::{Change, ChangeSource, Changes, Committed, FeedError};
pub use decide::{ATTEMPTS_MAX, commit_with};
pub use error::{CommitError, StoreError};
pub use key::{Key, PrefixOf};
pub use range::{Direction, KeyRange};
pub use record::{MigrationError, Record};
pub use store::{BoxFuture, Entry, ReadSnapshot, Revision, Snapshot, Store, Versioned};
pub use table::{Row, Table, TableChange};
pub use transaction::{Expected, RangeExpected, Transaction};
pub use transaction::{Precondition, Write};
