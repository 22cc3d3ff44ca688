//! Texts with variables: names of devices, topics, payloads.

use std::io::Write;

use crate::{mark::Mark, random::Random};

/// Longest text of a template, in bytes.
const TEXT_BYTES_MAX: usize = 128 * 1024;
/// Most digits that `{{index N}}` may ask for.
const DIGITS_MAX: usize = 20;

/// A text with variables in double braces, parsed once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable(Variable),
}

/// What may stand in double braces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variable {
    /// `{{device}}`: the device's name.
    Device,
    /// `{{index}}`, `{{index 5}}`: its number in its group, from 0; with leading zeros up to so many digits.
    Index(usize),
    /// `{{group}}`: the name of its group.
    Group,
    /// `{{seq}}`: the number of the message in its publication, from 0.
    Seq,
    /// `{{now}}`: when it was to be sent, in milliseconds since 1970.
    Now,
    /// `{{random N}}`: a whole number from 0 to below N; `{{random A B}}`: from A to B.
    Random(i64, i64),
    /// `{{mark}}`: what the receiver verifies the message by.
    Mark,
}

/// Why a text is not a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// `{{` without `}}`.
    #[error("{{{{ without }}}}")]
    Open,
    /// No such variable.
    #[error(
        "unknown variable {{{{{0}}}}}; there are device, index, index N, group, seq, now, random N, random A B, mark"
    )]
    Unknown(String),
    /// A variable of messages where there is none.
    #[error("{{{{{0}}}}} belongs to a message and cannot stand here; device, index and group can")]
    OfMessages(String),
    /// A random number out of nothing.
    #[error("{{{{{0}}}}} leaves no number to draw")]
    NothingToDraw(String),
    /// Too long.
    #[error("longer than {TEXT_BYTES_MAX} bytes")]
    TooLong,
}

/// The values of a device.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Who<'a> {
    pub(crate) device: &'a str,
    pub(crate) index: u64,
    pub(crate) group: &'a str,
}

/// The values of a message.
#[derive(Debug, Clone)]
pub(crate) struct What {
    pub(crate) mark: Mark,
    pub(crate) now_millis: u64,
    pub(crate) random: Random,
}

impl Template {
    /// Parses a payload: every variable may stand in it.
    pub fn of_message(text: &str) -> Result<Self, TemplateError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(TemplateError::TooLong);
        }
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, after) = after.split_once("}}").ok_or(TemplateError::Open)?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Variable(Variable::parse(name.trim())?));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// Parses a name, a topic or a client id: what changes from message to message is refused.
    pub fn of_device(text: &str) -> Result<Self, TemplateError> {
        let template = Self::of_message(text)?;
        let of_messages = template.variables().find(|variable| variable.is_of_messages());
        match of_messages {
            None => Ok(template),
            Some(variable) => Err(TemplateError::OfMessages(variable.name().to_owned())),
        }
    }

    /// Whether a variable stands in it.
    pub(crate) fn has(&self, variable: Variable) -> bool {
        self.variables().any(|other| std::mem::discriminant(&other) == std::mem::discriminant(&variable))
    }

    fn variables(&self) -> impl Iterator<Item = Variable> + '_ {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable(variable) => Some(*variable),
            Part::Text(_) => None,
        })
    }

    /// The text for a device. What is of messages (there is none after [`Self::of_device`]) is left out.
    pub(crate) fn name(&self, who: &Who<'_>) -> String {
        let mut out = Vec::new();
        self.write(who, None, &mut out);
        String::from_utf8(out).expect("texts and numbers are UTF-8")
    }

    /// Appends the text for a message.
    pub(crate) fn payload(&self, who: &Who<'_>, mut what: What, out: &mut Vec<u8>) {
        self.write(who, Some(&mut what), out);
    }

    fn write(&self, who: &Who<'_>, mut what: Option<&mut What>, out: &mut Vec<u8>) {
        for part in &self.parts {
            let written = match (part, &mut what) {
                (Part::Text(text), _) => out.write_all(text.as_bytes()),
                (Part::Variable(Variable::Device), _) => out.write_all(who.device.as_bytes()),
                (Part::Variable(Variable::Group), _) => out.write_all(who.group.as_bytes()),
                (Part::Variable(Variable::Index(digits)), _) => write!(out, "{:0digits$}", who.index),
                (Part::Variable(Variable::Seq), Some(what)) => write!(out, "{}", what.mark.seq),
                (Part::Variable(Variable::Now), Some(what)) => write!(out, "{}", what.now_millis),
                (Part::Variable(Variable::Mark), Some(what)) => {
                    what.mark.write(out);
                    Ok(())
                }
                (Part::Variable(Variable::Random(from, to)), Some(what)) => {
                    let width = to.abs_diff(*from).saturating_add(1);
                    write!(out, "{}", from.wrapping_add_unsigned(what.random.below(width)))
                }
                (Part::Variable(_), None) => Ok(()),
            };
            written.expect("a vector takes all that is written");
        }
    }
}

