//! A model's regular expressions as constants that `api::constraint` matches without a library.
//!
//! Read: classes, escapes, groups, alternation, quantifiers. All models write them for a full match.

use anyhow::{Context, Result, bail, ensure};

/// The Rust expression of an `api::constraint::Node`; `None` for a pattern that every text matches.
pub(crate) fn expression(pattern: &str) -> Result<Option<String>> {
    if matches!(pattern, r"[\s\S]*" | r"^[\s\S]*$" | r"[\S\s]*") {
        return Ok(None);
    }
    let inner = pattern.strip_prefix('^').unwrap_or(pattern);
    let inner = inner.strip_suffix('$').filter(|_| !inner.ends_with(r"\$")).unwrap_or(inner);
    let mut parser = Parser { rest: inner.chars().collect(), at: 0 };
    let node = parser.alternatives().with_context(|| format!("pattern {pattern}"))?;
    ensure!(parser.at == parser.rest.len(), "pattern {pattern} has an unmatched parenthesis");
    Ok(Some(node))
}

struct Parser {
    rest: Vec<char>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.rest.get(self.at).copied()
    }

    fn next(&mut self) -> Result<char> {
        let c = self.peek().context("it ends too early")?;
        self.at += 1;
        Ok(c)
    }

    fn eat(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        self.at += usize::from(found);
        found
    }

    fn alternatives(&mut self) -> Result<String> {
        let mut branches = vec![self.sequence()?];
        while self.eat('|') {
            branches.push(self.sequence()?);
        }
        Ok(if branches.len() == 1 { branches.remove(0) } else { format!("Either(&[{}])", branches.join(", ")) })
    }

    fn sequence(&mut self) -> Result<String> {
        let mut nodes = Vec::new();
        while self.peek().is_some_and(|c| c != '|' && c != ')') {
            let node = self.atom()?;
            nodes.push(self.quantified(node)?);
        }
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { format!("Sequence(&[{}])", nodes.join(", ")) })
    }

    fn atom(&mut self) -> Result<String> {
        match self.next()? {
            '(' => {
                if self.eat('?') {
                    ensure!(self.eat(':'), "only (?: of the (? forms is read");
                }
                let inner = self.alternatives()?;
                ensure!(self.eat(')'), "a parenthesis is not closed");
                Ok(inner)
            }
            '[' => self.class(),
            '.' => Ok("Class(false, &[NotLineEnd])".into()),
            '^' | '$' => bail!("anchors inside a pattern are not read"),
            '\\' => Ok(match self.escape()? {
                Escape::Character(c) => format!("Literal({c:?})"),
                Escape::Set(set) => format!("Class(false, &[{set}])"),
            }),
            c => Ok(format!("Literal({c:?})")),
        }
    }

    fn quantified(&mut self, node: String) -> Result<String> {
        let (min, max) = match self.peek() {
            Some('*') => ("0".to_owned(), "u32::MAX".to_owned()),
            Some('+') => ("1".to_owned(), "u32::MAX".to_owned()),
            Some('?') => ("0".to_owned(), "1".to_owned()),
            Some('{') => {
                let end = self.rest[self.at..].iter().position(|&c| c == '}').context("a brace is not closed")?;
                let text: String = self.rest[self.at + 1..self.at + end].iter().collect();
                self.at += end;
                match text.split_once(',') {
                    None => (text.clone(), text),
                    Some((min, "")) => (min.to_owned(), "u32::MAX".to_owned()),
                    Some((min, max)) => (min.to_owned(), max.to_owned()),
                }
            }
            _ => return Ok(node),
        };
        self.at += 1;
        ensure!(!matches!(self.peek(), Some('?' | '+')), "lazy and possessive quantifiers are not read");
        Ok(format!("Repeat(&{node}, {min}, {max})"))
    }

    fn class(&mut self) -> Result<String> {
        let negated = self.eat('^');
        let (mut items, mut singles) = (Vec::new(), String::new());
        loop {
            let first = match self.next()? {
                ']' if !items.is_empty() || !singles.is_empty() => break,
                '\\' => match self.escape()? {
                    Escape::Character(c) => c,
                    Escape::Set(set) => {
                        items.push(set.to_owned());
                        continue;
                    }
                },
                c => c,
            };
            let range = self.peek() == Some('-') && self.rest.get(self.at + 1).is_some_and(|&c| c != ']');
            if !range {
                singles.push(first);
                continue;
            }
            self.at += 1;
            let last = match self.next()? {
                '\\' => match self.escape()? {
                    Escape::Character(c) => c,
                    Escape::Set(_) => bail!("a range ends with a set"),
                },
                c => c,
            };
            items.push(format!("Range({first:?}, {last:?})"));
        }
        if !singles.is_empty() {
            items.push(format!("AnyOf({singles:?})"));
        }
        Ok(format!("Class({negated}, &[{}])", items.join(", ")))
    }

    fn escape(&mut self) -> Result<Escape> {
        Ok(match self.next()? {
            'w' => Escape::Set("Word"),
            'd' => Escape::Set("Range('0', '9')"),
            's' => Escape::Set("Space"),
            'S' => Escape::Set("NotSpace"),
            'p' => {
                ensure!(self.eat('{'), r"only \p{{...}} is read");
                let mut name = String::new();
                while !self.eat('}') {
                    name.push(self.next()?);
                }
                match &*name {
                    "L" => Escape::Set("Letter"),
                    "N" => Escape::Set("Number"),
                    "Z" => Escape::Set("Separator"),
                    // Of ASCII alone, as Java means it.
                    "Graph" => Escape::Set("Range('!', '~')"),
                    other => bail!(r"\p{{{other}}} is not read"),
                }
            }
            'x' => {
                let digits = [self.next()?, self.next()?].iter().collect::<String>();
                Escape::Character(char::from(u8::from_str_radix(&digits, 16)?))
            }
            'u' => {
                let digits = (0..4).map(|_| self.next()).collect::<Result<String>>()?;
                let code = u32::from_str_radix(&digits, 16)?;
                Escape::Character(char::from_u32(code).context("half of a surrogate pair is not read")?)
            }
            't' => Escape::Character('\t'),
            'n' => Escape::Character('\n'),
            'r' => Escape::Character('\r'),
            c if c.is_ascii_alphanumeric() => bail!(r"\{c} is not read"),
            c => Escape::Character(c),
        })
    }
}

