//! The broker: one for all cores.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release},
    },
};

use parking_lot::{Mutex, RwLock};
use tidegate_ids::{Monotonic, Now, Tenant};
use tidegate_mqtt::{Message, Packet, PacketType, ReasonCode};

use crate::{
    Alone, CloseReason, Counters, Effects, Fabric, LifecycleEvent, Link, Principal, Quota, Record, Services, Token,
    Traffic, Verbosity, Wake,
    counters::Totals,
    deadlines::Deadlines,
    memory::{Memory, Process},
    persist::{Held, Promise, RecordLog},
    session::{Aftermath, Session, Surroundings},
    tenant::{Account, TenantState},
};

/// Sessions, subscriptions and retained messages of all tenants. Shared by all cores; no method waits.
pub struct Broker {
    settings: Settings,
    wake: Arc<dyn Wake>,
    fabric: Arc<dyn Fabric>,
    services: Arc<dyn Services>,
    tenants: RwLock<HashMap<Tenant, Arc<TenantState>>>,
    deadlines: Deadlines,
    serial: AtomicU64,
    /// What is to be made durable; `None`: nothing ever is.
    records: Option<Arc<RecordLog>>,
    totals: Totals,
    memory: Arc<Process>,
    /// Slots that other cores made dirty, by core. Bounded: a link is listed once until its output was taken.
    mailboxes: Box<[Mutex<Vec<u32>>]>,
    /// Events and tokens of callers that are no core, for the next core that hands over.
    left: Mutex<Left>,
    has_left: AtomicBool,
}

#[derive(Debug, Default)]
struct Left {
    events: Vec<LifecycleEvent>,
    token: Token,
}

/// What holds for the whole broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Cores that will call `collect`: numbers 0 to this, exclusive.
    pub cores: u16,
    /// Whether sessions that outlive their connection, their messages, and retained messages are logged for
    /// `Broker::take_records`, and acknowledgements wait for the answer to `Effects::take_token`. Else they are kept in
    /// memory only, and acknowledged at once.
    pub persist: bool,
    /// Most sessions of one tenant; beyond it CONNECT is refused with 0x97.
    pub sessions_max: usize,
    /// Most bytes that queues, outboxes, retained messages and wills of all tenants hold together. Beyond it messages of
    /// QoS 0 are dropped and counted, others and new connections refused with 0x97, nothing more is retained.
    pub memory_bytes_max: usize,
    /// The same for each tenant.
    pub account_memory_bytes_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cores: 1,
            persist: false,
            sessions_max: 1_000_000,
            memory_bytes_max: usize::MAX,
            account_memory_bytes_max: usize::MAX,
        }
    }
}

/// Which connections to close.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// The one with this client id.
    ClientId {
        /// Whose client.
        tenant: Tenant,
        /// Its name.
        client_id: Arc<str>,
    },
    /// All that act for this principal, in this tenant.
    Principal {
        /// Whose clients.
        tenant: Tenant,
        /// Who they act for.
        principal: Principal,
    },
    /// All of one tenant.
    Tenant(Tenant),
    /// All.
    Everyone,
}

impl Broker {
    /// A broker without sessions.
    pub fn new(settings: Settings, wake: Arc<dyn Wake>, fabric: Arc<dyn Fabric>) -> Self {
        Self {
            mailboxes: (0..settings.cores).map(|_| Mutex::default()).collect(),
            records: settings.persist.then(Arc::default),
            memory: Process::new(settings.memory_bytes_max),
            settings,
            wake,
            fabric,
            services: Arc::new(Alone),
            tenants: RwLock::default(),
            deadlines: Deadlines::default(),
            serial: AtomicU64::new(0),
            totals: Totals::default(),
            left: Mutex::default(),
            has_left: AtomicBool::new(false),
        }
    }

    /// The same, with services behind reserved topics. Without them requests are accepted and answered by nobody.
    pub fn with_services(self, services: Arc<dyn Services>) -> Self {
        Self { services, ..self }
    }

