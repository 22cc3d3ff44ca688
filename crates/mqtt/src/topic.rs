//! Topic names and topic filters: validity, matching, shared subscriptions, levels.
//!
//! Nothing here recurses or allocates; every function is linear in its arguments' length.

/// Longest topic name or topic filter, in bytes of UTF-8. Spec: [MQTT-4.7.3-3] (5.0), [MQTT-4.7.3-3] (3.1.1).
pub const TOPIC_BYTES_MAX: usize = 65_535;

/// The prefix of a shared subscription's filter.
const SHARE: &str = "$share/";

/// Whether `name` may be published to: 1 to 65 535 bytes, no wildcard, no U+0000.
///
/// Spec: [MQTT-3.3.2-2], [MQTT-4.7.0-1], [MQTT-4.7.3-1], [MQTT-4.7.3-2], [MQTT-4.7.3-3] (5.0).
pub fn valid_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= TOPIC_BYTES_MAX && !has_reserved(name.as_bytes())
}

/// Whether a byte of `text` is `+`, `#` or 0. Asked twice for each message, hence eight bytes at a time.
pub(crate) fn has_reserved(text: &[u8]) -> bool {
    const PLUS: u64 = u64::from_ne_bytes([b'+'; 8]);
    const HASH: u64 = u64::from_ne_bytes([b'#'; 8]);
    let Some(last) = text.last_chunk() else {
        return text.iter().any(|b| matches!(b, b'+' | b'#' | 0));
    };
    let zeros = |bytes: &[u8; 8]| {
        let word = u64::from_ne_bytes(*bytes);
        zero_bytes(word) | zero_bytes(word ^ PLUS) | zero_bytes(word ^ HASH)
    };
    // The last word covers what is left of the others, and perhaps some of them again.
    let (words, _) = text.as_chunks();
    words.iter().fold(zeros(last), |found, word| found | zeros(word)) != 0
}

/// Not 0 exactly when a byte of `word` is 0: only such a byte borrows from the one above it.
fn zero_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    word.wrapping_sub(ONES) & !word & (ONES << 7)
}

/// Whether `filter` may be subscribed to: 1 to 65 535 bytes, no U+0000, `+` and `#` alone in their level, `#` only as the
/// last, and a well-formed share name where it begins with `$share/`.
///
/// The share rules hold for 3.1.1 clients too: that version says nothing about `$share`, and AWS offers shared
/// subscriptions to both.
/// Spec: [MQTT-4.7.1-1], [MQTT-4.7.1-2], [MQTT-4.7.3-1] to [MQTT-4.7.3-3], [MQTT-4.8.2-1], [MQTT-4.8.2-2] (5.0).
pub fn valid_filter(filter: &str) -> bool {
    if filter.len() > TOPIC_BYTES_MAX {
        return false;
    }
    match filter.strip_prefix(SHARE) {
        None => valid_plain_filter(filter),
        Some(shared) => shared.split_once('/').is_some_and(|(share_name, filter)| {
            !share_name.is_empty() && !has_reserved(share_name.as_bytes()) && valid_plain_filter(filter)
        }),
    }
}

fn valid_plain_filter(filter: &str) -> bool {
    if filter.is_empty() {
        return false;
    }
    if !has_reserved(filter.as_bytes()) {
        return true;
    }
    let mut levels = filter.split('/').peekable();
    while let Some(level) = levels.next() {
        let valid = match level {
            "+" => true,
            "#" => levels.peek().is_none(),
            plain => !has_reserved(plain.as_bytes()),
        };
        if !valid {
            return false;
        }
    }
    true
}

/// Whether `filter` contains a wildcard; of a shared filter, look at its inner one.
pub fn has_wildcard(filter: &str) -> bool {
    filter.bytes().any(|b| b == b'+' || b == b'#')
}

/// A shared subscription's filter, `$share/{ShareName}/{filter}`, in its parts. Spec: 4.8.2 (5.0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shared<'a> {
    /// The group whose members share the messages.
    pub share_name: &'a str,
    /// What the group subscribes to; never itself a shared filter in meaning.
    pub topic_filter: &'a str,
}

impl<'a> Shared<'a> {
    /// The parts of a valid filter; `None` when it is not a shared one. What [`valid_filter`] refuses gives `None` too.
    pub fn parse(filter: &'a str) -> Option<Self> {
        let (share_name, topic_filter) = filter.strip_prefix(SHARE)?.split_once('/')?;
        (valid_filter(filter)).then_some(Self { share_name, topic_filter })
    }
}

/// Whether `filter` is in the form of a shared subscription, valid or not.
pub fn is_shared(filter: &str) -> bool {
    filter.starts_with(SHARE)
}

/// Whether a message to `name` belongs to a subscription with `filter` (not a shared one: pass its inner filter).
///
/// `#` matches its parent level too: `a/#` matches `a`. Wildcards in the first level do not match names that begin with
/// `$`. Both arguments are taken as valid; invalid ones give some answer, never a panic.
/// Spec: 4.7.1, [MQTT-4.7.2-1] (5.0).
pub fn matches(filter: &str, name: &str) -> bool {
    matches_levels(filter, name, true)
}

/// As [`matches()`], but `#` does not match its parent level: `a/#` does not match `a`.
///
/// AWS: developer guide, "MQTT topics", "Topic filters" (`#` is not matched by its parent there).
pub fn matches_below(filter: &str, name: &str) -> bool {
    matches_levels(filter, name, false)
}

fn matches_levels(filter: &str, name: &str, parent: bool) -> bool {
    let (mut filter, mut name) = (filter.as_bytes(), name.as_bytes());
    if name.first() == Some(&b'$') && matches!(filter.first(), Some(b'+' | b'#')) {
        return false;
    }
    loop {
        let (level, filters) = split_level(filter);
        match level {
            b"#" => return true,
            b"+" => {}
            level => {
                if !name.starts_with(level) || !matches!(name.get(level.len()), None | Some(b'/')) {
                    return false;
                }
            }
        }
        match (filters, split_level(name).1) {
            (Some(filters), Some(names)) => (filter, name) = (filters, names),
            (Some(filters), None) => return parent && filters == b"#",
            (None, names) => return names.is_none(),
        }
    }
}

/// The first level, and what follows its separator.
fn split_level(topic: &[u8]) -> (&[u8], Option<&[u8]>) {
    match topic.iter().position(|&byte| byte == b'/') {
        Some(end) => (&topic[..end], Some(&topic[end + 1..])),
        None => (topic, None),
    }
}

/// The levels of a topic name or filter, separators dropped; an empty level is a level. Spec: 4.7.1.1 (5.0).
pub fn levels(topic: &str) -> std::str::Split<'_, char> {
    topic.split('/')
}

/// How many levels a topic name or filter has: one more than it has separators.
pub fn level_count(topic: &str) -> usize {
    topic.bytes().filter(|&b| b == b'/').count() + 1
}

#[cfg(test)]
mod tests;
