//! The retained messages of one tenant, in a tree of topic levels that wildcard filters walk.

mod walk;

use std::{collections::BTreeSet, sync::Arc};

use parking_lot::RwLock;
use slab::Slab;
use tidegate_ids::{Monotonic, Now, Timestamp};
use tidegate_mqtt::topic;

use crate::{
    levels::{Level, Levels, OrderedEdges},
    memory::Memory,
    message::Stamped,
};

pub(crate) use walk::Walk;

const NONE: u32 = u32::MAX;
const ROOT: u32 = 0;

/// The last retained message of each topic name.
#[derive(Debug, Default)]
pub(crate) struct Retained(RwLock<Tree>, Arc<Memory>);

#[derive(Debug)]
struct Tree {
    levels: Levels,
    edges: OrderedEdges,
    nodes: Slab<Node>,
    /// Nodes that ever were, the root apart.
    serial: u64,
    messages: usize,
    /// What these hold.
    bytes: usize,
    /// Nodes whose messages expire, by when.
    expiring: BTreeSet<(Monotonic, u32)>,
}

/// One level of some topic name.
#[derive(Debug)]
struct Node {
    parent: u32,
    level: Option<Level>,
    children: u32,
    /// Which node it is: numbers are used again.
    serial: u64,
    kept: Option<Kept>,
}

#[derive(Debug)]
struct Kept {
    message: Arc<Stamped>,
    /// When it was published.
    at: Now,
    /// The client id behind it, for No Local.
    publisher: Option<Arc<str>>,
}

/// A change of what is retained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told<'a> {
    /// The message is retained now.
    Set,
    /// Nothing is retained under this topic name any more.
    Deleted(&'a str),
}

impl Default for Tree {
    fn default() -> Self {
        let mut nodes = Slab::new();
        nodes.insert(Node { parent: NONE, level: None, children: 0, serial: 0, kept: None });
        Self {
            levels: Levels::default(),
            edges: OrderedEdges::default(),
            serial: 0,
            nodes,
            messages: 0,
            bytes: 0,
            expiring: BTreeSet::new(),
        }
    }
}

impl Retained {
    /// None, counted for this budget.
    pub(crate) fn new(memory: Arc<Memory>) -> Self {
        Self(RwLock::default(), memory)
    }

    /// When the message of `topic_name` was retained, if there is one.
    pub(crate) fn retained_at(&self, topic_name: &str) -> Option<Now> {
        let tree = self.0.read();
        tree.find(topic_name).and_then(|node| tree.kept(node)).map(|kept| kept.at)
    }

