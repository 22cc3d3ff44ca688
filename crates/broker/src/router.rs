//! Who gets what is published: exact filters in hash maps, wildcard filters in a tree, shared groups in both.

mod entry;
mod group;
mod trie;

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Acquire, Ordering::Relaxed, Ordering::Release},
    },
};

use parking_lot::RwLock;
use tidegate_mqtt::{QoS, topic};

use entry::Entry;
pub(crate) use group::Group;
use group::Left;
use trie::Trie;

use crate::{levels::topic_hash, receive::Asked, session::Session};

/// "No node."
const NONE: u32 = u32::MAX;
/// Stripes of the exact filters: each has a lock and a generation of its own.
const STRIPES: usize = 64;
/// Shared groups on one filter.
const GROUPS_PER_FILTER_MAX: usize = 1000;

/// The subscriptions of one tenant.
///
/// Reads take one or two read locks for the length of a lookup; publishers cache what they read beside its [`Version`].
/// **Invariant:** a change is visible before its generation moves, and its generation moves before SUBACK.
#[derive(Debug)]
pub(crate) struct Router {
    exact: Box<[Stripe]>,
    wild: RwLock<Trie>,
    wild_generation: AtomicU64,
    /// How many there are, members of groups included.
    subscriptions: AtomicUsize,
    /// How many shared groups there are.
    groups: AtomicUsize,
}

#[derive(Debug, Default)]
struct Stripe {
    filters: RwLock<HashMap<Arc<str>, Entry>>,
    generation: AtomicU64,
}

/// One subscription, as the router knows it.
#[derive(Debug, Clone)]
pub(crate) struct Subscriber {
    pub(crate) session: Arc<Session>,
    pub(crate) identifier: Option<NonZeroU32>,
    pub(crate) options: Options,
}

/// Options of a subscription that matter when something is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Options {
    /// The granted QoS.
    pub(crate) qos: QoS,
    /// Not for messages of the subscriber's own connection.
    pub(crate) no_local: bool,
    /// RETAIN is forwarded as published.
    pub(crate) retain_as_published: bool,
    /// A final `/#` also matches its parent level: a matter of the subscriber's profile.
    pub(crate) parent_level: bool,
}

/// The state of the subscriptions that a topic name depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Version {
    wild: u64,
    exact: u64,
}

/// Who gets messages of one topic name.
#[derive(Debug, Default)]
pub(crate) struct Route {
    pub(crate) targets: Box<[Target]>,
    pub(crate) groups: Box<[Sharing]>,
}

/// One session that gets one copy, however many of its filters match.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) session: Arc<Session>,
    pub(crate) qos: QoS,
    pub(crate) retain_as_published: bool,
    pub(crate) whose: Whose,
    pub(crate) identifiers: Option<Box<[NonZeroU32]>>,
    /// Whether it may have messages of this topic name.
    pub(crate) asked: Asked<1>,
}

/// One shared group, of which one member gets a copy.
#[derive(Debug)]
pub(crate) struct Sharing {
    pub(crate) group: Arc<Group>,
    /// Which members may have messages of this topic name.
    pub(crate) asked: Asked<8>,
}

/// Which publishers' messages a target gets: No Local, worked out for overlapping subscriptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    Any,
    Others,
    Own,
}

/// Whether a filter gained its first subscription of this node, or lost its last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interest {
    Unchanged,
    Begins,
    Ends,
}

/// Why a subscription cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GroupFull;

impl Default for Router {
    fn default() -> Self {
        Self {
            exact: (0..STRIPES).map(|_| Stripe::default()).collect(),
            wild: RwLock::default(),
            wild_generation: AtomicU64::default(),
            subscriptions: AtomicUsize::new(0),
            groups: AtomicUsize::new(0),
        }
    }
}

impl Router {
    /// How many subscriptions there are, members of groups included.
    pub(crate) fn subscription_count(&self) -> usize {
        self.subscriptions.load(Relaxed)
    }

    fn stripe(&self, hash: u64) -> &Stripe {
        &self.exact[hash as usize % STRIPES]
    }

