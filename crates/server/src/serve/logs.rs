//! The log book: opened, brought to disk in batches, trimmed, and emptied at the end.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use tidegate_ids::{Clock, Tenant};
use tidegate_kv::{Revision, Store, StoreError};
use tidegate_logs::{Batch, LogBook, LogsError, NotingStore, Parts, Retention, ThingGroups, Trail};
use tidegate_registry::{Directory, Registry};
use tidegate_standalone::StandaloneStore;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep, sleep_until},
};

use crate::config;

/// What comes within this time of the first entry is written with it.
const LINGER: Duration = Duration::from_millis(100);
/// Between two looks at what is too old or too much.
const TRIM_EVERY: Duration = Duration::from_secs(60);
/// Between two attempts to record what an earlier process left, while the disk is nearly full.
const RECOVER_EVERY: Duration = Duration::from_secs(5);
/// Between two lines about what was dropped, not written or not deleted.
const WARN_EVERY: Duration = Duration::from_secs(10);

/// The task that brings entries to disk.
pub(super) struct Keeper {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// Opens the book and starts what it needs.
pub(super) async fn open(
    config: &config::Logs,
    store: &Arc<StandaloneStore>,
    registry: &Registry,
    clock: &Arc<dyn Clock>,
) -> Result<(Arc<LogBook>, Arc<Trail>, Keeper)> {
    let groups = Box::new(Groups(Arc::clone(registry.directory())));
    let parts = Parts { store: NotingStore::over(super::faults::store(Arc::clone(store) as Arc<dyn Store>)), groups };
    let (book, queue) = LogBook::open(parts).await.context("cannot read the logging options")?;
    let retention = Retention { days: config.retention_days, bytes_max: config.mib_max.saturating_mul(1024 * 1024) };
    let follow = Arc::clone(&book);
    tokio::spawn(async move {
        if let Err(error) = follow.follow().await {
            tracing::error!(event_type = "Logs", %error, "changes of logging options are not followed any more");
        }
    });
    let (stop, stopped) = watch::channel(false);
    let trail = Arc::new(Trail::new(super::faults::store(Arc::clone(store) as Arc<dyn Store>)));
    let started = store.snapshot().await.context("cannot read the audit trail")?.revision();
    let left_until = match recover(&trail, started).await {
        Err(LogsError::Store(error @ StoreError::Full { .. })) => {
            tracing::error!(
                event_type = "Audit",
                error = &error as &dyn std::error::Error,
                "changes of earlier are not in the audit trail yet: they are recorded once the disk has room"
            );
            Some(started)
        }
        recovered => recovered.map(|()| None).context("cannot read the audit trail")?,
    };
    let keeping = Keeping {
        trail: Arc::clone(&trail),
        left_until,
        audit_days: config.audit_retention_days,
        book: Arc::clone(&book),
        queue,
        retention,
        clock: Arc::clone(clock),
        warned: None,
        dropped: 0,
    };
    Ok((book, trail, Keeper { stop, task: tokio::spawn(keeping.run(stopped)) }))
}

/// Makes the records that are missing of commits up to `until`.
async fn recover(trail: &Trail, until: Revision) -> Result<(), LogsError> {
    let recovered = trail.recover(until).await?;
    if recovered > 0 {
        tracing::warn!(event_type = "Audit", recovered, "changes of earlier that had no record have one now");
    }
    Ok(())
}

impl Keeper {
    /// Writes what still waits.
    pub(super) async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.task.await {
            tracing::error!(event_type = "Logs", %error, "the last log entries could not be written");
        }
    }
}

struct Keeping {
    trail: Arc<Trail>,
    /// Commits up to here may have left changes without a record.
    left_until: Option<Revision>,
    audit_days: u32,
    book: Arc<LogBook>,
    queue: Batch,
    retention: Retention,
    clock: Arc<dyn Clock>,
    warned: Option<Instant>,
    /// As last told.
    dropped: u64,
}

impl Keeping {
    async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        let mut trim_at = Instant::now();
        let mut recover_at = Instant::now() + RECOVER_EVERY;
        loop {
            if let Some(until) = self.left_until
                && Instant::now() >= recover_at
            {
                recover_at = Instant::now() + RECOVER_EVERY;
                match recover(&self.trail, until).await {
                    Ok(()) => self.left_until = None,
                    Err(LogsError::Store(StoreError::Full { .. })) => {} // was said at the start
                    Err(error) => {
                        let error = &error as &dyn std::error::Error;
                        tracing::error!(
                            event_type = "Audit",
                            error,
                            "changes of earlier are still not in the audit trail"
                        );
                    }
                }
            }
            if Instant::now() >= trim_at {
                trim_at = Instant::now() + TRIM_EVERY;
                self.trim().await;
            }
            let next_at = if self.left_until.is_some() { trim_at.min(recover_at) } else { trim_at };
            let first = tokio::select! {
                first = self.queue.first() => first,
                () = sleep_until(next_at) => continue,
                _ = stopped.wait_for(|stop| *stop) => None,
            };
            let Some(first) = first else { break };
            tokio::select! {
                () = sleep(LINGER) => {}
                _ = stopped.wait_for(|stop| *stop) => {}
            }
            let batch = self.queue.behind(first);
            let kept = self.book.keep(batch, self.clock.now().wall).await;
            self.warn_of(kept.err().map(|error| error.to_string()));
        }
        let rest = self.queue.rest();
        if !rest.is_empty() {
            let kept = self.book.keep(rest, self.clock.now().wall).await;
            self.warn_of(kept.err().map(|error| error.to_string()));
        }
    }

    /// Deletes what is too old or too much; what cannot be deleted now is looked at again.
    async fn trim(&mut self) {
        let now = self.clock.now().wall;
        let book = self.book.trim(self.retention, now).await.err().map(|error| error.to_string());
        let trail = self.trail.trim(self.audit_days, now).await.err().map(|error| error.to_string());
        if let Some(reason) = book.or(trail)
            && self.may_warn()
        {
            tracing::warn!(event_type = "Logs", reason, "what is too old or too much could not be deleted");
        }
        self.warn_of(None); // of what was dropped when it was too soon for a line
    }

    /// Whether it is time for a line again.
    fn may_warn(&mut self) -> bool {
        let may = self.warned.is_none_or(|at| at.elapsed() >= WARN_EVERY);
        if may {
            self.warned = Some(Instant::now());
        }
        may
    }

    /// Says what went wrong and how much was dropped, now and then.
    fn warn_of(&mut self, failed: Option<String>) {
        let dropped = self.book.dropped();
        let news = dropped != self.dropped || failed.is_some();
        if news && self.may_warn() {
            let reason = failed.as_deref().unwrap_or("there were too many at once");
            tracing::warn!(event_type = "Logs", dropped = dropped - self.dropped, reason, "log entries were not kept");
            self.dropped = dropped;
        }
    }
}

/// Who is in which thing group, as the registry knows it.
struct Groups(Arc<Directory>);

impl ThingGroups for Groups {
    fn has(&self, tenant: Tenant, group: &str, principal_id: Option<&str>, client_id: Option<&str>) -> bool {
        let certificate_id = principal_id.and_then(|id| id.parse().ok());
        certificate_id.is_some_and(|id| self.0.is_in_group(tenant, id, client_id.unwrap_or_default(), group))
    }
}
