//! A value held against its shape, and AWS's words for what is wrong with it.

use serde_json::{Map, Value};

use super::{List, Member, Shape, Text};

/// Why an input is not what its model demands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A value is of another kind: the sentence.
    Kind(String),
    /// Values break their constraints: AWS's sentence for all of them together.
    Constraint(String),
}

/// Most violations that one answer names.
const VIOLATIONS_MAX: usize = 16;

/// Most characters of a value that an answer repeats.
const ECHO_CHARS_MAX: usize = 256;

/// Holds the members of a structure against `shape`. The recursion is over the model.
///
/// AWS: `1 validation error detected: Value '…' at 'pageSize' failed to satisfy constraint: Member must have …`, several
/// joined by `; `, members of lists as `tags.1.member.key`.
pub(crate) fn check(members: &[Member], input: &Map<String, Value>) -> Result<(), Fault> {
    let mut found = Violations(Vec::new());
    structure(members, input, "", &mut found)?;
    if found.0.is_empty() {
        return Ok(());
    }
    let plural = if found.0.len() == 1 { "error" } else { "errors" };
    Err(Fault::Constraint(format!("{} validation {plural} detected: {}", found.0.len(), found.0.join("; "))))
}

struct Violations(Vec<String>);

impl Violations {
    /// `value` as it is to be shown: quoted, or `null`.
    fn add(&mut self, value: &str, at: &str, rule: &str) {
        self.take(format!("Value {value}at '{at}' failed to satisfy constraint: {rule}"));
    }

    fn take(&mut self, violation: String) {
        if self.0.len() < VIOLATIONS_MAX {
            self.0.push(violation);
        }
    }

    fn bounds(&mut self, value: &str, at: &str, what: &str, size: i128, min: i128, max: i128) {
        if size > max {
            self.add(value, at, &format!("Member must have {what} less than or equal to {max}"));
        }
        if size < min {
            self.add(value, at, &format!("Member must have {what} greater than or equal to {min}"));
        }
    }
}

fn structure(
    members: &[Member],
    input: &Map<String, Value>,
    prefix: &str,
    found: &mut Violations,
) -> Result<(), Fault> {
    for member in members {
        let at = join(prefix, member.name);
        match input.get(member.name) {
            None | Some(Value::Null) if member.required => found.add("null ", &at, "Member must not be null"),
            None | Some(Value::Null) => {}
            Some(given) => value(member.shape, given, &at, found)?,
        }
    }
    Ok(())
}

fn value(shape: &Shape, given: &Value, at: &str, found: &mut Violations) -> Result<(), Fault> {
    match (shape, given) {
        (Shape::Text(rules), Value::String(text)) => check_text(rules, text, at, found),
        (Shape::OneOf(words), Value::String(text)) => {
            if !words.contains(&&**text) {
                let rule = format!("Member must satisfy enum value set: [{}]", words.join(", "));
                found.add(&echo(text), at, &rule);
            }
        }
        (Shape::Integer { min, max }, Value::Number(number)) => match number.as_i64() {
            Some(i) => found.bounds(&echo(&i.to_string()), at, "value", i.into(), (*min).into(), (*max).into()),
            None => return Err(kind(at, "an integer")),
        },
        (Shape::Float | Shape::Timestamp, Value::Number(_)) => {}
        (Shape::Boolean, Value::Bool(_)) => {}
        (Shape::Blob, Value::String(_)) => {}
        (Shape::List(List { min, max, item }), Value::Array(items)) => {
            let size = items.len() as i128;
            found.bounds(&echo(&format!("[{size} items]")), at, "length", size, (*min).into(), (*max).into());
            for (i, given) in items.iter().enumerate() {
                value(item, given, &format!("{at}.{}.member", i + 1), found)?;
            }
        }
        (Shape::Map { key, value: inner }, Value::Object(entries)) => {
            let names = entries.keys().map(|name| Value::from(name.as_str()));
            let is_sensitive = |shape: &Shape| matches!(shape, Shape::Text(Text { sensitive: true, .. }));
            let shown = if is_sensitive(key) || is_sensitive(inner) { None } else { Some(entries) };
            all_of_map("Map keys", key, names, shown, at, found)?;
            all_of_map("Map value", inner, entries.values().cloned(), shown, at, found)?;
        }
        (Shape::Structure(members), Value::Object(inner)) => structure(members, inner, at, found)?,
        (Shape::Text(_) | Shape::OneOf(_), _) => return Err(kind(at, "a string")),
        (Shape::Integer { .. }, _) => return Err(kind(at, "an integer")),
        (Shape::Float | Shape::Timestamp, _) => return Err(kind(at, "a number")),
        (Shape::Boolean, _) => return Err(kind(at, "true or false")),
        (Shape::Blob, _) => return Err(kind(at, "a string in Base64")),
        (Shape::List(_), _) => return Err(kind(at, "a list")),
        (Shape::Map { .. } | Shape::Structure(_), _) => return Err(kind(at, "an object")),
    }
    Ok(())
}

