//! Text of a policy with wildcards and variables still in it.

use crate::{
    pattern::Token,
    variables::{Substitution, Variables},
};

/// A resource or a condition value, read once.
///
/// AWS: IAM user guide, "Variables and tags": `${name}`, `${name, 'default'}`, and `${*}`, `${?}`, `${$}` for the
/// characters themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    parts: Box<[Part]>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(Box<str>),
    AnyRun,
    AnyOne,
    Variable { name: Box<str>, default: Option<Box<str>> },
}

impl Template {
    /// Reads `text`. Without `variables` (version 2008-10-17) `${…}` stands for itself.
    ///
    /// A `${` that is never closed stands for itself too.
    pub(crate) fn parse(text: &str, variables: bool) -> Self {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            let braces = rest.strip_prefix("${").filter(|_| variables).and_then(|inner| inner.split_once('}'));
            if let Some((inner, after)) = braces {
                rest = after;
                match inner {
                    "*" | "?" | "$" => literal.push_str(inner),
                    _ => {
                        flush(&mut literal, &mut parts);
                        parts.push(variable(inner));
                    }
                }
                continue;
            }
            rest = &rest[character.len_utf8()..];
            match character {
                '*' | '?' => {
                    flush(&mut literal, &mut parts);
                    parts.push(if character == '*' { Part::AnyRun } else { Part::AnyOne });
                }
                _ => literal.push(character),
            }
        }
        flush(&mut literal, &mut parts);
        Self { parts: parts.into() }
    }

    pub(crate) fn has_variables(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Variable { .. }))
    }

    /// The pattern under `variables`; `None` when one of them is not replaced.
    pub(crate) fn tokens(&self, variables: &Variables) -> Option<Vec<Token>> {
        let mut tokens = Vec::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) => tokens.extend(text.chars().map(Token::Char)),
                Part::AnyRun => tokens.push(Token::AnyRun),
                Part::AnyOne => tokens.push(Token::AnyOne),
                Part::Variable { name, default } => {
                    let value = value(variables, name, default.as_deref())?;
                    tokens.extend(value.chars().map(Token::Char));
                }
            }
        }
        Some(tokens)
    }

    /// The text under `variables`, wildcards as the characters they are; `None` when a variable is not replaced.
    pub(crate) fn text(&self, variables: &Variables) -> Option<String> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::AnyRun => text.push('*'),
                Part::AnyOne => text.push('?'),
                Part::Variable { name, default } => text.push_str(&value(variables, name, default.as_deref())?),
            }
        }
        Some(text)
    }
}

fn value(variables: &Variables, name: &str, default: Option<&str>) -> Option<String> {
    match variables.substitution(name) {
        Substitution::Value(value) => Some(value),
        Substitution::Missing => default.map(str::to_owned),
        Substitution::Unsafe => None,
    }
}

fn flush(literal: &mut String, parts: &mut Vec<Part>) {
    if !literal.is_empty() {
        parts.push(Part::Literal(std::mem::take(literal).into()));
    }
}

/// `name` or `name, 'default'`.
fn variable(inner: &str) -> Part {
    let quoted = |text: &str| text.trim().strip_prefix('\'')?.strip_suffix('\'').map(Box::from);
    match inner.split_once(',').and_then(|(name, default)| Some((name, quoted(default)?))) {
        Some((name, default)) => Part::Variable { name: name.trim().into(), default: Some(default) },
        None => Part::Variable { name: inner.trim().into(), default: None },
    }
}
