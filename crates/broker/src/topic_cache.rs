//! What a connection remembers about the few topics it uses most.

use std::sync::Arc;

use crate::{
    levels::topic_hash,
    link::Rights,
    ports::{Access, Authorize},
};

/// Values by topic name, for the few topics a connection uses most: direct mapped, grown when topics collide.
///
/// Bounded in entries by `MAX` and in bytes by not keeping long names.
#[derive(Debug)]
pub(crate) struct TopicCache<T, const MAX: usize> {
    slots: Box<[Option<Slot<T>>]>,
}

/// A hash, the topic name of that hash, and its value.
type Slot<T> = (u64, Box<str>, T);

/// Answers of a connection's policies, each with the generation it was given at.
pub(crate) type Decisions = TopicCache<(u64, bool), 256>;
/// Longest topic name that is kept.
pub(crate) const CACHED_TOPIC_BYTES_MAX: usize = 256;

impl<T, const MAX: usize> Default for TopicCache<T, MAX> {
    fn default() -> Self {
        Self { slots: Box::default() }
    }
}

impl<T, const MAX: usize> TopicCache<T, MAX> {
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    fn slot(&self, hash: u64) -> usize {
        hash as usize & (self.slots.len() - 1)
    }

    fn get_mut(&mut self, topic_name: &str, hash: u64) -> Option<&mut T> {
        // Without slots the index is beyond all of them.
        let slot = hash as usize & self.slots.len().wrapping_sub(1);
        match self.slots.get_mut(slot)? {
            Some((known, name, value)) if *known == hash && **name == *topic_name => Some(value),
            Some(_) | None => None,
        }
    }

    pub(crate) fn holds(&self, topic_name: &str, hash: u64) -> bool {
        let known = if self.slots.is_empty() { &None } else { &self.slots[self.slot(hash)] };
        known.as_ref().is_some_and(|(known, name, _)| *known == hash && **name == *topic_name)
    }

    /// The value that [`holds`](Self::holds) found, or [`insert`](Self::insert) put there.
    pub(crate) fn at(&mut self, hash: u64) -> &mut T {
        let slot = self.slot(hash);
        &mut self.slots[slot].as_mut().expect("the slot was found to be taken").2
    }

    pub(crate) fn insert(&mut self, topic_name: &str, hash: u64, value: T) {
        if topic_name.len() > CACHED_TOPIC_BYTES_MAX {
            return;
        }
        if self.slots.is_empty() {
            self.slots = Box::new([None]);
        }
        let other = |slot: &Option<Slot<T>>| slot.as_ref().is_some_and(|(known, ..)| *known != hash);
        while self.slots.len() < MAX && other(&self.slots[self.slot(hash)]) {
            self.grow();
        }
        let slot = self.slot(hash);
        self.slots[slot] = Some((hash, topic_name.into(), value));
    }

    fn grow(&mut self) {
        let size = self.slots.len() * 2;
        let old = std::mem::replace(&mut self.slots, (0..size).map(|_| None).collect());
        for entry in old.into_iter().flatten() {
            let slot = self.slot(entry.0);
            self.slots[slot] = Some(entry);
        }
    }
}

impl Decisions {
    /// What the policies say of `topic_name`, asked anew when they may have changed.
    pub(crate) fn allows(&mut self, rights: &Rights, access: Access, topic_name: &str, hash: u64) -> bool {
        let generation = rights.0.generation();
        if let Some((given_at, allowed)) = self.get_mut(topic_name, hash) {
            if *given_at != generation {
                (*given_at, *allowed) = (generation, rights.0.allows(access, topic_name));
            }
            return *allowed;
        }
        let allowed = rights.0.allows(access, topic_name);
        self.insert(topic_name, hash, (generation, allowed));
        allowed
    }
}

/// The decisions that a connection remembers, by themselves: for `benches/decisions.rs` alone.
#[doc(hidden)]
#[derive(Debug)]
pub struct MeasuredDecisions {
    decisions: Decisions,
    rights: Rights,
}

impl MeasuredDecisions {
    /// Of a connection with these rights.
    pub fn new(rights: Arc<dyn Authorize>) -> Self {
        Self { decisions: Decisions::default(), rights: Rights(rights) }
    }

    /// Whether `topic_name` may be received, as it is asked at each delivery.
    pub fn may_receive(&mut self, topic_name: &str) -> bool {
        self.decisions.allows(&self.rights, Access::Receive, topic_name, topic_hash(topic_name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_cache_grows_to_its_bound_and_keeps_the_latest() {
        let mut cache: TopicCache<usize, 4> = TopicCache::default();
        for (value, topic_name) in ["a", "b", "c", "d", "e", "f", "g", "h"].into_iter().enumerate() {
            cache.insert(topic_name, topic_hash(topic_name), value);
            assert_eq!(cache.get_mut(topic_name, topic_hash(topic_name)), Some(&mut value.clone()));
        }
        assert!(cache.slots.len() <= 4);
        let long = "x".repeat(CACHED_TOPIC_BYTES_MAX + 1);
        cache.insert(&long, topic_hash(&long), 9);
        assert_eq!(cache.get_mut(&long, topic_hash(&long)), None);
    }
}