/// Holds all keys, or all values, of a map against their shape: one violation for all of them together.
///
/// AWS: `Value '{a b=1}' at 'attributes' failed to satisfy constraint: Map keys must satisfy constraint: [Member must …, …]`.
fn all_of_map(
    which: &str,
    shape: &Shape,
    given: impl Iterator<Item = Value>,
    shown: Option<&Map<String, Value>>,
    at: &str,
    found: &mut Violations,
) -> Result<(), Fault> {
    let mut inner = Violations(Vec::new());
    for given in given {
        value(shape, &given, at, &mut inner)?;
    }
    match shape {
        Shape::Text(rules) if !inner.0.is_empty() => {
            let rule = format!("{which} must satisfy constraint: [{}]", all_rules(rules).join(", "));
            found.add(&shown.map(echo_map).unwrap_or_default(), at, &rule);
        }
        _ => inner.0.into_iter().for_each(|violation| found.take(violation)),
    }
    Ok(())
}

/// All that a text must satisfy, in AWS's words.
fn all_rules(rules: &Text) -> Vec<String> {
    let mut all = Vec::new();
    if rules.max < u64::MAX {
        all.push(format!("Member must have length less than or equal to {}", rules.max));
    }
    if rules.min > 0 || rules.max < u64::MAX {
        all.push(format!("Member must have length greater than or equal to {}", rules.min));
    }
    all.extend(rules.pattern.map(|(pattern, _)| format!("Member must satisfy regular expression pattern: {pattern}")));
    all
}

/// `'{name=value, …}' `, cut as a text is.
fn echo_map(entries: &Map<String, Value>) -> String {
    let mut text = String::from("{");
    for (number, (name, value)) in entries.iter().enumerate() {
        if text.len() > 4 * ECHO_CHARS_MAX {
            break; // longer than what is shown, whatever its characters are
        }
        let comma = if number == 0 { "" } else { ", " };
        text += &format!("{comma}{name}={}", value.as_str().unwrap_or_default());
    }
    echo(&(text + "}"))
}

fn check_text(rules: &Text, text: &str, at: &str, found: &mut Violations) {
    let value = if rules.sensitive { String::new() } else { echo(text) };
    let length = text.chars().count() as i128;
    let before = found.0.len();
    found.bounds(&value, at, "length", length, rules.min.into(), rules.max.into());
    if found.0.len() > before {
        return; // an overlong text is not matched
    }
    if let Some((pattern, node)) = rules.pattern
        && !node.matches(text)
    {
        found.add(&value, at, &format!("Member must satisfy regular expression pattern: {pattern}"));
    }
}

/// Unverified: AWS's sentence for a value of another kind.
pub(super) fn kind(at: &str, wanted: &str) -> Fault {
    Fault::Kind(format!("The value at '{at}' must be {wanted}"))
}

/// `'text' `, cut when it is long. PEM, which may hold a key sent by mistake, is not repeated.
fn echo(text: &str) -> String {
    if text.contains("-----BEGIN") {
        return String::new();
    }
    match text.char_indices().nth(ECHO_CHARS_MAX) {
        None => format!("'{text}' "),
        Some((end, _)) => format!("'{}…' ", &text[..end]),
    }
}

