//! Wildcard filters in a tree of levels. Every walk is a loop: depth is a peer's choice.

mod edges;
mod frontier;
mod node;

use slab::Slab;
use tidegate_mqtt::topic;

use super::{Entry, NONE};
use edges::Edges;
use frontier::Frontier;
use node::{Node, Step};

/// Wildcard filters and who subscribed with them.
///
/// ```text
///   node ─ plus, hash ─▶ its children `+` and `#`
///        ─ only ───────▶ its child that names a level, as long as that is the only one
///        ─ edges ──────▶ its children that name levels, by the hash of the level; those with one hash are twins
/// ```
#[derive(Debug)]
pub(crate) struct Trie {
    edges: Edges,
    nodes: Slab<Node>,
}

const ROOT: u32 = 0;

impl Default for Trie {
    fn default() -> Self {
        let mut nodes = Slab::new();
        nodes.insert(Node::new(NONE, Step::Root));
        Self { edges: Edges::default(), nodes }
    }
}

impl Trie {
    /// The entry of `topic_filter`, made if need be.
    pub(super) fn entry(&mut self, topic_filter: &str) -> &mut Entry {
        let mut number = ROOT;
        for text in topic::levels(topic_filter) {
            let known = self.child(number, text);
            number = if known == NONE { self.add_child(number, text) } else { known };
        }
        &mut self.nodes[number as usize].entry
    }

    /// The entry of `topic_filter`.
    pub(super) fn find(&self, topic_filter: &str) -> Option<&Entry> {
        self.node_of(topic_filter).map(|number| &self.node(number).entry)
    }

    /// Change the entry of `topic_filter` and forget it when it is empty afterwards. `None` when there is no entry.
    pub(super) fn change<T>(&mut self, topic_filter: &str, change: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        let number = self.node_of(topic_filter)?;
        let result = change(&mut self.nodes[number as usize].entry);
        self.prune(number);
        Some(result)
    }

    /// Call `found` with the entry of every filter that matches `topic_name`; the flag says whether it matches only
    /// by `#` standing for its parent level.
    ///
    /// Spec: 4.7.1, [MQTT-4.7.2-1] (5.0). O(levels x filters that match the levels so far), no recursion.
    pub(super) fn matching<'a>(&'a self, topic_name: &str, mut found: impl FnMut(&'a Entry, bool)) {
        let mut here = Frontier::new(ROOT);
        let mut next = Frontier::default();
        let mut wildcards = !topic_name.starts_with('$');
        for text in topic::levels(topic_name) {
            let mut hash = None;
            for &number in here.nodes() {
                let node = self.node(number);
                if wildcards {
                    if node.hash != NONE {
                        found(&self.node(node.hash).entry, false);
                    }
                    next.push(node.plus);
                }
                next.push(self.named_child(number, node, text, &mut hash));
            }
            wildcards = true;
            std::mem::swap(&mut here, &mut next);
            next.clear();
            if here.nodes().is_empty() {
                return;
            }
        }
        for &number in here.nodes() {
            let node = self.node(number);
            if !node.entry.is_empty() {
                found(&node.entry, false);
            }
            if node.hash != NONE {
                found(&self.node(node.hash).entry, true);
            }
        }
    }

    fn node(&self, number: u32) -> &Node {
        &self.nodes[number as usize]
    }

    fn node_of(&self, topic_filter: &str) -> Option<u32> {
        let mut number = ROOT;
        for text in topic::levels(topic_filter) {
            number = self.child(number, text);
            if number == NONE {
                return None;
            }
        }
        Some(number)
    }

    /// The child for the level `text` of a filter, or [`NONE`].
    fn child(&self, number: u32, text: &str) -> u32 {
        let node = self.node(number);
        match text {
            "+" => node.plus,
            "#" => node.hash,
            text => self.named_child(number, node, text, &mut None),
        }
    }

    /// The child that names the level `text`, or [`NONE`]. `hash` is that of `text`, from the first time on that it is asked for.
    fn named_child(&self, number: u32, node: &Node, text: &str, hash: &mut Option<u32>) -> u32 {
        let mut child = node.only;
        if node.edges > 0 {
            let hash = *hash.get_or_insert_with(|| self.edges.hash(text.as_bytes()));
            child = self.edges.first(number, hash);
        }
        while child != NONE {
            let known = self.node(child);
            if known.step.level() == text.as_bytes() {
                break;
            }
            child = known.twin;
        }
        child
    }

    fn add_child(&mut self, parent: u32, text: &str) -> u32 {
        let step = Step::of(text);
        let number = u32::try_from(self.nodes.insert(Node::new(parent, step))).expect("fewer than 2^32 nodes");
        let above = &mut self.nodes[parent as usize];
        match text {
            "+" => above.plus = number,
            "#" => above.hash = number,
            _ if above.names_none() => above.only = number,
            _ => {
                let only = std::mem::replace(&mut above.only, NONE);
                if only != NONE {
                    self.add_edge(parent, only);
                }
                self.add_edge(parent, number);
            }
        }
        number
    }

    fn add_edge(&mut self, parent: u32, child: u32) {
        let hash = self.edges.hash(self.node(child).step.level());
        self.nodes[child as usize].twin = self.edges.set_first(parent, hash, child);
        self.nodes[parent as usize].edges += 1;
    }

    /// Take `child`, which was removed, out of its parent.
    fn remove_child(&mut self, number: u32, child: &Node) {
        let above = &mut self.nodes[child.parent as usize];
        match child.step {
            Step::Plus => above.plus = NONE,
            Step::Hash => above.hash = NONE,
            Step::Level(_) if above.only == number => above.only = NONE,
            Step::Level(_) => {
                above.edges -= 1;
                self.remove_edge(number, child);
            }
            Step::Root => unreachable!("the root is never removed"),
        }
    }

    fn remove_edge(&mut self, number: u32, child: &Node) {
        let hash = self.edges.hash(child.step.level());
        let mut twin = self.edges.first(child.parent, hash);
        if twin == number {
            self.edges.set_first(child.parent, hash, child.twin);
            return;
        }
        while self.node(twin).twin != number {
            twin = self.node(twin).twin;
        }
        self.nodes[twin as usize].twin = child.twin;
    }

    /// Remove `number` and its ancestors as far as nothing hangs on them.
    fn prune(&mut self, mut number: u32) {
        while number != ROOT && self.node(number).is_needless() {
            let node = self.nodes.remove(number as usize);
            self.remove_child(number, &node);
            number = node.parent;
        }
    }

    #[cfg(test)]
    pub(super) fn part_count(&self) -> usize {
        self.nodes.len() + self.edges.len()
    }

    #[cfg(test)]
    pub(super) fn node_count(&self) -> usize {
        self.nodes.len()
    }
}
