//! Notes: a change and the word of who made it, in one commit.
//!
//! ```text
//!   Note::around(operation) ──▶ commit through a NotingStore ──▶ the change + the note ── Trail::append ──▶ chained record, note gone
//!                                                                  └── killed here: Trail::recover makes the record of it
//! ```
//!
//! The chain has one end, and would make all changes wait for each other; notes have a key each.

use std::{
    cell::RefCell,
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use serde::{Deserialize, Serialize};
use tidegate_ids::Tenant;
use tidegate_kv::{
    BoxFuture, Changes, CommitError, Direction, Entry, KeyRange, Record, Revision, Snapshot, Store, StoreError, Table,
    Transaction, Versioned,
};

use super::ApiCall;

thread_local! {
    /// What commits are made for while the work of a [`Note`] is being polled.
    static CURRENT: RefCell<Option<Arc<Note>>> = const { RefCell::new(None) };
}

/// Puts back, when it is dropped, what was current before.
struct Before(Option<Arc<Note>>);

impl Drop for Before {
    fn drop(&mut self) {
        CURRENT.replace(self.0.take());
    }
}

/// A call that has changed something and is not in the chain yet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct NoteRow {
    pub(super) tenant: Tenant,
    /// Milliseconds since the epoch.
    pub(super) at: u64,
    /// The record, as JSON, as if the call had succeeded.
    pub(super) event: String,
}

impl Record for NoteRow {
    const SCHEMA: u8 = 1;
}

/// By the request's id.
pub(super) static NOTES: Table<String, NoteRow> = Table::new("audit-notes");

/// What is committed together with a change: who makes it, and how.
#[derive(Debug)]
pub struct Note {
    id: String,
    row: NoteRow,
    /// Whether a commit may have it.
    kept: AtomicBool,
}

impl Note {
    /// The note of a call, before it is carried out.
    pub fn of(call: &ApiCall) -> Arc<Self> {
        let row = NoteRow { tenant: call.tenant, at: call.at.millis(), event: call.record().to_string() };
        Arc::new(Self { id: call.request_id.to_string(), row, kept: AtomicBool::new(false) })
    }

    /// Carries out `work`, whose commits through a [`NotingStore`] have this note with them; not those of tasks that it spawns.
    pub async fn around<F: Future>(self: &Arc<Self>, work: F) -> F::Output {
        let mut work = pin!(work);
        poll_fn(|context| {
            let _before = Before(CURRENT.replace(Some(Arc::clone(self))));
            work.as_mut().poll(context)
        })
        .await
    }

    /// The key of the row that is there, if one may be.
    pub(super) fn kept(&self) -> Option<String> {
        self.kept.load(Ordering::Acquire).then(|| self.id.clone())
    }
}

/// A store whose commits have the [`Note`] of the call that they are made for.
pub struct NotingStore(Arc<dyn Store>);

impl NotingStore {
    /// The same store with notes.
    pub fn over(store: Arc<dyn Store>) -> Arc<dyn Store> {
        Arc::new(Self(store))
    }
}

impl Store for NotingStore {
    fn snapshot(&self) -> BoxFuture<'_, Result<Snapshot, StoreError>> {
        self.0.snapshot()
    }

    fn commit(&self, mut transaction: Transaction) -> BoxFuture<'_, Result<Revision, CommitError>> {
        if !transaction.writes().is_empty() {
            CURRENT.with_borrow(|current| {
                if let Some(note) = current {
                    NOTES.put(&mut transaction, &note.id, &note.row);
                    note.kept.store(true, Ordering::Release);
                }
            });
        }
        self.0.commit(transaction)
    }

    fn changes(&self, from: Revision) -> Changes {
        self.0.changes(from)
    }

    fn get<'a>(&'a self, table: &'static str, key: &'a [u8]) -> BoxFuture<'a, Result<Option<Versioned>, StoreError>> {
        self.0.get(table, key)
    }

    fn scan<'a>(
        &'a self,
        table: &'static str,
        range: &'a KeyRange,
        limit: usize,
        direction: Direction,
    ) -> BoxFuture<'a, Result<Vec<Entry>, StoreError>> {
        self.0.scan(table, range, limit, direction)
    }
}
