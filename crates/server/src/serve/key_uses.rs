//! When access keys were last used: written now and then, and at the end.

use std::time::Duration;

use tidegate_registry::Registry;
use tokio::time::{MissedTickBehavior, interval};

/// Between two times; what a crash takes of the uses of a key is no older.
const EVERY: Duration = Duration::from_secs(300);

/// Writes them for as long as it is polled.
pub(super) async fn keep(registry: Registry) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        keep_once(&registry).await;
    }
}

/// Writes them now. A failure is told; the next time comes.
pub(super) async fn keep_once(registry: &Registry) {
    if let Err(error) = registry.keep_access_key_uses().await {
        tracing::warn!(event_type = "Store", %error, "the last uses of access keys could not be written");
    }
}
