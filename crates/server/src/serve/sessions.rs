//! Sessions end with what let their clients in.

use std::{sync::Arc, time::Duration};

use tidegate_broker::{Broker, CloseReason, Effects, Principal, Selector};
use tidegate_gateway::SignedIn;
use tidegate_ids::{Clock, Timestamp};
use tidegate_registry::{Registry, RegistryChange};

/// Between two looks at what was signed with temporary credentials, at least and at most.
const EXPIRY_PAUSE_MIN: Duration = Duration::from_millis(20);
const EXPIRY_PAUSE_MAX: Duration = Duration::from_secs(10);

/// A certificate that may no longer connect loses the sessions it has, and so does an access key.
pub(super) fn end_on_change(
    registry: &Registry,
    broker: &Arc<Broker>,
    signed_in: &Arc<SignedIn>,
    clock: &Arc<dyn Clock>,
) {
    let (broker, clock, signed_in) = (Arc::clone(broker), Arc::clone(clock), Arc::clone(signed_in));
    let directory = Arc::clone(registry.propagated());
    registry.on_propagated(move |change| {
        if let RegistryChange::Credentials { account } = change {
            signed_in.end(Some(*account), &directory, &broker, clock.now());
        }
        let Some((tenant, certificate_id)) = change.ends_sessions_of() else { return };
        let principal = Principal::Certificate { tenant, certificate_id };
        let mut effects = Effects::outside();
        broker.kick(
            &Selector::Principal { tenant, principal },
            CloseReason::PrincipalRefused,
            clock.now(),
            &mut effects,
        );
        broker.hand_over(&mut effects);
    });
}

/// Connections that were signed with temporary credentials end with them.
pub(super) async fn end_expired(
    registry: Registry,
    broker: Arc<Broker>,
    signed_in: Arc<SignedIn>,
    clock: Arc<dyn Clock>,
) {
    loop {
        let now = clock.now();
        signed_in.end(None, registry.propagated(), &broker, now);
        // Looked at again now and then, for a clock that was set.
        let until = |end: Timestamp| Duration::from_millis(end.millis().saturating_sub(now.wall.millis()));
        let wait = signed_in.next_expiry().map_or(EXPIRY_PAUSE_MAX, until).clamp(EXPIRY_PAUSE_MIN, EXPIRY_PAUSE_MAX);
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = signed_in.changed() => {}
        }
    }
}
