//! CONNECT: who may come in under which name, and on what terms.

use std::{
    net::SocketAddr,
    num::NonZeroU16,
    num::NonZeroU32,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use tidegate_ids::{Now, Rate, Tenant};
use tidegate_mqtt::{ConnAck, ConnAckProperties, Connect, Message, ReasonCode, SessionExpiry, Version};

use crate::{
    Broker, ConnectFailure, Effects, LifecycleEvent, LifecycleKind, Limits, Link, LinkAddress, Principal, Profile,
    Quota, Trace, WillRecord,
    link::Rights,
    ports::{Access, Authorize},
    publish::{PublishCache, within_limits},
    reserved,
    seldom::Seldom,
    session::{AskedTerms, Attachment, Session, Surroundings},
    tenant::TenantState,
};

/// A CONNECT that the edge lets in: the certificate is good and `iot:Connect` allows the client id.
pub struct ConnectRequest<'a> {
    /// Whose client it is.
    pub tenant: Tenant,
    /// Its name, from [`client_id`].
    pub client_id: Arc<str>,
    /// Who it acts for, and where it is.
    pub trace: Arc<Trace>,
    /// Its policies, bound to this connection.
    pub authorize: Arc<dyn Authorize>,
    /// The listener's profile.
    pub profile: Arc<Profile>,
    /// The packet.
    pub connect: &'a Connect<'a>,
    /// Where its link will live.
    pub address: LinkAddress,
    /// 128 random bits: the identifier of the session, if it is a new one.
    pub session_identifier: u128,
}

/// An authenticated client whose CONNECT its policies do not allow.
#[derive(Debug, Clone, Copy)]
pub struct RefusedClient<'a> {
    /// Whose client it is.
    pub tenant: Tenant,
    /// Its name.
    pub client_id: &'a Arc<str>,
    /// Who it acts for.
    pub principal: &'a Arc<Principal>,
    /// See [`Trace::thing_name`].
    pub thing_name: Option<&'a Arc<str>>,
    /// Where the client is.
    pub peer_address: SocketAddr,
    /// 128 random bits.
    pub session_identifier: u128,
}

impl<'a> RefusedClient<'a> {
    fn of(request: &'a ConnectRequest<'_>) -> Self {
        let ConnectRequest { tenant, client_id, trace, session_identifier, .. } = request;
        let Trace { principal, thing_name, peer_address, .. } = &**trace;
        Self {
            tenant: *tenant,
            client_id,
            principal,
            thing_name: thing_name.as_ref(),
            peer_address: *peer_address,
            session_identifier: *session_identifier,
        }
    }
}

/// Why a CONNECT is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("connection refused: {reason}")]
pub struct ConnectRefused {
    /// The reason code of CONNACK.
    pub code: ReasonCode,
    /// The same for a log line.
    pub reason: &'static str,
    /// The quota that is used up, if that is why.
    pub quota: Option<Quota>,
}

impl ConnectRefused {
    /// A refusal of the edge's own: an inactive certificate, `iot:Connect` denied.
    pub fn new(code: ReasonCode, reason: &'static str) -> Self {
        Self { code, reason, quota: None }
    }

    /// A refusal because `quota` is used up.
    fn beyond(quota: Quota, code: ReasonCode, reason: &'static str) -> Self {
        Self { code, reason, quota: Some(quota) }
    }

    /// Append the CONNACK that tells the client, if the profile and the version have one. Close after it.
    ///
    /// Spec: [MQTT-3.2.2-6] (3.1.1): no CONNACK when no return code fits.
    pub fn connack(&self, version: Version, profile: &Profile, out: &mut Vec<u8>) {
        if version == Version::V5 || profile.connack_for_refused_v4 {
            let before = out.len();
            if ConnAck::new(false, self.code).encode(version, out).is_err() {
                out.truncate(before);
            }
        }
    }
}

