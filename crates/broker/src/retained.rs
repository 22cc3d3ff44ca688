//! The retained messages of one tenant, in a tree of topic levels that wildcard filters walk.

use std::sync::Arc;

use parking_lot::RwLock;
use slab::Slab;
use tidegate_mqtt::topic;

use crate::{
    levels::{Edges, Level, Levels},
    message::Stamped,
};

const NONE: u32 = u32::MAX;
const ROOT: u32 = 0;

/// The last retained message of each topic name.
#[derive(Debug, Default)]
pub(crate) struct Retained(RwLock<Tree>);

#[derive(Debug)]
struct Tree {
    levels: Levels,
    edges: Edges,
    nodes: Slab<Node>,
    messages: usize,
}

/// One level of some topic name. The children of a node are a list, so that a wildcard finds them.
#[derive(Debug)]
struct Node {
    parent: u32,
    level: Option<Level>,
    first_child: u32,
    next: u32,
    previous: u32,
    message: Option<Arc<Stamped>>,
}

/// Why a message cannot be retained: there are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RetainedFull;

impl Default for Tree {
    fn default() -> Self {
        let mut nodes = Slab::new();
        nodes.insert(Node::new(NONE, None, NONE));
        Self { levels: Levels::default(), edges: Edges::default(), nodes, messages: 0 }
    }
}

impl Node {
    fn new(parent: u32, level: Option<Level>, next: u32) -> Self {
        Self { parent, level, first_child: NONE, next, previous: NONE, message: None }
    }
}

impl Retained {
    /// Make `message` the retained message of its topic name, unless that would be one too many.
    pub(crate) fn set(&self, message: Arc<Stamped>, messages_max: usize) -> Result<(), RetainedFull> {
        let mut tree = self.0.write();
        if tree.messages >= messages_max && tree.find(message.message.topic_name()).is_none() {
            return Err(RetainedFull);
        }
        let node = tree.make(message.message.topic_name());
        if tree.nodes[node as usize].message.replace(message).is_none() {
            tree.messages += 1;
        }
        Ok(())
    }

    /// Delete the retained message of `topic_name`; whether there was one.
    pub(crate) fn delete(&self, topic_name: &str) -> bool {
        let mut tree = self.0.write();
        let Some(node) = tree.find(topic_name) else { return false };
        let deleted = tree.nodes[node as usize].message.take().is_some();
        if deleted {
            tree.messages -= 1;
            tree.prune(node);
        }
        deleted
    }

    /// The retained message of `topic_name`.
    pub(crate) fn get(&self, topic_name: &str) -> Option<Arc<Stamped>> {
        let tree = self.0.read();
        tree.find(topic_name).and_then(|node| tree.nodes[node as usize].message.clone())
    }

    /// Call `found` with each retained message that `topic_filter` matches, in no particular order, while none can change.
    /// `parent_level`: whether a final `/#` also matches its parent level.
    ///
    /// Spec: 4.7.1, [MQTT-4.7.2-1] (5.0). O(nodes that match the filter's levels so far), no recursion.
    pub(crate) fn for_each_matching(
        &self,
        topic_filter: &str,
        parent_level: bool,
        mut found: impl FnMut(&Arc<Stamped>),
    ) {
        let tree = self.0.read();
        let mut here = vec![ROOT];
        let mut next = Vec::new();
        for text in topic::levels(topic_filter) {
            match text {
                "#" => {
                    if parent_level {
                        here.iter().filter_map(|&node| tree.message(node)).for_each(&mut found);
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
        here.iter().filter_map(|&node| tree.message(node)).for_each(found);
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
            if here.first_child != NONE || here.message.is_some() {
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
    fn below(&self, nodes: Vec<u32>, found: &mut impl FnMut(&Arc<Stamped>)) {
        let mut stack: Vec<u32> = nodes.iter().flat_map(|&node| self.children(node)).collect();
        while let Some(node) = stack.pop() {
            self.message(node).into_iter().for_each(&mut *found);
            stack.extend(self.children(node));
        }
    }

    fn message(&self, node: u32) -> Option<&Arc<Stamped>> {
        self.nodes[node as usize].message.as_ref()
    }
}

#[cfg(test)]
mod tests;
