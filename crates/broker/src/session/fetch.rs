//! Retained messages that new subscriptions bring: searched for in slices, as the client takes what was found.

use std::{collections::VecDeque, num::NonZeroU32, sync::Arc};

use tidegate_ids::Now;
use tidegate_mqtt::QoS;

use super::{Offer, Session, State};
use crate::{
    Effects,
    levels::topic_hash,
    message::Images,
    retained::{Retained, Walk},
    seldom::{Blank, Seldom},
};

/// Retained messages found for one session at once, and nodes looked at for that: what a turn may cost.
const MESSAGES_MAX: usize = 128;
const NODES_MAX: usize = 1024;

/// The search that one subscription began.
#[derive(Debug)]
pub(crate) struct Fetch {
    pub(crate) topic_filter: Arc<str>,
    pub(crate) walk: Walk,
    pub(crate) granted: QoS,
    pub(crate) no_local: bool,
    pub(crate) identifier: Option<NonZeroU32>,
}

impl Blank for VecDeque<Box<Fetch>> {
    const BLANK: &'static Self = &Self::new();
}

impl State {
    /// The search for retained messages that is next.
    pub(super) fn next_fetch(&mut self) -> Option<Box<Fetch>> {
        let next = self.fetches.get_mut()?.pop_front();
        if self.fetches.is_empty() {
            self.fetches = Seldom::default();
        }
        next
    }
}

impl Session {
    /// Search for what these filters match, from the beginning: one search for each filter. The session keeps it over a
    /// reconnect. Bounded by its subscriptions.
    pub(crate) fn begin_fetches(&self, fetches: impl Iterator<Item = Fetch>, effects: &mut Effects) {
        let mut state = self.state.lock();
        if !state.alive {
            return;
        }
        for fetch in fetches {
            // Whoever subscribes again gets each message at least once from then on.
            let fetches = state.fetches.make();
            fetches.retain(|other| other.topic_filter != fetch.topic_filter);
            fetches.push_back(Box::new(fetch));
        }
        if let (false, Some(connection)) = (state.fetches.is_empty(), &mut state.connection) {
            connection.mark_dirty(effects);
        }
    }

    /// Find what one slice holds at once, so that few messages come before whatever is published later.
    pub(crate) fn find_first(self: &Arc<Self>, retained: &Retained, now: Now, effects: &mut Effects) {
        let mut found = 0;
        while found < MESSAGES_MAX {
            let mut state = self.state.lock();
            let has_room = state.connection.is_some() && state.outbound.backlog() == 0;
            let next = if has_room { state.next_fetch() } else { None };
            let Some(fetch) = next else { return };
            drop(state);
            // What finds nothing has looked at something.
            found += 1 + self.go_on_with(fetch, retained, now, effects);
        }
    }

    /// Go on with a search that [`take_output`](Self::take_output) gave, for one slice; how much that found.
    ///
    /// Offered while the retained messages cannot change: a newer one is routed after it is retained, so it comes after the
    /// older one here.
    pub(crate) fn go_on_with(
        self: &Arc<Self>,
        mut fetch: Box<Fetch>,
        retained: &Retained,
        now: Now,
        effects: &mut Effects,
    ) -> usize {
        let mut found = 0;
        let Fetch { walk, granted, no_local, identifier, .. } = &mut *fetch;
        retained.walk(walk, MESSAGES_MAX, NODES_MAX, |message, publisher| {
            if *no_local && publisher == Some(self.client_id()) {
                return; // Spec: [MQTT-3.8.3-3] (5.0).
            }
            let topic_name = message.message.topic_name();
            let offer = Offer {
                message,
                topic_name,
                hash: topic_hash(topic_name),
                qos: message.qos.min(*granted),
                retain: true,
                identifiers: identifier.as_slice(),
                is_retained: true,
                group: None,
                asked: &[],
                now,
            };
            self.offer(&offer, &mut Images::default(), effects);
            found += 1;
        });
        if !fetch.walk.is_over() {
            let mut state = self.state.lock();
            let begun_anew = state.fetches.iter().any(|other| other.topic_filter == fetch.topic_filter);
            if state.alive && !begun_anew {
                state.fetches.make().push_front(fetch);
            }
        }
        found
    }
}