/// What follows a backslash: one character, or the constant that names a set.
enum Escape {
    Character(char),
    Set(&'static str),
}

#[cfg(test)]
mod tests {
    use super::expression;

    #[test]
    fn patterns_become_constants() {
        for (pattern, expected) in [
            ("[0-9]+", "Repeat(&Class(false, &[Range('0', '9')]), 1, u32::MAX)"),
            ("(a|b)?", "Repeat(&Either(&[Literal('a'), Literal('b')]), 0, 1)"),
            (r"[\p{Graph}\x20]*", r#"Repeat(&Class(false, &[Range('!', '~'), AnyOf(" ")]), 0, u32::MAX)"#),
            (r"[\u0009\u0020-\u00FF]", r#"Class(false, &[Range(' ', 'ÿ'), AnyOf("\t")])"#),
            (r"^[\w-]{1,3}$", r#"Repeat(&Class(false, &[Word, AnyOf("-")]), 1, 3)"#),
        ] {
            assert_eq!(expression(pattern).unwrap().as_deref(), Some(expected), "{pattern}");
        }
        assert_eq!(expression(r"[\s\S]*").unwrap(), None);
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for pattern in ["(?!aws)x", "a*?", "a$b", r"\bx", "(a", "a)", "[a", r"\xg0", r"\p{Greek}", r"\p{"] {
            assert!(expression(pattern).is_err(), "{pattern}");
        }
    }
}
