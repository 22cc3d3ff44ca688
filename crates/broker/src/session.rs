//! What the broker remembers of one client, connected or not.

mod answer;
mod attach;
mod deliver;
mod fetch;
mod inbound;
mod outbound;
mod outbox;
mod outside;
mod restore;

use std::{
    collections::{HashMap, VecDeque},
    num::NonZeroU16,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Acquire, Ordering::Relaxed},
    },
};

use parking_lot::Mutex;
use tidegate_ids::{Monotonic, Now, Rate, Tenant, Timestamp};
use tidegate_mqtt::{Ack, PacketType, QoS, ReasonCode, SessionExpiry, Version, topic::Shared};

pub(crate) use attach::{Aftermath, Attachment, Surroundings};
pub(crate) use deliver::{Offer, Offered, expires_at};
pub(crate) use fetch::Fetch;
pub(crate) use inbound::Begin;
pub(crate) use outbound::Undelivered;

use crate::{
    CloseReason, Effects, LastConnection, LifecycleEvent, LifecycleKind, LinkAddress, Profile, Record, Trace,
    WillRecord,
    close::{reason_text, traced},
    link::Rights,
    message::Aliases,
    persist::{Held, Place, Promise, RecordLog},
    ports::Access,
    seldom::{Blank, Seldom},
    tenant::{Account, Seeded},
    topic_cache::Decisions,
};
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

/// What a session has while nobody is connected, and until those whom the broker dismissed have heard of it.
#[derive(Debug, Default)]
struct Away {
    /// When the waiting will is due.
    will_at: Option<Monotonic>,
    /// When the session expires.
    ends_at: Option<Monotonic>,
    /// The entry among the broker's deadlines.
    deadline: Option<Monotonic>,
    /// The last connection.
    last: Option<Arc<LastConnection>>,
    /// What earlier connections have not fetched yet.
    farewells: Vec<Farewell>,
}

impl Blank for Away {
    const BLANK: &'static Self =
        &Self { will_at: None, ends_at: None, deadline: None, last: None, farewells: Vec::new() };
}

impl Blank for VecDeque<Box<Fetch>> {
    const BLANK: &'static Self = &Self::new();
}

/// Filters as a client wrote them, with the QoS granted.
pub(crate) type Filters = HashMap<Arc<str>, QoS, Seeded>;

/// The session's side of a connection.
#[derive(Debug)]
struct Connection {
    address: LinkAddress,
    /// Refusals told in the last second.
    denials: Rate,
    since: Timestamp,
    terms: AskedTerms,
    version: Version,
    rights: Rights,
    outbox: Outbox,
    /// When the next message may be sent, where the account's rate made it wait.
    turn: Option<Monotonic>,
    /// QoS 1 and 2 messages that may be sent now, and at most. Spec: 4.9 (5.0).
    window: u16,
    window_max: u16,
    packet_bytes_max: u32,
    /// Whether the owner of the socket was told that there is something in the outbox.
    told: bool,
    /// Whether failures are explained in words.
    explains: bool,
    aliases: Aliases,
    receive: Decisions,
}

/// What a client asked for at CONNECT, as far as it is told of its connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AskedTerms {
    pub(crate) clean_start: bool,
    pub(crate) keep_alive_seconds: u16,
}

