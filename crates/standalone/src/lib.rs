//! [`kv::Store`](tidegate_kv::Store) on fjall: one process, one directory.
//!
//! ```text
//!   commit() ──▶ bounded queue ──▶ commit thread: judge each against the store and the batch so far
//!                                      │  one batch over all tables, one fsync
//!                                      ▼
//!                         change feed, then every caller's answer
//! ```
//!
//! Whatever arrives during one fsync is the next batch: there is no fixed wait, so a lone writer pays one fsync and
//! many writers share it. Each table is a keyspace; a value begins with the revision that wrote it. A batch has one
//! sequence number over all keyspaces, so a snapshot sees whole batches only.
//!
//! **Invariant:** a commit that was answered is on disk; nothing else writes to the engine than the commit thread; a
//! failed write or a panic of that thread ends the process (through [`Options::on_fatal`]) and is never retried.
//! **Invariant:** the note of the newest revision never runs ahead of the last fsync, so a store that has less than it
//! is damaged.

mod committer;
mod directory;
mod engine;
mod notary;
mod pace;
mod snapshot;
mod space;
mod store;

pub use store::{EXIT_FATAL, FREE_BYTES_MIN, Options, StandaloneStore};
