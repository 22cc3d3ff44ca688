//! `filterPattern` of FilterLogEvents: terms, phrases, and conditions on JSON.
//!
//! ```text
//!   pattern   := terms | '{' any '}'
//!   terms     := ( ['?' | '-'] ( word | '"' phrase '"' ) )*
//!   any       := all ( '||' all )*
//!   all       := one ( '&&' one )*
//!   one       := '(' any ')' | path ( '=' | '!=' | '<' | '<=' | '>' | '>=' ) value | path 'IS' ( 'NULL' | 'TRUE' | 'FALSE' )
//!              | path 'NOT'? 'EXISTS'
//!   path      := '$' ( '.' name | '[' digits ']' | '[' quoted name ']' )+
//! ```
//!
//! AWS: CloudWatch Logs user guide, "Filter pattern syntax". Regular expressions and patterns for columns are refused. Unverified: a
//! comparison with a member that is not there is false, whatever the operator; words are read in capitals only.

use serde_json::Value;

/// Longest pattern, in bytes: AWS's 1024 characters.
const PATTERN_BYTES_MAX: usize = 4096;
/// Parentheses in one another.
const DEPTH_MAX: usize = 16;

/// Which events are wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct FilterPattern(Kind);

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Terms { all: Vec<String>, any: Vec<String>, none: Vec<String> },
    Json(Condition),
}

#[derive(Debug, Clone, PartialEq)]
enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Compare {
        path: Vec<Step>,
        operator: Operator,
        value: Operand,
    },
    /// The member is there, and is this value.
    Is {
        path: Vec<Step>,
        value: Value,
    },
    Exists {
        path: Vec<Step>,
        wanted: bool,
    },
}

/// From a value to one within it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Member(String),
    Item(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, PartialEq)]
enum Operand {
    Number(f64),
    /// With `*` for any run of characters.
    Text(String),
}

/// A pattern that is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Invalid character(s) in term or unsupported filter pattern: {0}")]
pub struct PatternError(&'static str);

impl FilterPattern {
    /// Reads a pattern; an empty one wants everything.
    ///
    /// # Errors
    /// When it is none, or of a kind that is not served.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let text = text.trim();
        if text.len() > PATTERN_BYTES_MAX {
            return Err(PatternError("it is too long"));
        }
        match text.chars().next() {
            Some('{') => {
                let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
                let mut parser = Parser { rest: inner.ok_or(PatternError("a } is missing"))? };
                let condition = parser.any(0)?;
                parser.end()?;
                Ok(Self(Kind::Json(condition)))
            }
            Some('[') => Err(PatternError("patterns for columns are not served")),
            Some('%') => Err(PatternError("regular expressions are not served")),
            Some(_) | None => terms(text).map(Self),
        }
    }

    /// Whether the event with this message is wanted.
    pub fn matches(&self, message: &str) -> bool {
        match &self.0 {
            Kind::Terms { all, any, none } => {
                let has = |term: &String| message.contains(term.as_str());
                all.iter().all(has) && (any.is_empty() || any.iter().any(has)) && !none.iter().any(has)
            }
            Kind::Json(condition) => {
                serde_json::from_str(message).is_ok_and(|value: Value| value.is_object() && condition.holds(&value))
            }
        }
    }
}

fn terms(text: &str) -> Result<Kind, PatternError> {
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

impl Condition {
    fn holds(&self, event: &Value) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(event)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(event)),
            Self::Compare { path, operator, value } => {
                follow(event, path).is_some_and(|found| compare(found, *operator, value))
            }
            Self::Is { path, value } => follow(event, path) == Some(value),
            Self::Exists { path, wanted } => follow(event, path).is_some() == *wanted,
        }
    }
}

fn follow<'a>(event: &'a Value, path: &[Step]) -> Option<&'a Value> {
    path.iter().try_fold(event, |value, step| match step {
        Step::Member(name) => value.get(name),
        Step::Item(number) => value.get(number),
    })
}

fn compare(found: &Value, operator: Operator, wanted: &Operand) -> bool {
    let equal = match (found, wanted) {
        (Value::Number(number), Operand::Number(wanted)) => {
            let number = number.as_f64().unwrap_or(f64::NAN);
            return match operator {
                Operator::Equal => number == *wanted,
                Operator::NotEqual => number != *wanted,
                Operator::Less => number < *wanted,
                Operator::LessOrEqual => number <= *wanted,
                Operator::Greater => number > *wanted,
                Operator::GreaterOrEqual => number >= *wanted,
            };
        }
        (Value::String(text), Operand::Text(wanted)) => like(wanted, text),
        (Value::String(text), Operand::Number(wanted)) => text.parse() == Ok(*wanted),
        (Value::Bool(value), Operand::Text(wanted)) => wanted.eq_ignore_ascii_case(&value.to_string()),
        _ => false,
    };
    match operator {
        Operator::Equal => equal,
        Operator::NotEqual => !equal,
        Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => false,
    }
}

