//! A search for what a filter matches that can stop anywhere and go on later, whatever changed meanwhile.

use std::sync::Arc;

use tidegate_mqtt::topic;

use super::{ROOT, Retained, Tree};
use crate::message::Stamped;

/// How far a search got: the path to where it is, and how it goes on from each node of it.
///
/// A message that is retained all the time is found once. One that comes, goes or changes meanwhile may be found, as it is
/// then, or not. A node that went away took its part of the path with it: what is new in its place is not searched.
#[derive(Debug)]
pub(crate) struct Walk {
    wants: Box<[Want]>,
    /// Whether a final `/#` also matches its parent level.
    parent_level: bool,
    path: Vec<Step>,
}

#[derive(Debug, PartialEq, Eq)]
enum Want {
    Level(Box<str>),
    Plus,
    Hash,
}

#[derive(Debug, Clone, Copy)]
struct Step {
    node: u32,
    /// Which node it was: numbers are used again.
    serial: u64,
    /// The child that was searched last, by the number of its level.
    after: Option<u32>,
}

impl Walk {
    /// A search for what `topic_filter` matches.
    ///
    /// Spec: 4.7.1, [MQTT-4.7.2-1] (5.0).
    pub(crate) fn new(topic_filter: &str, parent_level: bool) -> Self {
        let wants = topic::levels(topic_filter).map(|text| match text {
            "+" => Want::Plus,
            "#" => Want::Hash,
            text => Want::Level(text.into()),
        });
        let root = Step { node: ROOT, serial: 0, after: None };
        Self { wants: wants.collect(), parent_level, path: vec![root] }
    }

    /// Whether it has come to its end.
    pub(crate) fn is_over(&self) -> bool {
        self.path.is_empty()
    }
}

impl Retained {
    /// Go on with `walk`: call `found` with up to `messages_max` messages and their publishers, while none can change,
    /// and look at no more than `nodes_max` nodes. O(those), no recursion.
    pub(crate) fn walk(
        &self,
        walk: &mut Walk,
        messages_max: usize,
        nodes_max: usize,
        mut found: impl FnMut(&Arc<Stamped>, Option<&Arc<str>>),
    ) {
        let tree = self.0.read();
        let mut messages = 0;
        for _ in 0..nodes_max {
            let depth = walk.path.len();
            let Some(step) = walk.path.last_mut() else { return };
            let want = &walk.wants[(depth - 1).min(walk.wants.len() - 1)];
            let Some((level, child)) = tree.next_child(step, want) else {
                walk.path.pop();
                continue;
            };
            step.after = Some(level);
            if step.node == ROOT && !matches!(want, Want::Level(_)) && tree.is_dollar(child) {
                continue;
            }
            let parent_of_hash = walk.parent_level && walk.wants.get(depth) == Some(&Want::Hash);
            let is_last = depth >= walk.wants.len();
            if (*want == Want::Hash || is_last || parent_of_hash)
                && let Some(kept) = tree.kept(child)
            {
                found(&kept.message, kept.publisher.as_ref());
                messages += 1;
            }
            if *want == Want::Hash || !is_last {
                let serial = tree.nodes[child as usize].serial;
                walk.path.push(Step { node: child, serial, after: None });
            }
            if messages == messages_max {
                return;
            }
        }
    }
}

impl Tree {
    /// The next child to search, with the number of its level.
    fn next_child(&self, step: &Step, want: &Want) -> Option<(u32, u32)> {
        let here = self.nodes.get(step.node as usize).filter(|node| node.serial == step.serial)?;
        if here.children == 0 {
            return None;
        }
        match want {
            Want::Level(text) if step.after.is_none() => {
                let level = self.levels.get(text)?;
                self.edges.get(step.node, level).map(|child| (level.0, child))
            }
            Want::Level(_) => None,
            Want::Plus | Want::Hash => self.edges.after(step.node, step.after),
        }
    }
}