/// The name of the client behind `connect`: its own, or `$GEN/…` made of 128 random bits.
///
/// The edge calls it before it asks the policies, which may depend on it.
/// Spec: [MQTT-3.1.3-8] (3.1.1), [MQTT-3.1.3-6] (5.0). Unverified: AWS's form of generated names; we take one shape.
///
/// # Errors
/// 0x85 for a name that is too long, and for an empty one with 3.1.1's Clean Session 0.
pub fn client_id(connect: &Connect<'_>, profile: &Profile, random: u128) -> Result<Arc<str>, ConnectRefused> {
    let invalid = |reason| Err(ConnectRefused::new(ReasonCode::ClientIdentifierNotValid, reason));
    if connect.client_id.is_empty() {
        if connect.version == Version::V4 && !connect.clean_start {
            return invalid("a client without a name cannot keep a session");
        }
        return Ok(format!("$GEN/{random:032x}").into());
    }
    if connect.client_id.len() > profile.limits.client_id_bytes_max {
        let code = ReasonCode::ClientIdentifierNotValid;
        return Err(ConnectRefused::beyond(Quota::ClientIdSize, code, "the client id is too long"));
    }
    Ok(connect.client_id.into())
}

impl Broker {
    /// Let a client in. CONNACK is in the outbox of the returned link, which is dirty.
    ///
    /// An earlier connection with this client id is told and closed; nobody waits for it.
    ///
    /// # Errors
    /// What the client asks for cannot be had; nothing changed.
    pub fn connect(
        &self,
        request: ConnectRequest<'_>,
        now: Now,
        effects: &mut Effects,
    ) -> Result<Link, ConnectRefused> {
        let terms = Terms::of(&request).inspect_err(|refused| {
            effects.counters.connect_refused += 1;
            if refused.code == ReasonCode::NotAuthorized {
                self.connect_failed(RefusedClient::of(&request), now, effects);
            }
        })?;
        let tenant = self.tenant(request.tenant);
        let around = Surroundings { tenant: &tenant, deadlines: self.deadlines(), now };
        let ConnectRequest { client_id, trace, profile, connect, authorize, address, .. } = request;
        let connack = connack(connect, &client_id, &profile, terms.expiry, terms.keep_alive);
        let packet_bytes_max = connect.properties.maximum_packet_size.map_or(u32::MAX, NonZeroU32::get);
        if !fits(&connack, connect.version, packet_bytes_max) {
            effects.counters.connect_refused += 1;
            return Err(ConnectRefused::new(
                ReasonCode::PacketTooLarge,
                "the client takes no packet as large as CONNACK",
            ));
        }
        let rights = Rights(authorize);
        let attachment = Attachment {
            address,
            trace: trace.clone(),
            version: connect.version,
            profile: profile.clone(),
            rights: rights.clone(),
            expiry: terms.expiry,
            will: terms.will,
            version_number: 0,
            connects: Rate::default(),
            receive_maximum: connect.properties.receive_maximum.get(),
            packet_bytes_max,
            topic_alias_maximum: connect.properties.topic_alias_maximum,
            terms: AskedTerms {
                clean_start: connect.clean_start,
                keep_alive_seconds: u16::try_from(terms.keep_alive.as_secs()).unwrap_or(u16::MAX),
            },
            wants_reasons: connect.properties.request_problem_information,
            connack,
        };
        let _whole = self.whole();
        let mut sessions = tenant.shard(&client_id).lock();
        let past = sessions.past(&client_id, now.monotonic);
        let earlier = sessions.get(&client_id).cloned();
        let history = earlier.as_ref().map(|earlier| earlier.history());
        let history = history.or(past.map(|past| (past.version_number, past.connects)));
        let mut connects = history.map(|(_, connects)| connects).unwrap_or_default();
        self.admit(&tenant, earlier.as_deref(), &profile.limits, &mut connects, now).inspect_err(|refused| {
            effects.counters.connect_refused += 1;
            let of_client = refused.quota == Some(Quota::ConnectsPerClient);
            effects.counters.connect_client_throttled += u64::from(of_client);
            effects.counters.connect_throttled += u64::from(!of_client);
        })?;
        let version_number = history.map_or(0, |(before, _)| before + 1);
        let attachment = Attachment { version_number, connects, ..attachment };
        let (resumed, aftermath) = match &earlier {
            Some(session) => {
                let (resumed, aftermath) = session.take_over(connect.clean_start, around, effects);
                (resumed, Some((session.clone(), aftermath)))
            }
            None => (false, None),
        };
        let session = match earlier {
            Some(session) if resumed => session,
            Some(_) | None => {
                let session = Session::new(
                    tenant.account.clone(),
                    client_id.clone(),
                    self.next_serial(),
                    request.session_identifier,
                    version_number,
                    profile.clone(),
                    trace.clone(),
                );
                let session = Arc::new(session);
                tenant.remember(&mut sessions, &session);
                session
            }
        };
        let explains = attachment.explains();
        let epoch = session.attach(attachment, resumed, around, effects);
        drop(sessions);
        session.go_on(epoch, now, effects);
        if resumed {
            session.for_each_shared(|shared| {
                tenant.router.notice_return(shared.share_name, shared.topic_filter, &session);
            });
        }
        if let Some((session, aftermath)) = aftermath {
            self.clean_up(&tenant, &session, aftermath, now, effects);
        }
        let silence_millis = u32::try_from((terms.keep_alive * 3 / 2).as_millis()).unwrap_or(u32::MAX);
        Ok(Link {
            session,
            epoch,
            address,
            version: connect.version,
            profile,
            rights,
            trace,
            explains,
            denials: Rate::default(),
            cache: PublishCache::default(),
            aliases: Seldom::default(),
            fills_the_log: false,
            silence_millis: NonZeroU32::new(silence_millis),
            publishes: Rate::default(),
            bytes: Rate::default(),
            tenant,
        })
    }
}

