//! What operators read and do: sessions in pages, retained messages in pages, the end of one connection or session.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tidegate_ids::{Now, Tenant, Timestamp};
use tidegate_mqtt::{Message, QoS, SessionExpiry, Version};

use crate::{Broker, CloseReason, DisconnectReason, Effects, LinkAddress, Principal, session::Surroundings};

/// One session, as it was a moment ago.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionState {
    /// Its name.
    pub client_id: Arc<str>,
    /// Unique per session: 32 hexadecimal digits when written.
    pub session_identifier: u128,
    /// Of the last connection, as in its events.
    pub version_number: u64,
    /// The present connection; `None`: the client is away.
    pub connection: Option<ConnectionState>,
    /// How long the session stays if the client does not return; `None` while it is connected, or for ever.
    pub ends_in: Option<Duration>,
    /// QoS 1 and 2 messages sent and not acknowledged to the end.
    pub inflight: usize,
    /// Messages that wait.
    pub queued: usize,
    /// Bytes (topic, properties, payload) of the messages that wait.
    pub queued_bytes: usize,
    /// Filters it subscribed with.
    pub subscriptions: usize,
}

/// One connection, as it was a moment ago.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionState {
    /// Who it acts for.
    pub principal: Arc<Principal>,
    /// Where the client is.
    pub peer_address: SocketAddr,
    /// The protocol version.
    pub version: Version,
    /// Whether it wanted a session without a past (Clean Start, Clean Session).
    pub clean_start: bool,
    /// Keep Alive, as the profile adjusted it; 0: none.
    pub keep_alive_seconds: u16,
    /// How long its session may be absent.
    pub session_expiry: SessionExpiry,
    /// The thing that it stands for, where events name it.
    pub thing_name: Option<Arc<str>>,
    /// When CONNACK was given.
    pub since: Timestamp,
    /// Where its link lives.
    pub link_address: LinkAddress,
}

/// A connection that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastConnection {
    /// Whether it wanted a session without a past.
    pub clean_start: bool,
    /// Keep Alive, as the profile adjusted it; 0: none.
    pub keep_alive_seconds: u16,
    /// How long its session may be absent.
    pub session_expiry: SessionExpiry,
    /// The thing that it stood for, where events name it.
    pub thing_name: Option<Arc<str>>,
    /// Where the client was.
    pub peer_address: SocketAddr,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Why.
    pub reason: DisconnectReason,
}

/// What is known of a client: it is here, or it was not long ago.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// Its connection.
    Present(ConnectionState),
    /// Its last connection.
    Absent(Arc<LastConnection>),
}

/// Some sessions of a tenant.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct SessionPage {
    /// In an order of the broker's own, which does not change.
    pub sessions: Vec<SessionState>,
    /// What to ask for the next page with; `None`: this was the last one.
    pub next: Option<Arc<str>>,
}

/// One retained message.
#[derive(Debug, Clone)]
pub struct RetainedState {
    /// The message, its topic name among it.
    pub message: Message,
    /// The QoS it was published with.
    pub qos: QoS,
    /// When it was published.
    pub retained_at: Timestamp,
}

/// Some retained messages of a tenant.
#[derive(Debug, Default, Clone)]
pub struct RetainedPage {
    /// In no particular order.
    pub messages: Vec<RetainedState>,
    /// What to ask for the next page with; `None`: this was the last one.
    pub next: Option<u32>,
}

/// How [`Broker::delete_connection`] ends a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// What the client and the events are told.
    pub reason: CloseReason,
    /// Whether the session ends too, whatever its expiry.
    pub drop_session: bool,
    /// Whether the Will is dropped, the one that waits for its delay too.
    pub prevent_will: bool,
}

/// Numbers of the whole broker, as they are now.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Gauges {
    /// Sessions with a connection, as far as cores handed over what they counted.
    pub clients_connected: u64,
    /// Sessions, connected or not.
    pub clients_total: u64,
    /// Subscriptions of all sessions.
    pub subscriptions: u64,
    /// Retained messages.
    pub retained: u64,
    /// Bytes that queues, outboxes, retained messages and wills hold, as if each had its own copy; see
    /// `Settings::memory_bytes_max`.
    pub memory_bytes: u64,
}

impl Broker {
    /// Most places that one page of retained messages looks at, messages found or not, so that nobody waits for it.
    const RETAINED_PLACES_MAX: usize = 10_000;

    /// The tenants that somebody connected or published for, in order. O(tenants).
    pub fn tenants(&self) -> Vec<Tenant> {
        let mut tenants: Vec<Tenant> = self.all_tenants().iter().map(|state| state.tenant).collect();
        tenants.sort_unstable();
        tenants
    }

