//! The directory's place in the store's change feed.

use std::{sync::Arc, time::Duration};

use parking_lot::RwLock;
use tidegate_ids::Monotonic;
use tidegate_kv::{Changes, Committed, FeedError, Revision, Store, StoreError};
use tokio::sync::{Mutex, watch};

use super::{Directory, Listener, Propagated, propagation::Propagation};
use crate::{RegistryChange, RegistryError};

/// Transactions that are applied before those who wait for them are woken.
const STEP_TRANSACTIONS_MAX: usize = 1024;

/// Reads the change feed and applies it to the directory, for whoever needs it next.
///
/// There is one reader at a time and any task may be it: an operation that has committed reads until its own transaction is applied, so
/// that its caller's next CONNECT is judged by it; [`Self::run`] reads the rest. Order is the feed's in any case.
pub(crate) struct Feed {
    store: Arc<dyn Store>,
    directory: Arc<Directory>,
    /// The way to the devices' edge, where it is longer.
    propagation: Option<Propagation>,
    reader: Mutex<Changes>,
    /// The newest transaction that the directory shows and the listeners know.
    applied: watch::Sender<Revision>,
    listeners: RwLock<Vec<Listener>>,
}

impl Feed {
    /// Fills the directory from the store; and `late`, which shows each change that much later, if there is to be one.
    pub(crate) async fn open(
        store: Arc<dyn Store>,
        directory: Arc<Directory>,
        late: Option<(Arc<Directory>, Duration)>,
    ) -> Result<Self, StoreError> {
        let snapshot = store.snapshot().await?;
        directory.read_all(&snapshot).await?;
        let propagation = match late {
            Some((late, delay)) => Some(Propagation::open(late, delay, &snapshot).await?),
            None => None,
        };
        let revision = snapshot.revision();
        Ok(Self {
            reader: Mutex::new(store.changes(revision)),
            applied: watch::Sender::new(revision),
            listeners: RwLock::default(),
            store,
            directory,
            propagation,
        })
    }

    pub(crate) fn on_change(&self, listener: Listener) {
        self.listeners.write().push(listener);
    }

    /// What the devices' edge asks.
    pub(crate) fn propagated(&self) -> &Arc<Directory> {
        self.propagation.as_ref().map_or(&self.directory, Propagation::directory)
    }

    /// As [`Self::on_change`], when the devices' edge sees it.
    pub(crate) fn on_propagated(&self, listener: Listener) {
        match &self.propagation {
            Some(propagation) => propagation.on_change(listener),
            None => self.on_change(listener),
        }
    }

    /// How many changes the devices' edge has not seen yet, and how long each takes.
    pub(crate) fn propagating(&self) -> (usize, Duration) {
        self.propagation
            .as_ref()
            .map_or((0, Duration::ZERO), |propagation| (propagation.waiting(), propagation.delay()))
    }

    /// See [`Registry::propagate`](crate::Registry::propagate).
    pub(crate) fn propagate(&self, now: Monotonic) -> Result<Propagated, StoreError> {
        self.propagation.as_ref().map_or(Ok(Propagated { next: None, early: 0 }), |propagation| propagation.carry(now))
    }

    /// Returns when more changes are on their way; never where there is no delay.
    pub(crate) async fn departure(&self) {
        match &self.propagation {
            Some(propagation) => propagation.joined().await,
            None => std::future::pending().await,
        }
    }

    /// Returns when the directory shows the transaction `revision` and all before it.
    ///
    /// It waits for whoever reads, and for its turn to read: the present reader may keep the feed for long after it has
    /// applied the transaction.
    pub(crate) async fn catch_up(&self, revision: Revision) -> Result<(), RegistryError> {
        let mut applied = self.applied.subscribe();
        loop {
            let mut reader = tokio::select! {
                biased;
                () = shown(&mut applied, revision) => return Ok(()),
                reader = self.reader.lock() => reader,
            };
            if *self.applied.borrow() < revision {
                self.step(&mut reader).await?;
            }
        }
    }

    /// Applies whatever comes until the store closes.
    pub(crate) async fn run(&self) -> Result<(), RegistryError> {
        loop {
            let mut reader = self.reader.lock().await;
            match self.step(&mut reader).await {
                Err(RegistryError::Store(error)) if matches!(*error, StoreError::Closed) => return Ok(()),
                done => done?,
            }
        }
    }

    /// The newest transaction that the directory surely shows.
    pub(crate) fn applied(&self) -> Revision {
        *self.applied.borrow()
    }

    /// The newest transaction that the devices' edge surely sees.
    pub(crate) fn seen(&self) -> Revision {
        self.propagation.as_ref().map_or_else(|| self.applied(), Propagation::shown)
    }

