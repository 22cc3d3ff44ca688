//! Identifiers that are unique, without asking the system for chance each time.

use uuid::{Builder, Uuid};

/// A sequence of 128-bit numbers that starts anywhere and repeats none.
///
/// Whoever knows one can tell the next: for names of things that are seen anyway, not for secrets.
#[derive(Debug)]
pub(crate) struct Identifiers(u128);

impl Identifiers {
    /// A sequence of its own.
    pub(crate) fn new() -> Self {
        Self(Uuid::new_v4().as_u128())
    }

    /// The next number.
    pub(crate) fn number(&mut self) -> u128 {
        // Odd, so that all 2^128 numbers come before one comes again.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        // Bijective, so that different numbers stay different.
        let mixed = (self.0 ^ self.0 >> 67).wrapping_mul(0xda94_2042_e4dd_58b5_d6e8_feb8_6659_fd93);
        mixed ^ mixed >> 61
    }

    /// The next number in the form of a UUID.
    pub(crate) fn uuid(&mut self) -> Uuid {
        Builder::from_random_bytes(self.number().to_be_bytes()).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn numbers_do_not_repeat_and_look_like_chance() {
        let mut identifiers = Identifiers::new();
        let numbers: HashSet<u128> = (0..10_000).map(|_| identifiers.number()).collect();
        assert_eq!(numbers.len(), 10_000);
        let ones: u32 = numbers.iter().map(|number| number.count_ones()).sum();
        assert!((63 * 10_000..65 * 10_000).contains(&ones), "{ones}");
        assert_eq!(identifiers.uuid().get_version_num(), 4);
    }
}
