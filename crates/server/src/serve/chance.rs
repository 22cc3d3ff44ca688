//! Randomness, from aws-lc.

use tidegate_registry::Chance;

/// Random bytes of the operating system, by way of aws-lc's generator.
pub(super) struct SystemChance;

impl Chance for SystemChance {
    fn fill(&self, bytes: &mut [u8]) {
        aws_lc_rs::rand::fill(bytes).expect("the system's random number generator works");
    }
}

/// `N` random bytes.
pub(super) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemChance.fill(&mut bytes);
    bytes
}
