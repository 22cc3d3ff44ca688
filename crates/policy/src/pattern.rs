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

/// One element of a pattern whose variables are bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    /// Exactly this character.
    Char(char),
    /// `?`
    AnyOne,
    /// `*`
    AnyRun,
}

impl Token {
    /// The character it stands for, if it stands for one.
    pub(crate) fn character(&self) -> Option<char> {
        match self {
            Self::Char(character) => Some(*character),
            Self::AnyOne | Self::AnyRun => None,
        }
    }
}

/// What is left of `tokens` after it has read `prefix`: a text T matches one of the residues exactly when `prefix` + T
/// matches `tokens`. No residue: nothing that begins with `prefix` matches.
///
/// Mostly one residue; at most as many as `prefix` has characters, and one.
pub(crate) fn residues<'t>(tokens: &'t [Token], prefix: &str) -> Vec<&'t [Token]> {
    // Up to the first difference or wildcard, reading has one way to go: all of it, for a resource with the same prefix.
    let same = tokens.iter().zip(prefix.chars()).take_while(|(token, read)| **token == Token::Char(*read)).count();
    // The positions that reading the prefix can lead to, ascending. A position at `*` stands for the one after it, too.
    let mut at: Vec<usize> = vec![same];
    let mut next = Vec::new();
    for read in prefix.chars().skip(same) {
        if at.is_empty() {
            break;
        }
        next.clear();
        for &position in &at {
            let mut position = position;
            while let Some(&token) = tokens.get(position) {
                let (goes_on, target) = match token {
                    Token::AnyRun => (true, position),
                    Token::AnyOne => (false, position + 1),
                    Token::Char(c) if c == read => (false, position + 1),
                    Token::Char(_) => break,
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
        if let Some(last_star) = next.iter().rposition(|&p| tokens.get(p) == Some(&Token::AnyRun)) {
            next.drain(..last_star);
        }
        std::mem::swap(&mut at, &mut next);
    }
    at.into_iter().map(|position| &tokens[position..]).collect()
}

/// A compiled pattern: the pieces between its stars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    first: Piece,
    /// Pieces after the first star; empty when there is no star.
    rest: Box<[Piece]>,
}

/// A run of the pattern without `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(Box<str>),
    /// `None` is `?`.
    Holes(Box<[Option<char>]>),
}

impl Pattern {
    pub(crate) fn new(tokens: &[Token]) -> Self {
        let mut pieces = tokens.split(|t| *t == Token::AnyRun).map(Piece::new);
        let first = pieces.next().expect("split yields at least one piece");
        let mut rest: Vec<Piece> = pieces.collect();
        // `a**b` is `a*b`: an empty piece between two stars asks for nothing.
        if let Some((last, middle)) = rest.split_last() {
            let mut kept: Vec<Piece> = middle.iter().filter(|piece| !piece.is_empty()).cloned().collect();
            kept.push(last.clone());
            rest = kept;
        }
        Self { first, rest: rest.into() }
    }

    /// Whether the whole of `text` matches. O(pattern × text), no allocation.
    ///
    /// Most patterns end with a star, some begin with one: an empty piece. An empty `Box<str>` points nowhere, and where vectors are
    /// wide, `memcmp` of no bytes looks there and costs a hundred nanoseconds; so these pieces are told apart first.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let Some((last, middle)) = self.rest.split_last() else {
            return self.first.is_all_of(text);
        };
        let Some(text) = self.first.strip_from_start(text) else { return false };
        let Some(mut text) = last.strip_from_end(text) else { return false };
        // The leftmost place for each piece leaves the most for those after it.
        for piece in middle {
            match piece.find_and_skip(text) {
                Some(after) => text = after,
                None => return false,
            }
        }
        true
    }
}

impl Piece {
    fn new(tokens: &[Token]) -> Self {
        let characters = tokens.iter().map(Token::character);
        match characters.clone().collect::<Option<String>>() {
            Some(literal) => Self::Literal(literal.into()),
            None => Self::Holes(characters.collect()),
        }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Literal(text) if text.is_empty())
    }

    fn is_all_of(&self, text: &str) -> bool {
        match self {
            Self::Literal(literal) => **literal == *text,
            Self::Holes(_) => self.strip_from_start(text) == Some(""),
        }
    }

    fn strip_from_start<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self {
            // Not even compared: see `matches`.
            Self::Literal(literal) if literal.is_empty() => Some(text),
            Self::Literal(literal) => text.strip_prefix(&**literal),
            Self::Holes(holes) => {
                let mut rest = text.chars();
                holes.iter().all(|hole| rest.next().is_some_and(|c| fits(*hole, c))).then_some(rest.as_str())
            }
        }
    }

    fn strip_from_end<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self {
            Self::Literal(literal) if literal.is_empty() => Some(text),
            Self::Literal(literal) => text.strip_suffix(&**literal),
            Self::Holes(holes) => {
                let mut rest = text.chars();
                let fit = holes.iter().rev().all(|hole| rest.next_back().is_some_and(|c| fits(*hole, c)));
                fit.then_some(rest.as_str())
            }
        }
    }

    /// What follows the leftmost place in `text` where the piece fits.
    fn find_and_skip<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self {
            Self::Literal(literal) => find(text, literal).map(|at| &text[at + literal.len()..]),
            Self::Holes(_) => text.char_indices().find_map(|(at, _)| self.strip_from_start(&text[at..])),
        }
    }
}

/// Where `literal` begins in `text` first. Topics are short: what `str::find` prepares would cost more than the search.
fn find(text: &str, literal: &str) -> Option<usize> {
    let (text, literal) = (text.as_bytes(), literal.as_bytes());
    let Some(first) = literal.first() else { return Some(0) };
    let last = text.len().checked_sub(literal.len())?;
    (0..=last).find(|at| text[*at] == *first && text[*at..].starts_with(literal))
}

fn fits(hole: Option<char>, character: char) -> bool {
    hole.is_none_or(|expected| expected == character)
}
