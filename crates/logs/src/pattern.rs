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

mod condition;
mod parser;

use serde_json::Value;

use condition::Condition;

/// Longest pattern, in bytes: AWS's 1024 characters.
const PATTERN_BYTES_MAX: usize = 4096;

/// Which events are wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct FilterPattern(Kind);

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Terms { all: Vec<String>, any: Vec<String>, none: Vec<String> },
    Json(Condition),
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
                let inner = inner.ok_or(PatternError("a } is missing"))?;
                parser::condition(inner).map(|condition| Self(Kind::Json(condition)))
            }
            Some('[') => Err(PatternError("patterns for columns are not served")),
            Some('%') => Err(PatternError("regular expressions are not served")),
            Some(_) | None => parser::terms(text).map(Self),
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

#[cfg(test)]
mod tests;