    /// The version of what `topic_name`, whose `topic_hash` is `hash`, depends on. Two loads.
    pub(crate) fn version(&self, hash: u64) -> Version {
        Version { wild: self.wild_generation.load(Acquire), exact: self.stripe(hash).generation.load(Acquire) }
    }

    /// Add a subscription, or replace the session's one with the same filter.
    pub(crate) fn subscribe(&self, filter: &Arc<str>, subscriber: Subscriber) -> Interest {
        self.change(filter, filter, true, |entry| {
            let begins = entry.is_empty();
            if entry.subscribe(subscriber) {
                self.subscriptions.fetch_add(1, Relaxed);
            }
            if begins { Interest::Begins } else { Interest::Unchanged }
        })
        .expect("a missing entry was made")
    }

    /// End a session's subscription.
    pub(crate) fn unsubscribe(&self, filter: &str, session: &Arc<Session>) -> Interest {
        self.change(filter, &filter.into(), false, |entry| {
            if !entry.unsubscribe(session) {
                return Interest::Unchanged;
            }
            self.subscriptions.fetch_sub(1, Relaxed);
            if entry.is_empty() { Interest::Ends } else { Interest::Unchanged }
        })
        .unwrap_or(Interest::Unchanged)
    }

    /// Join the group `share_name` on `filter`, or replace the options of a member.
    pub(crate) fn join(
        &self,
        share_name: &str,
        filter: &Arc<str>,
        member: Subscriber,
        members_max: usize,
        groups_max: usize,
    ) -> Result<Interest, GroupFull> {
        self.change(filter, filter, true, |entry| {
            let begins = entry.is_empty();
            match entry.group(share_name) {
                Some(group) => {
                    if !group.join(member, members_max)? {
                        return Ok(Interest::Unchanged);
                    }
                }
                None if entry.groups().len() >= GROUPS_PER_FILTER_MAX => return Err(GroupFull),
                None if self.groups.load(Relaxed) >= groups_max => return Err(GroupFull),
                None => {
                    entry.add_group(Arc::new(Group::new(share_name, filter, member)));
                    self.groups.fetch_add(1, Relaxed);
                }
            }
            self.subscriptions.fetch_add(1, Relaxed);
            Ok(if begins { Interest::Begins } else { Interest::Unchanged })
        })
        .expect("a missing entry was made")
    }

    /// Leave the group `share_name` on `filter`; the group, if there is one.
    pub(crate) fn leave(
        &self,
        share_name: &str,
        filter: &str,
        session: &Arc<Session>,
    ) -> (Interest, Option<Arc<Group>>) {
        self.change(filter, &filter.into(), false, |entry| {
            let Some(group) = entry.group(share_name).cloned() else { return (Interest::Unchanged, None) };
            let Left { was_member, is_empty } = group.leave(session);
            if was_member {
                self.subscriptions.fetch_sub(1, Relaxed);
            }
            if is_empty {
                entry.remove_group(&group);
                self.groups.fetch_sub(1, Relaxed);
            }
            (if entry.is_empty() { Interest::Ends } else { Interest::Unchanged }, Some(group))
        })
        .unwrap_or((Interest::Unchanged, None))
    }

    /// Let the group `share_name` on `filter` notice that `session` returned.
    pub(crate) fn notice_return(&self, share_name: &str, filter: &str, session: &Session) {
        if let Some(group) = self.group(share_name, filter) {
            group.look_at(session);
        }
    }

    /// The group `share_name` on `filter`.
    pub(crate) fn group(&self, share_name: &str, filter: &str) -> Option<Arc<Group>> {
        let find = |entry: &Entry| entry.group(share_name).cloned();
        if topic::has_wildcard(filter) {
            self.wild.read().find(filter).and_then(find)
        } else {
            self.stripe(topic_hash(filter)).filters.read().get(filter).and_then(find)
        }
    }

