//! Regular expressions of the models, matched without recursion over the text and in bounded time.

/// A regular expression; it always stands for a match of the whole text.
pub(crate) enum Node {
    Literal(char),
    /// One character out of the items, or none of them when negated.
    Class(bool, &'static [Item]),
    /// At least and at most so often.
    Repeat(&'static Node, u32, u32),
    Sequence(&'static [Node]),
    Either(&'static [Node]),
}

/// A set of characters.
pub(crate) enum Item {
    Range(char, char),
    AnyOf(&'static str),
    /// ASCII letters, digits, underscore.
    Word,
    Space,
    NotSpace,
    Letter,
    Number,
    Separator,
    NotLineEnd,
}

/// Longest text, in characters, for which a group is repeated; longer ones do not match. Repeated classes have no limit.
///
/// A repeated group costs O(length²) at worst. AWS's longest pattern of that kind is on an ARN of 2 048 characters.
const GROUP_TEXT_MAX: usize = 4096;

impl Node {
    /// Whether the whole `text` matches. O(length × nodes), but for repeated groups.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let mut start = vec![false; text.len() + 1];
        start[0] = true;
        self.advance(&text, &start)[text.len()]
    }

    /// The positions where a match can end that begins at one of `starts`. The recursion is over the model's pattern.
    fn advance(&self, text: &[char], starts: &[bool]) -> Vec<bool> {
        match self {
            Self::Literal(_) | Self::Class(..) => {
                let mut ends = vec![false; starts.len()];
                for (at, c) in text.iter().enumerate() {
                    ends[at + 1] = starts[at] && self.takes(*c);
                }
                ends
            }
            Self::Sequence(nodes) => nodes.iter().fold(starts.to_vec(), |at, node| node.advance(text, &at)),
            Self::Either(nodes) => {
                let mut ends = vec![false; starts.len()];
                for node in *nodes {
                    merge(&mut ends, &node.advance(text, starts));
                }
                ends
            }
            Self::Repeat(node @ (Self::Literal(_) | Self::Class(..)), min, max) => run(node, text, starts, *min, *max),
            Self::Repeat(node, min, max) => repeat(node, text, starts, *min, *max),
        }
    }

    /// Whether a single-character node takes `c`.
    fn takes(&self, c: char) -> bool {
        match self {
            Self::Literal(literal) => *literal == c,
            Self::Class(negated, items) => items.iter().any(|i| i.has(c)) != *negated,
            Self::Repeat(..) | Self::Sequence(_) | Self::Either(_) => unreachable!("only asked of single characters"),
        }
    }
}

impl Item {
    fn has(&self, c: char) -> bool {
        match self {
            Self::Range(first, last) => (*first..=*last).contains(&c),
            Self::AnyOf(set) => set.contains(c),
            Self::Word => c.is_ascii_alphanumeric() || c == '_',
            Self::Space => c.is_ascii_whitespace(),
            Self::NotSpace => !c.is_ascii_whitespace(),
            Self::Letter => c.is_alphabetic(),
            Self::Number => c.is_numeric(),
            Self::Separator => c.is_whitespace() && !c.is_control(),
            Self::NotLineEnd => c != '\n',
        }
    }
}

/// A repeated single character: an end is reachable when a start lies `min` to `max` before it in the same run. O(length).
fn run(node: &Node, text: &[char], starts: &[bool], min: u32, max: u32) -> Vec<bool> {
    let (min, max) = (min as usize, max as usize);
    let mut before = vec![0; starts.len() + 1]; // before[i]: starts among the first i positions
    for (at, start) in starts.iter().enumerate() {
        before[at + 1] = before[at] + usize::from(*start);
    }
    let mut ends = vec![false; starts.len()];
    let mut run_begin = 0;
    for end in 0..starts.len() {
        if end > 0 && !node.takes(text[end - 1]) {
            run_begin = end;
        }
        let earliest = run_begin.max(end.saturating_sub(max));
        let Some(latest) = end.checked_sub(min) else { continue };
        ends[end] = latest >= earliest && before[latest + 1] > before[earliest];
    }
    ends
}

/// A repeated group, one round after the other until a round reaches nothing new.
fn repeat(node: &Node, text: &[char], starts: &[bool], min: u32, max: u32) -> Vec<bool> {
    let mut ends = if min == 0 { starts.to_vec() } else { vec![false; starts.len()] };
    if text.len() > GROUP_TEXT_MAX {
        return ends;
    }
    let mut at = starts.to_vec();
    for round in 1..=max {
        at = node.advance(text, &at);
        if !at.contains(&true) {
            break;
        }
        if round >= min && !merge(&mut ends, &at) {
            break;
        }
    }
    ends
}

/// Adds `more` to `set`; whether anything was new.
fn merge(set: &mut [bool], more: &[bool]) -> bool {
    let mut new = false;
    for (have, more) in set.iter_mut().zip(more) {
        new |= *more && !*have;
        *have |= *more;
    }
    new
}

#[cfg(test)]
mod tests {
    use super::{Item::*, Node::*, *};

    #[test]
    fn patterns_match_whole_texts() {
        const HEX: Node = Class(false, &[Range('a', 'f'), Range('0', '9')]);
        static ID: Node =
            Sequence(&[Repeat(&Sequence(&[Literal('0'), Literal('x')]), 0, 1), Repeat(&HEX, 1, u32::MAX)]);
        static BASE64: Node = Sequence(&[
            Repeat(&Class(false, &[Range('A', 'Z'), Range('a', 'z'), AnyOf("+/")]), 1, u32::MAX),
            Repeat(&Literal('='), 0, 2),
        ]);
        static EXACT: Node = Repeat(&Class(true, &[Space]), 2, 3);
        static WORDS: Node = Repeat(&Either(&[Sequence(&[Literal('a'), Literal('b')]), Literal('c')]), 1, 2);
        for (node, text, expected) in [
            (&ID, "0xff", true),
            (&ID, "ff", true),
            (&ID, "0x", false),
            (&ID, "", false),
            (&ID, "fg", false),
            (&ID, "ff ", false),
            (&BASE64, "ab+/==", true),
            (&BASE64, "ab===", false),
            (&BASE64, "==", false),
            (&EXACT, "ab", true),
            (&EXACT, "abc", true),
            (&EXACT, "a", false),
            (&EXACT, "abcd", false),
            (&EXACT, "a b", false),
            (&WORDS, "abc", true),
            (&WORDS, "cab", true),
            (&WORDS, "ccc", false),
            (&WORDS, "b", false),
        ] {
            assert_eq!(node.matches(text), expected, "{text:?}");
        }
    }

    #[test]
    fn long_hostile_texts_end_soon() {
        static NESTED: Node =
            Repeat(&Repeat(&Sequence(&[Repeat(&Literal('a'), 0, u32::MAX), Literal('a')]), 0, 9), 1, u32::MAX);
        assert!(!NESTED.matches(&("a".repeat(4000) + "b")));
        assert!(!NESTED.matches(&("a".repeat(1_000_000) + "b")));
        static CLASS: Node = Repeat(&Class(false, &[Range('a', 'z')]), 1, u32::MAX);
        assert!(CLASS.matches(&"a".repeat(1_000_000)));
    }
}