impl Broker {
    /// Report that an authenticated client was refused because its policies do not allow its CONNECT. The broker does so
    /// itself where it is the one who refuses.
    pub fn connect_failed(&self, refused: RefusedClient<'_>, now: Now, effects: &mut Effects) {
        let RefusedClient { tenant, client_id, principal, thing_name, peer_address, session_identifier } = refused;
        let version_number = self.known_tenant(tenant).and_then(|tenant| {
            let sessions = tenant.shard(client_id).lock();
            let present = sessions.get(client_id).map(|session| session.history().0);
            present.or(sessions.past(client_id, now.monotonic).map(|past| past.version_number))
        });
        effects.event(LifecycleEvent {
            tenant,
            client_id: client_id.clone(),
            principal: principal.clone(),
            thing_name: thing_name.cloned(),
            session_identifier,
            version_number: version_number.unwrap_or(0),
            at: now.wall,
            kind: LifecycleKind::ConnectFailed { peer_address, reason: ConnectFailure::AuthorizationFailed },
        });
    }

    /// Whether there is room for one more connection. `connects` is how often this client connected lately.
    fn admit(
        &self,
        tenant: &TenantState,
        earlier: Option<&Session>,
        limits: &Limits,
        connects: &mut Rate,
        now: Now,
    ) -> Result<(), ConnectRefused> {
        let account = &limits.account;
        let refused = |quota, reason| Err(ConnectRefused::beyond(quota, ReasonCode::QuotaExceeded, reason));
        let now = now.monotonic;
        if earlier.is_none() && tenant.session_count() >= self.settings().sessions_max {
            return refused(Quota::SessionsPerAccount, "the account has too many sessions");
        }
        if earlier.is_none_or(Session::is_absent) && tenant.connected.load(Relaxed) >= account.connections_max {
            return refused(Quota::ConnectionsPerAccount, "the account has too many connections");
        }
        if tenant.account.memory.is_used_up() {
            return refused(Quota::MemoryAtConnect, "the memory budget is used up");
        }
        if limits.connects_per_second.is_some_and(|per_second| !connects.take(per_second, now)) {
            return refused(Quota::ConnectsPerClient, "the client connects too often");
        }
        if account.connects_per_second.is_some_and(|per_second| !tenant.account.rates.connects.take(per_second, now)) {
            return refused(Quota::ConnectsPerAccount, "the clients of the account connect too often");
        }
        Ok(())
    }
}

/// What a client gets of what it asked for.
#[derive(Debug)]
struct Terms {
    expiry: SessionExpiry,
    keep_alive: Duration,
    will: Option<Box<WillRecord>>,
}

impl Terms {
    fn of(request: &ConnectRequest<'_>) -> Result<Self, ConnectRefused> {
        let ConnectRequest { connect, profile, authorize, .. } = request;
        if connect.properties.authentication_method.is_some() {
            // Spec: 4.12 (5.0). No method is supported.
            let code = ReasonCode::BadAuthenticationMethod;
            return Err(ConnectRefused::new(code, "extended authentication is not supported"));
        }
        let asked = connect.properties.maximum_packet_size;
        if asked.is_some_and(|asked| asked.get() < profile.limits.client_packet_bytes_min) {
            let code = ReasonCode::UnspecifiedError;
            let reason = "the client takes too small packets only";
            return Err(ConnectRefused::beyond(Quota::ClientPacketSize, code, reason));
        }
        let longest = match connect.version {
            Version::V4 => profile.limits.session_expiry_v4.min(profile.limits.session_expiry_max),
            Version::V5 => profile.limits.session_expiry_max,
        };
        let longest = u32::try_from(longest.as_secs()).unwrap_or(u32::MAX);
        Ok(Self {
            expiry: SessionExpiry::from_seconds(connect.session_expiry.seconds().min(longest)),
            keep_alive: profile.keep_alive.apply(Duration::from_secs(u64::from(connect.keep_alive_seconds))),
            will: will(connect, profile, &**authorize)?,
        })
    }
}

