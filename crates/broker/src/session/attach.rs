//! Connections come and go; sessions resume, expire and end.
//!
//! ```text
//!   new ─attach─▶ connected ─detach─▶ absent ─expiry or clean start─▶ ended
//!                     ▲                  │
//!                     └─────attach───────┘         (session expiry 0: detach ends it at once)
//! ```

use std::sync::{
    Arc,
    atomic::Ordering::{Relaxed, Release},
};

use tidegate_ids::{Monotonic, Now, Rate};
use tidegate_mqtt::{ConnAck, Disconnect, ReasonCode, SessionExpiry, Version};

use super::{AskedTerms, Away, Connection, Farewell, Filters, Outbound, Session, State, Undelivered};
use crate::{
    CloseReason, Effects, LastConnection, LifecycleKind, LinkAddress, Presence, Principal, Profile, Record,
    SessionRecord, Trace, WillRecord, close::traced, deadlines::Deadlines, link::Rights, message::Aliases,
    persist::Promise, receive::Receive, seldom::Seldom, session::outbox::Outbox, tenant::TenantState,
};

/// A connection about to become a session's.
#[derive(Debug)]
pub(crate) struct Attachment<'a> {
    pub(crate) address: LinkAddress,
    pub(crate) trace: Arc<Trace>,
    pub(crate) version: Version,
    pub(crate) profile: Arc<Profile>,
    pub(crate) rights: Rights,
    pub(crate) expiry: SessionExpiry,
    pub(crate) will: Option<Box<WillRecord>>,
    /// Of this connection, for events.
    pub(crate) version_number: u64,
    /// How often the client connected lately, this time included.
    pub(crate) connects: Rate,
    /// QoS 1 and 2 messages the client takes at once, and the size of any packet.
    pub(crate) receive_maximum: u16,
    pub(crate) packet_bytes_max: u32,
    pub(crate) topic_alias_maximum: u16,
    /// Request Problem Information. Spec: [MQTT-3.1.2-29] (5.0).
    pub(crate) wants_reasons: bool,
    pub(crate) terms: AskedTerms,
    /// The answer, but for Session Present.
    pub(crate) connack: ConnAck<'a>,
}

impl Attachment<'_> {
    /// Whether the client is told in words why something failed.
    pub(crate) fn explains(&self) -> bool {
        self.wants_reasons && self.profile.reason_strings && self.packet_bytes_max >= REASON_STRING_PACKET_BYTES
    }
}

/// A client that takes packets of this size has room for any Reason String of ours.
const REASON_STRING_PACKET_BYTES: u32 = 128;

/// What the end of a connection or session leaves for its caller to do, after all locks are released.
#[derive(Debug, Default)]
#[must_use]
pub(crate) struct Aftermath {
    /// To be published.
    pub(crate) will: Option<Box<WillRecord>>,
    /// For other members of its shared groups.
    pub(crate) undelivered: Vec<Undelivered>,
    /// To be taken out of the router.
    pub(crate) filters: Filters,
    /// The session is to be forgotten.
    pub(crate) ended: bool,
}

/// What a session touches beside itself: locks taken last and released at once.
#[derive(Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    pub(crate) tenant: &'a TenantState,
    pub(crate) deadlines: &'a Deadlines,
    pub(crate) now: Now,
}

impl Session {
    /// Make room for a new connection with this client id: the present one, if any, is told that it is taken over and
    /// waits for nobody; the session is kept for [`attach`](Self::attach) when it may be resumed (`true`), else it ends.
    pub(crate) fn take_over(
        self: &Arc<Self>,
        clean_start: bool,
        around: Surroundings<'_>,
        effects: &mut Effects,
    ) -> (bool, Aftermath) {
        let mut state = self.state.lock();
        let mut after = Aftermath::default();
        self.dismiss(&mut state, CloseReason::TakenOver, around, &mut after, effects);
        let expired = state.away.ends_at.is_some_and(|at| at <= around.now.monotonic);
        if !state.alive || clean_start || expired {
            self.end(&mut state, around, &mut after, effects);
            return (false, after);
        }
        // Spec: [MQTT-3.1.3-9] (5.0): a will whose delay has not passed is not published when the session goes on.
        let due = state.away.will_at.is_some_and(|at| at <= around.now.monotonic);
        after.will = after.will.or(state.will.take().filter(|_| due));
        state.nothing_is_due();
        self.schedule(&mut state, around);
        (true, after)
    }