/// The last bytes of a connection that the broker ended, until its owner fetches them.
#[derive(Debug)]
struct Farewell {
    epoch: u64,
    reason: CloseReason,
    bytes: Vec<u8>,
}

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

    /// Of the last connection, while there is none.
    pub(crate) fn last(&self) -> Option<Arc<LastConnection>> {
        self.state.lock().away.last.clone()
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

    /// As if it were that busy.
    #[cfg(test)]
    pub(crate) fn set_load(&self, load: u32) {
        self.load.store(load, Relaxed);
    }

    /// Whether `epoch` is still the present connection. One load.
    pub(crate) fn is_current(&self, epoch: u64) -> bool {
        self.epoch.load(Acquire) == epoch
    }

    /// Why the connection `epoch` ended.
    pub(crate) fn ended_because(&self, epoch: u64) -> CloseReason {
        let state = self.state.lock();
        let farewell = state.away.farewells.iter().find(|farewell| farewell.epoch == epoch);
        farewell.map_or(CloseReason::ConnectionLost, |farewell| farewell.reason)
    }

    /// Whether its changes are logged: it outlives its connection, and the broker keeps such sessions on disk.
    pub(crate) fn is_logged(&self) -> bool {
        self.kept.load(Relaxed) && self.account.records.is_some()
    }

    /// Log a change of a session that is kept on disk; where its record stands, if this is one. The lock of what changed is held.
    pub(crate) fn log(&self, effects: &mut Effects, record: impl FnOnce(u64) -> Record) -> Option<Place> {
        let records = self.kept_records()?;
        effects.token.logged = true;
        Some(records.push(record(self.serial)))
    }

    /// The same: that a message is done with, the record of which stood at `place`.
    fn log_finished(&self, sequence: u64, place: Place, effects: &mut Effects) {
        if let Some(records) = self.kept_records() {
            effects.token.logged = true;
            records.finish(self.serial, sequence, place);
        }
    }

    /// Where changes are logged, while the session is kept on disk.
    fn kept_records(&self) -> Option<&RecordLog> {
        if self.kept.load(Relaxed) { self.account.records.as_deref() } else { None }
    }

    /// Keep `promise` to connection `epoch` once what was logged so far is durable.
    pub(crate) fn promise(self: &Arc<Self>, epoch: u64, promise: Promise, effects: &mut Effects) {
        effects.token.held.push(Held { session: self.clone(), epoch, promise });
    }

    /// The same: the PUBACKs that wait with numbers before `behind`. A promise to the same connection just before takes them along.
    pub(crate) fn promise_pubacks(self: &Arc<Self>, epoch: u64, behind: u64, effects: &mut Effects) {
        match effects.token.held.last_mut() {
            Some(Held { session, epoch: same, promise: Promise::PubAcks { behind: before } })
                if Arc::ptr_eq(session, self) && *same == epoch =>
            {
                *before = behind;
            }
            Some(_) | None => self.promise(epoch, Promise::PubAcks { behind }, effects),
        }
    }

    /// Run `write` on the outbox of connection `epoch` and mark it dirty; an error when that connection ended or its
    /// client does not read.
    pub(crate) fn control(
        &self,
        epoch: u64,
        effects: &mut Effects,
        write: impl FnOnce(Version, &mut Vec<u8>),
    ) -> Result<(), CloseReason> {
        let mut state = self.state.lock();
        self.current(&mut state, epoch)?.control(effects, write)
    }

    /// The connection `epoch`, or why there is none.
    fn current<'a>(&self, state: &'a mut State, epoch: u64) -> Result<Present<'a>, CloseReason> {
        let State { connection, profile, trace, outbound, inbound, away, .. } = state;
        match connection {
            Some(connection) if self.is_current(epoch) => Ok(Present { connection, profile, trace, outbound, inbound }),
            Some(_) | None => {
                let farewell = away.farewells.iter().find(|farewell| farewell.epoch == epoch);
                Err(farewell.map_or(CloseReason::ConnectionLost, |farewell| farewell.reason))
            }
        }
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
        if let (false, 0, Some(connection)) =
            (state.fetches.is_empty(), state.outbound.backlog(), &mut state.connection)
        {
            // There is room for more of what they find.
            connection.mark_dirty(effects);
        }
        self.update_load(state);
    }

    /// Whether nobody is connected.
    pub(crate) fn is_absent(&self) -> bool {
        self.load() & ABSENT != 0
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

/// The parts of a session with a connection.
struct Present<'a> {
    connection: &'a mut Connection,
    profile: &'a Profile,
    trace: &'a Trace,
    outbound: &'a mut Seldom<Outbound>,
    inbound: &'a mut Seldom<Inbound>,
}

