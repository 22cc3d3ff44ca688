//! What the broker remembers of one client, connected or not.

mod answer;
mod attach;
mod away;
mod connection;
mod deliver;
mod fetch;
mod inbound;
mod logged;
mod outbound;
mod outbox;
mod outside;
mod restore;
mod send;
mod settle;

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Acquire, Ordering::Relaxed},
    },
};

use parking_lot::Mutex;
use tidegate_ids::{Now, Rate, Tenant};
use tidegate_mqtt::{QoS, SessionExpiry, topic::Shared};

pub(crate) use attach::{Aftermath, Attachment, Surroundings};
pub(crate) use connection::AskedTerms;
pub(crate) use deliver::{Offer, Offered, expires_at};
pub(crate) use fetch::Fetch;
pub(crate) use inbound::Begin;
pub(crate) use outbound::Undelivered;

use crate::{
    Effects, LifecycleEvent, LifecycleKind, Profile, Trace, WillRecord,
    seldom::Seldom,
    tenant::{Account, Seeded},
};
use away::{Away, Farewell};
use connection::{Connection, Present};
use inbound::Inbound;
use outbound::Outbound;
use outbox::Outbox;

/// One client's session. It outlives its connections, and every filter of the router refers to it.
///
/// **Invariant:** no other session's lock is taken while this one's is held, and nothing is routed.
#[derive(Debug)]
pub(crate) struct Session {
    /// Whose client: what it counts for, and where its changes are logged.
    account: Arc<Account>,
    client_id: Arc<str>,
    /// Unique in this process: an order for sessions.
    serial: u64,
    /// Unique everywhere.
    identifier: u128,
    /// Moves with every attach and detach, under the lock; read without it.
    epoch: AtomicU64,
    /// Messages on their way, for shared groups; the top bit when nobody is connected.
    load: AtomicU32,
    /// Filters as the client wrote them, with the QoS granted; `None` once the session ended. Locked while the router is told of a change, so
    /// that both agree whoever else changes them; taken after `state` where both are.
    filters: Mutex<Option<Filters>>,
    /// Whether the session outlives its connection, so that its changes are logged. Changed under the state's lock.
    kept: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// False once the session ended: whoever still refers to it finds nothing here.
    alive: bool,
    /// Of the last connection, for events.
    version_number: u64,
    /// How often the client connected lately.
    connects: Rate,
    /// The profile of the last connection, whose bounds hold while nobody is connected.
    profile: Arc<Profile>,
    /// Of the last connection, for events.
    trace: Arc<Trace>,
    expiry: SessionExpiry,
    connection: Option<Box<Connection>>,
    outbound: Seldom<Outbound>,
    inbound: Seldom<Inbound>,
    /// Of the present connection; of the last one, when it waits for its delay.
    will: Option<Box<WillRecord>>,
    away: Seldom<Away>,
    /// Searches for retained messages that are not over, one for a filter at most.
    fetches: Seldom<VecDeque<Box<Fetch>>>,
    /// Bytes reported to the budget.
    reported: usize,
}

/// Filters as a client wrote them, with the QoS granted.
pub(crate) type Filters = HashMap<Arc<str>, QoS, Seeded>;

/// Set in `load` while nobody is connected.
const ABSENT: u32 = 1 << 31;

impl Session {
    pub(crate) fn new(
        account: Arc<Account>,
        client_id: Arc<str>,
        serial: u64,
        identifier: u128,
        version_number: u64,
        profile: Arc<Profile>,
        trace: Arc<Trace>,
    ) -> Self {
        Self {
            account,
            client_id,
            serial,
            identifier,
            epoch: AtomicU64::new(0),
            load: AtomicU32::new(ABSENT),
            filters: Mutex::new(Some(Filters::default())),
            kept: AtomicBool::new(false),
            state: Mutex::new(State {
                alive: true,
                version_number,
                connects: Rate::default(),
                profile,
                trace,
                expiry: SessionExpiry::AT_DISCONNECT,
                connection: None,
                outbound: Seldom::default(),
                inbound: Seldom::default(),
                will: None,
                away: Seldom::default(),
                fetches: Seldom::default(),
                reported: 0,
            }),
        }
    }

