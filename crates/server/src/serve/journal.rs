//! What the broker must not forget: the journal, from its opening to its last commit.

use std::{sync::Arc, time::Instant};

use anyhow::{Context, Result};
use tidegate_broker::{Broker, Profile};
use tidegate_gateway::Journal;
use tidegate_ids::Clock;
use tidegate_kv::{Store, StoreError};
use tidegate_standalone::StandaloneStore;

use crate::config::Config;

/// Puts back what an earlier process left, unless persistence is off.
pub(super) async fn open(
    config: &Config,
    store: &Arc<StandaloneStore>,
    broker: &Arc<Broker>,
    clock: &Arc<dyn Clock>,
) -> Result<Option<Journal>> {
    if !config.mqtt.persistence {
        return Ok(None);
    }
    let (standard, aws) = (Arc::new(Profile::standard()), Arc::new(Profile::aws()));
    let profile = move |name: &str| if name == aws.name { aws.clone() } else { standard.clone() };
    let began = Instant::now();
    let store = super::faults::store(Arc::clone(store) as Arc<dyn Store>);
    let opened = Journal::open(store, Arc::clone(broker), Arc::clone(clock), profile).await;
    let (journal, found) = opened.context("cannot read the stored sessions and messages")?;
    let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let tidegate_gateway::Found { sessions, queued, retained } = found;
    tracing::info!(event_type = "Journal", sessions, queued, retained, milliseconds, "sessions and messages are back");
    Ok(Some(journal))
}

/// Waits for the journal's end, which comes only by a failure.
pub(super) async fn failed(journal: &mut Option<Journal>) -> StoreError {
    match journal {
        Some(journal) => journal.failed().await,
        None => std::future::pending().await,
    }
}

/// Writes what the last turns of the cores logged.
pub(super) async fn stop(journal: Option<Journal>) {
    if let Some(journal) = journal
        && let Err(error) = journal.stop().await
    {
        tracing::error!(%error, "the last changes of sessions could not be written");
    }
}
