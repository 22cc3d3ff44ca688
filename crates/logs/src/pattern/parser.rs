//! From text to terms and conditions, by descent; how deep is bounded.

use serde_json::Value;

use super::{
    Kind, PatternError,
    condition::{Condition, Operand, Operator, Step},
};

/// Parentheses in one another.
const DEPTH_MAX: usize = 16;

/// Terms and phrases; none want everything.
pub(super) fn terms(text: &str) -> Result<Kind, PatternError> {
    let (mut all, mut any, mut none) = (Vec::new(), Vec::new(), Vec::new());
    let mut parser = Parser { rest: text };
    loop {
        parser.skip_blanks();
        if parser.rest.is_empty() {
            return Ok(Kind::Terms { all, any, none });
        }
        let list = if parser.takes("?") {
            &mut any
        } else if parser.takes("-") {
            &mut none
        } else {
            &mut all
        };
        let term = match parser.quoted()? {
            Some(phrase) => phrase,
            None => parser.word(|c| c.is_alphanumeric() || c == '_').ok_or(PatternError("put it in double quotes"))?,
        };
        if !parser.rest.is_empty() && !parser.rest.starts_with(char::is_whitespace) {
            return Err(PatternError(
                "a term with other characters than letters, digits and _ stands in double quotes",
            ));
        }
        list.push(term);
    }
}

/// A condition, without the braces around it.
pub(super) fn condition(text: &str) -> Result<Condition, PatternError> {
    let mut parser = Parser { rest: text };
    let condition = parser.any(0)?;
    parser.end()?;
    Ok(condition)
}

struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn takes(&mut self, what: &str) -> bool {
        match self.rest.strip_prefix(what) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn word(&mut self, belongs: impl Fn(char) -> bool) -> Option<String> {
        let end = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!word.is_empty()).then(|| word.to_owned())
    }

    /// A text in double quotes, `\"` and `\\` undone, if one is next.
    fn quoted(&mut self) -> Result<Option<String>, PatternError> {
        if !self.takes("\"") {
            return Ok(None);
        }
        let mut text = String::new();
        let mut chars = self.rest.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(Some(text));
                }
                '\\' => text.extend(chars.next().map(|(_, c)| c)),
                c => text.push(c),
            }
        }
        Err(PatternError("a \" is missing"))
    }

    fn end(&mut self) -> Result<(), PatternError> {
        self.skip_blanks();
        if self.rest.is_empty() { Ok(()) } else { Err(PatternError("something is left over behind the condition")) }
    }

    fn any(&mut self, depth: usize) -> Result<Condition, PatternError> {
        let mut parts = vec![self.all(depth)?];
        while self.next_is("||") {
            parts.push(self.all(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::Any(parts) })
    }

    fn all(&mut self, depth: usize) -> Result<Condition, PatternError> {
        let mut parts = vec![self.one(depth)?];
        while self.next_is("&&") {
            parts.push(self.one(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::All(parts) })
    }

    fn next_is(&mut self, what: &str) -> bool {
        self.skip_blanks();
        self.takes(what)
    }

    fn one(&mut self, depth: usize) -> Result<Condition, PatternError> {
        if self.next_is("(") {
            if depth == DEPTH_MAX {
                return Err(PatternError("too many parentheses in one another"));
            }
            let inner = self.any(depth + 1)?;
            return if self.next_is(")") { Ok(inner) } else { Err(PatternError("a ) is missing")) };
        }
        let path = self.path()?;
        self.skip_blanks();
        if self.takes("IS") {
            self.skip_blanks();
            let values = [("NULL", Value::Null), ("TRUE", Value::Bool(true)), ("FALSE", Value::Bool(false))];
            let word = self.word(char::is_alphanumeric);
            let value = values.into_iter().find(|(known, _)| Some(*known) == word.as_deref());
            let (_, value) = value.ok_or(PatternError("behind IS stands NULL, TRUE or FALSE"))?;
            return Ok(Condition::Is { path, value });
        }
        let wanted = !self.takes("NOT");
        if self.next_is("EXISTS") {
            return Ok(Condition::Exists { path, wanted });
        }
        if !wanted {
            return Err(PatternError("behind NOT stands EXISTS"));
        }
        let operators = [
            ("!=", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("=", Operator::Equal),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        let operator = operators.into_iter().find(|(text, _)| self.takes(text)).map(|(_, operator)| operator);
        let operator = operator.ok_or(PatternError("the operators are = != < <= > >="))?;
        let value = self.operand()?;
        let ordered = !matches!(operator, Operator::Equal | Operator::NotEqual);
        if ordered && matches!(value, Operand::Text(_)) {
            return Err(PatternError("only numbers are compared by order"));
        }
        Ok(Condition::Compare { path, operator, value })
    }

    fn path(&mut self) -> Result<Vec<Step>, PatternError> {
        if !self.next_is("$") {
            return Err(PatternError("a condition begins with $."));
        }
        let mut path = Vec::new();
        loop {
            if self.takes(".") {
                // As in `$.['a.b']`: the point may stand before a bracket.
                if self.rest.starts_with('[') {
                    continue;
                }
                let name = self.word(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
                path.push(Step::Member(name.ok_or(PatternError("a name is missing behind a ."))?));
            } else if self.takes("[") {
                path.push(self.bracket()?);
            } else if path.is_empty() {
                return Err(PatternError("a condition begins with $."));
            } else {
                return Ok(path);
            }
        }
    }

    /// What stands in brackets: a number, or a name in single or double quotes.
    fn bracket(&mut self) -> Result<Step, PatternError> {
        let step = match self.quoted()? {
            Some(name) => Step::Member(name),
            None if self.takes("'") => {
                let name = self.word(|c| c != '\'').ok_or(PatternError("a name is missing in brackets"))?;
                if !self.takes("'") {
                    return Err(PatternError("a ' is missing"));
                }
                Step::Member(name)
            }
            None => {
                let number = self.word(|c| c.is_ascii_digit()).and_then(|digits| digits.parse().ok());
                Step::Item(number.ok_or(PatternError("a number or a quoted name stands in brackets"))?)
            }
        };
        if self.takes("]") { Ok(step) } else { Err(PatternError("a ] is missing")) }
    }

    fn operand(&mut self) -> Result<Operand, PatternError> {
        self.skip_blanks();
        if let Some(text) = self.quoted()? {
            return Ok(Operand::Text(text));
        }
        let bare = |c: char| !c.is_whitespace() && !matches!(c, ')' | '(' | '&' | '|' | '"' | '%' | '=' | '<' | '>');
        let word = self.word(bare).ok_or(PatternError("a value is missing"))?;
        // `nan` and `inf` are words, though Rust reads numbers in them.
        let number = word.parse().ok().filter(|number: &f64| number.is_finite());
        Ok(number.map_or(Operand::Text(word), Operand::Number))
    }
}