    pub(crate) fn client_id(&self) -> &Arc<str> {
        &self.client_id
    }

    pub(crate) fn serial(&self) -> u64 {
        self.serial
    }

    pub(crate) fn tenant(&self) -> Tenant {
        self.account.tenant
    }

    /// The number of the last connection, for events; how often its client connected lately.
    pub(crate) fn history(&self) -> (u64, Rate) {
        let state = self.state.lock();
        (state.version_number, state.connects)
    }

    /// How busy the session is: smaller is better for the next message of a shared group.
    pub(crate) fn load(&self) -> u32 {
        self.load.load(Relaxed)
    }

    /// Whether nobody is connected.
    pub(crate) fn is_absent(&self) -> bool {
        self.load() & ABSENT != 0
    }

    /// As if it were that busy.
    #[cfg(test)]
    pub(crate) fn set_load(&self, load: u32) {
        self.load.store(load, Relaxed);
    }

    /// Whether `epoch` is still the present connection. One load.
    pub(crate) fn is_current(&self, epoch: u64) -> bool {
        self.epoch.load(Acquire) == epoch
    }

    /// Change the filters, and the router with them; `None` when the session ended. `change` takes no other session's lock.
    pub(crate) fn change_filters<T>(&self, change: impl FnOnce(&mut Filters) -> T) -> Option<T> {
        self.filters.lock().as_mut().map(change)
    }

    /// Call `found` with each shared subscription, under the lock of the filters. O(filters).
    pub(crate) fn for_each_shared(&self, found: impl FnMut(Shared<'_>)) {
        let filters = self.filters.lock();
        filters.iter().flatten().filter_map(|(filter, _)| Shared::parse(filter)).for_each(found);
    }

    fn event_of(&self, state: &State, kind: LifecycleKind, now: Now) -> LifecycleEvent {
        LifecycleEvent {
            tenant: self.account.tenant,
            client_id: self.client_id.clone(),
            principal: state.trace.principal.clone(),
            thing_name: state.trace.thing_name.clone(),
            session_identifier: self.identifier,
            version_number: state.version_number,
            at: now.wall,
            kind,
        }
    }

    /// Report an event of the present connection.
    pub(crate) fn report(&self, kind: LifecycleKind, now: Now, effects: &mut Effects) {
        let state = self.state.lock();
        effects.event(self.event_of(&state, kind, now));
    }

    /// Log which messages are done with, and note how busy the session is.
    fn take_stock(&self, state: &mut State, effects: &mut Effects) {
        if let Some(outbound) = state.outbound.get_mut() {
            outbound.take_finished(|(sequence, place)| self.log_finished(sequence, place, effects));
        }
        if !state.fetches.is_empty()
            && state.outbound.backlog() == 0
            && let Some(connection) = &mut state.connection
        {
            // There is room for more of what they find.
            connection.mark_dirty(effects);
        }
        self.update_load(state);
    }

    /// Report to the budget what the session holds.
    fn report_memory(&self, state: &mut State) {
        let will = state.will.as_ref().map_or(0, |will| will.message.held_bytes());
        let outbox = state.connection.as_ref().map_or(0, |connection| connection.outbox.publish_bytes());
        self.account.memory.report(&mut state.reported, state.outbound.held_bytes() + will + outbox);
    }

    fn update_load(&self, state: &mut State) {
        self.report_memory(state);
        let messages = u32::try_from(state.outbound.len()).unwrap_or(ABSENT).min(ABSENT - 1);
        let absent = if state.connection.is_none() { ABSENT } else { 0 };
        self.load.store(messages | absent, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A broker has a session for each of its clients, connected or not. What few of them need is behind a pointer.
    #[test]
    fn what_each_session_holds_is_small() {
        assert_eq!([size_of::<Session>(), size_of::<Connection>(), size_of::<Trace>()], [208, 136, 96]);
    }
}