    /// Make `message` of client `publisher` the retained message of its topic name, as one of any number: the memory budget
    /// bounds them. Some of those that have expired are forgotten first. `told` hears of every change while nothing else can.
    pub(crate) fn set(&self, message: Stamped, publisher: Option<Arc<str>>, now: Now, told: impl Fn(Told<'_>)) {
        let mut tree = self.0.write();
        let before = tree.bytes;
        tree.drop_expired(now.monotonic, &told);
        self.1.change(before, tree.bytes);
        let before = tree.bytes;
        let node = tree.make(message.message.topic_name());
        tree.take(node);
        tree.expiring.extend(message.expires_at.map(|at| (at, node)));
        tree.bytes += message.message.held_bytes();
        tree.nodes[node as usize].kept = Some(Kept { message: Arc::new(message), at: now, publisher });
        tree.messages += 1;
        self.1.change(before, tree.bytes);
        told(Told::Set);
    }

    /// Delete the retained message of `topic_name`; whether there was one. `told` hears of it in any case, since an
    /// earlier deletion may not be durable yet.
    pub(crate) fn delete(&self, topic_name: &str, told: impl Fn(Told<'_>)) -> bool {
        let mut tree = self.0.write();
        told(Told::Deleted(topic_name));
        let Some(node) = tree.find(topic_name) else { return false };
        let before = tree.bytes;
        let deleted = tree.take(node);
        self.1.change(before, tree.bytes);
        tree.prune(node);
        deleted
    }

    /// The retained message of `topic_name`.
    pub(crate) fn get(&self, topic_name: &str) -> Option<Arc<Stamped>> {
        let tree = self.0.read();
        tree.find(topic_name).and_then(|node| tree.message(node).cloned())
    }

    /// The same, with the time when it was published.
    pub(crate) fn get_with_time(&self, topic_name: &str) -> Option<(Arc<Stamped>, Timestamp)> {
        let tree = self.0.read();
        let kept = tree.find(topic_name).and_then(|node| tree.kept(node))?;
        Some((kept.message.clone(), kept.at.wall))
    }

    /// Up to `max` of them from place `from` on, and where to go on, if there is more; looks at `places_max` places at most.
    pub(crate) fn page(
        &self,
        from: u32,
        max: usize,
        places_max: usize,
    ) -> (Vec<(Arc<Stamped>, Timestamp)>, Option<u32>) {
        let tree = self.0.read();
        let end = tree.nodes.capacity();
        let mut found = Vec::new();
        let mut at = from as usize;
        let last = at.saturating_add(places_max).min(end);
        while at < last && found.len() < max {
            found.extend(
                tree.nodes.get(at).and_then(|node| node.kept.as_ref()).map(|kept| (kept.message.clone(), kept.at.wall)),
            );
            at += 1;
        }
        let next = u32::try_from(at).ok().filter(|_| at < end);
        (found, next)
    }

    /// Forget some of what has expired by `now`, of which `told` hears; whether there is more.
    pub(crate) fn sweep(&self, now: Monotonic, told: impl Fn(Told<'_>)) -> bool {
        let is_due = |tree: &Tree| tree.expiring.first().is_some_and(|(at, _)| *at <= now);
        if !is_due(&self.0.read()) {
            return false;
        }
        let mut tree = self.0.write();
        let before = tree.bytes;
        tree.drop_expired(now, &told);
        self.1.change(before, tree.bytes);
        is_due(&tree)
    }

    /// Nodes, edges, levels and deadlines.
    #[cfg(test)]
    pub(crate) fn part_count(&self) -> usize {
        let tree = self.0.read();
        tree.nodes.len() + tree.edges.len() + tree.levels.len() + tree.expiring.len()
    }

    /// Whether a message of `topic_name` would be one more than `messages_max`.
    pub(crate) fn is_full(&self, messages_max: usize, topic_name: &str) -> bool {
        if messages_max == usize::MAX {
            return false;
        }
        let tree = self.0.read();
        tree.messages >= messages_max && tree.find(topic_name).is_none_or(|node| tree.kept(node).is_none())
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.read().messages
    }
}

impl Tree {
    fn find(&self, topic_name: &str) -> Option<u32> {
        topic::levels(topic_name).try_fold(ROOT, |node, text| self.edges.get(node, self.levels.get(text)?))
    }

    fn make(&mut self, topic_name: &str) -> u32 {
        topic::levels(topic_name).fold(ROOT, |parent, text| {
            if let Some(child) = self.levels.get(text).and_then(|level| self.edges.get(parent, level)) {
                return child;
            }
            let level = self.levels.acquire(text);
            self.serial += 1;
            let node = Node { parent, level: Some(level), children: 0, serial: self.serial, kept: None };
            let child = u32::try_from(self.nodes.insert(node)).expect("fewer than 2^32 nodes fit in memory");
            self.nodes[parent as usize].children += 1;
            self.edges.insert(parent, level, child);
            child
        })
    }

    /// Remove `node` and its ancestors as far as nothing hangs on them.
    fn prune(&mut self, mut node: u32) {
        loop {
            let here = &self.nodes[node as usize];
            let Some(level) = here.level else { return };
            if here.children > 0 || here.kept.is_some() {
                return;
            }
            let parent = self.nodes.remove(node as usize).parent;
            self.nodes[parent as usize].children -= 1;
            self.edges.remove(parent, level);
            self.levels.release(level);
            node = parent;
        }
    }

    fn is_dollar(&self, node: u32) -> bool {
        self.nodes[node as usize].level.is_some_and(|level| self.levels.text(level).starts_with('$'))
    }

    fn message(&self, node: u32) -> Option<&Arc<Stamped>> {
        self.kept(node).map(|kept| &kept.message)
    }

    fn kept(&self, node: u32) -> Option<&Kept> {
        self.nodes[node as usize].kept.as_ref()
    }

    /// Take the message of `node` away; whether there was one.
    fn take(&mut self, node: u32) -> bool {
        let Some(kept) = self.nodes[node as usize].kept.take() else { return false };
        self.messages -= 1;
        self.bytes -= kept.message.message.held_bytes();
        if let Some(at) = kept.message.expires_at {
            self.expiring.remove(&(at, node));
        }
        true
    }

    /// Forget some of what has expired by `now`: more than one new message can add, and few enough that nobody waits.
    fn drop_expired(&mut self, now: Monotonic, told: &impl Fn(Told<'_>)) {
        for _ in 0..64 {
            let Some(&(at, node)) = self.expiring.first().filter(|(at, _)| *at <= now) else { return };
            if let Some(message) = self.message(node) {
                told(Told::Deleted(message.message.topic_name()));
            }
            let taken = self.take(node);
            debug_assert!(taken, "what expires at {at:?} is kept");
            self.prune(node);
        }
    }
}

#[cfg(test)]
mod tests;
