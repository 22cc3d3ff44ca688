//! A session while nobody is connected.

use std::sync::Arc;

use tidegate_ids::Monotonic;

use super::{Session, State, Surroundings};
use crate::{CloseReason, LastConnection, seldom::Blank};

/// What a session has while nobody is connected, and until those whom the broker dismissed have heard of it.
#[derive(Debug, Default)]
pub(super) struct Away {
    /// When the waiting will is due.
    pub(super) will_at: Option<Monotonic>,
    /// When the session expires.
    pub(super) ends_at: Option<Monotonic>,
    /// The entry among the broker's deadlines.
    pub(super) deadline: Option<Monotonic>,
    /// The last connection.
    pub(super) last: Option<Arc<LastConnection>>,
    /// What earlier connections have not fetched yet.
    pub(super) farewells: Vec<Farewell>,
}

impl Blank for Away {
    const BLANK: &'static Self =
        &Self { will_at: None, ends_at: None, deadline: None, last: None, farewells: Vec::new() };
}

/// The last bytes of a connection that the broker ended, until its owner fetches them.
#[derive(Debug)]
pub(super) struct Farewell {
    pub(super) epoch: u64,
    pub(super) reason: CloseReason,
    pub(super) bytes: Vec<u8>,
}

impl Session {
    /// Of the last connection, while there is none.
    pub(crate) fn last(&self) -> Option<Arc<LastConnection>> {
        self.state.lock().away.last.clone()
    }

    /// Why the connection `epoch` ended.
    pub(crate) fn ended_because(&self, epoch: u64) -> CloseReason {
        let state = self.state.lock();
        let farewell = state.away.farewells.iter().find(|farewell| farewell.epoch == epoch);
        farewell.map_or(CloseReason::ConnectionLost, |farewell| farewell.reason)
    }

    /// Keep the broker's deadline in step with what is due.
    pub(super) fn schedule(self: &Arc<Self>, state: &mut State, around: Surroundings<'_>) {
        let Away { will_at, ends_at, deadline, .. } = *state.away;
        let next = [will_at, ends_at].into_iter().flatten().min();
        around.deadlines.set(self, deadline, next);
        if next != deadline {
            state.away.make().deadline = next;
        }
    }
}

impl State {
    /// Move the last bytes of an ended connection behind `last`.
    pub(super) fn take_farewell(&mut self, epoch: u64, last: &mut Vec<u8>) -> Option<CloseReason> {
        let farewells = &mut self.away.get_mut()?.farewells;
        let at = farewells.iter().position(|farewell| farewell.epoch == epoch)?;
        let mut farewell = farewells.swap_remove(at);
        last.append(&mut farewell.bytes);
        Some(farewell.reason)
    }

    /// Neither the will nor the end of the session is due any more.
    pub(super) fn nothing_is_due(&mut self) {
        if let Some(away) = self.away.get_mut() {
            (away.will_at, away.ends_at) = (None, None);
        }
    }
}
