use std::hash::{BuildHasher, RandomState};

use tidegate_ids::NumberMap;

use super::NONE;

/// (node, hash of a level) → the first child that names a level with this hash. One map for the whole tree, so that a node costs what
/// it holds.
#[derive(Debug, Default)]
pub(super) struct Edges {
    firsts: NumberMap<u32>,
    /// Its key is made by chance: no peer knows which levels have one hash, and by chance there are few.
    levels: RandomState,
}

impl Edges {
    /// The hash of a level.
    pub(super) fn hash(&self, level: &[u8]) -> u32 {
        self.levels.hash_one(level) as u32 & HASHES
    }

    /// One half is a number that we gave out ourselves, the other a hash that no peer knows.
    fn key(parent: u32, hash: u32) -> u64 {
        u64::from(parent) << 32 | u64::from(hash)
    }

    /// The first child of `parent` whose level has this hash, or [`NONE`].
    pub(super) fn first(&self, parent: u32, hash: u32) -> u32 {
        self.firsts.get(&Self::key(parent, hash)).copied().unwrap_or(NONE)
    }

    /// The first of these is `child` now, or none; the one that was it.
    pub(super) fn set_first(&mut self, parent: u32, hash: u32, child: u32) -> u32 {
        let key = Self::key(parent, hash);
        let before = if child == NONE { self.firsts.remove(&key) } else { self.firsts.insert(key, child) };
        before.unwrap_or(NONE)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.firsts.len()
    }
}

/// Tests make do with two, so that they meet levels with one hash.
const HASHES: u32 = if cfg!(test) { 1 } else { u32::MAX };
