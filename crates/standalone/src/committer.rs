//! The commit thread: judges what waits, writes it as one batch, answers all.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    ops::Bound,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::Ordering},
    thread,
    time::Instant,
};

use bytes::Bytes;
use parking_lot::Mutex;
use tidegate_kv::{
    CommitError, Committed, Direction, KeyRange, Revision, StoreError, Transaction, Write,
    single_writer::{Feed, Recent, State, all_hold},
};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use crate::{
    engine::{Engine, panic_message},
    notary::Durable,
    pace::Pace,
    space::Space,
};

/// Most transactions in one batch.
const BATCH_TRANSACTIONS_MAX: usize = 4_096;

/// Bytes after which a batch takes no further transaction: it then has at most one transaction more.
const BATCH_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A transaction within its bounds, and whoever waits for it.
pub(crate) struct Waiting {
    pub(crate) transaction: Transaction,
    pub(crate) answer: oneshot::Sender<Result<Revision, CommitError>>,
    /// Its share of the queue's bytes, given back with the answer.
    pub(crate) _room: OwnedSemaphorePermit,
}

pub(crate) struct Committer {
    pub(crate) engine: Arc<Engine>,
    pub(crate) feed: Arc<Feed>,
    pub(crate) recent: Recent,
    pub(crate) newest: Revision,
    pub(crate) durable: Durable,
    pub(crate) space: Space,
    pub(crate) before_batch: Box<dyn Fn() + Send + Sync>,
    pub(crate) on_fatal: Box<dyn Fn(&str) + Send + Sync>,
    /// Since when the present batch is being committed.
    pub(crate) busy_since: Arc<Mutex<Option<Instant>>>,
    #[cfg(test)]
    pub(crate) fault: Arc<Mutex<Option<crate::store::tests::Fault>>>,
}

impl Committer {
    /// Runs until the store is dropped and the queue is empty, or until something fatal happens; whoever waits
    /// then gets no answer, which the store reports as closed.
    pub(crate) fn run(mut self, mut queue: mpsc::Receiver<Waiting>) {
        let mut pace = Pace::default();
        while let Some(first) = queue.blocking_recv() {
            let wait = pace.wait(Instant::now());
            if !wait.is_zero() {
                thread::sleep(wait);
            }
            let group = gather(first, &mut queue);
            let now = Instant::now();
            pace.begins(group.len(), now);
            *self.busy_since.lock() = Some(now);
            let fatal = match catch_unwind(AssertUnwindSafe(|| self.commit(group))) {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(in_full(&error) + &self.suspicion()),
                Err(panic) => Some(format!("the commit thread panicked: {}", panic_message(&*panic))),
            };
            *self.busy_since.lock() = None;
            if let Some(what) = fatal {
                (self.on_fatal)(&what);
                return;
            }
        }
    }

    /// What the system says to another write, if that fails, too: the engine keeps the cause of a failure in its
    /// background threads to itself.
    fn suspicion(&self) -> String {
        let directory = self.engine.directory();
        let failed = directory.probe().err();
        failed
            .map_or(String::new(), |error| format!("; writing a file in {} fails: {error}", directory.path().display()))
    }

    /// One batch. An error means that it is unknown what is on disk.
    fn commit(&mut self, group: Vec<Waiting>) -> Result<(), StoreError> {
        if let Err(full) = self.space.check() {
            for waiting in group {
                let _ = waiting.answer.send(Err(full.error().into()));
            }
            return Ok(());
        }
        let (at, newest) = self.engine.snapshot()?;
        assert_eq!(newest, self.newest, "only this thread writes");
        let mut batch = BatchSoFar { engine: &self.engine, at, tables: HashMap::new() };
        let mut judged = Vec::with_capacity(group.len());
        for waiting in group {
            let result = batch.judge(&waiting.transaction, &self.recent).map(|()| {
                self.newest = Revision(self.newest.0 + 1);
                self.recent.note(self.newest, &waiting.transaction);
                batch.add(self.newest, waiting.transaction.writes());
                self.newest
            });
            judged.push((waiting, result));
        }
        if judged.iter().any(|(_, result)| result.is_ok()) {
            #[cfg(test)]
            crate::store::tests::strike(&self.fault)?;
            (self.before_batch)();
            batch.write(self.newest)?;
            self.durable.store(self.newest.0, Ordering::Release);
        }
        // First the feed, so that whoever has an answer finds the change there. And all answers come after the
        // write: a refused caller must read what refused it, or it would be refused for it again.
        let mut answers = Vec::with_capacity(judged.len());
        self.feed.publish(judged.into_iter().filter_map(|(waiting, result)| {
            let Waiting { transaction, answer, _room } = waiting;
            let committed = result.as_ref().ok().map(|revision| Committed::new(*revision, transaction));
            answers.push((answer, result, _room));
            committed
        }));
        for (answer, result, _room) in answers {
            let _ = answer.send(result); // who no longer waits does not want to know
        }
        Ok(())
    }
}

