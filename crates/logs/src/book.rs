//! The log book: entries go in without waiting, and come to disk in batches.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use serde_json::json;
use tidegate_ids::{Tenant, Timestamp};
use tidegate_kv::{CommitError, Direction, FeedError, KeyRange, Revision, Store, StoreError};
use tokio::sync::{Mutex, mpsc};

use crate::{
    Case, Entry, Event, Found, LogLevel, LoggingOptions, Position, Scope, Subject, Tallies,
    levels::Levels,
    options::OPTIONS,
    shelf::{DAY_MS, Query, Shelf},
    tallies::Counting,
};

/// Entries that may wait for the disk.
const QUEUE_ENTRIES_MAX: usize = 32 * 1024;
/// Bytes that may wait for the disk.
const QUEUE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Entries written in one commit.
const BATCH_ENTRIES_MAX: usize = 4096;
/// Bytes of one answer.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// Who is in which thing group, those above its thing's groups included. Asked only for accounts with a level for a group; must
/// not block.
pub trait ThingGroups: Send + Sync {
    /// Whether the client's thing is in this group.
    fn has(&self, tenant: Tenant, group: &str, principal_id: Option<&str>, client_id: Option<&str>) -> bool;
}

/// Nobody is in any group.
impl ThingGroups for () {
    fn has(&self, _: Tenant, _: &str, _: Option<&str>, _: Option<&str>) -> bool {
        false
    }
}

/// What a log book is made of.
pub struct Parts {
    /// Where it is kept.
    pub store: Arc<dyn Store>,
    /// Who is in which group.
    pub groups: Box<dyn ThingGroups>,
}

/// For how long logs are kept, and how much of each account's in a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Days.
    pub days: u32,
    /// Bytes of each log.
    pub bytes_max: u64,
}

/// Where entries are written, and read.
pub struct LogBook {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) levels: Levels,
    /// One change of what `levels` shows at a time.
    pub(crate) showing: Mutex<()>,
    groups: Box<dyn ThingGroups>,
    queue: mpsc::Sender<Queued>,
    waiting_bytes: AtomicUsize,
    dropped: AtomicU64,
    counting: Counting,
}

/// An entry that waits for the disk.
#[derive(Debug)]
pub struct Queued {
    tenant: Option<Tenant>,
    at: u64,
    v1: Option<String>,
    v2: Option<String>,
    refusal: Option<String>,
}

impl Queued {
    fn bytes(&self) -> usize {
        let texts = [&self.v1, &self.v2, &self.refusal];
        size_of::<Self>() + texts.into_iter().flatten().map(String::len).sum::<usize>()
    }
}

/// The other end of the queue.
#[derive(Debug)]
pub struct Batch(mpsc::Receiver<Queued>);

impl Batch {
    /// The first that waits, as soon as there is one; `None` when nothing will come any more. Dropping the future loses nothing.
    pub async fn first(&mut self) -> Option<Queued> {
        self.0.recv().await
    }

    /// What waits behind `first`, up to a batch's bound.
    pub fn behind(&mut self, first: Queued) -> Vec<Queued> {
        let mut batch = vec![first];
        while batch.len() < BATCH_ENTRIES_MAX {
            let Ok(more) = self.0.try_recv() else { break };
            batch.push(more);
        }
        batch
    }

    /// What waits now.
    pub fn rest(&mut self) -> Vec<Queued> {
        self.0.close();
        std::iter::from_fn(|| self.0.try_recv().ok()).collect()
    }
}

impl LogBook {
    /// A book that keeps nothing: for tests of those who write.
    pub fn closed() -> Arc<Self> {
        let (queue, _) = mpsc::channel(1);
        Arc::new(Self {
            store: Arc::new(tidegate_kv::memory::MemoryStore::new()),
            levels: Levels::default(),
            showing: Mutex::default(),
            groups: Box::new(()),
            queue,
            waiting_bytes: AtomicUsize::new(0),
            dropped: AtomicU64::new(0),
            counting: Counting::default(),
        })
    }