    /// Handle one packet of a connection. Answers and deliveries are in outboxes when it returns.
    ///
    /// # Errors
    /// The connection must end: call [`disconnected`](Self::disconnected) with the reason.
    pub fn handle(
        &self,
        link: &mut Link,
        packet: &Packet<'_>,
        now: Now,
        effects: &mut Effects,
    ) -> Result<(), CloseReason> {
        if !link.session.is_current(link.epoch) {
            return Err(link.session.ended_because(link.epoch));
        }
        let acknowledged = |packet_type, ack: &tidegate_mqtt::Ack<'_>, effects| {
            link.session.acknowledged(link.epoch, packet_type, ack.packet_id, ack.reason_code, now, effects)
        };
        match packet {
            Packet::Publish(publish) => {
                let handled = self.handle_publish(link, publish, now, effects);
                if handled == Err(CloseReason::ClientError(ReasonCode::ReceiveMaximumExceeded)) {
                    link.exceeded(Quota::ReceiveMaximum, effects);
                }
                handled
            }
            Packet::PubAck(ack) => acknowledged(PacketType::PubAck, ack, effects),
            Packet::PubRec(ack) => acknowledged(PacketType::PubRec, ack, effects),
            Packet::PubComp(ack) => acknowledged(PacketType::PubComp, ack, effects),
            Packet::PubRel(ack) => link.session.released(link.epoch, ack.packet_id, effects),
            Packet::Subscribe(subscribe) => self.handle_subscribe(link, subscribe, now, effects),
            Packet::Unsubscribe(unsubscribe) => self.handle_unsubscribe(link, unsubscribe, now, effects),
            Packet::PingReq => {
                effects.counters.pings += 1;
                link.tell(Verbosity::All, || Traffic::Ping, effects);
                link.session.control(link.epoch, effects, |version, out| {
                    Packet::PingResp.encode(version, out).expect("PINGRESP has no fields");
                })
            }
            Packet::Disconnect(disconnect) => {
                if let Some(expiry) = disconnect.session_expiry {
                    link.session.change_expiry(link.epoch, expiry)?;
                }
                let clean = disconnect.reason_code == ReasonCode::Success;
                Err(if clean { CloseReason::Disconnect } else { CloseReason::DisconnectWithWill })
            }
            // Spec: [MQTT-3.1.0-2], 4.12 (5.0): a second CONNECT, AUTH without a method, what only servers send.
            Packet::Connect(_)
            | Packet::ConnAck(_)
            | Packet::SubAck(_)
            | Packet::UnsubAck(_)
            | Packet::PingResp
            | Packet::Auth(_) => Err(CloseReason::ClientError(ReasonCode::ProtocolError)),
        }
    }

    /// The connection ends, for `reason`. Call it exactly once for each link, also after `Output::Ended`.
    ///
    /// `last` gets the last bytes for the client, behind what it holds: write them if the socket takes them, then close.
    pub fn disconnected(&self, link: Link, reason: CloseReason, last: &mut Vec<u8>, now: Now, effects: &mut Effects) {
        let _whole = self.whole();
        let around = Surroundings { tenant: &link.tenant, deadlines: &self.deadlines, now };
        let before = last.len();
        let aftermath = link.session.disconnect(link.epoch, reason, last, around, effects);
        effects.counters.bytes_sent += (last.len() - before) as u64;
        self.clean_up(&link.tenant, &link.session, aftermath, now, effects);
    }

    /// Close connections from outside; how many. Each owner finds `Output::Ended` when it takes output.
    pub fn kick(&self, selector: &Selector, reason: CloseReason, now: Now, effects: &mut Effects) -> usize {
        match selector {
            Selector::ClientId { tenant, client_id } => {
                let Some(tenant) = self.known_tenant(*tenant) else { return 0 };
                let session = tenant.session(client_id);
                session.map_or(0, |session| usize::from(self.kick_one(&tenant, &session, reason, None, now, effects)))
            }
            Selector::Principal { tenant, principal } => {
                let Some(tenant) = self.known_tenant(*tenant) else { return 0 };
                let sessions = tenant.client_ids_of(principal).into_iter().filter_map(|id| tenant.session(&id));
                sessions
                    .filter(|session| self.kick_one(&tenant, session, reason, Some(principal), now, effects))
                    .count()
            }
            Selector::Tenant(tenant) => {
                self.known_tenant(*tenant).map_or(0, |tenant| self.kick_all(&tenant, reason, now, effects))
            }
            Selector::Everyone => {
                self.all_tenants().iter().map(|tenant| self.kick_all(tenant, reason, now, effects)).sum()
            }
        }
    }

    fn kick_all(&self, tenant: &TenantState, reason: CloseReason, now: Now, effects: &mut Effects) -> usize {
        let sessions = tenant.all().into_iter();
        sessions.filter(|session| self.kick_one(tenant, session, reason, None, now, effects)).count()
    }

    fn kick_one(
        &self,
        tenant: &TenantState,
        session: &Arc<Session>,
        reason: CloseReason,
        only: Option<&Principal>,
        now: Now,
        effects: &mut Effects,
    ) -> bool {
        let _whole = self.whole();
        let around = Surroundings { tenant, deadlines: &self.deadlines, now };
        let wanted = |principal: &Principal| only.is_none_or(|only| only == principal);
        let (kicked, aftermath) = session.kick(reason, wanted, around, effects);
        self.clean_up(tenant, session, aftermath, now, effects);
        kicked
    }

    /// Sessions that one `expire` attends to: the rest is left to the next, so that nobody waits for many.
    const SESSIONS_PER_EXPIRY: usize = 256;

    /// Do some of what is due: delayed wills, sessions and retained messages that expire. When to call again at the latest, which
    /// may be now; `None`: nothing is due.
    pub fn expire(&self, now: Now, effects: &mut Effects) -> Option<Monotonic> {
        for _ in 0..Self::SESSIONS_PER_EXPIRY {
            let Some(session) = self.deadlines.due(now.monotonic) else { break };
            let _whole = self.whole();
            let tenant = self.tenant(session.tenant());
            let around = Surroundings { tenant: &tenant, deadlines: &self.deadlines, now };
            let aftermath = session.expire(around, effects);
            self.clean_up(&tenant, &session, aftermath, now, effects);
        }
        if self.sweep_retained(now.monotonic) { Some(now.monotonic) } else { self.deadlines.next() }
    }

    /// What this token waited for is durable: give the acknowledgements.
    pub fn persisted(&self, token: Token, now: Now, effects: &mut Effects) {
        self.answer_held(token, ReasonCode::Success, now, effects);
    }

    /// The messages of this token cannot be made durable: tell the publishers. MQTT 5: `code` in PUBACK or PUBREC, 0x97
    /// when the disk is full, 0x80 else; 3.1.1: the connection ends. Everything else is given as if it were durable:
    /// the journal keeps it in memory until there is room again.
    pub fn persist_failed(&self, token: Token, code: ReasonCode, now: Now, effects: &mut Effects) {
        let code = if code.is_failure() { code } else { ReasonCode::UnspecifiedError };
        self.answer_held(token, code, now, effects);
    }

    fn answer_held(&self, token: Token, code: ReasonCode, now: Now, effects: &mut Effects) {
        for waiting in token.waiting {
            (waiting.0)(code);
        }
        for held in token.held {
            let Held { session, epoch, promise } = held;
            let control = |packet: Vec<u8>, effects: &mut Effects| {
                session.control(epoch, effects, |_, out| out.extend_from_slice(&packet))
            };
            let (outcome, of_present) = match promise {
                Promise::PubAcks { behind } => (session.settle_pubacks(epoch, behind, code, effects), true),
                Promise::PubRec { packet_id } => (session.settle_pubrec(packet_id, code, effects), true),
                Promise::PubRel { packet_id, code } => {
                    (session.settle_release(epoch, packet_id, code, now, effects), false)
                }
                Promise::PubComp { packet_id, code } => (session.complete(epoch, packet_id, code, effects), false),
                Promise::UnsubAck { packet } => (control(packet, effects), false),
                Promise::SubAck { packet, made, identifier, profile } => {
                    let outcome = control(packet, effects);
                    if outcome.is_ok() {
                        let tenant = self.tenant(session.tenant());
                        Self::send_retained(&tenant, &session, &profile, &made, identifier, now, effects);
                    }
                    (outcome, false)
                }
                Promise::Resume => {
                    session.settle_resume(epoch, now, effects);
                    (Ok(()), false)
                }
                Promise::Delivery { sequence } => {
                    session.settle_delivery(sequence, !code.is_failure(), now, effects);
                    (Ok(()), false)
                }
            };
            // A connection that has ended meanwhile is owed nothing.
            if let Err(reason) = outcome
                && (of_present || session.is_current(epoch))
            {
                self.kick_one(&self.tenant(session.tenant()), &session, reason, None, now, effects);
            }
        }
    }

    /// Move what is to be written, in order, behind `records`. Take tokens first: what they wait for is among these then.
    /// The sum is owed to [`settle_records`](Self::settle_records).
    pub fn take_records(&self, records: &mut Vec<Record>) -> usize {
        self.records.as_ref().map_or(0, |log| log.take(records))
    }

    /// Records taken, with this sum, are durable or given up.
    pub fn settle_records(&self, bytes: usize) {
        if let Some(log) = &self.records {
            log.settle(bytes);
        }
    }

    /// Whether so much waits to be durable that publishers should not be read from.
    pub fn is_behind(&self) -> bool {
        self.records.as_ref().is_some_and(|log| log.is_behind())
    }

    /// Wake all cores: for a journal that has caught up.
    pub fn wake_all(&self) {
        (0..self.settings.cores).for_each(|core| self.wake.wake(core));
    }

    /// What is logged while this is held reaches the disk together or not at all: a QoS 2 message and that its packet id
    /// was received, the end of a connection and its will, a message that goes from one member of a group to another.
    pub(crate) fn whole(&self) -> Option<parking_lot::RwLockReadGuard<'_, ()>> {
        self.records.as_ref().map(|log| log.whole())
    }

    pub(crate) fn records(&self) -> Option<&Arc<RecordLog>> {
        self.records.as_ref()
    }

    /// Numbers of sessions begin behind `number` from now on.
    pub(crate) fn reserve_serials(&self, number: u64) {
        self.serial.fetch_max(number.saturating_add(1), Relaxed);
    }

    /// After a turn: tell other cores about their dirty links, and add up what was counted.
    ///
    /// The events and the token of a caller that is no core ([`Effects::outside`]) go to the next core that calls this, and
    /// core 0 is woken for them: nothing is left in its buffer. So a core takes events and token after this call.
    pub fn hand_over(&self, effects: &mut Effects) {
        self.totals.take(&mut effects.counters);
        match effects.is_outside() {
            true => self.leave(effects),
            false if self.has_left.load(Acquire) => self.adopt(effects),
            false => {}
        }
        if effects.elsewhere.is_empty() {
            return;
        }
        effects.elsewhere.sort_unstable_by_key(|address| address.core);
        for links in effects.elsewhere.chunk_by(|a, b| a.core == b.core) {
            let core = links[0].core;
            let Some(mailbox) = self.mailboxes.get(usize::from(core)) else { continue };
            let mut slots = mailbox.lock();
            let was_empty = slots.is_empty();
            slots.extend(links.iter().map(|address| address.slot));
            drop(slots);
            if was_empty {
                self.wake.wake(core);
            }
        }
        effects.elsewhere.clear();
    }

    fn leave(&self, effects: &mut Effects) {
        effects.excesses.clear();
        if effects.events.is_empty() && effects.token.is_empty() {
            return;
        }
        let mut left = self.left.lock();
        left.events.append(&mut effects.events);
        left.token.append(&mut effects.token);
        self.has_left.store(true, Release);
        drop(left);
        self.wake.wake(0);
    }

    fn adopt(&self, effects: &mut Effects) {
        let mut left = self.left.lock();
        effects.events.append(&mut left.events);
        effects.token.append(&mut left.token);
        self.has_left.store(false, Release);
    }

    /// Move the slots of core `core` that others made dirty to the end of `slots`.
    pub fn collect(&self, core: u16, slots: &mut Vec<u32>) {
        if let Some(mailbox) = self.mailboxes.get(usize::from(core)) {
            slots.append(&mut mailbox.lock());
        }
    }

    /// What was counted and handed over since the start.
    pub fn counters(&self) -> Counters {
        self.totals.read()
    }

    /// How many sessions a tenant has, connected or not.
    pub fn session_count(&self, tenant: Tenant) -> usize {
        self.known_tenant(tenant).map_or(0, |tenant| tenant.session_count())
    }

    /// How many messages a tenant has retained.
    pub fn retained_count(&self, tenant: Tenant) -> usize {
        self.known_tenant(tenant).map_or(0, |tenant| tenant.retained.len())
    }

    /// The retained message of a topic name, unless it expired.
    pub fn retained(&self, tenant: Tenant, topic_name: &str, now: Now) -> Option<Message> {
        let stamped = self.known_tenant(tenant)?.retained.get(topic_name)?;
        stamped.seconds_left(now.monotonic).ok().map(|_| stamped.message.clone())
    }

    /// Finish what the end of a connection or session began.
    pub(crate) fn clean_up(
        &self,
        tenant: &TenantState,
        session: &Arc<Session>,
        aftermath: Aftermath,
        now: Now,
        effects: &mut Effects,
    ) {
        for filter in aftermath.filters.keys() {
            self.remove_from_router(tenant, session, filter);
        }
        for undelivered in aftermath.undelivered {
            self.deliver_again(undelivered, now, effects);
        }
        if aftermath.ended {
            tenant.forget(session, now.monotonic);
        }
        if let Some(will) = aftermath.will {
            self.publish_will(tenant, session, *will, now, effects);
        }
    }

    /// The state of a tenant that somebody connected or published for. Questions make no state.
    pub(crate) fn known_tenant(&self, tenant: Tenant) -> Option<Arc<TenantState>> {
        self.tenants.read().get(&tenant).cloned()
    }

    pub(crate) fn all_tenants(&self) -> Vec<Arc<TenantState>> {
        self.tenants.read().values().cloned().collect()
    }

    pub(crate) fn tenant(&self, tenant: Tenant) -> Arc<TenantState> {
        if let Some(known) = self.known_tenant(tenant) {
            return known;
        }
        self.tenants.write().entry(tenant).or_insert_with(|| self.new_tenant(tenant)).clone()
    }

    fn new_tenant(&self, tenant: Tenant) -> Arc<TenantState> {
        let memory = Memory::new(self.settings.account_memory_bytes_max, self.memory.clone());
        Arc::new(TenantState::new(Account::new(tenant, memory, self.records.clone())))
    }

    pub(crate) fn memory_used(&self) -> usize {
        self.memory.used()
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn fabric(&self) -> &dyn Fabric {
        &*self.fabric
    }

    pub(crate) fn services(&self) -> &dyn Services {
        &*self.services
    }

    pub(crate) fn deadlines(&self) -> &Deadlines {
        &self.deadlines
    }

    pub(crate) fn next_serial(&self) -> u64 {
        self.serial.fetch_add(1, Relaxed)
    }
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broker").field("settings", &self.settings).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