    /// Make a connection the session's; CONNACK is the first packet in its outbox. The epoch that stands for it.
    /// What waits is sent by [`go_on`](Self::go_on), without the lock of the caller.
    pub(crate) fn attach(
        self: &Arc<Self>,
        attachment: Attachment<'_>,
        session_present: bool,
        around: Surroundings<'_>,
        effects: &mut Effects,
    ) -> u64 {
        let mut state = self.state.lock();
        let explains = attachment.explains();
        let Attachment { address, trace, version, profile, mut connack, .. } = attachment;
        let window = attachment.receive_maximum.min(profile.limits.send_maximum);
        state.version_number = attachment.version_number;
        state.connects = attachment.connects;
        state.profile = profile.clone();
        state.trace = trace;
        state.expiry = attachment.expiry;
        state.will = attachment.will;
        // Nothing was due any more.
        match state.away.get_mut() {
            Some(away) if !away.farewells.is_empty() => away.last = None,
            Some(_) | None => state.away = Seldom::default(),
        }
        let mut connection = Box::new(Connection {
            address,
            denials: Rate::default(),
            since: around.now.wall,
            terms: attachment.terms,
            version,
            rights: attachment.rights,
            outbox: Outbox::new(effects.buffer()),
            turn: None,
            window,
            window_max: window,
            packet_bytes_max: attachment.packet_bytes_max,
            told: false,
            explains,
            aliases: Aliases::new(attachment.topic_alias_maximum.min(profile.limits.topic_alias_maximum)),
            receive: Receive::default(),
        });
        connack.session_present = session_present;
        let write = |out: &mut Vec<u8>| connack.encode(version, out).expect("an accepting CONNACK encodes");
        connection.outbox.control(attachment.packet_bytes_max as usize, write);
        connection.mark_dirty(effects);
        state.connection = Some(connection);
        let epoch = self.move_epoch();
        self.keep(&mut state, around.now, effects);
        if state.outbound.get_mut().is_some_and(Outbound::resume) {
            self.promise(epoch, Promise::Resume, effects);
        }
        around.tenant.note_principal(&state.trace.principal, &self.client_id);
        self.update_load(&mut state);
        effects.counters.connected += 1;
        around.tenant.connected.fetch_add(1, Relaxed);
        let kind = LifecycleKind::Connected { peer_address: state.trace.peer_address, session_present };
        effects.event(self.event_of(&state, kind, around.now));
        epoch
    }

    /// A new session expiry, from DISCONNECT. Spec: [MQTT-3.14.2-2] (5.0): not when CONNECT said 0.
    pub(crate) fn change_expiry(&self, epoch: u64, expiry: SessionExpiry) -> Result<(), CloseReason> {
        let mut state = self.state.lock();
        self.current(&mut state, epoch)?;
        if state.expiry == SessionExpiry::AT_DISCONNECT && expiry != SessionExpiry::AT_DISCONNECT {
            return Err(CloseReason::ClientError(ReasonCode::ProtocolError));
        }
        let max = state.profile.limits.session_expiry_max;
        state.expiry = SessionExpiry::from_seconds(expiry.seconds().min(max.as_secs().try_into().unwrap_or(u32::MAX)));
        Ok(())
    }

    /// The owner of connection `epoch` ends it. Its last bytes go to `last`: what the outbox still holds, and DISCONNECT
    /// for an MQTT 5 client that should be told.
    pub(crate) fn disconnect(
        self: &Arc<Self>,
        epoch: u64,
        reason: CloseReason,
        last: &mut Vec<u8>,
        around: Surroundings<'_>,
        effects: &mut Effects,
    ) -> Aftermath {
        let mut state = self.state.lock();
        let mut after = Aftermath::default();
        if !self.is_current(epoch) || state.connection.is_none() {
            state.take_farewell(epoch, last);
            return after;
        }
        self.detach(&mut state, reason, last, around, &mut after, effects);
        after
    }

