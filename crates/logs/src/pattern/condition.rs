//! Conditions on an event that is JSON.

use serde_json::Value;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
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
pub(super) enum Step {
    Member(String),
    Item(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand {
    Number(f64),
    /// With `*` for any run of characters.
    Text(String),
}

impl Condition {
    pub(super) fn holds(&self, event: &Value) -> bool {
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