/// AWS writes member names with a small first letter here, whatever the model says.
fn join(prefix: &str, name: &str) -> String {
    let small = name[..1].to_ascii_lowercase() + &name[1..];
    if prefix.is_empty() { small } else { format!("{prefix}.{small}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::*, *};

    static NAME: Shape =
        Shape::Text(Text::ANY.length(1, 4).pattern("[a-z]+", &Repeat(&Class(false, &[Range('a', 'z')]), 1, u32::MAX)));
    static SECRET: Shape = Shape::Text(Text::ANY.length(0, 4).sensitive());
    static SIZE: Shape = Shape::Integer { min: 1, max: 250 };
    static WORD: Shape = Shape::OneOf(&["ON", "OFF"]);
    static TAG: Shape = Shape::Structure(&[body("Key", &NAME).required()]);
    static TAGS: Shape = Shape::List(List::of(&TAG).length(0, 2));
    static ALL: &[Member] = &[
        uri("name", "n", &NAME).required(),
        query("size", "size", &SIZE),
        body("word", &WORD),
        body("flag", &BOOLEAN),
        body("secret", &SECRET),
        body("tags", &TAGS),
    ];

    #[test]
    fn violations_are_worded_as_aws_words_them() {
        const HEAD: &str = "1 validation error detected: Value ";
        for (input, expected) in [
            (json!({}), "null at 'name' failed to satisfy constraint: Member must not be null"),
            (json!({"name": null}), "null at 'name' failed to satisfy constraint: Member must not be null"),
            (
                json!({"name": ""}),
                "'' at 'name' failed to satisfy constraint: Member must have length greater than or equal to 1",
            ),
            (
                json!({"name": "abcde"}),
                "'abcde' at 'name' failed to satisfy constraint: Member must have length less than or equal to 4",
            ),
            (
                json!({"name": "A"}),
                "'A' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-z]+",
            ),
            (
                json!({"name": "a", "size": 251}),
                "'251' at 'size' failed to satisfy constraint: Member must have value less than or equal to 250",
            ),
            (
                json!({"name": "a", "size": 0}),
                "'0' at 'size' failed to satisfy constraint: Member must have value greater than or equal to 1",
            ),
            (
                json!({"name": "a", "word": "on"}),
                "'on' at 'word' failed to satisfy constraint: Member must satisfy enum value set: [ON, OFF]",
            ),
            (
                json!({"name": "a", "secret": "hidden"}),
                "at 'secret' failed to satisfy constraint: Member must have length less than or equal to 4",
            ),
            (
                json!({"name": "a", "tags": [{"Key": "x"}, {}]}),
                "null at 'tags.2.member.key' failed to satisfy constraint: Member must not be null",
            ),
        ] {
            let fault = check(ALL, input.as_object().unwrap());
            assert_eq!(fault, Err(Fault::Constraint(format!("{HEAD}{expected}"))), "{input}");
        }
    }

    #[test]
    fn the_keys_and_values_of_a_map_are_named_together() {
        static NAMES: &[Member] = &[
            body("names", &Shape::Map { key: &NAME, value: &TEXT }),
            body("secrets", &Shape::Map { key: &NAME, value: &SECRET }),
        ];
        for (input, expected) in [
            (json!({"names": {"abc": "x", "abcd": ""}}), Ok(())),
            (
                json!({"names": {"A": "y", "a1": "x"}}),
                Err(
                    "1 validation error detected: Value '{A=y, a1=x}' at 'names' failed to satisfy constraint: Map keys must \
                     satisfy constraint: [Member must have length less than or equal to 4, Member must have length greater \
                     than or equal to 1, Member must satisfy regular expression pattern: [a-z]+]",
                ),
            ),
            (
                json!({"secrets": {"a": "12345"}}),
                Err("1 validation error detected: Value at 'secrets' failed to satisfy constraint: Map value must \
                     satisfy constraint: [Member must have length less than or equal to 4, Member must have length greater \
                     than or equal to 0]"),
            ),
        ] {
            let expected = expected.map_err(|text| Fault::Constraint(text.into()));
            assert_eq!(check(NAMES, input.as_object().unwrap()), expected, "{input}");
        }
        let many: Map<String, Value> = (0..50_000).map(|n| (format!("{n}-{}", "x".repeat(100)), json!("v"))).collect();
        let Err(Fault::Constraint(text)) = check(NAMES, json!({"names": many}).as_object().unwrap()) else { panic!() };
        assert!(text.len() < 1000, "{}", text.len());
        let Err(Fault::Kind(_)) = check(NAMES, json!({"names": {"a": 1}}).as_object().unwrap()) else { panic!() };
    }

    #[test]
    fn several_violations_stand_in_one_answer() {
        let input = json!({"size": 0, "word": "x"});
        let Err(Fault::Constraint(text)) = check(ALL, input.as_object().unwrap()) else { panic!("it was accepted") };
        assert!(text.starts_with("3 validation errors detected: Value null at 'name'"), "{text}");
        assert_eq!(text.matches("; Value ").count(), 2, "{text}");
    }

    #[test]
    fn another_kind_of_value_is_told_apart() {
        for (input, at) in [
            (json!({"name": 1}), "name"),
            (json!({"name": "a", "size": "1"}), "size"),
            (json!({"name": "a", "size": 1.5}), "size"),
            (json!({"name": "a", "flag": "true"}), "flag"),
            (json!({"name": "a", "tags": {}}), "tags"),
            (json!({"name": "a", "tags": ["x"]}), "tags.1.member"),
        ] {
            let Err(Fault::Kind(text)) = check(ALL, input.as_object().unwrap()) else { panic!("accepted: {input}") };
            assert!(text.contains(&format!("'{at}'")), "{text}");
        }
    }

    #[test]
    fn long_values_are_cut_in_the_answer_and_keys_left_out() {
        let input = json!({"name": "é".repeat(100_000)});
        let Err(Fault::Constraint(text)) = check(ALL, input.as_object().unwrap()) else { panic!("it was accepted") };
        assert!(text.len() < 1000, "{}", text.len());
        let input = json!({"name": "-----BEGIN PRIVATE KEY-----"});
        let Err(Fault::Constraint(text)) = check(ALL, input.as_object().unwrap()) else { panic!("it was accepted") };
        assert!(text.contains("Value at 'name'"), "{text}");
    }

    #[test]
    fn what_is_right_passes() {
        let input =
            json!({"name": "abc", "size": 250, "word": "OFF", "flag": false, "tags": [{"Key": "k"}], "other": 1});
        assert_eq!(check(ALL, input.as_object().unwrap()), Ok(()));
    }
}
