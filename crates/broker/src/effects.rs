//! What follows from handling packets: a buffer that a core owns, fills during a turn and empties after it.

use std::sync::Arc;

use tidegate_ids::Tenant;
use tidegate_mqtt::ReasonCode;

use crate::{
    Counters, Exceeded, LifecycleEvent, Narrated, Quota, Token, Verbosity, narration::Narration, persist::Waiting,
    quota::Excesses,
};

/// Where a link lives: a slot of a core. The gateway chooses it before CONNECT is handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LinkAddress {
    /// The core.
    pub core: u16,
    /// The slot in that core's slab.
    pub slot: u32,
}

/// What follows from handling packets.
///
/// Filled by most methods of `Broker`; the caller empties it once per turn: [`Broker::hand_over`](crate::Broker::hand_over)
/// for links of other cores, [`Effects::take_dirty`] for its own, [`Effects::take_token`], [`Effects::take_events`].
/// What is not taken stays and adds up; what is dropped with the buffer is lost. All its buffers are reused.
#[derive(Debug, Default)]
pub struct Effects {
    core: Option<u16>,
    dirty: Vec<u32>,
    pub(crate) elsewhere: Vec<LinkAddress>,
    pub(crate) events: Vec<LifecycleEvent>,
    pub(crate) token: Token,
    pub(crate) counters: Counters,
    pub(crate) excesses: Excesses,
    narration: Narration,
    buffers: Vec<Vec<u8>>,
    /// Capacity of all spare buffers.
    buffers_bytes: usize,
}

impl Effects {
    /// Capacity of all spare buffers, and of one; what exceeds it is freed.
    const BUFFERS_BYTES_MAX: usize = 4 * 1024 * 1024;
    const BUFFER_BYTES_MAX: usize = 64 * 1024;

    /// The effects of core `core`.
    pub fn new(core: u16) -> Self {
        let mut effects = Self::default();
        effects.core = Some(core);
        effects
    }

    /// For callers that are no core: API threads, schedulers. They owe one call,
    /// [`Broker::hand_over`](crate::Broker::hand_over), which gives everything to the cores: links to their own, events and
    /// token to the next one that hands over. Dropping it before is a bug that debug builds panic about: links would never
    /// be told of their end.
    pub fn outside() -> Self {
        Self::default()
    }

    /// Move the slots of this core's links that have output, or have come to their end, to the end of `slots`.
    /// A slot is listed once until its output was taken.
    pub fn take_dirty(&mut self, slots: &mut Vec<u32>) {
        slots.append(&mut self.dirty);
    }

    /// Take what waits for records to be durable: owed to `Broker::persisted` or `Broker::persist_failed` once all that
    /// `Broker::take_records` gives is. `None` when nothing was logged, as always when the broker keeps nothing durable.
    pub fn take_token(&mut self) -> Option<Token> {
        (!self.token.is_empty()).then(|| std::mem::take(&mut self.token))
    }

    /// Move the lifecycle events, in order, to the end of `events`.
    pub fn take_events(&mut self, events: &mut Vec<LifecycleEvent>) {
        events.append(&mut self.events);
    }

    /// Move what ran into quotas to the end of `excesses`. What callers that are no core ran into is not told.
    pub fn take_excesses(&mut self, excesses: &mut Vec<Exceeded>) {
        self.excesses.take(excesses);
    }

    /// How much is told by [`take_narrated`](Self::take_narrated) from now on.
    pub fn narrate(&mut self, verbosity: Verbosity) {
        self.narration.verbosity = verbosity;
    }

    /// Move what clients did to the end of `told`; how much of it had no room. What callers that are no core did is not told.
    pub fn take_narrated(&mut self, told: &mut Vec<Narrated>) -> u64 {
        self.narration.take(told)
    }

    /// Whether so much is told.
    pub(crate) fn tells(&self, verbosity: Verbosity) -> bool {
        self.narration.verbosity >= verbosity
    }

    /// Tell of something.
    pub(crate) fn tell(&mut self, narrated: Narrated) {
        self.narration.tell(narrated);
    }

    /// Note that `client_id` ran into `quota`.
    #[cold]
    pub(crate) fn exceed(&mut self, quota: Quota, tenant: Tenant, client_id: &Arc<str>) {
        self.excesses.note(quota, tenant, client_id);
    }

    /// Call `answer` once all that was logged so far is durable, with `Success`; at once when nothing was. As for
    /// [`Broker::publish_from_outside`](crate::Broker::publish_from_outside), it must not block.
    pub fn when_durable(&mut self, answer: impl FnOnce(ReasonCode) + Send + 'static) {
        if self.token.logged {
            self.token.waiting.push(Waiting(Box::new(answer)));
        } else {
            answer(ReasonCode::Success);
        }
    }

    /// Give back a buffer that `Link::take_output` filled, so that the next outbox need not allocate.
    pub fn recycle(&mut self, mut buffer: Vec<u8>) {
        let bytes = buffer.capacity();
        let worth_keeping = (1..=Self::BUFFER_BYTES_MAX).contains(&bytes);
        if worth_keeping && self.buffers_bytes + bytes <= Self::BUFFERS_BYTES_MAX {
            buffer.clear();
            self.buffers_bytes += bytes;
            self.buffers.push(buffer);
        }
    }

    /// An empty buffer, with capacity when one is spare.
    pub(crate) fn buffer(&mut self) -> Vec<u8> {
        let buffer = self.buffers.pop().unwrap_or_default();
        self.buffers_bytes -= buffer.capacity();
        buffer
    }

    pub(crate) fn mark_dirty(&mut self, address: LinkAddress) {
        if self.core == Some(address.core) {
            self.dirty.push(address.slot);
        } else {
            self.elsewhere.push(address);
        }
    }

    pub(crate) fn is_outside(&self) -> bool {
        self.core.is_none()
    }

    pub(crate) fn event(&mut self, event: LifecycleEvent) {
        self.events.push(event);
    }
}

impl Drop for Effects {
    fn drop(&mut self) {
        let handed_over = self.elsewhere.is_empty() && self.events.is_empty() && self.token.is_empty();
        debug_assert!(
            !self.is_outside() || handed_over || std::thread::panicking(),
            "effects from outside of the cores are handed over"
        );
    }
}