    /// Up to `max` sessions of a tenant behind the one named `after`. A session that is there all the time is on one page
    /// exactly, whatever comes and goes meanwhile. O(max), whatever the number of sessions.
    pub fn sessions(&self, tenant: Tenant, after: Option<&str>, max: usize, now: Now) -> SessionPage {
        let Some(tenant) = self.known_tenant(tenant) else { return SessionPage::default() };
        let found = tenant.sessions_after(after, max);
        let next = (found.len() == max).then(|| found.last().map(|last| last.client_id().clone())).flatten();
        SessionPage { sessions: found.iter().map(|session| session.look(now)).collect(), next }
    }

    /// The session named `client_id`.
    pub fn session(&self, tenant: Tenant, client_id: &str, now: Now) -> Option<SessionState> {
        Some(self.known_tenant(tenant)?.session(client_id)?.look(now))
    }

    /// How long a connection that ended is remembered. AWS: API_iotdata_GetConnection.
    const REMEMBERED: Duration = Duration::from_secs(30 * 60);

    /// The connection of `client_id`, or the last one for half an hour after its end; not over a restart. Many ended ones are
    /// forgotten early.
    pub fn connection(&self, tenant: Tenant, client_id: &str, now: Now) -> Option<Known> {
        let tenant = self.known_tenant(tenant)?;
        let (present, last) = match tenant.session(client_id) {
            Some(session) => (session.look(now).connection, session.last()),
            None => (None, tenant.last_connection(client_id, now.monotonic)),
        };
        let lately = |last: &Arc<LastConnection>| now.wall < last.ended_at + Self::REMEMBERED;
        present.map(Known::Present).or_else(|| last.filter(lately).map(Known::Absent))
    }

    /// Up to `max` subscriptions of a session behind the filter `after`, by filter, as the client wrote them, with the QoS
    /// granted; `None`: there is no such session. O(subscriptions).
    pub fn subscriptions(
        &self,
        tenant: Tenant,
        client_id: &str,
        after: Option<&str>,
        max: usize,
    ) -> Option<Vec<(Arc<str>, QoS)>> {
        let session = self.known_tenant(tenant)?.session(client_id)?;
        session.change_filters(|filters| {
            let behind = filters.iter().filter(|(filter, _)| after.is_none_or(|after| &***filter > after));
            let mut found: Vec<_> = behind.map(|(filter, qos)| (filter.clone(), *qos)).collect();
            found.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
            found.truncate(max);
            found
        })
    }

    /// End the connection of `client_id`, and its session if asked to; false when there is no such session, or it was
    /// neither connected nor to be dropped.
    ///
    /// AWS: DeleteConnection.
    pub fn delete_connection(
        &self,
        tenant: Tenant,
        client_id: &str,
        ending: Ending,
        now: Now,
        effects: &mut Effects,
    ) -> bool {
        let Some(tenant) = self.known_tenant(tenant) else { return false };
        let Some(session) = tenant.session(client_id) else { return false };
        let _whole = self.whole();
        let around = Surroundings { tenant: &tenant, deadlines: self.deadlines(), now };
        let (ended, aftermath) = session.end_from_outside(ending, around, effects);
        self.clean_up(&tenant, &session, aftermath, now, effects);
        ended
    }

    /// The retained message of a topic name, with all that a listing says of it, unless it expired.
    pub fn retained_state(&self, tenant: Tenant, topic_name: &str, now: Now) -> Option<RetainedState> {
        let tenant = self.known_tenant(tenant)?;
        let (stamped, retained_at) = tenant.retained.get_with_time(topic_name)?;
        stamped.seconds_left(now.monotonic).ok()?;
        Some(RetainedState { message: stamped.message.clone(), qos: stamped.qos, retained_at })
    }

    /// Up to `max` retained messages of a tenant, from place `from` on: 0, then what the last page gave. A message that
    /// is retained all the time is on one page exactly. A page may hold fewer than `max`, even none, and not be the last.
    pub fn retained_page(&self, tenant: Tenant, from: u32, max: usize, now: Now) -> RetainedPage {
        let Some(tenant) = self.known_tenant(tenant) else { return RetainedPage::default() };
        let (found, next) = tenant.retained.page(from, max, Self::RETAINED_PLACES_MAX);
        let alive = found.into_iter().filter(|(stamped, _)| stamped.seconds_left(now.monotonic).is_ok());
        let messages = alive.map(|(stamped, retained_at)| RetainedState {
            message: stamped.message.clone(),
            qos: stamped.qos,
            retained_at,
        });
        RetainedPage { messages: messages.collect(), next }
    }

    /// Numbers of the whole broker. O(tenants).
    pub fn gauges(&self) -> Gauges {
        let counters = self.counters();
        let mut gauges = Gauges {
            clients_connected: counters.connected.saturating_sub(counters.disconnected),
            memory_bytes: self.memory_used() as u64,
            ..Gauges::default()
        };
        for tenant in self.all_tenants() {
            gauges.clients_total += tenant.session_count() as u64;
            gauges.subscriptions += tenant.router.subscription_count() as u64;
            gauges.retained += tenant.retained.len() as u64;
        }
        gauges
    }
}