    /// The broker ends the present connection, if it is one that `select` wants; whether it was.
    pub(crate) fn kick(
        self: &Arc<Self>,
        reason: CloseReason,
        select: impl FnOnce(&Principal) -> bool,
        around: Surroundings<'_>,
        effects: &mut Effects,
    ) -> (bool, Aftermath) {
        let mut state = self.state.lock();
        let mut after = Aftermath::default();
        let wanted = state.connection.is_some() && select(&state.trace.principal);
        if wanted {
            self.dismiss(&mut state, reason, around, &mut after, effects);
        }
        (wanted, after)
    }

    /// What was due at `around.now`: a delayed will, the session's end.
    pub(crate) fn expire(self: &Arc<Self>, around: Surroundings<'_>, effects: &mut Effects) -> Aftermath {
        let mut state = self.state.lock();
        let mut after = Aftermath::default();
        let due = |at: Option<Monotonic>| at.is_some_and(|at| at <= around.now.monotonic);
        let Away { will_at, ends_at, .. } = *state.away;
        if due(will_at) {
            state.away.make().will_at = None;
            after.will = state.will.take();
        }
        if due(ends_at) {
            self.end(&mut state, around, &mut after, effects);
        } else if after.will.is_some() {
            self.log_session(&state, around.now, effects);
        }
        self.schedule(&mut state, around);
        after
    }

    /// End the present connection from outside: its owner finds its last bytes in a farewell.
    pub(super) fn dismiss(
        self: &Arc<Self>,
        state: &mut State,
        reason: CloseReason,
        around: Surroundings<'_>,
        after: &mut Aftermath,
        effects: &mut Effects,
    ) {
        let Some(connection) = &state.connection else { return };
        let address = connection.address;
        let epoch = self.epoch.load(std::sync::atomic::Ordering::Relaxed);
        let mut bytes = Vec::new();
        self.detach(state, reason, &mut bytes, around, after, effects);
        state.away.make().farewells.push(Farewell { epoch, reason, bytes });
        effects.mark_dirty(address);
    }

    /// The connection ends, here and now; the session stays if it may.
    fn detach(
        self: &Arc<Self>,
        state: &mut State,
        reason: CloseReason,
        last: &mut Vec<u8>,
        around: Surroundings<'_>,
        after: &mut Aftermath,
        effects: &mut Effects,
    ) {
        let mut connection = state.connection.take().expect("only a connection is detached");
        self.move_epoch();
        around.tenant.drop_principal(&state.trace.principal, &self.client_id);
        state.away.make().last = Some(Arc::new(LastConnection {
            clean_start: connection.terms.clean_start,
            keep_alive_seconds: connection.terms.keep_alive_seconds,
            session_expiry: state.expiry,
            thing_name: state.trace.thing_name.clone(),
            peer_address: state.trace.peer_address,
            ended_at: around.now.wall,
            reason: reason.disconnect_reason(),
        }));
        connection.outbox.take(last);
        if let (Version::V5, Some(code)) = (connection.version, reason.disconnect_code()) {
            // A code that a server may not send in DISCONNECT is a slip of ours; the close says enough then.
            let text;
            let mut disconnect = Disconnect::new(code);
            if state.profile.reason_strings && connection.packet_bytes_max >= REASON_STRING_PACKET_BYTES {
                text = traced(reason.text(), code, &state.trace);
                disconnect.properties.reason_string = Some(&text);
            }
            let _ = disconnect.encode(Version::V5, last);
        }
        effects.counters.disconnected += 1;
        around.tenant.connected.fetch_sub(1, Relaxed);
        let kind = LifecycleKind::Disconnected { reason: reason.disconnect_reason() };
        effects.event(self.event_of(state, kind, around.now));
        if let Some(outbound) = state.outbound.get_mut() {
            outbound.rewind();
        }
        if let Some(inbound) = state.inbound.get_mut() {
            inbound.disconnect();
        }
        if !reason.publishes_will() {
            state.will = None;
        }
        if state.expiry == SessionExpiry::AT_DISCONNECT {
            self.end(state, around, after, effects);
            return;
        }
        let now = around.now.monotonic;
        let ends_at = state.expiry.duration().map(|expiry| now + expiry);
        let away = state.away.make();
        away.ends_at = ends_at;
        match &state.will {
            // Spec: 3.1.3.2.2 (5.0): after the delay, or when the session ends, whichever is first.
            Some(will) if !will.delay.is_zero() => {
                let at = now + will.delay;
                away.will_at = Some(ends_at.map_or(at, |ends_at| ends_at.min(at)));
            }
            Some(_) => after.will = state.will.take(),
            None => {}
        }
        self.schedule(state, around);
        self.log_session(state, around.now, effects);
        self.update_load(state);
    }

