//! The broker's end of one connection: what its owner alone touches, without a lock.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use tidegate_ids::{Monotonic, Now, Rate, Tenant};
use tidegate_mqtt::Version;

use crate::{
    CloseReason, Effects, LinkAddress, Narrated, Profile, Quota, Trace, Traffic, Verbosity,
    narration::{DENIALS_PER_SECOND, Denied},
    ports::{Access, Authorize},
    publish::PublishCache,
    seldom::Seldom,
    session::Session,
    tenant::TenantState,
};

/// One connection after CONNACK. Owned by the slot of its socket; the session outlives it.
#[derive(Debug)]
pub struct Link {
    pub(crate) tenant: Arc<TenantState>,
    pub(crate) session: Arc<Session>,
    /// Which connection of the session this is: the session's epoch has moved on when another took over.
    pub(crate) epoch: u64,
    pub(crate) address: LinkAddress,
    pub(crate) version: Version,
    pub(crate) profile: Arc<Profile>,
    pub(crate) rights: Rights,
    /// For what is told of it.
    pub(crate) trace: Arc<Trace>,
    /// Whether failures are explained in words.
    pub(crate) explains: bool,
    /// Refusals told in the last second.
    pub(crate) denials: Rate,
    pub(crate) cache: PublishCache,
    /// Topic names behind the client's aliases, by alias - 1.
    pub(crate) aliases: Seldom<Vec<Option<Box<str>>>>,
    /// Milliseconds that the client may be silent.
    pub(crate) silence_millis: Option<NonZeroU32>,
    /// PUBLISH packets, and bytes, of the last second.
    pub(crate) publishes: Rate,
    pub(crate) bytes: Rate,
    /// Whether its last message has to become durable.
    pub(crate) fills_the_log: bool,
}

/// A connection's policies; a wrapper for the sake of `Debug`.
#[derive(Clone)]
pub(crate) struct Rights(pub(crate) Arc<dyn Authorize>);

impl std::fmt::Debug for Rights {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rights(generation {})", self.0.generation())
    }
}

impl Rights {
    /// A refusal by these.
    pub(crate) fn denied(&self, access: Access, topic: &str) -> Denied {
        Denied { action: access.action(), topic: topic.into(), statement: self.0.denied_by(access, topic) }
    }
}

/// What [`Link::take_output`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// The buffer holds all there was, perhaps nothing.
    Drained,
    /// There is more: take it once the socket took this.
    More,
    /// The buffer holds all that may be sent now; there is more at this time, which nobody tells again.
    Later(Monotonic),
    /// The buffer holds the last bytes of this connection: it was taken over or closed by the broker. Write them if
    /// the socket takes them, close, and call `Broker::disconnected` with this reason.
    Ended(CloseReason),
}

impl Link {
    /// Take what is to be written, behind what `out` holds; without a copy when `out` is empty.
    ///
    /// Call it only when earlier output was written: what stays in the session counts towards its bounds. Pass a fresh
    /// `Vec` and give it back by `Effects::recycle`, so that an idle connection holds no buffer.
    pub fn take_output(&mut self, out: &mut Vec<u8>, now: Now, effects: &mut Effects) -> Output {
        let before = out.len();
        let (output, fetch) = self.session.take_output(self.epoch, out, now, effects);
        if let Some(fetch) = fetch {
            self.session.go_on_with(fetch, &self.tenant.retained, now, effects);
        }
        effects.counters.bytes_sent += (out.len() - before) as u64;
        output
    }

    /// Note that `bytes` arrived on this connection, packets in them handled or not.
    pub fn received(&mut self, bytes: usize, now: Now, effects: &mut Effects) {
        effects.counters.bytes_received += bytes as u64;
        if let Some(per_second) = self.profile.limits.bytes_per_second {
            self.bytes.owe(per_second, bytes, now.monotonic);
        }
    }

    /// When this connection may be read from again, if it sent more than its profile lets it in a second; `None`: now.
    ///
    /// AWS: general reference, "Throughput per second per connection": data that exceeds it is delayed.
    pub fn paused_until(&self, now: Now) -> Option<Monotonic> {
        self.bytes.settled_at(now.monotonic)
    }

    /// Note that the client ran into `quota`, where the edge is who notices: the size of packets, throughput.
    pub fn exceeded(&self, quota: Quota, effects: &mut Effects) {
        effects.exceed(quota, self.tenant.tenant, self.session.client_id());
    }

    /// Tell what the client did, if so much is told.
    pub(crate) fn tell(&self, verbosity: Verbosity, what: impl FnOnce() -> Traffic, effects: &mut Effects) {
        if effects.tells(verbosity) {
            effects.tell(self.narrated(what(), None));
        }
    }

    /// Tell that a policy refused what the client did, unless that was told often in this second.
    pub(crate) fn tell_denied(
        &mut self,
        what: impl FnOnce() -> Traffic,
        (access, topic): (Access, &str),
        now: Now,
        effects: &mut Effects,
    ) {
        if self.denials.take(DENIALS_PER_SECOND, now.monotonic) {
            let denied = self.rights.denied(access, topic);
            effects.tell(self.narrated(what(), Some(denied)));
        }
    }

    fn narrated(&self, what: Traffic, denied: Option<Denied>) -> Narrated {
        Narrated {
            tenant: self.tenant.tenant,
            client_id: self.session.client_id().clone(),
            trace: Some(self.trace.clone()),
            what,
            denied,
        }
    }

    /// Why the broker ended this connection, if it did: then nothing that arrives counts any more. A client that was
    /// revoked should go at once, even if its socket does not take its last packet. One load while it has not ended.
    pub fn ended(&self) -> Option<CloseReason> {
        (!self.session.is_current(self.epoch)).then(|| self.session.ended_because(self.epoch))
    }

    /// How long the client may be silent: one and a half times its Keep Alive, as the profile adjusted it; `None`: for ever.
    ///
    /// Spec: [MQTT-3.1.2-22] (5.0), [MQTT-3.1.2-24] (3.1.1).
    pub fn silence_limit(&self) -> Option<Duration> {
        self.silence_millis.map(|millis| Duration::from_millis(u64::from(millis.get())))
    }

    /// Whether its last message has to become durable: while [`Broker::is_behind`](crate::Broker::is_behind) it should not
    /// be read from.
    pub fn fills_the_log(&self) -> bool {
        self.fills_the_log
    }

    /// The client's name.
    pub fn client_id(&self) -> &Arc<str> {
        self.session.client_id()
    }

    /// Whose client it is.
    pub fn tenant(&self) -> Tenant {
        self.tenant.tenant
    }

    /// What log entries say about it.
    pub fn trace(&self) -> &Arc<Trace> {
        &self.trace
    }

    /// The protocol version, for decoding what follows.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The profile of this connection.
    pub fn profile(&self) -> &Arc<Profile> {
        &self.profile
    }

    /// Where the link lives.
    pub fn address(&self) -> LinkAddress {
        self.address
    }
}