/// Whether `text` is `pattern`, in which `*` stands for any run of characters. O(pattern × text), without recursion.
fn like(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut last = None;
    for part in parts {
        if let Some(between) = last.replace(part) {
            match rest.find(between) {
                Some(at) => rest = &rest[at + between.len()..],
                None => return false,
            }
        }
    }
    last.map_or(rest.is_empty(), |end| rest.ends_with(end))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fuzz;

    const EVENT: &str = r#"{"eventType":"Connect","clientId":"press-7","sourcePort":4711,"nan":"nan","infinite":"Infinity","status":"Failure","a":{"b":true,"c.d":[1,{"e":null}]},"details":"no \"such\" policy"}"#;

    #[test]
    fn patterns_want_what_they_say() {
        for (pattern, wanted) in [
            ("", true),
            ("Connect", true),
            ("connect", false),
            ("Connect Failure", true),
            ("Connect Success", false),
            ("Connect -Failure", false),
            ("Connect -Success", true),
            ("?Success ?Failure", true),
            ("?Success ?Other", false),
            (r#""press-7""#, true),
            (r#""press 7""#, false),
            (r#""\"clientId\":\"press-7\"""#, true),
            (r#"{ $.clientId = "press-7" }"#, true),
            (r#"{$.clientId="press-7"}"#, true),
            ("{ $.clientId = press-7 }", true),
            (r#"{ $.clientId != "press-7" }"#, false),
            (r#"{ $.clientId = "press-*" }"#, true),
            (r#"{ $.clientId = "*7" }"#, true),
            (r#"{ $.clientId = "p*s-*" }"#, true),
            (r#"{ $.clientId = "*8*" }"#, false),
            (r#"{ $.clientId = "press-7*7" }"#, false),
            (r#"{ $.nobody = "x" }"#, false),
            (r#"{ $.nobody != "x" }"#, false),
            ("{ $.sourcePort = 4711 }", true),
            ("{ $.sourcePort > 4710 && $.sourcePort <= 4711 }", true),
            ("{ $.sourcePort < 4711 }", false),
            ("{ $.a.b = true }", true),
            ("{ $.a.b.c = true }", false),
            ("{ $.nan = nan && $.nan != 1 }", true),
            ("{ $.infinite = Infinity }", true),
            ("{ $.infinite = -inf }", false),
            ("{ $.sourcePort != nan }", true),
            ("{ $.sourcePort = 4.711e3 }", true),
            (r#"{ $.status = "Success" || $.clientId = "press-7" && $.eventType = "Connect" }"#, true),
            (r#"{ ($.status = "Success" || $.clientId = "press-7") && $.eventType = "Ping" }"#, false),
        ] {
            assert_eq!(FilterPattern::parse(pattern).unwrap().matches(EVENT), wanted, "{pattern}");
        }
        for (pattern, wanted) in [
            ("{ $.a.b IS TRUE }", true),
            ("{ $.a.b IS FALSE }", false),
            ("{ $.a['c.d'][1].e IS NULL }", true),
            ("{ $.nobody IS NULL }", false),
            ("{ $.a.['c.d'][0] = 1 }", true),
            (r#"{ $.a["c.d"][2] = 1 }"#, false),
            ("{ $.a[0] = 1 }", false),
            ("{ $.clientId EXISTS }", true),
            ("{ $.clientId NOT EXISTS }", false),
            ("{ $.nobody NOT EXISTS && ($.a.b EXISTS) }", true),
            ("{$.nobody EXISTS || $.status=Failure}", true),
        ] {
            assert_eq!(FilterPattern::parse(pattern).unwrap().matches(EVENT), wanted, "{pattern}");
        }
        assert!(!FilterPattern::parse("{ $.a = 1 }").unwrap().matches("no JSON"));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        let deep = format!("{{ {}$.a = 1{} }}", "(".repeat(17), ")".repeat(17));
        for pattern in [
            "[a, b]",
            "%x%",
            "{",
            "{}",
            "{ a = 1 }",
            "{ $.a }",
            "{ $.a = }",
            "{ $. = 1 }",
            "{ $ = 1 }",
            "{ $.a[x] = 1 }",
            "{ $.a[] = 1 }",
            "{ $.a[99999999999999999999] = 1 }",
            "{ $.a['b] = 1 }",
            "{ $.a[0 = 1 }",
            "{ $[ = 1 }",
            "{ $.. = 1 }",
            "{ $.a IS }",
            "{ $.a IS NULLS }",
            "{ $.a NOT }",
            "{ $.a NOT = 1 }",
            "{ $.a = 1 && }",
            "{ ($.a = 1 }",
            "{ $.a = 1 } x",
            "{ $.a = %x% }",
            "{ $.a < \"b\" }",
            "{ $.a < inf }",
            "{ $.a >= NaN }",
            "{ $.a > 1e999 }",
            "\"open",
            "a:b",
            "-",
            &deep,
            &"x".repeat(5000),
        ] {
            assert!(FilterPattern::parse(pattern).is_err(), "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_is_a_pattern_or_refused(
            noise in prop::collection::vec(any::<u8>(), 0..80),
            pattern in r#"([{}()?"$.=!<>&|*%\\ -]|\$\.a|\$\.b\.c|\[[0-9]\]|\['a'\]| IS NULL| NOT EXISTS|= "|" |&&|[a-c1-3])*"#, message in r#"[a-c*" \\{:}]{0,20}"#,
        ) {
            fuzz::filter_pattern(&noise);
            fuzz::filter_pattern(format!("{pattern}\n{message}").as_bytes());
            fuzz::filter_pattern(format!("{{{pattern}}}\n{message}").as_bytes());
        }
    }
}
