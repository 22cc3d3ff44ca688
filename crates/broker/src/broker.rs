//! The broker: one for all cores.

mod cores;
mod durable;
mod kick;
mod settings;

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

use parking_lot::{Mutex, RwLock};
use tidegate_ids::{Monotonic, Now, Tenant};
use tidegate_mqtt::{Message, Packet, PacketType, ReasonCode};

pub use kick::Selector;
pub use settings::Settings;

use crate::{
    Alone, CloseReason, Counters, Effects, Fabric, Link, Quota, Services, Traffic, Verbosity, Wake,
    counters::Totals,
    deadlines::Deadlines,
    memory::{Memory, Process},
    persist::RecordLog,
    session::{Aftermath, Session, Surroundings},
    tenant::{Account, TenantState},
};
use cores::Left;

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

    /// Numbers of sessions begin behind `number` from now on.
    pub(crate) fn reserve_serials(&self, number: u64) {
        self.serial.fetch_max(number.saturating_add(1), Relaxed);
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