    /// Change the entry of a filter and move the generation. `None`: there is none, and `make` is false.
    fn change<T>(&self, filter: &str, owned: &Arc<str>, make: bool, change: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        if topic::has_wildcard(filter) {
            let mut trie = self.wild.write();
            if make {
                trie.entry(filter);
            }
            // It is forgotten again if it is still empty afterwards.
            let result = trie.change(filter, change);
            self.wild_generation.fetch_add(1, Release);
            return result;
        }
        let stripe = self.stripe(topic_hash(filter));
        let mut filters = stripe.filters.write();
        if make {
            filters.entry(owned.clone()).or_default();
        }
        let entry = filters.get_mut(filter)?;
        let result = change(entry);
        if entry.is_empty() {
            filters.remove(filter);
        }
        stripe.generation.fetch_add(1, Release);
        Some(result)
    }

    /// Entries, nodes, edges and levels of all kinds.
    #[cfg(test)]
    pub(crate) fn part_count(&self) -> usize {
        let exact: usize = self.exact.iter().map(|stripe| stripe.filters.read().len()).sum();
        exact + self.wild.read().part_count()
    }

    /// Who gets messages of `topic_name` now.
    pub(crate) fn route(&self, topic_name: &str, hash: u64) -> Route {
        let mut matched = Vec::new();
        let mut groups = Vec::new();
        let mut filters = 0;
        {
            let exact = self.stripe(hash).filters.read();
            if let Some(entry) = exact.get(topic_name) {
                filters += 1;
                matched.extend_from_slice(entry.subscribers());
                groups.extend_from_slice(entry.groups());
            }
        }
        self.wild.read().matching(topic_name, |entry, by_parent| {
            filters += 1;
            let wants = |subscriber: &&Subscriber| !by_parent || subscriber.options.parent_level;
            matched.extend(entry.subscribers().iter().filter(wants).cloned());
            groups.extend(entry.groups().iter().filter(|group| !by_parent || group.parent_level()).cloned());
        });
        let targets = if filters > 1 { merge(matched) } else { matched.into_iter().map(Target::from).collect() };
        Route { targets, groups: groups.into_iter().map(Sharing::from).collect() }
    }
}

impl From<Subscriber> for Target {
    fn from(Subscriber { session, identifier, options }: Subscriber) -> Self {
        Self {
            session,
            qos: options.qos,
            retain_as_published: options.retain_as_published,
            whose: if options.no_local { Whose::Others } else { Whose::Any },
            identifiers: identifier.map(|identifier| [identifier].into()),
            asked: Asked::default(),
        }
    }
}

/// One target per session: the highest QoS and all identifiers of its subscriptions.
///
/// Spec: 3.3.4, [MQTT-3.3.4-2], [MQTT-3.3.4-3] (5.0). A session whose subscriptions differ in No Local becomes two
/// targets, one for its own messages and one for those of others.
fn merge(mut matched: Vec<Subscriber>) -> Box<[Target]> {
    matched.sort_by_key(|subscriber| subscriber.session.serial());
    matched
        .chunk_by(|a, b| Arc::ptr_eq(&a.session, &b.session))
        .flat_map(|same| {
            let own = same.iter().filter(|subscriber| !subscriber.options.no_local).count();
            match own {
                n if n == same.len() => [Some(combine(same.iter(), Whose::Any)), None],
                0 => [Some(combine(same.iter(), Whose::Others)), None],
                _ => [
                    Some(combine(same.iter(), Whose::Others)),
                    Some(combine(same.iter().filter(|subscriber| !subscriber.options.no_local), Whose::Own)),
                ],
            }
        })
        .flatten()
        .collect()
}

fn combine<'a>(same: impl Iterator<Item = &'a Subscriber> + Clone, whose: Whose) -> Target {
    let identifiers: Box<[NonZeroU32]> = same.clone().filter_map(|subscriber| subscriber.identifier).collect();
    let first = same.clone().next().expect("a chunk is never empty");
    Target {
        session: first.session.clone(),
        qos: same.clone().map(|subscriber| subscriber.options.qos).max().expect("a chunk is never empty"),
        retain_as_published: same.clone().any(|subscriber| subscriber.options.retain_as_published),
        whose,
        identifiers: (!identifiers.is_empty()).then_some(identifiers),
        asked: Asked::default(),
    }
}

impl From<Arc<Group>> for Sharing {
    fn from(group: Arc<Group>) -> Self {
        Self { group, asked: Asked::default() }
    }
}

#[cfg(test)]
mod tests;
