//! A quick no: what a text must have so that a pattern can match it.
//!
//! Most patterns of a principal say nothing about the topic at hand. Two words of each decide that, side by side in memory,
//! before its pattern is looked at: the bytes it begins with, and a digest of the neighbouring bytes it has anywhere.

use std::cell::Cell;

use crate::pattern::{ANY_ONE, ANY_RUN};

/// What a pattern asks of any text that it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sieve {
    /// The first bytes, the very first lowest; [`ANY`], which no text has, in place of those that may be any.
    start: u64,
    /// One bit for each pair of neighbouring bytes.
    pairs: u64,
}

/// In place of a byte that may be any.
const ANY: u8 = 0xff;

/// A text, as sieves look at it.
pub(crate) struct Probe<'t> {
    text: &'t str,
    start: u64,
    /// Made when the first pattern asks for it.
    pairs: Cell<Option<u64>>,
}

impl Sieve {
    /// Lets every text pass.
    pub(crate) const OPEN: Self = Self { start: u64::MAX, pairs: 0 };

    /// Lets pass what `pattern` can match; a few other texts too.
    pub(crate) fn new(pattern: &[u8]) -> Self {
        let (mut start, mut pairs, mut before) = ([ANY; 8], 0, None);
        let fixed = pattern.iter().take_while(|byte| !is_wildcard(**byte));
        start.iter_mut().zip(fixed).for_each(|(start, byte)| *start = *byte);
        for &byte in pattern {
            let byte = (!is_wildcard(byte)).then_some(byte);
            pairs |= before.zip(byte).map_or(0, |(before, byte)| pair(before, byte));
            before = byte;
        }
        Self { start: u64::from_le_bytes(start), pairs }
    }

    /// False only for a text that the pattern does not match. Cheap, but for the first text that begins as the pattern does.
    pub(crate) fn lets_pass(self, probe: &Probe<'_>) -> bool {
        self.begins(probe) && (self.pairs == 0 || probe.pairs() & self.pairs == self.pairs)
    }

    /// The cheaper half of [`Self::lets_pass`]: what pays for a few patterns.
    pub(crate) fn begins(self, probe: &Probe<'_>) -> bool {
        // Of the byte that follows those that may be any, the uppermost bits may be set too, but not all.
        let counting = u64::MAX.checked_shr(self.start.leading_ones() & !7).unwrap_or(0);
        (probe.start ^ self.start) & counting == 0
    }
}

impl<'t> Probe<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, start: start(text.as_bytes()), pairs: Cell::new(None) }
    }

    pub(crate) fn text(&self) -> &'t str {
        self.text
    }

    fn pairs(&self) -> u64 {
        self.pairs.get().unwrap_or_else(|| {
            let made = pairs(self.text.as_bytes());
            self.pairs.set(Some(made));
            made
        })
    }
}

/// The first eight bytes; zeros where there are none.
fn start(bytes: &[u8]) -> u64 {
    let mut first = [0; 8];
    let length = bytes.len().min(8);
    first[..length].copy_from_slice(&bytes[..length]);
    u64::from_le_bytes(first)
}

fn is_wildcard(byte: u8) -> bool {
    byte == ANY_RUN || byte == ANY_ONE
}

fn pairs(bytes: &[u8]) -> u64 {
    bytes.windows(2).fold(0, |bits, two| bits | pair(two[0], two[1]))
}

/// One bit; the upper six of a product depend on all bits of the pair.
fn pair(first: u8, second: u8) -> u64 {
    1 << (u16::from_le_bytes([first, second]).wrapping_mul(0x9e37) >> 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::bound;

    #[test]
    fn texts_that_begin_otherwise_or_lack_a_pair_of_bytes_are_held_back() {
        for (pattern, text, passes) in [
            ("fleet1/a", "fleet1/a", true),
            ("fleet1/a", "fleet2/a", false),
            ("fleet1/a/b", "fleet1/a", false),
            ("*/secret", "a/secret", true),
            ("*/secret", "a/b", false),
            ("a?c", "abc", true),
            ("a?c", "bbc", false),
            ("é*", "é", true),
            ("é*", "è", false),
            ("*", "", true),
            ("a", "", false),
        ] {
            assert_eq!(Sieve::new(&bound(pattern)).lets_pass(&Probe::new(text)), passes, "{pattern} {text}");
        }
        assert!(Sieve::OPEN.lets_pass(&Probe::new("anything")));
    }
}
