//! `tidegate audit …`

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tidegate_logs::Verification;
use tidegate_standalone::{Options, StandaloneStore};

use super::{ask, table::printable};
use crate::{
    admin::{AdminError, Request},
    cli::{Audit, Running},
};

/// `tidegate audit …`
pub(crate) async fn audit(command: Audit) -> Result<()> {
    let Audit::Verify { running } = command;
    let found = match ask(&running, Request::VerifyAudit).await {
        Err(error) if matches!(error.downcast_ref(), Some(AdminError::NotRunning { .. })) => offline(&running).await?,
        asked => asked?,
    };
    let problems = found["problems"].as_array().map_or(&[][..], Vec::as_slice);
    if running.json {
        println!("{found}");
    } else {
        println!("records    {}, the first is number {}", found["records"], found["first"]);
        println!("last hash  {}", printable(found["head"].as_str().unwrap_or_default()));
        problems.iter().for_each(|problem| println!("{}", printable(problem.as_str().unwrap_or_default())));
    }
    if !problems.is_empty() {
        bail!("the audit trail is not as it was written");
    }
    Ok(())
}

/// Reads the store itself: no broker runs on it.
async fn offline(running: &Running) -> Result<Value> {
    let path = running.data.join("store");
    if !path.is_dir() {
        bail!("no broker runs on {}, and there is no store in it", running.data.display());
    }
    let opened = tokio::task::spawn_blocking(move || StandaloneStore::open(Options::new(path))).await?;
    let store = opened.with_context(|| format!("cannot open the store in {}", running.data.display()))?;
    let found = Verification::of(&store).await.context("cannot read the audit trail")?;
    tokio::task::spawn_blocking(move || drop(store)).await?;
    Ok(serde_json::to_value(found)?)
}