impl State {
    /// The search for retained messages that is next.
    fn next_fetch(&mut self) -> Option<Box<Fetch>> {
        let next = self.fetches.get_mut()?.pop_front();
        if self.fetches.is_empty() {
            self.fetches = Seldom::default();
        }
        next
    }
}

impl Present<'_> {
    /// The client's packet id is free; false when it was.
    fn release(&mut self, packet_id: NonZeroU16) -> bool {
        self.inbound.get_mut().is_some_and(|inbound| inbound.release(packet_id))
    }

    /// Append a control packet. Spec: they never compete with PUBLISH; a peer that does not read them is closed.
    fn control(&mut self, effects: &mut Effects, write: impl FnOnce(Version, &mut Vec<u8>)) -> Result<(), CloseReason> {
        let version = self.connection.version;
        self.connection.lend_buffer(effects);
        if !self.connection.outbox.control(self.connection.packet_bytes_max as usize, |out| write(version, out)) {
            // Spec: [MQTT-3.1.2-24] (5.0). It cannot be left out either.
            return Err(CloseReason::ClientError(ReasonCode::PacketTooLarge));
        }
        self.connection.mark_dirty(effects);
        if self.connection.outbox.control_bytes() > self.profile.limits.control_bytes_max {
            return Err(CloseReason::DoesNotRead);
        }
        Ok(())
    }

    /// Answer a PUBLISH.
    fn answer(
        &mut self,
        qos: QoS,
        packet_id: NonZeroU16,
        reason_code: ReasonCode,
        effects: &mut Effects,
    ) -> Result<(), CloseReason> {
        match qos {
            QoS::AtMostOnce => Ok(()),
            QoS::AtLeastOnce => self.acknowledge(PacketType::PubAck, packet_id, reason_code, effects),
            QoS::ExactlyOnce => self.acknowledge(PacketType::PubRec, packet_id, reason_code, effects),
        }
    }

    fn acknowledge(
        &mut self,
        packet_type: PacketType,
        packet_id: NonZeroU16,
        reason_code: ReasonCode,
        effects: &mut Effects,
    ) -> Result<(), CloseReason> {
        let explains = self.connection.explains && reason_code.is_failure();
        let text = if explains { traced(reason_text(reason_code), reason_code, self.trace) } else { String::new() };
        self.control(effects, |version, out| {
            // A code that this packet may not bear comes from a caller of `persist_failed`.
            let mut ack = Ack::new(packet_id, reason_code);
            ack.properties.reason_string = explains.then_some(text.as_str());
            if ack.encode(packet_type, version, out).is_err() {
                let failed = Ack::new(packet_id, ReasonCode::UnspecifiedError);
                failed.encode(packet_type, version, out).expect("every answer may bear 0x80");
            }
        })
    }
}

impl Connection {
    fn lend_buffer(&mut self, effects: &mut Effects) {
        if self.outbox.is_bare() {
            self.outbox.lend(effects.buffer());
        }
    }

    fn mark_dirty(&mut self, effects: &mut Effects) {
        if !std::mem::replace(&mut self.told, true) {
            effects.mark_dirty(self.address);
        }
    }

    /// The outbox was taken: whether there is more. If not, the owner must be told of what comes next.
    fn settle(&mut self) -> bool {
        self.told = !self.outbox.is_empty();
        self.told
    }

    fn may_receive(&mut self, topic_name: &str, hash: u64) -> bool {
        self.receive.allows(&self.rights, Access::Receive, topic_name, hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A broker has a session for each of its clients, connected or not. What few of them need is behind a pointer.
    #[test]
    fn what_each_session_holds_is_small() {
        assert_eq!([size_of::<Session>(), size_of::<Connection>(), size_of::<Trace>()], [208, 120, 96]);
    }
}
