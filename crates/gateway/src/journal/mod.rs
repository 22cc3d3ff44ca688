//! The journal: what the broker must not forget, in the store.
//!
//! ```text
//!   cores ── records, tokens ──▶ broker ──▶ journal task: ledger ─▶ one transaction ─▶ store
//!     ▲                                        │ durable, or refused
//!     └──── acknowledgements, by the mailbox ──┘
//! ```
//!
//! Queues are logs: a commit writes the bodies of all its messages as one row and, per session that got any, one chunk of
//! references; an acknowledgement moves a cursor; a chunk goes as a whole when all of it is finished, and a segment of
//! bodies when no chunk refers to it. A segment that is mostly garbage is written again without it.
//!
//! One commit is under way at a time; what is logged meanwhile is the next one. Cores never wait for it: they hold
//! acknowledgements back, and while more than a bound waits they do not read from those who publish durable messages.
//!
//! **Invariant:** the rows of one commit are atomic, or come in an order in which recovery can tell what is left over.

mod ledger;
mod pending;
mod queue;
mod recovery;
mod rows;
mod segments;
mod task;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::Arc;

use parking_lot::Mutex;
use tidegate_broker::{Broker, Profile, Token};
use tidegate_ids::Clock;
use tidegate_kv::{Store, StoreError};
use tokio::sync::{Notify, watch};

use task::Task;

/// Where cores leave what waits for the disk.
#[derive(Debug, Default)]
pub struct Tray {
    tokens: Mutex<Token>,
    filled: Notify,
}

impl Tray {
    /// Leave a token; bounded by what connections may have unacknowledged. Never waits.
    pub(crate) fn leave(&self, mut token: Token) {
        self.tokens.lock().append(&mut token);
        self.filled.notify_one();
    }

    fn take(&self) -> Token {
        std::mem::take(&mut self.tokens.lock())
    }
}

/// The running journal. Stop it after the gateway, so that what the last turns logged is written.
pub struct Journal {
    tray: Arc<Tray>,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<Result<(), StoreError>>,
}

/// What was found when the journal was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Sessions.
    pub sessions: usize,
    /// Messages in their queues.
    pub queued: usize,
    /// Retained messages.
    pub retained: usize,
}

impl Journal {
    /// Puts back into `broker` what an earlier process left in `store`, and writes what changes from now on. Call it in
    /// a runtime and before the gateway starts. `profile` finds a profile by its name, for sessions until their
    /// clients connect.
    ///
    /// # Errors
    /// The store cannot be read, or holds rows that are damaged or of a newer program: nothing was changed then.
    pub async fn open(
        store: Arc<dyn Store>,
        broker: Arc<Broker>,
        clock: Arc<dyn Clock>,
        profile: impl Fn(&str) -> Arc<Profile>,
    ) -> Result<(Self, Found), StoreError> {
        let now = clock.now();
        let recovered = recovery::read(&store.snapshot().await?, now.wall).await?;
        let mut found = Found { sessions: recovered.sessions.len(), queued: 0, retained: 0 };
        for session in recovered.sessions {
            found.queued += session.queue.len() + session.released.len();
            let profile = profile(&session.record.profile);
            broker.restore_session(session, profile, now);
        }
        for (tenant, retained) in recovered.retained {
            found.retained += usize::from(broker.restore_retained(tenant, retained, now));
        }
        let tray = Arc::new(Tray::default());
        let (stop, stopped) = watch::channel(false);
        let task = Task::new(store, broker, clock, tray.clone(), recovered.ledger);
        let task = tokio::spawn(task.run(stopped));
        Ok((Self { tray, stop, task }, found))
    }

    /// Where the cores of the gateway leave what waits.
    pub fn tray(&self) -> Arc<Tray> {
        self.tray.clone()
    }

    /// Waits until the journal ends by itself: why. Nothing becomes durable any more then, so the process should end.
    pub async fn failed(&mut self) -> StoreError {
        match (&mut self.task).await {
            Ok(Err(error)) => error,
            Ok(Ok(())) | Err(_) => StoreError::Closed,
        }
    }

    /// Writes what is left, then ends.
    ///
    /// # Errors
    /// The last commit failed; or an earlier one did, for good.
    pub async fn stop(self) -> Result<(), StoreError> {
        if self.task.is_finished() {
            return Err(StoreError::Closed);
        }
        self.stop.send_replace(true);
        self.tray.filled.notify_one();
        self.task.await.unwrap_or(Err(StoreError::Closed))
    }
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").finish_non_exhaustive()
    }
}
