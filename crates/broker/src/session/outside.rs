//! What operators see of a session and do to it.

use std::sync::Arc;

use tidegate_ids::Now;

use super::{Aftermath, Session, Surroundings};
use crate::{ConnectionState, Effects, Ending, SessionState};

impl Session {
    /// The session as it is now.
    pub(crate) fn look(&self, now: Now) -> SessionState {
        let state = self.state.lock();
        let subscriptions = self.filters.lock().as_ref().map_or(0, std::collections::HashMap::len);
        let (inflight, queued, queued_bytes) = state.outbound.depth();
        let connection = state.connection.as_ref().map(|connection| ConnectionState {
            principal: state.trace.principal.clone(),
            peer_address: state.trace.peer_address,
            version: connection.version,
            clean_start: connection.terms.clean_start,
            keep_alive_seconds: connection.terms.keep_alive_seconds,
            session_expiry: state.expiry,
            thing_name: state.trace.thing_name.clone(),
            since: connection.since,
            link_address: connection.address,
        });
        SessionState {
            client_id: self.client_id.clone(),
            session_identifier: self.identifier,
            version_number: state.version_number,
            connection,
            ends_in: state.away.ends_at.map(|at| at.since(now.monotonic)),
            inflight,
            queued,
            queued_bytes,
            subscriptions,
        }
    }

    /// End the present connection, and the session if `ending` says so; whether there was something to end.
    pub(crate) fn end_from_outside(
        self: &Arc<Self>,
        ending: Ending,
        around: Surroundings<'_>,
        effects: &mut Effects,
    ) -> (bool, Aftermath) {
        let mut state = self.state.lock();
        let mut after = Aftermath::default();
        let something = state.alive && (state.connection.is_some() || ending.drop_session);
        if !something {
            return (false, after);
        }
        if ending.prevent_will {
            state.will = None;
            if let Some(away) = state.away.get_mut() {
                away.will_at = None;
            }
        }
        self.dismiss(&mut state, ending.reason, around, &mut after, effects);
        match ending.drop_session {
            true => self.end(&mut state, around, &mut after, effects),
            false => self.schedule(&mut state, around),
        }
        (true, after)
    }
}