    /// The present connection decides whether the session outlives it, and so whether it is logged.
    fn keep(&self, state: &mut State, now: Now, effects: &mut Effects) {
        let keep = state.expiry != SessionExpiry::AT_DISCONNECT;
        if !keep && self.kept.load(Relaxed) {
            let topic_filters = self.filters.lock().iter().flatten().map(|(filter, _)| filter.clone()).collect();
            self.log(effects, |session| Record::SessionEnded { tenant: self.account.tenant, session, topic_filters });
        }
        self.kept.store(keep, Relaxed);
        if let Some(outbound) = state.outbound.get_mut() {
            outbound.keep(keep && self.account.records.is_some());
        }
        self.log_session(state, now, effects);
    }

    /// Log the session as it is, but for its filters and messages.
    fn log_session(&self, state: &State, now: Now, effects: &mut Effects) {
        self.log(effects, |_| Record::Session(Box::new(self.record(state, now))));
    }

    fn record(&self, state: &State, now: Now) -> SessionRecord {
        let wall = |at: Option<Monotonic>| at.map(|at| now.wall + at.since(now.monotonic));
        SessionRecord {
            tenant: self.account.tenant,
            session: self.serial,
            client_id: self.client_id.clone(),
            identifier: self.identifier,
            version_number: state.version_number,
            profile: state.profile.name.into(),
            principal: state.trace.principal.clone(),
            expiry: state.expiry,
            presence: match state.connection {
                Some(_) => Presence::Connected,
                None => Presence::Absent {
                    ends_at: wall(state.away.ends_at),
                    will_at: wall(state.away.will_at),
                    unsent_from: state.outbound.unsent_from(),
                },
            },
            will: state.will.as_deref().cloned(),
        }
    }

    /// The session ends: nothing of it is delivered or remembered any more.
    pub(super) fn end(
        self: &Arc<Self>,
        state: &mut State,
        around: Surroundings<'_>,
        after: &mut Aftermath,
        effects: &mut Effects,
    ) {
        if !std::mem::replace(&mut state.alive, false) {
            return;
        }
        after.will = after.will.take().or(state.will.take());
        after.filters = self.filters.lock().take().unwrap_or_default();
        after.ended = true;
        self.log(effects, |session| Record::SessionEnded {
            tenant: self.account.tenant,
            session,
            topic_filters: after.filters.keys().cloned().collect(),
        });
        let withdraw = |outbound: &mut Outbound| outbound.withdraw(None, true);
        after.undelivered = state.outbound.get_mut().map_or_else(Vec::new, withdraw);
        (state.outbound, state.inbound, state.fetches) = Default::default();
        state.nothing_is_due();
        self.schedule(state, around);
        self.update_load(state);
        self.account.memory.change(std::mem::take(&mut state.reported), 0);
    }

    fn move_epoch(&self) -> u64 {
        self.epoch.fetch_add(1, Release) + 1
    }
}
