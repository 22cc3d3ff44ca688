//! Wildcard patterns: `*` is any run of characters (none, or across `/`), `?` is exactly one.

/// Whether `text` matches `pattern`: `*` is any run of characters (none, or across `/`), `?` is one.
/// All others, `+` and `#` too, stand for themselves.
///
/// O(pattern × text) at worst and no recursion, so a hostile policy cannot stall the broker.
/// AWS: developer guide, "Using wildcard characters in MQTT and AWS IoT Core policies".
pub fn wildcard_match(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    // Where to go on when what follows the last `*` does not match: that star takes one character more.
    let mut retry = None;
    loop {
        match (pattern.clone().next(), text.clone().next()) {
            (Some('*'), _) => {
                pattern.next();
                retry = Some((pattern.clone(), text.clone()));
            }
            (Some(p), Some(t)) if p == '?' || p == t => {
                pattern.next();
                text.next();
            }
            (None, None) => return true,
            (Some(_), None) => return false,
            (None | Some(_), Some(_)) => match &mut retry {
                Some((after_star, from)) => {
                    from.next();
                    pattern = after_star.clone();
                    text = from.clone();
                }
                None => return false,
            },
        }
    }
}

/// `*` in a pattern whose variables are bound. Such a pattern is the bytes of a text, with two bytes that no text has in place of
/// the wildcards, so that a wildcard character that is meant as itself stands there as itself.
pub(crate) const ANY_RUN: u8 = 0xff;
/// `?` in a pattern whose variables are bound.
pub(crate) const ANY_ONE: u8 = 0xfe;

/// What is left of `pattern` after it has read `prefix`: a text T matches one of the residues exactly when `prefix` + T
/// matches `pattern`. No residue: nothing that begins with `prefix` matches. The longest comes first.
///
/// Mostly one residue; at most as many as `prefix` has characters, and one.
pub(crate) fn residues<'p>(pattern: &'p [u8], prefix: &str) -> Vec<&'p [u8]> {
    // Up to the first difference or wildcard, reading has one way to go: all of it, for a resource with the same prefix.
    let mut same = pattern.iter().zip(prefix.as_bytes()).take_while(|(byte, read)| byte == read).count();
    while !prefix.is_char_boundary(same) {
        same -= 1;
    }
    // The positions that reading the prefix can lead to, ascending. A position at `*` stands for the one after it, too.
    let mut at: Vec<usize> = vec![same];
    let mut next = Vec::new();
    for read in prefix[same..].chars() {
        if at.is_empty() {
            break;
        }
        next.clear();
        let mut buffer = [0; 4];
        let read = read.encode_utf8(&mut buffer).as_bytes();
        for &position in &at {
            let mut position = position;
            while let Some(&byte) = pattern.get(position) {
                let (goes_on, target) = match byte {
                    ANY_RUN => (true, position),
                    ANY_ONE => (false, position + 1),
                    _ if pattern[position..].starts_with(read) => (false, position + read.len()),
                    _ => break,
                };
                next.push(target);
                if !goes_on {
                    break;
                }
                position += 1;
            }
        }
        next.sort_unstable();
        next.dedup();
        // A text that goes on from before the last reached `*` also goes on from that `*`: older positions add nothing.
        if let Some(last_star) = next.iter().rposition(|&p| pattern.get(p) == Some(&ANY_RUN)) {
            next.drain(..last_star);
        }
        std::mem::swap(&mut at, &mut next);
    }
    at.into_iter().map(|position| &pattern[position..]).collect()
}

/// Whether the whole of `text` matches `pattern`. O(pattern × text), no allocation.
///
/// Most patterns end with a star, some begin with one: an empty piece. Where vectors are wide, `memcmp` of no bytes costs a hundred
/// nanoseconds if they are nowhere, as those of an empty box are; a piece is part of its pattern, so it is somewhere.
pub(crate) fn matches(pattern: &[u8], text: &str) -> bool {
    let text = text.as_bytes();
    let Some((first, rest)) = split_at_run(pattern) else {
        return strip_from_start(pattern, text).is_some_and(<[u8]>::is_empty);
    };
    let (middle, last) = rsplit_at_run(rest);
    let Some(text) = strip_from_start(first, text) else { return false };
    let Some(mut text) = strip_from_end(last, text) else { return false };
    // The leftmost place for each piece leaves the most for those after it. `a**b` is `a*b`.
    for piece in middle.split(|byte| *byte == ANY_RUN).filter(|piece| !piece.is_empty()) {
        match find_and_skip(piece, text) {
            Some(after) => text = after,
            None => return false,
        }
    }
    true
}

/// What is before and behind the first `*`.
fn split_at_run(pattern: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = pattern.iter().position(|byte| *byte == ANY_RUN)?;
    Some((&pattern[..at], &pattern[at + 1..]))
}

/// What is before and behind the last `*`; nothing is before it when there is none.
fn rsplit_at_run(pattern: &[u8]) -> (&[u8], &[u8]) {
    match pattern.iter().rposition(|byte| *byte == ANY_RUN) {
        Some(at) => (&pattern[..at], &pattern[at + 1..]),
        None => (&[], pattern),
    }
}

/// What follows `piece`, which has no `*`, at the beginning of `text`.
fn strip_from_start<'t>(piece: &[u8], text: &'t [u8]) -> Option<&'t [u8]> {
    if !piece.contains(&ANY_ONE) {
        return text.strip_prefix(piece);
    }
    piece.iter().try_fold(text, |rest, &byte| match byte {
        ANY_ONE => Some(&rest[first_character(rest)?..]),
        _ => rest.strip_prefix(&[byte]),
    })
}

/// What precedes `piece`, which has no `*`, at the end of `text`.
fn strip_from_end<'t>(piece: &[u8], text: &'t [u8]) -> Option<&'t [u8]> {
    if !piece.contains(&ANY_ONE) {
        return text.strip_suffix(piece);
    }
    piece.iter().rev().try_fold(text, |rest, &byte| match byte {
        ANY_ONE => rest.iter().rposition(|byte| begins_character(*byte)).map(|at| &rest[..at]),
        _ => rest.strip_suffix(&[byte]),
    })
}

/// What follows the leftmost place in `text` where `piece`, which is not empty, fits. Topics are short: what a clever search
/// prepares would cost more than this.
fn find_and_skip<'t>(piece: &[u8], text: &'t [u8]) -> Option<&'t [u8]> {
    let first = piece[0];
    let candidate = |at: &usize| text[*at] == first || first == ANY_ONE && begins_character(text[*at]);
    (0..text.len()).filter(candidate).find_map(|at| strip_from_start(piece, &text[at..]))
}

/// The length of the character that `text` begins with.
fn first_character(text: &[u8]) -> Option<usize> {
    let (_, others) = text.split_first()?;
    Some(1 + others.iter().take_while(|byte| !begins_character(**byte)).count())
}

fn begins_character(byte: u8) -> bool {
    byte & 0b1100_0000 != 0b1000_0000
}

/// A pattern that is kept by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(Box<[u8]>);

impl Pattern {
    pub(crate) fn new(pattern: &[u8]) -> Self {
        Self(pattern.into())
    }

    /// As [`matches`].
    pub(crate) fn matches(&self, text: &str) -> bool {
        matches(&self.0, text)
    }
}

/// `text` with its `*` and `?` as wildcards.
#[cfg(test)]
pub(crate) fn bound(text: &str) -> Vec<u8> {
    let byte = |byte| match byte {
        b'*' => ANY_RUN,
        b'?' => ANY_ONE,
        byte => byte,
    };
    text.bytes().map(byte).collect()
}