    /// Waits for a transaction and applies it, with those that are there behind it; reads everything again if it came too
    /// late.
    async fn step(&self, reader: &mut Changes) -> Result<(), RegistryError> {
        match reader.next().await {
            Ok(committed) => self.apply(committed, reader)?,
            Err(FeedError::Gone) => {
                let snapshot = self.store.snapshot().await?;
                let told = self.directory.read_all(&snapshot).await?;
                *reader = self.store.changes(snapshot.revision());
                self.tell(&told);
                if let Some(propagation) = &self.propagation {
                    propagation.start_again(&snapshot).await?;
                }
                self.applied.send_replace(snapshot.revision());
            }
            Err(FeedError::Closed) => return Err(StoreError::Closed.into()),
        }
        Ok(())
    }

    /// Applies transactions that are there; whoever waits for them is woken once for all.
    ///
    /// Nothing behind one that cannot be applied is: every further step meets it again.
    fn apply(&self, first: Arc<Committed>, reader: &mut Changes) -> Result<(), RegistryError> {
        let (mut next, mut applied, mut failed) = (Some(first), self.applied(), None);
        for left in (0..STEP_TRANSACTIONS_MAX).rev() {
            let Some(committed) = next.take() else { break };
            if let Err(error) = self.show(&committed) {
                failed = Some(error);
                *reader = self.store.changes(applied);
                break;
            }
            applied = committed.revision;
            // An error of the feed itself is met by the next step, too.
            next = if left > 0 { reader.ready().and_then(Result::ok) } else { None };
        }
        self.applied.send_replace(applied);
        failed.map_or(Ok(()), |error| Err(error.into()))
    }

    fn show(&self, committed: &Committed) -> Result<(), StoreError> {
        self.tell(&self.directory.apply(committed)?);
        self.propagation.as_ref().map_or(Ok(()), |propagation| propagation.take(committed))
    }

    fn tell(&self, changes: &[RegistryChange]) {
        let listeners = self.listeners.read();
        for change in changes {
            listeners.iter().for_each(|listener| listener(change));
        }
    }
}

/// Returns once the directory shows `revision`.
async fn shown(applied: &mut watch::Receiver<Revision>, revision: Revision) {
    let waited = applied.wait_for(|applied| *applied >= revision).await;
    waited.expect("the sender lives as long as the feed");
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tidegate_kv::{Table, Transaction, memory::MemoryStore};
    use tidegate_pki::seal::MasterKey;
    use tokio::time::timeout;

    use super::*;

    static ROWS: Table<String, u64> = Table::new("rows");

    #[tokio::test]
    async fn whoever_waits_for_a_transaction_does_not_wait_for_the_reader_to_let_go() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let master_key = Arc::new(MasterKey::from_bytes(&[7; 32]));
        let directory = Arc::new(Directory::new(&crate::Settings::default(), master_key));
        let feed = Arc::new(Feed::open(Arc::clone(&store), directory, None).await.unwrap());
        let mut reader = feed.reader.lock().await; // as `run` holds it while it waits for the next change
        let mut transaction = Transaction::new();
        ROWS.put(&mut transaction, &"row".to_owned(), &1);
        let revision = store.commit(transaction).await.unwrap();
        let waiting = tokio::spawn({
            let feed = Arc::clone(&feed);
            async move { feed.catch_up(revision).await }
        });
        tokio::task::yield_now().await; // it waits for its turn now
        feed.step(&mut reader).await.unwrap();
        let caught_up = timeout(Duration::from_secs(60), waiting).await;
        caught_up.expect("it hears that the transaction is applied").unwrap().unwrap();
        drop(reader);
    }

    #[tokio::test]
    async fn nothing_behind_a_transaction_that_cannot_be_applied_counts_as_shown() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let master_key = Arc::new(MasterKey::from_bytes(&[7; 32]));
        let directory = Arc::new(Directory::new(&crate::Settings::default(), master_key));
        let feed = Feed::open(Arc::clone(&store), directory, None).await.unwrap();
        let mut good = Transaction::new();
        ROWS.put(&mut good, &"row".to_owned(), &1);
        let shown = store.commit(good.clone()).await.unwrap();
        let mut bad = Transaction::new();
        bad.put("certificates", vec![1], vec![2]);
        store.commit(bad).await.unwrap();
        store.commit(good).await.unwrap();
        let mut reader = feed.reader.lock().await;
        for _ in 0..2 {
            feed.step(&mut reader).await.unwrap_err();
            assert_eq!(feed.applied(), shown);
        }
    }
}
