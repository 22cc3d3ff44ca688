//! Wildcard filters in a tree of interned levels. Every walk is a loop: depth is a peer's choice.

use slab::Slab;
use tidegate_mqtt::topic;

use super::{Entry, NONE, Subscriber};
use crate::{
    levels::{Edges, Level, Levels},
    session::Session,
};

/// Wildcard filters and who subscribed with them.
#[derive(Debug)]
pub(crate) struct Trie {
    levels: Levels,
    edges: Edges,
    nodes: Slab<Node>,
}

/// One level of some filter. `+` and `#` are children of their own kind, outside the edges.
#[derive(Debug)]
struct Node {
    parent: u32,
    step: Step,
    /// Children of all kinds.
    children: u32,
    plus: u32,
    hash: u32,
    entry: Option<Box<Entry>>,
}

/// How a node is reached from its parent.
#[derive(Debug, Clone, Copy)]
enum Step {
    Root,
    Plus,
    Hash,
    Level(Level),
}

const ROOT: u32 = 0;

impl Default for Trie {
    fn default() -> Self {
        let mut nodes = Slab::new();
        nodes.insert(Node::new(NONE, Step::Root));
        Self { levels: Levels::default(), edges: Edges::default(), nodes }
    }
}

impl Node {
    fn new(parent: u32, step: Step) -> Self {
        Self { parent, step, children: 0, plus: NONE, hash: NONE, entry: None }
    }
}

impl Trie {
    /// The entry of `topic_filter`, made if need be.
    pub(super) fn entry(&mut self, topic_filter: &str) -> &mut Entry {
        let mut node = ROOT;
        for text in topic::levels(topic_filter) {
            node = self.descend(node, text);
        }
        self.nodes[node as usize].entry.get_or_insert_default()
    }

    fn descend(&mut self, parent: u32, text: &str) -> u32 {
        let known = match text {
            "+" => self.nodes[parent as usize].plus,
            "#" => self.nodes[parent as usize].hash,
            text => self.levels.get(text).and_then(|level| self.edges.get(parent, level)).unwrap_or(NONE),
        };
        if known != NONE {
            return known;
        }
        let step = match text {
            "+" => Step::Plus,
            "#" => Step::Hash,
            text => Step::Level(self.levels.acquire(text)),
        };
        let node = u32::try_from(self.nodes.insert(Node::new(parent, step))).expect("fewer than 2^32 nodes");
        let above = &mut self.nodes[parent as usize];
        above.children += 1;
        match step {
            Step::Plus => above.plus = node,
            Step::Hash => above.hash = node,
            Step::Level(level) => self.edges.insert(parent, level, node),
            Step::Root => unreachable!("the root is nobody's child"),
        }
        node
    }

    /// The entry of `topic_filter`.
    pub(super) fn find(&self, topic_filter: &str) -> Option<&Entry> {
        self.entry_of(self.node_of(topic_filter)?)
    }

    fn node_of(&self, topic_filter: &str) -> Option<u32> {
        let mut node = ROOT;
        for text in topic::levels(topic_filter) {
            node = match text {
                "+" => self.nodes[node as usize].plus,
                "#" => self.nodes[node as usize].hash,
                text => self.edges.get(node, self.levels.get(text)?)?,
            };
            if node == NONE {
                return None;
            }
        }
        Some(node)
    }

    /// Change the entry of `topic_filter` and forget it when it is empty afterwards. `None` when there is no entry.
    pub(super) fn change<T>(&mut self, topic_filter: &str, change: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        let node = self.node_of(topic_filter)?;
        let entry = self.nodes[node as usize].entry.as_mut()?;
        let result = change(entry);
        if entry.is_empty() {
            self.nodes[node as usize].entry = None;
            self.prune(node);
        }
        Some(result)
    }

    /// Remove `node` and its ancestors as far as nothing hangs on them.
    fn prune(&mut self, mut node: u32) {
        while node != ROOT && self.nodes[node as usize].children == 0 && self.nodes[node as usize].entry.is_none() {
            let Node { parent, step, .. } = self.nodes.remove(node as usize);
            let above = &mut self.nodes[parent as usize];
            above.children -= 1;
            match step {
                Step::Plus => above.plus = NONE,
                Step::Hash => above.hash = NONE,
                Step::Level(level) => {
                    self.edges.remove(parent, level);
                    self.levels.release(level);
                }
                Step::Root => unreachable!("the root is never pruned"),
            }
            node = parent;
        }
    }

    /// Call `found` with the entry of every filter that matches `topic_name`; the flag says whether it matches only
    /// by `#` standing for its parent level.
    ///
    /// Spec: 4.7.1, [MQTT-4.7.2-1] (5.0). O(levels x filters that match the levels so far), no recursion.
    pub(super) fn matching<'a>(&'a self, topic_name: &str, mut found: impl FnMut(&'a Entry, bool)) {
        if self.nodes[ROOT as usize].children == 0 {
            return;
        }
        let mut here = Frontier::new(ROOT);
        let mut next = Frontier::default();
        let mut wildcards = !topic_name.starts_with('$');
        for text in topic::levels(topic_name) {
            let level = self.levels.get(text);
            for &number in here.nodes() {
                let node = &self.nodes[number as usize];
                if wildcards {
                    if let Some(entry) = self.entry_of(node.hash) {
                        found(entry, false);
                    }
                    if node.plus != NONE {
                        next.push(node.plus);
                    }
                }
                if let Some(child) = level.and_then(|level| self.edges.get(number, level)) {
                    next.push(child);
                }
            }
            wildcards = true;
            std::mem::swap(&mut here, &mut next);
            next.clear();
            if here.nodes().is_empty() {
                return;
            }
        }
        for &number in here.nodes() {
            let node = &self.nodes[number as usize];
            if let Some(entry) = &node.entry {
                found(entry, false);
            }
            if let Some(entry) = self.entry_of(node.hash) {
                found(entry, true);
            }
        }
    }

    fn entry_of(&self, node: u32) -> Option<&Entry> {
        if node == NONE { None } else { self.nodes[node as usize].entry.as_deref() }
    }

    #[cfg(test)]
    pub(super) fn part_count(&self) -> usize {
        self.nodes.len() + self.levels.len() + self.edges.len()
    }

    #[cfg(test)]
    pub(super) fn node_count(&self) -> usize {
        self.nodes.len()
    }
}

/// The nodes reached by the levels so far: on the stack while they are few.
#[derive(Default)]
struct Frontier {
    few: [u32; 8],
    count: usize,
    many: Vec<u32>,
}

impl Frontier {
    fn new(node: u32) -> Self {
        let mut frontier = Self::default();
        frontier.push(node);
        frontier
    }

    fn push(&mut self, node: u32) {
        if self.many.is_empty() && self.count < self.few.len() {
            self.few[self.count] = node;
            self.count += 1;
        } else {
            if self.many.is_empty() {
                self.many.extend_from_slice(&self.few[..self.count]);
            }
            self.many.push(node);
        }
    }

    fn nodes(&self) -> &[u32] {
        if self.many.is_empty() { &self.few[..self.count] } else { &self.many }
    }

    fn clear(&mut self) {
        self.count = 0;
        self.many.clear();
    }
}

impl Entry {
    pub(super) fn is_empty(&self) -> bool {
        self.subscribers.is_empty() && self.groups.is_empty()
    }

    /// Where `session` is among the subscribers.
    pub(super) fn position(subscribers: &[Subscriber], session: &std::sync::Arc<Session>) -> Option<usize> {
        subscribers.iter().position(|subscriber| std::sync::Arc::ptr_eq(&subscriber.session, session))
    }
}
