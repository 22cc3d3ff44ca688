//! fjall, as this crate uses it: tables, rows that begin with their revision, and the newest revision in a row of
//! its own.

use std::{
    any::Any,
    collections::HashMap,
    error::Error,
    io::{self, ErrorKind},
    ops::Bound,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use bytes::Bytes;
use fjall::{Database, Guard, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode, Readable};
use parking_lot::RwLock;
use tidegate_kv::{Direction, Entry, KeyRange, Revision, StoreError, Versioned};

use crate::directory::Directory;

/// The keyspace of the store's own rows. Those of tables begin with [`TABLE_PREFIX`], so that none can meet it.
const OWN: &str = "store";
const TABLE_PREFIX: &str = "t.";

/// The row that holds the newest revision, written in every batch.
const NEWEST: &[u8] = b"revision";

const REVISION_BYTES: usize = 8;

/// What a table keeps in memory before it is written out as a file. Under a mixed load four times as much held 100 MiB more, and no
/// message was cheaper.
const MEMTABLE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// What the journal may grow to before tables are written out: it is replayed when the store is opened, at some
/// 60 MB a second. The engine's own minimum.
const JOURNAL_BYTES_MAX: u64 = 64 * 1024 * 1024;

pub(crate) struct Engine {
    tables: RwLock<HashMap<&'static str, Keyspace>>,
    own: Keyspace,
    database: Database,
    // Last, so that the lock is released after the engine has closed its files.
    directory: Directory,
}

impl Engine {
    /// Opens what the directory holds. All that it holds is on disk then, whatever became of the last process.
    pub(crate) fn open(directory: Directory, cache_bytes: u64) -> Result<Self, StoreError> {
        let opening = failed(directory.path(), "opening the store");
        let path = directory.engine();
        let builder = Database::builder(&path)
            .cache_size(cache_bytes)
            .max_journaling_size(JOURNAL_BYTES_MAX)
            .manual_journal_persist(true)
            .worker_threads(2);
        // It panics at some of what it cannot read, and has nothing by then that could be left half-done.
        let database = catch_unwind(AssertUnwindSafe(|| builder.open())).map_err(|panic| StoreError::Unreadable {
            path: directory.path().to_owned(),
            doing: "opening the store",
            source: panic_message(&*panic).into(),
        })?;
        let database = database.map_err(|error| match error {
            fjall::Error::Locked => StoreError::InUse { path },
            error => opening(error),
        })?;
        let own = database.keyspace(OWN, KeyspaceCreateOptions::default).map_err(&opening)?;
        // A process that was killed between write and fsync has left rows which a power cut could still take back.
        database.persist(PersistMode::SyncAll).map_err(&opening)?;
        drop(opening);
        let engine = Self { tables: RwLock::default(), own, database, directory };
        engine.check_complete()?;
        Ok(engine)
    }

    /// Refuses a store that has less than was once noted: the engine takes a damaged batch for one that was being
    /// written at the end, and drops it with all that follow.
    fn check_complete(&self) -> Result<(), StoreError> {
        let (_, found) = self.snapshot()?;
        match self.directory.noted()? {
            Some(expected_at_least) if found < expected_at_least => {
                Err(StoreError::Damaged { path: self.directory.path().to_owned(), expected_at_least, found })
            }
            Some(_) | None => Ok(()),
        }
    }

    pub(crate) fn directory(&self) -> &Directory {
        &self.directory
    }

    fn failed(&self, doing: &'static str) -> impl Fn(fjall::Error) -> StoreError {
        failed(self.directory.path(), doing)
    }

    /// A consistent view over all tables, and the newest revision in it.
    pub(crate) fn snapshot(&self) -> Result<(fjall::Snapshot, Revision), StoreError> {
        let snapshot = self.database.snapshot();
        let newest = snapshot.get(&self.own, NEWEST).map_err(self.failed("reading the newest revision"))?;
        let newest = newest.map_or(Ok(Revision::default()), |row| revision(OWN, &row))?;
        Ok((snapshot, newest))
    }

    pub(crate) fn get(
        &self,
        at: &fjall::Snapshot,
        table: &'static str,
        key: &[u8],
    ) -> Result<Option<Versioned>, StoreError> {
        let Some(keyspace) = self.existing(table)? else { return Ok(None) };
        let row = at.get(&keyspace, key).map_err(self.failed("reading a row"))?;
        row.map(|row| versioned(table, &row)).transpose()
    }

    /// Who wrote a row, without a copy of its value.
    pub(crate) fn revision_of(
        &self,
        at: &fjall::Snapshot,
        table: &'static str,
        key: &[u8],
    ) -> Result<Option<Revision>, StoreError> {
        let Some(keyspace) = self.existing(table)? else { return Ok(None) };
        let row = at.get(&keyspace, key).map_err(self.failed("reading a row"))?;
        row.map(|row| revision(table, &row)).transpose()
    }

    /// Rows of the range until `take` has enough of them and says so.
    pub(crate) fn visit(
        &self,
        at: &fjall::Snapshot,
        table: &'static str,
        range: &KeyRange,
        direction: Direction,
        mut take: impl FnMut(Entry) -> bool,
    ) -> Result<(), StoreError> {
        let Some(keyspace) = self.existing(table)?.filter(|_| !range.is_empty()) else { return Ok(()) };
        let end = range.end().map_or(Bound::Unbounded, Bound::Excluded);
        let mut rows = at.range::<&[u8], _>(&keyspace, (Bound::Included(range.start()), end));
        let mut next = || match direction {
            Direction::Ascending => rows.next(),
            Direction::Descending => rows.next_back(),
        };
        while let Some(row) = next().map(Guard::into_inner) {
            let (key, row) = row.map_err(self.failed("scanning a table"))?;
            if !take(Entry { key: Bytes::copy_from_slice(&key), row: versioned(table, &row)? }) {
                break;
            }
        }
        Ok(())
    }

    /// Makes the table if it is not there yet. Only the commit thread calls it.
    pub(crate) fn make_table(&self, table: &'static str) -> Result<Keyspace, StoreError> {
        if let Some(keyspace) = self.tables.read().get(table) {
            return Ok(keyspace.clone());
        }
        let options = || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES_MAX);
        let name = format!("{TABLE_PREFIX}{table}");
        let keyspace = self.database.keyspace(&name, options).map_err(self.failed("making a table"))?;
        self.tables.write().insert(table, keyspace.clone());
        Ok(keyspace)
    }

    fn existing(&self, table: &'static str) -> Result<Option<Keyspace>, StoreError> {
        if let Some(keyspace) = self.tables.read().get(table) {
            return Ok(Some(keyspace.clone()));
        }
        // Tables are never dropped, so what exists here is only opened by `make_table`.
        let exists = self.database.keyspace_exists(&format!("{TABLE_PREFIX}{table}"));
        exists.then(|| self.make_table(table)).transpose()
    }

    /// A batch to fill and hand to [`write`](Self::write).
    pub(crate) fn batch(&self) -> Batch {
        Batch(self.database.batch().durability(Some(PersistMode::SyncData)))
    }

    /// Writes the batch and the newest revision. On disk when it returns. After an error nothing may be written any
    /// more: what is on disk is unknown.
    pub(crate) fn write(&self, mut batch: Batch, newest: Revision) -> Result<(), StoreError> {
        batch.0.insert(&self.own, NEWEST, newest.0.to_be_bytes());
        batch.0.commit().map_err(self.failed("writing to the disk"))
    }
}