impl Variable {
    fn parse(name: &str) -> Result<Self, TemplateError> {
        let unknown = || TemplateError::Unknown(name.to_owned());
        let number = |word: &str| word.parse::<i64>().map_err(|_| unknown());
        let words: Vec<&str> = name.split_whitespace().collect();
        Ok(match words[..] {
            ["device"] => Self::Device,
            ["index"] => Self::Index(0),
            ["index", digits] => {
                Self::Index(digits.parse().ok().filter(|digits| *digits <= DIGITS_MAX).ok_or_else(unknown)?)
            }
            ["group"] => Self::Group,
            ["seq"] => Self::Seq,
            ["now"] => Self::Now,
            ["mark"] => Self::Mark,
            ["random", count] => Self::drawn(0, number(count)?.saturating_sub(1), name)?,
            ["random", from, to] => Self::drawn(number(from)?, number(to)?, name)?,
            _ => return Err(unknown()),
        })
    }

    fn drawn(from: i64, to: i64, name: &str) -> Result<Self, TemplateError> {
        if from <= to { Ok(Self::Random(from, to)) } else { Err(TemplateError::NothingToDraw(name.to_owned())) }
    }

    fn is_of_messages(self) -> bool {
        match self {
            Self::Seq | Self::Now | Self::Random(..) | Self::Mark => true,
            Self::Device | Self::Index(_) | Self::Group => false,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Index(_) => "index",
            Self::Group => "group",
            Self::Seq => "seq",
            Self::Now => "now",
            Self::Random(..) => "random",
            Self::Mark => "mark",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHO: Who<'_> = Who { device: "press-7", index: 7, group: "presses" };

    fn what() -> What {
        let mark = Mark { run: 1, stream: 2, seq: 3, due_micros: 4 };
        What { mark, now_millis: 1_700_000_000_000, random: Random::of(1, 1) }
    }

    fn payload(text: &str) -> String {
        let mut out = Vec::new();
        Template::of_message(text).unwrap().payload(&WHO, what(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn variables_are_filled_in() {
        for (text, expected) in [
            ("", ""),
            ("21.5", "21.5"),
            ("{{device}}", "press-7"),
            ("a {{ group }}/{{index}}/{{index 4}} z", "a presses/7/0007 z"),
            (r#"{"seq":{{seq}},"at":{{now}}}"#, r#"{"seq":3,"at":1700000000000}"#),
            ("{{mark}}", "tg000000010000000200000003000000000004"),
            ("{{random 1}} {{random -5 -5}}", "0 -5"),
            ("{ {x} }}", "{ {x} }}"),
        ] {
            assert_eq!(payload(text), expected, "{text}");
        }
    }

    #[test]
    fn random_numbers_stay_in_their_range_and_repeat_with_the_seed() {
        let text = "{{random -3 3}}";
        assert_eq!(payload(text), payload(text));
        for number in 0..200 {
            let mut out = Vec::new();
            let drawn = What { random: Random::of(1, number), ..what() };
            Template::of_message(text).unwrap().payload(&WHO, drawn, &mut out);
            let value: i64 = String::from_utf8(out).unwrap().parse().unwrap();
            assert!((-3..=3).contains(&value));
        }
    }

    #[test]
    fn what_is_not_a_variable_is_refused() {
        use TemplateError::*;
        for (text, error) in [
            ("{{device", Open),
            ("{{Device}}", Unknown("Device".into())),
            ("{{random}}", Unknown("random".into())),
            ("{{index -1}}", Unknown("index -1".into())),
            ("{{index 21}}", Unknown("index 21".into())),
            ("{{random 0}}", NothingToDraw("random 0".into())),
            ("{{random 2 1}}", NothingToDraw("random 2 1".into())),
        ] {
            assert_eq!(Template::of_message(text), Err(error), "{text}");
        }
        assert_eq!(Template::of_message(&"x".repeat(TEXT_BYTES_MAX + 1)), Err(TooLong));
    }

    #[test]
    fn a_name_has_no_variables_of_messages() {
        for (text, variable) in
            [("{{seq}}", "seq"), ("a{{now}}", "now"), ("{{random 9}}", "random"), ("{{mark}}", "mark")]
        {
            assert_eq!(Template::of_device(text), Err(TemplateError::OfMessages(variable.into())));
        }
        assert_eq!(Template::of_device("rooms/{{device}}/{{index 2}}").unwrap().name(&WHO), "rooms/press-7/07");
    }
}
