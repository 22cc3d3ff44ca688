//! Appending to the trail.

use std::{
    sync::{Arc, Mutex as Lock, PoisonError},
    time::Duration,
};

use serde_json::{Value, json};
use tidegate_ids::Timestamp;
use tidegate_kv::{CommitError, Direction, KeyRange, Revision, Store, Transaction, commit_with, key::Only};
use tokio::sync::{Mutex, oneshot};

use super::{
    ApiCall, Note,
    chain::{ANCHOR, HEAD, OF_TENANT, Place, ROWS, Row, hash},
    note::{NOTES, NoteRow},
};
use crate::LogsError;

/// Records written in one commit.
const BATCH_MAX: usize = 64;
/// What a record says that was made of a note.
const RECOVERED: &str = "the record could not be written when the call was answered, or the process ended";
/// Rows deleted in one commit.
const TRIM_MAX: usize = 256;

/// Where calls are recorded.
pub struct Trail {
    pub(super) store: Arc<dyn Store>,
    waiting: Lock<Vec<Waiting>>,
    /// Who writes: one at a time, and all that waits with it.
    turn: Mutex<()>,
}

/// A record, and whoever waits until it is written. Its callers are as many as the API has connections.
struct Waiting {
    record: NoteRow,
    /// The note that it takes the place of.
    note: Option<String>,
    done: oneshot::Sender<()>,
}

impl Trail {
    /// The trail of this store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, waiting: Lock::default(), turn: Mutex::default() }
    }

    /// Records a call, in the place of its note. Durable when it returns.
    ///
    /// # Errors
    /// When the store does not take it; it is not recorded then, or at the next start when it has changed something.
    pub async fn append(&self, call: &ApiCall, note: Option<&Note>) -> Result<(), LogsError> {
        let record = NoteRow { tenant: call.tenant, at: call.at.millis(), event: call.record().to_string() };
        self.write_in_turn(record, note.and_then(Note::kept)).await
    }

    /// Records the calls that notes of commits up to `until` are left of: their record could not be written, or the process ended before
    /// it was. How many there were. Notes of later commits are of calls that go on.
    ///
    /// A call whose caller went away while its change was being committed may be recorded twice, under one id.
    ///
    /// # Errors
    /// When the store fails: those that were not recorded yet are still there.
    pub async fn recover(&self, until: Revision) -> Result<usize, LogsError> {
        let mut recovered = 0;
        let mut range = KeyRange::all();
        loop {
            let snapshot = self.store.snapshot().await?;
            let page = NOTES.scan(&snapshot, &range, BATCH_MAX, Direction::Ascending).await?;
            let Some(last) = page.last() else { return Ok(recovered) };
            range = range.after(&last.key);
            for row in page.into_iter().filter(|row| row.revision <= until) {
                let NoteRow { tenant, at, event } = row.value;
                let mut event: Value = serde_json::from_str(&event).unwrap_or_default();
                event["additionalEventData"] = json!({ "recovered": RECOVERED });
                let record = NoteRow { tenant, at, event: event.to_string() };
                self.write_in_turn(record, Some(row.key)).await?;
                recovered += 1;
            }
        }
    }

    async fn write_in_turn(&self, record: NoteRow, note: Option<String>) -> Result<(), LogsError> {
        let (done, mut recorded) = oneshot::channel();
        self.waiting().push(Waiting { record, note, done });
        let _turn = self.turn.lock().await;
        loop {
            // Whoever had the turn before has perhaps written this one too.
            match recorded.try_recv() {
                Ok(()) => return Ok(()),
                Err(oneshot::error::TryRecvError::Empty) => self.write().await?,
                Err(oneshot::error::TryRecvError::Closed) => return Err(LogsError::Contended),
            }
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the first that wait. What cannot be written is dropped, and whoever waits for it is told.
    async fn write(&self) -> Result<(), LogsError> {
        let batch: Vec<Waiting> = {
            let mut waiting = self.waiting();
            let count = waiting.len().min(BATCH_MAX);
            waiting.drain(..count).collect()
        };
        let records = &batch;
        commit_with(&*self.store, |snapshot| async move {
            let read = HEAD.get(&snapshot, &Only).await?;
            let mut head = read.as_ref().map(|row| row.value.clone()).unwrap_or_default();
            let mut transaction = Transaction::new();
            HEAD.require_as_read(&mut transaction, &Only, read.as_ref());
            for Waiting { record, note, .. } in records {
                let NoteRow { tenant, at, event } = record.clone();
                let hash = hash(&head.hash, head.number, tenant, at, &event);
                let row = Row { tenant, at, event, hash: hash.clone() };
                ROWS.put(&mut transaction, &head.number, &row);
                OF_TENANT.put(&mut transaction, &(tenant, head.number), &());
                head = Place { number: head.number + 1, hash };
                note.iter().for_each(|id| NOTES.delete(&mut transaction, id));
            }
            HEAD.put(&mut transaction, &Only, &head);
            Ok::<_, LogsError>((transaction, ()))
        })
        .await?;
        for Waiting { done, .. } in batch {
            let _ = done.send(()); // who no longer waits does not want to know
        }
        Ok(())
    }

    /// Deletes what is older than `days`, from the beginning, and moves the anchor.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn trim(&self, days: u32, now: Timestamp) -> Result<(), CommitError> {
        const DAY: Duration = Duration::from_secs(86_400);
        let oldest = (now - DAY * days).millis();
        loop {
            let snapshot = self.store.snapshot().await?;
            let page = ROWS.scan(&snapshot, &KeyRange::all(), TRIM_MAX, Direction::Ascending).await?;
            let mut transaction = Transaction::new();
            let mut anchor = None;
            for row in page.into_iter().take_while(|row| row.value.at < oldest) {
                ROWS.delete(&mut transaction, &row.key);
                OF_TENANT.delete(&mut transaction, &(row.value.tenant, row.key));
                anchor = Some(Place { number: row.key + 1, hash: row.value.hash });
            }
            let Some(anchor) = anchor else { return Ok(()) };
            ANCHOR.put(&mut transaction, &Only, &anchor);
            self.store.commit(transaction).await?;
        }
    }
}

#[cfg(test)]
mod tests;
