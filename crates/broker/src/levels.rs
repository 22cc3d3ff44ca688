//! Topic levels as numbers, and the edges of trees made of them.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
    sync::Arc,
};

use slab::Slab;

/// A level that some tree uses, as a small number. Free to be reused once nothing refers to the level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Level(pub(crate) u32);

/// Texts of levels, each once, counted by their uses.
#[derive(Debug, Default)]
pub(crate) struct Levels {
    numbers: HashMap<Arc<str>, u32>,
    texts: Slab<(Arc<str>, u32)>,
}

impl Levels {
    /// The number of `text`, if any tree uses it.
    pub(crate) fn get(&self, text: &str) -> Option<Level> {
        self.numbers.get(text).map(|&number| Level(number))
    }

    /// The number of `text`, with one more use.
    pub(crate) fn acquire(&mut self, text: &str) -> Level {
        if let Some(&number) = self.numbers.get(text) {
            self.texts[number as usize].1 += 1;
            return Level(number);
        }
        let text: Arc<str> = text.into();
        let number = u32::try_from(self.texts.insert((text.clone(), 1))).expect("fewer than 2^32 levels fit in memory");
        self.numbers.insert(text, number);
        Level(number)
    }

    /// The text of a level in use.
    pub(crate) fn text(&self, level: Level) -> &str {
        &self.texts[level.0 as usize].0
    }

    /// One use less.
    pub(crate) fn release(&mut self, level: Level) {
        let slot = &mut self.texts[level.0 as usize];
        slot.1 -= 1;
        if slot.1 == 0 {
            let (text, _) = self.texts.remove(level.0 as usize);
            self.numbers.remove(&text);
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }
}

/// The edges of a tree, the children of each parent in the order of their levels' numbers.
#[derive(Debug, Default)]
pub(crate) struct OrderedEdges(BTreeMap<(u32, u32), u32>);

impl OrderedEdges {
    pub(crate) fn get(&self, parent: u32, level: Level) -> Option<u32> {
        self.0.get(&(parent, level.0)).copied()
    }

    /// The first child of `parent` behind the level of number `after`, with the number of its own.
    pub(crate) fn after(&self, parent: u32, after: Option<u32>) -> Option<(u32, u32)> {
        let from = after.map_or(Bound::Included((parent, 0)), |after| Bound::Excluded((parent, after)));
        let (&(_, level), &child) = self.0.range((from, Bound::Included((parent, u32::MAX)))).next()?;
        Some((level, child))
    }

    pub(crate) fn insert(&mut self, parent: u32, level: Level, child: u32) {
        self.0.insert((parent, level.0), child);
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn remove(&mut self, parent: u32, level: Level) {
        self.0.remove(&(parent, level.0));
    }
}

/// A quick hash of a topic name: picks slots of caches and stripes of locks. Not for maps that a peer could slow down.
pub(crate) fn topic_hash(topic_name: &str) -> u64 {
    let mut hash = 0u64;
    let mut mix = |word: u64| hash = (hash.rotate_left(5) ^ word).wrapping_mul(0x517C_C1B7_2722_0A95);
    let (words, rest) = topic_name.as_bytes().as_chunks::<8>();
    for word in words {
        mix(u64::from_le_bytes(*word));
    }
    let mut tail = [0; 8];
    tail[..rest.len()].copy_from_slice(rest);
    mix(u64::from_le_bytes(tail));
    mix(topic_name.len() as u64);
    // A product's low bits, which pick the slots, know nothing of the high ones: of what a topic name ends with.
    let folded = (hash ^ (hash >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    folded ^ (folded >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_lives_as_long_as_its_uses() {
        let mut levels = Levels::default();
        let a = levels.acquire("a");
        assert_eq!(levels.acquire("a"), a);
        levels.release(a);
        assert_eq!(levels.get("a"), Some(a));
        levels.release(a);
        assert_eq!((levels.get("a"), levels.len()), (None, 0));
    }

    #[test]
    fn topic_hashes_differ_where_topics_do() {
        let topics = ["", "a", "b", "a/b", "b/a", "device/1/state", "device/2/state", "aaaaaaaa", "aaaaaaaaa"];
        let mut hashes: Vec<u64> = topics.iter().map(|topic| topic_hash(topic)).collect();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), topics.len());
    }

    #[test]
    fn topics_that_differ_in_one_place_fall_into_different_slots() {
        let whole = b"fleet/sensor-000017/temperature/rooms/00";
        for (length, place) in
            (33..=whole.len()).flat_map(|length| [(length, length - 1), (length, length - 2), (length, 6)])
        {
            let mut slots: Vec<u64> = (0..64u8)
                .map(|n| {
                    let mut topic_name = whole[..length].to_vec();
                    topic_name[place] = b'0' + n;
                    topic_hash(std::str::from_utf8(&topic_name).unwrap()) % 256
                })
                .collect();
            slots.sort_unstable();
            slots.dedup();
            // 64 of 256 at random are 57 different ones.
            assert!(slots.len() > 45, "{} slots for 64 topics of {length} bytes that differ at {place}", slots.len());
        }
    }
}
