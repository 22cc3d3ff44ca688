//! What a core lends to the slot whose turn it is.

use std::sync::Arc;

use tidegate_broker::{Effects, Exceeded, LifecycleEvent, Narrated, Quota, Verbosity, events::wire};
use tidegate_ids::{Now, Tenant};
use tidegate_logs::{LogLevel, Repeated};

use super::Shared;
use crate::{connection_log::Scribe, identifiers::Identifiers, traffic_log};

/// Most bytes read from one connection in a turn.
pub(crate) const READ_BYTES_MAX: usize = 64 * 1024;
/// Largest buffer that is kept for the next turn.
const KEPT_BYTES_MAX: usize = 256 * 1024;

/// The core's own things that every turn uses: the time, the effects, and buffers that all its connections share.
pub(crate) struct Desk {
    pub(crate) id: u16,
    pub(crate) shared: Arc<Shared>,
    /// Read once per turn.
    pub(crate) now: Now,
    pub(crate) effects: Effects,
    /// What was read from a socket.
    pub(crate) read: Box<[u8]>,
    /// What TLS made of it.
    pub(crate) plain: Vec<u8>,
    /// What WebSocket frames carried.
    pub(crate) payload: Vec<u8>,
    /// What TLS made of what a session has to say.
    pub(crate) records: Vec<u8>,
    pub(crate) identifiers: Identifiers,
    events: Vec<LifecycleEvent>,
    excesses: Vec<Exceeded>,
    narrated: Vec<Narrated>,
    /// Clients and quotas that the log was told of.
    quota_log: Repeated<(Tenant, Arc<str>, Quota)>,
}

impl Desk {
    pub(crate) fn new(id: u16, shared: Arc<Shared>) -> Self {
        Self {
            id,
            now: shared.clock.now(),
            shared,
            effects: Effects::new(id),
            read: vec![0; READ_BYTES_MAX].into_boxed_slice(),
            plain: Vec::new(),
            identifiers: Identifiers::new(),
            events: Vec::new(),
            excesses: Vec::new(),
            narrated: Vec::new(),
            quota_log: Repeated::default(),
            records: Vec::new(),
            payload: Vec::new(),
        }
    }

    pub(crate) fn clock_now(&self) -> Now {
        self.shared.clock.now()
    }

    pub(crate) fn look_at_clock(&mut self) {
        self.now = self.clock_now();
        let book = &self.shared.book;
        self.effects.narrate(match (book.wants(LogLevel::Debug), book.wants(LogLevel::Info)) {
            (true, _) => Verbosity::All,
            (false, true) => Verbosity::Successes,
            (false, false) => Verbosity::Refusals,
        });
    }

    /// Who writes log entries now.
    pub(crate) fn scribe(&self) -> Scribe<'_> {
        Scribe { book: &self.shared.book, at: self.now.wall }
    }

    /// Puts back what a panic may have taken along.
    pub(crate) fn mend(&mut self) {
        if self.read.is_empty() {
            self.read = vec![0; READ_BYTES_MAX].into_boxed_slice();
        }
        self.plain.clear();
        self.records.clear();
        self.payload.clear();
    }

    /// Gives what follows from handling packets to the broker, lifecycle events as publishes among it.
    ///
    /// AWS: "Lifecycle events": best effort, in the account of the client only. Unverified: their QoS.
    pub(crate) fn hand_over(&mut self) {
        let Self { shared, effects, events, excesses, narrated, quota_log, now, .. } = self;
        shared.broker.hand_over(effects);
        effects.take_excesses(excesses);
        let scribe = Scribe { book: &shared.book, at: now.wall };
        for exceeded in excesses.drain(..) {
            let about = (exceeded.tenant, exceeded.client_id.clone(), exceeded.quota);
            if let Some(times) = quota_log.note(about, exceeded.times, now.monotonic) {
                scribe.throttled(&exceeded, times);
            }
        }
        let untold = effects.take_narrated(narrated);
        if untold > 0 {
            shared.book.drop_entries(untold);
        }
        narrated.drain(..).for_each(|one| traffic_log::write(&shared.book, one, now.wall));
        effects.take_events(events);
        if events.is_empty() {
            return;
        }
        for event in events.drain(..) {
            let Some(topic_name) = wire::topic(&event) else { continue };
            shared.broker.announce(event.tenant, &topic_name, || wire::json(&event), *now, effects);
        }
        shared.broker.hand_over(effects);
    }

    /// Leaves what waits for the disk with the journal.
    pub(crate) fn hand_to_journal(&mut self) {
        if let Some(tray) = &self.shared.tray
            && let Some(token) = self.effects.take_token()
        {
            tray.leave(token);
        }
    }

    /// Lets go of buffers that one large message has made large.
    pub(crate) fn tidy(&mut self) {
        for buffer in [&mut self.plain, &mut self.payload, &mut self.records] {
            if buffer.capacity() > KEPT_BYTES_MAX {
                *buffer = Vec::new();
            }
        }
    }
}
