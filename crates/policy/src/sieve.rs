//! A quick no: what a text must have so that a pattern can match it.
//!
//! Most patterns of a principal say nothing about the topic at hand. Two words of each decide that, side by side in memory,
//! before its pattern is looked at: the bytes it begins with, and a digest of the neighbouring bytes it has anywhere.

use std::cell::Cell;

use crate::pattern::Token;

/// What a pattern asks of any text that it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sieve {
    /// The first bytes, the very first lowest; `start_bytes` of them count.
    start: u64,
    /// One bit for each pair of neighbouring bytes.
    pairs: u64,
    start_bytes: u8,
}

/// A text, as sieves look at it.
pub(crate) struct Probe<'t> {
    text: &'t str,
    start: u64,
    /// Made when the first pattern asks for it.
    pairs: Cell<Option<u64>>,
}

impl Sieve {
    /// Lets every text pass.
    pub(crate) const OPEN: Self = Self { start: 0, pairs: 0, start_bytes: 0 };

    /// Lets pass what `tokens` can match; a few other texts too.
    pub(crate) fn new(tokens: &[Token]) -> Self {
        let mut sieve = Self::OPEN;
        let (mut before, mut at_start) = (None, true);
        for token in tokens {
            let Token::Char(character) = token else {
                (before, at_start) = (None, false);
                continue;
            };
            for &byte in character.encode_utf8(&mut [0; 4]).as_bytes() {
                if at_start && sieve.start_bytes < 8 {
                    sieve.start |= u64::from(byte) << (8 * sieve.start_bytes);
                    sieve.start_bytes += 1;
                }
                sieve.pairs |= before.map_or(0, |before| pair(before, byte));
                before = Some(byte);
            }
        }
        sieve
    }

    /// False only for a text that the pattern does not match. Cheap, but for the first text that begins as the pattern does.
    pub(crate) fn lets_pass(self, probe: &Probe<'_>) -> bool {
        self.begins(probe) && (self.pairs == 0 || probe.pairs() & self.pairs == self.pairs)
    }

    /// The cheaper half of [`Self::lets_pass`]: what pays for a few patterns.
    pub(crate) fn begins(self, probe: &Probe<'_>) -> bool {
        let counting = u64::MAX.checked_shr(64 - 8 * u32::from(self.start_bytes)).unwrap_or(0);
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

    #[test]
    fn texts_that_begin_otherwise_or_lack_a_pair_of_bytes_are_held_back() {
        let tokens = |pattern: &str| -> Vec<Token> {
            let token = |c| match c {
                '*' => Token::AnyRun,
                '?' => Token::AnyOne,
                c => Token::Char(c),
            };
            pattern.chars().map(token).collect()
        };
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
            assert_eq!(Sieve::new(&tokens(pattern)).lets_pass(&Probe::new(text)), passes, "{pattern} {text}");
        }
        assert!(Sieve::OPEN.lets_pass(&Probe::new("anything")));
    }
}
