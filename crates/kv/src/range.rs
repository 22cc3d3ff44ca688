//! A run of keys.

use crate::Key;

/// Which way a scan goes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Smallest key first.
    #[default]
    Ascending,
    /// Largest key first.
    Descending,
}

/// The encoded keys from `start` (included) to `end` (excluded; `None`: to the table's end).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRange {
    start: Vec<u8>,
    end: Option<Vec<u8>>,
}

impl KeyRange {
    /// Every key of the table.
    pub const fn all() -> Self {
        Self { start: Vec::new(), end: None }
    }

    /// Keys from `start` (included) to `end` (excluded).
    pub fn new(start: Vec<u8>, end: Option<Vec<u8>>) -> Self {
        Self { start, end }
    }

    /// Every key that begins with these bytes.
    pub fn prefix(bytes: Vec<u8>) -> Self {
        let end = bytes.iter().rposition(|&b| b != 0xff).map(|last| {
            let mut end = bytes[..=last].to_vec();
            end[last] += 1;
            end
        });
        Self { start: bytes, end }
    }

    /// Every key whose first parts are `parts`. Prefer [`Table::under`](crate::Table::under), which checks the types.
    pub fn under(parts: &impl Key) -> Self {
        Self::prefix(parts.to_bytes())
    }

    /// Only this key.
    pub fn only(key: &impl Key) -> Self {
        let start = key.to_bytes();
        let end = Some(successor(&start));
        Self { start, end }
    }

    /// The part of this range behind `key`: the next page of an ascending scan.
    #[must_use]
    pub fn after(mut self, key: &impl Key) -> Self {
        let next = successor(&key.to_bytes());
        if next > self.start {
            self.start = next;
        }
        self
    }

    /// The part of this range from `key` on, `key` included.
    #[must_use]
    pub fn starting_at(mut self, key: &impl Key) -> Self {
        self.start = self.start.max(key.to_bytes());
        self
    }

    /// The part of this range before `key`, `key` excluded: the next page of a descending scan.
    #[must_use]
    pub fn before(mut self, key: &impl Key) -> Self {
        let end = key.to_bytes();
        if self.end.as_ref().is_none_or(|old| *old > end) {
            self.end = Some(end);
        }
        self
    }

    /// The part of this range behind an encoded key.
    #[must_use]
    pub fn after_bytes(mut self, key: &[u8]) -> Self {
        self.start = self.start.max(successor(key));
        self
    }

    /// The part of this range before an encoded key.
    #[must_use]
    pub fn before_bytes(mut self, key: &[u8]) -> Self {
        if self.end.as_deref().is_none_or(|old| old > key) {
            self.end = Some(key.to_vec());
        }
        self
    }

    /// The first key that may be in the range.
    pub fn start(&self) -> &[u8] {
        &self.start
    }

    /// The first key behind the range.
    pub fn end(&self) -> Option<&[u8]> {
        self.end.as_deref()
    }

    /// Whether no key can be in the range.
    pub fn is_empty(&self) -> bool {
        self.end.as_ref().is_some_and(|end| *end <= self.start)
    }

    /// Whether the encoded key is in the range.
    pub fn contains(&self, key: &[u8]) -> bool {
        *key >= *self.start && self.end.as_deref().is_none_or(|end| key < end)
    }
}

/// The smallest key greater than `key`.
fn successor(key: &[u8]) -> Vec<u8> {
    let mut next = Vec::with_capacity(key.len() + 1);
    next.extend_from_slice(key);
    next.push(0);
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_holds_what_begins_with_it() {
        for (prefix, inside, outside) in [
            (&b"ab"[..], &[&b"ab"[..], b"ab\0", b"ab\xff\xff"][..], &[&b"aa\xff"[..], b"ac", b"a"][..]),
            (b"a\xff", &[b"a\xff", b"a\xff\xff"], &[b"a\xfe\xff", b"b"]),
            (b"\xff\xff", &[b"\xff\xff", b"\xff\xff\xff"], &[b"\xff\xfe", b"\xff"]),
            (b"", &[b"", b"\0", b"\xff"], &[]),
        ] {
            let range = KeyRange::prefix(prefix.to_vec());
            for key in inside {
                assert!(range.contains(key), "{key:?} in {prefix:?}");
            }
            for key in outside {
                assert!(!range.contains(key), "{key:?} in {prefix:?}");
            }
        }
    }

    #[test]
    fn pages_go_on_behind_the_last_key_and_never_widen_the_range() {
        let range = KeyRange::under(&5u16);
        let after = range.clone().after(&(5u16, 7u16));
        assert!(!after.contains(&(5u16, 7u16).to_bytes()));
        assert!(after.contains(&(5u16, 8u16).to_bytes()));
        assert_eq!(range.clone().after(&(1u16, 1u16)), range);
        assert_eq!(range.clone().before(&(9u16, 1u16)), range);
        let before = range.before(&(5u16, 7u16));
        assert!(before.contains(&(5u16, 6u16).to_bytes()) && !before.contains(&(5u16, 7u16).to_bytes()));
        assert!(KeyRange::under(&5u16).before(&5u16).is_empty());
    }
}
