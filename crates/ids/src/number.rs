//! Maps by numbers of our own.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

/// A map by numbers that we gave out ourselves, or that hold a hash no peer knows: nobody else chooses them, so that they need no
/// hash that stands up to a choice.
pub type NumberMap<V> = HashMap<u64, V, BuildHasherDefault<NumberHasher>>;

/// A multiplicative hash of one number.
#[derive(Debug, Default)]
pub struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        // A product's low bits, which pick the place, know nothing of a number's high ones: its upper half does.
        let product = u128::from(self.0 ^ number) * 0x9E37_79B9_7F4A_7C15;
        self.0 = product as u64 ^ (product >> 64) as u64;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn numbers_that_differ_in_one_half_pick_different_places() {
        for shift in [0, 20, 32, 50] {
            let place = |number: u64| {
                let mut hasher = NumberHasher::default();
                hasher.write_u64(number << shift);
                hasher.finish() % 4096
            };
            let places: HashSet<_> = (0..1024).map(place).collect();
            // 1 024 of 4 096 at random are 906 different ones.
            assert!(places.len() > 800, "{} places for 1 024 numbers, shifted by {shift}", places.len());
        }
    }
}
