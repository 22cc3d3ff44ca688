//! The directory's place in the store's change feed.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use parking_lot::RwLock;
use tidegate_kv::{Changes, FeedError, Revision, Store, StoreError};
use tokio::sync::Mutex;

use super::Directory;
use crate::{RegistryChange, RegistryError};

type Listener = Box<dyn Fn(&RegistryChange) + Send + Sync>;

/// Reads the change feed and applies it to the directory, for whoever needs it next.
///
/// There is one reader at a time and any task may be it: an operation that has committed reads until its own transaction is applied, so
/// that its caller's next CONNECT is judged by it; [`Self::run`] reads the rest. Order is the feed's in any case.
pub(crate) struct Feed {
    store: Arc<dyn Store>,
    directory: Arc<Directory>,
    reader: Mutex<Changes>,
    /// The newest transaction that the directory shows and the listeners know.
    applied: AtomicU64,
    listeners: RwLock<Vec<Listener>>,
}

impl Feed {
    /// Fills the directory from the store.
    pub(crate) async fn open(store: Arc<dyn Store>, directory: Arc<Directory>) -> Result<Self, StoreError> {
        let snapshot = store.snapshot().await?;
        directory.read_all(&snapshot).await?;
        let revision = snapshot.revision();
        Ok(Self {
            reader: Mutex::new(store.changes(revision)),
            applied: AtomicU64::new(revision.0),
            listeners: RwLock::default(),
            store,
            directory,
        })
    }

    pub(crate) fn on_change(&self, listener: Listener) {
        self.listeners.write().push(listener);
    }

    /// Returns when the directory shows the transaction `revision` and all before it.
    pub(crate) async fn catch_up(&self, revision: Revision) -> Result<(), RegistryError> {
        while self.applied.load(Ordering::Acquire) < revision.0 {
            let mut reader = self.reader.lock().await;
            if self.applied.load(Ordering::Acquire) < revision.0 {
                self.step(&mut reader).await?;
            }
        }
        Ok(())
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

    /// Waits for one transaction and applies it; reads everything again if it came too late.
    async fn step(&self, reader: &mut Changes) -> Result<(), RegistryError> {
        match reader.next().await {
            Ok(committed) => {
                let told = self.directory.apply(&committed)?;
                self.tell(&told);
                self.applied.store(committed.revision.0, Ordering::Release);
            }
            Err(FeedError::Gone) => {
                let snapshot = self.store.snapshot().await?;
                let told = self.directory.read_all(&snapshot).await?;
                *reader = self.store.changes(snapshot.revision());
                self.tell(&told);
                self.applied.store(snapshot.revision().0, Ordering::Release);
            }
            Err(FeedError::Closed) => return Err(StoreError::Closed.into()),
        }
        Ok(())
    }

    fn tell(&self, changes: &[RegistryChange]) {
        let listeners = self.listeners.read();
        for change in changes {
            listeners.iter().for_each(|listener| listener(change));
        }
    }
}