    /// Reads all accounts' options.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn open(parts: Parts) -> Result<(Arc<Self>, Batch), StoreError> {
        let Parts { store, groups } = parts;
        let (queue, waiting) = mpsc::channel(QUEUE_ENTRIES_MAX);
        let book = Self {
            store,
            levels: Levels::default(),
            showing: Mutex::default(),
            groups,
            queue,
            waiting_bytes: AtomicUsize::new(0),
            dropped: AtomicU64::new(0),
            counting: Counting::default(),
        };
        book.show_all().await?;
        Ok((Arc::new(book), Batch(waiting)))
    }

    async fn show_all(&self) -> Result<Revision, StoreError> {
        let _one = self.showing.lock().await;
        let snapshot = self.store.snapshot().await?;
        let mut accounts = HashMap::new();
        OPTIONS.each(&snapshot, KeyRange::all(), |row| drop(accounts.insert(row.key, Arc::new(row.value)))).await?;
        self.levels.replace(accounts);
        Ok(snapshot.revision())
    }

    /// Shows an account's options as they are now.
    pub(crate) async fn show(&self, tenant: Tenant) -> Result<(), StoreError> {
        let _one = self.showing.lock().await;
        let row = OPTIONS.get(&self.store.snapshot().await?, &tenant).await?;
        self.levels.set(tenant, row.map(|row| row.value));
        Ok(())
    }

    /// Follows changes of options that others make, until the store closes.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub async fn follow(&self) -> Result<(), StoreError> {
        loop {
            let mut changes = self.store.changes(self.show_all().await?);
            loop {
                match changes.next().await {
                    Ok(committed) => {
                        for change in &committed.changes {
                            if let Some(change) = OPTIONS.change(change)? {
                                let (tidegate_kv::TableChange::Put(tenant, _)
                                | tidegate_kv::TableChange::Delete(tenant)) = change;
                                self.show(tenant).await?;
                            }
                        }
                    }
                    Err(FeedError::Gone) => break,
                    Err(FeedError::Closed) => return Ok(()),
                }
            }
        }
    }

    /// Whether anybody wants entries of this level: one load. What succeeds is not even put together if not.
    pub fn wants(&self, level: LogLevel) -> bool {
        self.levels.most().admits(level)
    }

    /// Whether this account asks for any log. What succeeds in others is not even put together.
    pub fn is_kept_for(&self, tenant: Tenant) -> bool {
        self.levels.has(tenant)
    }

    /// Writes an entry where its account's levels want it; with a case, it is kept as a refusal whatever they say.
    ///
    /// Never waits. When too much waits for the disk it is counted and dropped.
    pub fn write(&self, entry: &Entry, case: Option<&Case>) {
        self.counting.note(entry);
        let (mut v1, mut v2) = (false, false);
        if let Some(tenant) = entry.tenant
            && self.wants(entry.level)
            && let Some(options) = self.levels.of(tenant)
        {
            v1 = options.v1_level().admits(entry.level);
            v2 = self.v2_level(tenant, &options, entry).admits(entry.level);
        }
        if !v1 && !v2 && case.is_none() {
            return;
        }
        self.queue(Queued {
            tenant: entry.tenant,
            at: entry.at.millis(),
            v1: v1.then(|| entry.line()),
            v2: v2.then(|| entry.message()),
            refusal: case.map(|case| refusal(entry, case)),
        });
    }

    fn v2_level(&self, tenant: Tenant, options: &LoggingOptions, entry: &Entry) -> LogLevel {
        let (client_id, principal_id) = (entry.client_id.as_deref(), entry.principal_id.as_deref());
        let subject = Subject { client_id, source_ip: entry.source_ip.as_deref(), principal_id };
        options.v2_level(entry.event_type, &subject, |group| self.groups.has(tenant, group, principal_id, client_id))
    }

    fn queue(&self, queued: Queued) {
        let bytes = queued.bytes();
        let fits = self.waiting_bytes.fetch_add(bytes, Relaxed) + bytes <= QUEUE_BYTES_MAX;
        if !fits || self.queue.try_send(queued).is_err() {
            self.waiting_bytes.fetch_sub(bytes, Relaxed);
            self.dropped.fetch_add(1, Relaxed);
        }
    }

    /// Notes that `count` entries were dropped before they came here.
    pub fn drop_entries(&self, count: u64) {
        self.dropped.fetch_add(count, Relaxed);
    }

    /// How often what failed since the start.
    pub fn tallies(&self) -> Tallies {
        self.counting.read()
    }

    /// How many entries were dropped since the start.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }

    /// Brings a batch to disk. One caller at a time. An error drops the batch and counts it.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn keep(&self, batch: Vec<Queued>, now: Timestamp) -> Result<(), CommitError> {
        let count = batch.len() as u64;
        let bytes: usize = batch.iter().map(Queued::bytes).sum();
        let mut logs: BTreeMap<Scope, Vec<(u64, String)>> = BTreeMap::new();
        for Queued { tenant, at, v1, v2, refusal } in batch {
            let mut put = |scope, text: Option<String>| {
                if let Some(text) = text {
                    logs.entry(scope).or_default().push((at, text));
                }
            };
            if let Some(tenant) = tenant {
                put(Scope::v1(tenant), v1);
                put(Scope::v2(tenant), v2);
            }
            put(Scope::refusals(tenant), refusal);
        }
        let kept = self.shelf().append(logs, now).await;
        self.waiting_bytes.fetch_sub(bytes, Relaxed);
        if kept.is_err() {
            self.drop_entries(count);
        }
        kept
    }

    /// Deletes what is beyond its retention. One caller at a time, the one who keeps.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn trim(&self, retention: Retention, now: Timestamp) -> Result<(), CommitError> {
        let oldest = now - Duration::from_millis(DAY_MS) * retention.days;
        for (scope, _) in self.shelf().totals().await? {
            self.shelf().trim(&scope, oldest.millis(), retention.bytes_max).await?;
        }
        Ok(())
    }

    /// Events from the moment `from` to before `to`, the oldest first or, `backwards`, the newest; at most `max`, behind (or
    /// before) the event `beyond`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn read(
        &self,
        scope: &Scope,
        (from, to): (Timestamp, Timestamp),
        beyond: Option<Position>,
        backwards: bool,
        max: usize,
        wanted: impl FnMut(&str) -> bool,
    ) -> Result<Found, StoreError> {
        let query = Query {
            from: from.millis(),
            to: to.millis(),
            beyond,
            direction: if backwards { Direction::Descending } else { Direction::Ascending },
            events_max: max.max(1),
            bytes_max: ANSWER_BYTES_MAX,
        };
        self.shelf().read(scope, query, wanted).await
    }

    /// The days (UTC) of a log on which something was logged: number since 1970, first and last event, last written.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn days(&self, scope: &Scope) -> Result<Vec<(u64, Timestamp, Timestamp, Timestamp)>, StoreError> {
        let at = Timestamp::from_millis;
        let days = self.shelf().days(scope).await?;
        Ok(days.into_iter().map(|(day, first, last, written)| (day, at(first), at(last), at(written))).collect())
    }

    /// The bytes of a log.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn bytes(&self, scope: &Scope) -> Result<u64, StoreError> {
        self.shelf().bytes(scope).await
    }

    /// The newest refusals that `wanted` wants, of all accounts and of nobody's, the newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn refusals(
        &self,
        since: Timestamp,
        max: usize,
        mut wanted: impl FnMut(&str) -> bool,
    ) -> Result<Vec<Event>, StoreError> {
        let end = Timestamp::from_millis(u64::MAX);
        let mut newest = Vec::new();
        for (scope, _) in self.shelf().totals().await? {
            if scope.to_string().starts_with("refusals/") {
                newest.extend(self.read(&scope, (since, end), None, true, max, &mut wanted).await?.events);
            }
        }
        newest.sort_by_key(|event| std::cmp::Reverse(event.at));
        newest.truncate(max);
        Ok(newest)
    }

    fn shelf(&self) -> Shelf {
        Shelf(Arc::clone(&self.store))
    }
}

/// A refusal as it is kept: its entry, whose it is, and its case.
fn refusal(entry: &Entry, case: &Case) -> String {
    let region = entry.tenant.as_ref().map(|tenant| tenant.region.as_str());
    // The entry is JSON already: it is put in as it is, so that its members stay in their order.
    format!("{{\"entry\":{},\"region\":{},\"case\":{}}}", entry.message(), json!(region), json!(case))
}

#[cfg(test)]
mod tests;