/// The first, and whatever else waits already, up to the batch's bounds.
fn gather(first: Waiting, queue: &mut mpsc::Receiver<Waiting>) -> Vec<Waiting> {
    let mut bytes = first.transaction.bytes();
    let mut group = vec![first];
    while group.len() < BATCH_TRANSACTIONS_MAX && bytes < BATCH_BYTES_MAX {
        let Ok(next) = queue.try_recv() else { break };
        bytes += next.transaction.bytes();
        group.push(next);
    }
    group
}

/// The stored state under what the batch has accepted so far.
struct BatchSoFar<'a> {
    engine: &'a Engine,
    at: fjall::Snapshot,
    /// Per table and key the last write.
    tables: HashMap<&'static str, BTreeMap<Bytes, (Revision, Option<Bytes>)>>,
}

impl BatchSoFar<'_> {
    /// Whether the transaction can be part of the batch; makes the tables that it needs.
    fn judge(&self, transaction: &Transaction, recent: &Recent) -> Result<(), CommitError> {
        if !all_hold(transaction.preconditions(), self, recent)? {
            return Err(CommitError::Conflict);
        }
        for table in transaction.writes().iter().map(|write| write.table).collect::<HashSet<_>>() {
            self.engine.make_table(table)?;
        }
        Ok(())
    }

    fn add(&mut self, revision: Revision, writes: &[Write]) {
        for Write { table, key, value } in writes {
            self.tables.entry(table).or_default().insert(key.clone(), (revision, value.clone()));
        }
    }

    fn write(self, newest: Revision) -> Result<(), StoreError> {
        let mut batch = self.engine.batch();
        for (table, rows) in self.tables {
            let table = self.engine.make_table(table)?;
            for (key, (revision, value)) in rows {
                match value {
                    Some(value) => batch.put(&table, &key, revision, &value),
                    None => batch.delete(&table, &key),
                }
            }
        }
        self.engine.write(batch, newest)
    }

    fn pending(&self, table: &str, key: &[u8]) -> Option<&(Revision, Option<Bytes>)> {
        self.tables.get(table)?.get(key)
    }
}

impl State for BatchSoFar<'_> {
    fn revision_of(&self, table: &'static str, key: &[u8]) -> Result<Option<Revision>, StoreError> {
        match self.pending(table, key) {
            Some((revision, Some(_))) => Ok(Some(*revision)),
            Some((_, None)) => Ok(None),
            None => self.engine.revision_of(&self.at, table, key),
        }
    }

    fn holds_any(&self, table: &'static str, range: &KeyRange) -> Result<bool, StoreError> {
        let bounds = (Bound::Included(range.start()), range.end().map_or(Bound::Unbounded, Bound::Excluded));
        let mut pending = self.tables.get(table).into_iter().flat_map(|rows| rows.range::<[u8], _>(bounds));
        if pending.any(|(_, (_, value))| value.is_some()) {
            return Ok(true);
        }
        // What is stored counts unless the batch deletes it.
        let mut found = false;
        self.engine.visit(&self.at, table, range, Direction::Ascending, |entry| {
            found = self.pending(table, &entry.key).is_none();
            !found
        })?;
        Ok(found)
    }
}

/// An error and its causes, for a process that is about to end.
fn in_full(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
