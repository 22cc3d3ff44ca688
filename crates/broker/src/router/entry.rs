//! Who subscribed with one filter.

use std::{slice, sync::Arc};

use super::{Group, Subscriber};
use crate::session::Session;

/// Who subscribed with one filter: mostly one session, which stands where the filter does.
#[derive(Debug, Default)]
pub(crate) enum Entry {
    #[default]
    Nobody,
    One(Subscriber),
    Several(Box<Several>),
}

/// More than one session, or shared groups.
#[derive(Debug, Default)]
pub(crate) struct Several {
    subscribers: Vec<Subscriber>,
    groups: Vec<Arc<Group>>,
}

impl Entry {
    pub(super) fn is_empty(&self) -> bool {
        self.subscribers().is_empty() && self.groups().is_empty()
    }

    pub(super) fn subscribers(&self) -> &[Subscriber] {
        match self {
            Self::Nobody => &[],
            Self::One(subscriber) => slice::from_ref(subscriber),
            Self::Several(several) => &several.subscribers,
        }
    }

    pub(super) fn groups(&self) -> &[Arc<Group>] {
        match self {
            Self::Nobody | Self::One(_) => &[],
            Self::Several(several) => &several.groups,
        }
    }

    /// Add a subscription, or replace the session's one; whether it is new.
    pub(super) fn subscribe(&mut self, subscriber: Subscriber) -> bool {
        let known = self.position(&subscriber.session);
        match (self, known) {
            (Self::Several(several), Some(at)) => several.subscribers[at] = subscriber,
            (Self::Several(several), None) => push_tight(&mut several.subscribers, subscriber),
            (entry @ (Self::Nobody | Self::One(_)), Some(_)) => *entry = Self::One(subscriber),
            (entry @ Self::Nobody, None) => *entry = Self::One(subscriber),
            (entry @ Self::One(_), None) => entry.several().subscribers.push(subscriber),
        }
        known.is_none()
    }

    /// End the session's subscription; whether there was one.
    pub(super) fn unsubscribe(&mut self, session: &Arc<Session>) -> bool {
        let Some(at) = self.position(session) else { return false };
        match self {
            Self::Nobody | Self::One(_) => *self = Self::Nobody,
            Self::Several(several) => {
                several.subscribers.swap_remove(at);
                self.tighten();
            }
        }
        true
    }

    /// The group with this name.
    pub(super) fn group(&self, share_name: &str) -> Option<&Arc<Group>> {
        self.groups().iter().find(|group| group.share_name() == share_name)
    }

    pub(super) fn add_group(&mut self, group: Arc<Group>) {
        push_tight(&mut self.several().groups, group);
    }

    pub(super) fn remove_group(&mut self, group: &Arc<Group>) {
        if let Self::Several(several) = self {
            several.groups.retain(|known| !Arc::ptr_eq(known, group));
            self.tighten();
        }
    }

    fn position(&self, session: &Arc<Session>) -> Option<usize> {
        self.subscribers().iter().position(|subscriber| Arc::ptr_eq(&subscriber.session, session))
    }

    /// The same with room for more; never left without any.
    fn several(&mut self) -> &mut Several {
        if let Self::Nobody | Self::One(_) = self {
            let subscribers = Vec::from(self.subscribers());
            *self = Self::Several(Box::new(Several { subscribers, groups: Vec::new() }));
        }
        match self {
            Self::Several(several) => several,
            Self::Nobody | Self::One(_) => unreachable!("it was made just now"),
        }
    }

    /// One session or none needs no room.
    fn tighten(&mut self) {
        match (self.subscribers(), self.groups()) {
            ([], []) => *self = Self::Nobody,
            ([subscriber], []) => *self = Self::One(subscriber.clone()),
            _ => {}
        }
    }
}

/// Most vectors here stay at one element: grow from none to one, then as usual.
fn push_tight<T>(list: &mut Vec<T>, element: T) {
    if list.capacity() == 0 {
        list.reserve_exact(1);
    }
    list.push(element);
}
