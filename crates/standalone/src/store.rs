//! The store as others see it.

use std::{
    io,
    path::PathBuf,
    process,
    sync::{Arc, atomic::AtomicU64},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tidegate_kv::{
    BoxFuture, Changes, CommitError, Revision, Snapshot, Store, StoreError, TRANSACTION_BYTES_MAX, Transaction,
    single_writer::{Feed, FeedBounds, Recent},
};
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::{
    committer::{Committer, Waiting},
    directory::Directory,
    engine::Engine,
    notary::Notary,
    snapshot::StandaloneSnapshot,
    space::Space,
};

/// The exit status after the disk or the commit thread has failed: the supervisor starts the process again, which
/// then reads what is really on disk.
pub const EXIT_FATAL: i32 = 70;

/// Transactions that wait for the commit thread; further callers wait for room.
const QUEUE_TRANSACTIONS_MAX: usize = 4_096;

/// What must be free on the disk for commits to be taken, unless [`Options`] say otherwise.
pub const FREE_BYTES_MIN: u64 = 256 * 1024 * 1024;

/// KiB of transactions that wait or are being committed; further callers wait for room.
const QUEUE_KIB_MAX: usize = 64 * 1024;

const _: () = assert!(TRANSACTION_BYTES_MAX / 1024 < QUEUE_KIB_MAX, "the largest transaction finds room");

/// How to open the store.
pub struct Options {
    /// The directory; it is made when it is not there.
    pub path: PathBuf,
    /// Bytes of blocks read from disk and kept in memory.
    pub cache_bytes: u64,
    /// How much the change feed remembers.
    pub feed: FeedBounds,
    /// What must be free on the disk: with less, commits are refused with [`StoreError::Full`] and reads go on.
    pub free_bytes_min: u64,
    /// Called on the commit thread before each batch is written; it does nothing, except in tests of a disk that is slow or stuck.
    pub before_batch: Box<dyn Fn() + Send + Sync>,
    /// Told what happened when a write to the disk failed or the commit thread panicked. It must end the process, with
    /// [`EXIT_FATAL`]: nothing is committed any more, and a failed fsync may never be tried again. Called once, on
    /// the commit thread.
    pub on_fatal: Box<dyn Fn(&str) + Send + Sync>,
}

impl Options {
    /// A cache of 64 MiB, a feed of the default size, [`FREE_BYTES_MIN`], and a line in the log and an exit when the
    /// disk fails.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            cache_bytes: 64 * 1024 * 1024,
            feed: FeedBounds::default(),
            free_bytes_min: FREE_BYTES_MIN,
            before_batch: Box::new(|| ()),
            on_fatal: Box::new(|what| {
                tracing::error!(event_type = "Store", reason = what, "the store failed: the process ends");
                process::exit(EXIT_FATAL)
            }),
        }
    }
}

/// A [`Store`] in one directory. Opening and dropping block: the first replays the journal (about a second for 64 MiB
/// of it), the second waits until everything queued is committed.
pub struct StandaloneStore {
    engine: Arc<Engine>,
    feed: Arc<Feed>,
    /// Taken when the store is dropped.
    queue: Option<mpsc::Sender<Waiting>>,
    room: Arc<Semaphore>,
    thread: Option<JoinHandle<()>>,
    /// Dropped when the last commit is done.
    notary: Option<Notary>,
    busy_since: Arc<Mutex<Option<Instant>>>,
    #[cfg(test)]
    fault: Arc<Mutex<Option<tests::Fault>>>,
}

impl StandaloneStore {
    /// Opens the directory, or makes it, and starts the commit thread.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another process has it; [`StoreError::NewerFormat`] when a newer program wrote it;
    /// [`StoreError::Damaged`] and [`StoreError::Unreadable`] when it needs a backup; [`StoreError::Engine`] when it cannot be read or written.
    pub fn open(options: Options) -> Result<Self, StoreError> {
        let engine = Arc::new(Engine::open(Directory::open(&options.path)?, options.cache_bytes)?);
        let (_, newest) = engine.snapshot()?;
        let feed = Arc::new(Feed::new(newest, options.feed));
        let durable = Arc::new(AtomicU64::new(newest.0));
        let starting = |error: io::Error| StoreError::Engine { doing: "starting a thread", source: error.into() };
        let notary = Notary::start(engine.clone(), Arc::clone(&durable)).map_err(starting)?;
        let busy_since = Arc::default();
        #[cfg(test)]
        let fault = Arc::default();
        let committer = Committer {
            engine: engine.clone(),
            feed: feed.clone(),
            recent: Recent::new(newest),
            newest,
            durable,
            space: Space::new(options.path, options.free_bytes_min),
            before_batch: options.before_batch,
            on_fatal: options.on_fatal,
            busy_since: Arc::clone(&busy_since),
            #[cfg(test)]
            fault: Arc::clone(&fault),
        };
        let (queue, waiting) = mpsc::channel(QUEUE_TRANSACTIONS_MAX);
        let thread = thread::Builder::new().name("commit".to_owned()).spawn(move || committer.run(waiting));
        let thread = thread.map_err(starting)?;
        Ok(Self {
            engine,
            feed,
            queue: Some(queue),
            room: Arc::new(Semaphore::new(QUEUE_KIB_MAX)),
            thread: Some(thread),
            notary: Some(notary),
            busy_since,
            #[cfg(test)]
            fault,
        })
    }

    /// For how long the present batch has been under way; zero when there is none. Beyond 5 s the process should call
    /// itself not ready: the disk is stuck, and every commit with it.
    pub fn committing_for(&self) -> Duration {
        self.busy_since.lock().map_or(Duration::ZERO, |since| since.elapsed())
    }

    async fn queue(&self, transaction: Transaction) -> Result<Revision, CommitError> {
        transaction.check_bounds()?;
        let kib = transaction.bytes() / 1024 + 1;
        let kib = kib.try_into().expect("a transaction within its bounds has few KiB");
        let room = self.room.clone().acquire_many_owned(kib).await.map_err(|_| StoreError::Closed)?;
        let (answer, answered) = oneshot::channel();
        let queue = self.queue.as_ref().expect("the queue is open until the store is dropped");
        let waiting = Waiting { transaction, answer, _room: room };
        queue.send(waiting).await.map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }
}

impl Store for StandaloneStore {
    fn snapshot(&self) -> BoxFuture<'_, Result<Snapshot, StoreError>> {
        Box::pin(async { Ok(Snapshot::new(StandaloneSnapshot::take(self.engine.clone())?)) })
    }

    fn commit(&self, transaction: Transaction) -> BoxFuture<'_, Result<Revision, CommitError>> {
        Box::pin(self.queue(transaction))
    }

    fn changes(&self, from: Revision) -> Changes {
        self.feed.changes(from)
    }
}

/// Commits what is queued and closes the files, unless a snapshot is still held: then that closes them.
impl Drop for StandaloneStore {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // its panics are caught and reported inside
        }
        self.notary = None;
    }
}

#[cfg(test)]
pub(crate) mod tests;
