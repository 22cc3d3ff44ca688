//! The retained messages of one tenant, in a tree of topic levels that wildcard filters walk.

use std::{collections::BTreeSet, sync::Arc};

use parking_lot::RwLock;
use slab::Slab;
use tidegate_ids::{Monotonic, Now, Timestamp};
use tidegate_mqtt::topic;

use crate::{
    levels::{Edges, Level, Levels},
    memory::Memory,
    message::Stamped,
};

const NONE: u32 = u32::MAX;
const ROOT: u32 = 0;

/// The last retained message of each topic name.
#[derive(Debug, Default)]
pub(crate) struct Retained(RwLock<Tree>, Arc<Memory>);

#[derive(Debug)]
struct Tree {
    levels: Levels,
    edges: Edges,
    nodes: Slab<Node>,
    messages: usize,
    /// What these hold.
    bytes: usize,
    /// Nodes whose messages expire, by when.
    expiring: BTreeSet<(Monotonic, u32)>,
}

/// One level of some topic name. The children of a node are a list, so that a wildcard finds them.
#[derive(Debug)]
struct Node {
    parent: u32,
    level: Option<Level>,
    first_child: u32,
    next: u32,
    previous: u32,
    kept: Option<Kept>,
}

#[derive(Debug)]
struct Kept {
    message: Arc<Stamped>,
    /// When it was published; after a restart, when that was.
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

/// Why a message cannot be retained: there are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RetainedFull;

impl Default for Tree {
    fn default() -> Self {
        let mut nodes = Slab::new();
        nodes.insert(Node::new(NONE, None, NONE));
        Self {
            levels: Levels::default(),
            edges: Edges::default(),
            nodes,
            messages: 0,
            bytes: 0,
            expiring: BTreeSet::new(),
        }
    }
}

impl Node {
    fn new(parent: u32, level: Option<Level>, next: u32) -> Self {
        Self { parent, level, first_child: NONE, next, previous: NONE, kept: None }
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

    /// Make `message` of client `publisher` the retained message of its topic name, unless that would be one too many.
    /// Some of those that have expired are forgotten first. `told` hears of every change while nothing else can.
    pub(crate) fn set(
        &self,
        message: Stamped,
        publisher: Option<Arc<str>>,
        messages_max: usize,
        now: Now,
        told: impl Fn(Told<'_>),
    ) -> Result<(), RetainedFull> {
        let mut tree = self.0.write();
        let before = tree.bytes;
        tree.drop_expired(now.monotonic, &told);
        self.1.change(before, tree.bytes);
        let before = tree.bytes;
        if tree.messages >= messages_max && tree.find(message.message.topic_name()).is_none_or(|at| !tree.keeps(at)) {
            return Err(RetainedFull);
        }
        let node = tree.make(message.message.topic_name());
        tree.take(node);
        tree.expiring.extend(message.expires_at.map(|at| (at, node)));
        tree.bytes += message.message.held_bytes();
        tree.nodes[node as usize].kept = Some(Kept { message: Arc::new(message), at: now, publisher });
        tree.messages += 1;
        self.1.change(before, tree.bytes);
        told(Told::Set);
        Ok(())
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

    /// Call `found` with each retained message that `topic_filter` matches, and its publisher, in no particular order, while none can change.
    /// `parent_level`: whether a final `/#` also matches its parent level.
    ///
    /// Spec: 4.7.1, [MQTT-4.7.2-1] (5.0). O(nodes that match the filter's levels so far), no recursion.
    pub(crate) fn for_each_matching(
        &self,
        topic_filter: &str,
        parent_level: bool,
        mut found: impl FnMut(&Arc<Stamped>, Option<&Arc<str>>),
    ) {
        let mut found = |kept: &Kept| found(&kept.message, kept.publisher.as_ref());
        let tree = self.0.read();
        let mut here = vec![ROOT];
        let mut next = Vec::new();
        for text in topic::levels(topic_filter) {
            match text {
                "#" => {
                    if parent_level {
                        here.iter().filter_map(|&node| tree.kept(node)).for_each(&mut found);
                    }
                    tree.below(here, &mut found);
                    return;
                }
                "+" => next.extend(here.iter().flat_map(|&node| tree.children(node))),
                text => {
                    if let Some(level) = tree.levels.get(text) {
                        next.extend(here.iter().filter_map(|&node| tree.edges.get(node, level)));
                    }
                }
            }
            here = std::mem::take(&mut next);
        }
        here.iter().filter_map(|&node| tree.kept(node)).for_each(&mut found);
    }

    /// Nodes, edges, levels and deadlines.
    #[cfg(test)]
    pub(crate) fn part_count(&self) -> usize {
        let tree = self.0.read();
        tree.nodes.len() + tree.edges.len() + tree.levels.len() + tree.expiring.len()
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
            let first = self.nodes[parent as usize].first_child;
            let child = self.nodes.insert(Node::new(parent, Some(level), first)) as u32;
            if first != NONE {
                self.nodes[first as usize].previous = child;
            }
            self.nodes[parent as usize].first_child = child;
            self.edges.insert(parent, level, child);
            child
        })
    }

    /// Remove `node` and its ancestors as far as nothing hangs on them.
    fn prune(&mut self, mut node: u32) {
        loop {
            let here = &self.nodes[node as usize];
            let Some(level) = here.level else { return };
            if here.first_child != NONE || here.kept.is_some() {
                return;
            }
            let Node { parent, next, previous, .. } = self.nodes.remove(node as usize);
            match previous {
                NONE => self.nodes[parent as usize].first_child = next,
                previous => self.nodes[previous as usize].next = next,
            }
            if next != NONE {
                self.nodes[next as usize].previous = previous;
            }
            self.edges.remove(parent, level);
            self.levels.release(level);
            node = parent;
        }
    }

    /// The children of `node` that a wildcard may stand for: under the root, not those that begin with `$`.
    fn children(&self, node: u32) -> impl Iterator<Item = u32> {
        let first = self.nodes[node as usize].first_child;
        let all = std::iter::successors((first != NONE).then_some(first), |&child| {
            let next = self.nodes[child as usize].next;
            (next != NONE).then_some(next)
        });
        all.filter(move |&child| node != ROOT || !self.is_dollar(child))
    }

    fn is_dollar(&self, node: u32) -> bool {
        self.nodes[node as usize].level.is_some_and(|level| self.levels.text(level).starts_with('$'))
    }

    /// Everything below `nodes`, by a stack of our own.
    fn below(&self, nodes: Vec<u32>, found: &mut impl FnMut(&Kept)) {
        let mut stack: Vec<u32> = nodes.iter().flat_map(|&node| self.children(node)).collect();
        while let Some(node) = stack.pop() {
            self.kept(node).into_iter().for_each(&mut *found);
            stack.extend(self.children(node));
        }
    }

    fn message(&self, node: u32) -> Option<&Arc<Stamped>> {
        self.kept(node).map(|kept| &kept.message)
    }

    fn kept(&self, node: u32) -> Option<&Kept> {
        self.nodes[node as usize].kept.as_ref()
    }

    fn keeps(&self, node: u32) -> bool {
        self.kept(node).is_some()
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
