//! Where changes take their time to the devices' edge: somebody carries them there.

use std::{sync::Arc, time::Duration};

use tidegate_ids::Clock;
use tidegate_registry::{Propagated, Registry, RegistryError};

/// Between two looks at what waits, at most: for a clock that was moved.
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// Carries every change when it has waited long enough. Returns when a row cannot be read.
pub(super) async fn carry(registry: Registry, clock: Arc<dyn Clock>) -> RegistryError {
    loop {
        let Propagated { next, early } = match registry.propagate(clock.now()) {
            Ok(propagated) => propagated,
            Err(error) => return error,
        };
        if early > 0 {
            tracing::warn!(changes = early, "changes counted before mqtt.propagation_delay_s: too many waited");
        }
        tokio::select! {
            () = tokio::time::sleep(next.unwrap_or(PAUSE_MAX).min(PAUSE_MAX)) => {}
            () = registry.departure() => {}
        }
    }
}
