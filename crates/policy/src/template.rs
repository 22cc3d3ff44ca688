//! Text of a policy with wildcards and variables still in it.

use crate::{
    pattern::{ANY_ONE, ANY_RUN},
    variables::{Substitution, Variables},
};

/// A resource or a condition value as a person reads it, with the values that its variables have on a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The text. A variable without a value stands there as in the document; a wildcard character that is meant as
    /// itself is written `${*}` or `${?}`.
    pub text: String,
    /// The variables that have no value in it, each once, in order.
    pub unresolved: Vec<Unresolved>,
}

/// A variable that is not replaced by a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unresolved {
    /// Its name, such as `iot:ClientId`.
    pub name: Box<str>,
    /// Why not.
    pub why: WhyUnresolved,
}

/// Why a variable is not replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhyUnresolved {
    /// Nothing is known under this name.
    Missing,
    /// The value has one of `* $ + ? #`, or more than [`Variables::CHARACTERS_MAX`] characters.
    Withheld,
}

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

    /// The pattern under `variables`; an error when one of them is not replaced.
    pub(crate) fn pattern(&self, variables: &Variables) -> Result<Vec<u8>, WhyUnresolved> {
        let mut pattern = Vec::new();
        self.fill(variables, |piece| match piece {
            Filled::Text(text) => pattern.extend_from_slice(text.as_bytes()),
            Filled::AnyRun => pattern.push(ANY_RUN),
            Filled::AnyOne => pattern.push(ANY_ONE),
        })?;
        Ok(pattern)
    }

    /// The text under `variables`, wildcards as the characters they are; an error when a variable is not replaced.
    pub(crate) fn text(&self, variables: &Variables) -> Result<String, WhyUnresolved> {
        let mut filled = String::new();
        self.fill(variables, |piece| match piece {
            Filled::Text(text) => filled.push_str(text),
            Filled::AnyRun => filled.push('*'),
            Filled::AnyOne => filled.push('?'),
        })?;
        Ok(filled)
    }

    /// Gives the parts with their values to `take`. Of several variables without a value, a withheld one is the error.
    fn fill(&self, variables: &Variables, mut take: impl FnMut(Filled<'_>)) -> Result<(), WhyUnresolved> {
        let mut missing = Ok(());
        for part in &self.parts {
            match part {
                Part::Literal(text) => take(Filled::Text(text)),
                Part::AnyRun => take(Filled::AnyRun),
                Part::AnyOne => take(Filled::AnyOne),
                Part::Variable { name, default } => match resolve(variables, name, default.as_deref()) {
                    Ok(value) => take(Filled::Text(&value)),
                    Err(WhyUnresolved::Withheld) => return Err(WhyUnresolved::Withheld),
                    Err(WhyUnresolved::Missing) => missing = Err(WhyUnresolved::Missing),
                },
            }
        }
        missing
    }

    /// The text under `variables` for a person to read.
    pub(crate) fn render(&self, variables: &Variables) -> Rendered {
        let mut rendered = Rendered { text: String::new(), unresolved: Vec::new() };
        for part in &self.parts {
            match part {
                Part::Literal(literal) => push_escaped(&mut rendered.text, literal),
                Part::AnyRun => rendered.text.push('*'),
                Part::AnyOne => rendered.text.push('?'),
                Part::Variable { name, default } => match resolve(variables, name, default.as_deref()) {
                    Ok(value) => push_escaped(&mut rendered.text, &value),
                    Err(why) => {
                        rendered.text += &format!("${{{name}}}");
                        if !rendered.unresolved.iter().any(|known| known.name == *name) {
                            rendered.unresolved.push(Unresolved { name: name.clone(), why });
                        }
                    }
                },
            }
        }
        rendered
    }

    /// The pattern if its variables could have any value.
    pub(crate) fn widest(&self) -> Vec<u8> {
        self.pieces(|_| vec![ANY_RUN])
    }

    /// The pattern with its variables as they are spelled.
    pub(crate) fn spelled(&self) -> Vec<u8> {
        self.pieces(|name| format!("${{{name}}}").into_bytes())
    }

    fn pieces(&self, variable: impl Fn(&str) -> Vec<u8>) -> Vec<u8> {
        let bytes = |part: &Part| match part {
            Part::Literal(text) => text.as_bytes().to_vec(),
            Part::AnyRun => vec![ANY_RUN],
            Part::AnyOne => vec![ANY_ONE],
            Part::Variable { name, .. } => variable(name),
        };
        self.parts.iter().flat_map(bytes).collect()
    }

    /// Its parts that stand for themselves.
    pub(crate) fn literals(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Literal(text) => Some(&**text),
            Part::Variable { .. } | Part::AnyRun | Part::AnyOne => None,
        })
    }

    /// The names of its variables, in order.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable { name, .. } => Some(&**name),
            Part::Literal(_) | Part::AnyRun | Part::AnyOne => None,
        })
    }
}

/// A part of a template, its variable replaced.
enum Filled<'t> {
    Text(&'t str),
    AnyRun,
    AnyOne,
}

fn resolve(variables: &Variables, name: &str, default: Option<&str>) -> Result<String, WhyUnresolved> {
    match (variables.substitution(name), default) {
        (Substitution::Value(value), _) => Ok(value),
        (Substitution::Missing, Some(default)) => Ok(default.to_owned()),
        (Substitution::Missing, None) => Err(WhyUnresolved::Missing),
        (Substitution::Unsafe, _) => Err(WhyUnresolved::Withheld),
    }
}

/// Wildcard characters of a literal are there because they were escaped, or because of a default.
fn push_escaped(text: &mut String, literal: &str) {
    for character in literal.chars() {
        match character {
            '*' => *text += "${*}",
            '?' => *text += "${?}",
            other => text.push(other),
        }
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