/// The Will, if it may be published. Asked now, since nobody is there to be told later.
///
/// Spec: 3.1.2.5-3.1.2.7 (5.0). AWS: developer guide, "MQTT Will": policies are checked at CONNECT.
fn will(
    connect: &Connect<'_>,
    profile: &Profile,
    authorize: &dyn Authorize,
) -> Result<Option<Box<WillRecord>>, ConnectRefused> {
    let Some(will) = &connect.will else { return Ok(None) };
    let refused = |code, reason| Err(ConnectRefused::new(code, reason));
    if will.qos > profile.maximum_qos {
        return refused(ReasonCode::QoSNotSupported, "the QoS of the will is not supported");
    }
    if !within_limits(will.topic_name, profile)
        || reserved::publish(will.topic_name, profile) != reserved::Publish::Ordinary
    {
        return refused(ReasonCode::TopicNameInvalid, "the topic name of the will is not allowed");
    }
    if will.payload.len() > profile.limits.payload_bytes_max {
        return refused(ReasonCode::PacketTooLarge, "the will is too large");
    }
    let may_publish = authorize.allows(Access::Publish, will.topic_name)
        && (!will.retain || authorize.allows(Access::RetainPublish, will.topic_name));
    if !may_publish {
        return refused(ReasonCode::NotAuthorized, "the policies do not allow the will");
    }
    let Ok(message) = Message::new(will.topic_name, &will.properties, will.payload) else {
        return refused(ReasonCode::PacketTooLarge, "the will is too large");
    };
    let seconds = |seconds| Duration::from_secs(u64::from(seconds));
    let asked = will.properties.message_expiry_seconds.map(seconds);
    let expiry = match (asked, profile.limits.message_expiry_max) {
        (Some(asked), Some(max)) => Some(asked.min(max)),
        (asked, max) => asked.or(max),
    };
    let delay = seconds(will.delay_seconds);
    Ok(Some(Box::new(WillRecord { message, qos: will.qos, retain: will.retain, delay, expiry })))
}

/// Whether the client takes a packet as large as its CONNACK. Spec: [MQTT-3.1.2-24] (5.0).
fn fits(connack: &ConnAck<'_>, version: Version, packet_bytes_max: u32) -> bool {
    if packet_bytes_max == u32::MAX {
        return true;
    }
    let mut bytes = Vec::new();
    connack.encode(version, &mut bytes).is_ok() && bytes.len() <= packet_bytes_max as usize
}

/// The accepting CONNACK. Spec: 3.2.2.3 (5.0). AWS: developer guide, "MQTT 5 supported features".
fn connack<'a>(
    connect: &Connect<'_>,
    client_id: &'a str,
    profile: &Profile,
    expiry: SessionExpiry,
    keep_alive: Duration,
) -> ConnAck<'a> {
    let limits = &profile.limits;
    let asked_keep_alive = Duration::from_secs(u64::from(connect.keep_alive_seconds));
    ConnAck {
        properties: ConnAckProperties {
            session_expiry: (expiry != connect.session_expiry).then_some(expiry),
            receive_maximum: NonZeroU16::new(limits.receive_maximum).unwrap_or(NonZeroU16::MIN),
            maximum_qos: profile.maximum_qos,
            maximum_packet_size: NonZeroU32::new(limits.packet_bytes_max),
            assigned_client_id: connect.client_id.is_empty().then_some(client_id),
            topic_alias_maximum: limits.topic_alias_maximum,
            subscription_identifiers_available: profile.subscription_identifiers,
            server_keep_alive_seconds: (keep_alive != asked_keep_alive)
                .then(|| u16::try_from(keep_alive.as_secs()).unwrap_or(u16::MAX)),
            ..ConnAckProperties::default()
        },
        ..ConnAck::new(false, ReasonCode::Success)
    }
}