/// Rows to be written together. A key may occur only once: the engine gives all of a batch one sequence number.
pub(crate) struct Batch(OwnedWriteBatch);

impl Batch {
    pub(crate) fn put(&mut self, table: &Keyspace, key: &[u8], written: Revision, value: &[u8]) {
        let mut row = Vec::with_capacity(REVISION_BYTES + value.len());
        row.extend_from_slice(&written.0.to_be_bytes());
        row.extend_from_slice(value);
        self.0.insert(table, key, row);
    }

    pub(crate) fn delete(&mut self, table: &Keyspace, key: &[u8]) {
        self.0.remove(table, key);
    }
}

fn versioned(table: &'static str, row: &[u8]) -> Result<Versioned, StoreError> {
    let revision = revision(table, row)?;
    Ok(Versioned { value: Bytes::copy_from_slice(&row[REVISION_BYTES..]), revision })
}

fn revision(table: &'static str, row: &[u8]) -> Result<Revision, StoreError> {
    let (head, _) = row
        .split_first_chunk::<REVISION_BYTES>()
        .ok_or_else(|| StoreError::Corrupt { table, what: format!("a row of {} bytes has no revision", row.len()) })?;
    Ok(Revision(u64::from_be_bytes(*head)))
}

fn failed(path: &Path, doing: &'static str) -> impl Fn(fjall::Error) -> StoreError {
    move |error| {
        if is_damage(&error) {
            StoreError::Unreadable { path: path.to_owned(), doing, source: error.into() }
        } else {
            StoreError::Engine { doing, source: error.into() }
        }
    }
}

/// Whether the files themselves are wrong, and not the way to them.
fn is_damage(error: &fjall::Error) -> bool {
    use fjall::Error::{KeyspaceDeleted, Locked, Poisoned};
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause.filter(|error| !error.is::<io::Error>()) {
        cause = error.source();
    }
    match cause.and_then(|error| error.downcast_ref::<io::Error>()) {
        Some(io) => matches!(io.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidData | ErrorKind::NotFound),
        None => !matches!(error, Poisoned | KeyspaceDeleted | Locked),
    }
}

/// What a panic said.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message")
}
