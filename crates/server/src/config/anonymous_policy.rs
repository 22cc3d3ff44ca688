//! The policy of a listener's anonymous clients: within the configuration or in a file of its own, and where it is wrong.

use std::{collections::BTreeMap, path::Path};

use serde_json::value::RawValue;
use tidegate_policy::{Document, MalformedPolicy};

use super::{ConfigError, Listener};

/// The document that `listener` names; `configuration` is the text of the file `path`.
pub(super) fn read(listener: &Listener, path: &Path, configuration: &str) -> Result<Option<Document>, ConfigError> {
    let Some(value) = &listener.anonymous_policy else { return Ok(None) };
    let setting = format!("mqtt.listener {:?}: anonymous_policy", listener.name);
    let text = value.as_ref();
    if text.trim_start().starts_with('{') {
        let within = |error: MalformedPolicy| {
            let at = match begins(configuration, value.span().start) {
                // What the environment says is nowhere in the file.
                None => setting.clone(),
                Some(begins) => {
                    let (line, column) = place(text, &error).map_or(begins, |place| behind(begins, place));
                    format!("{}, line {line}, column {column}: {setting}", path.display())
                }
            };
            ConfigError::Policy { at, message: message(&error) }
        };
        return Document::parse(text).map(Some).map_err(within);
    }
    let file = path.parent().unwrap_or(Path::new("")).join(text);
    let unreadable = |error| ConfigError::Policy {
        at: setting.clone(),
        message: format!("cannot read the policy document {}: {error}", file.display()),
    };
    let text = std::fs::read_to_string(&file).map_err(unreadable)?;
    let malformed = |error: MalformedPolicy| {
        let at = match place(&text, &error) {
            None => file.display().to_string(),
            Some((line, column)) => format!("{}, line {line}, column {column}", file.display()),
        };
        ConfigError::Policy { at, message: message(&error) }
    };
    Document::parse(&text).map(Some).map_err(malformed)
}

/// The error without the place that it names in its own way.
fn message(error: &MalformedPolicy) -> String {
    let message = error.to_string();
    match message.rsplit_once(" at line ") {
        Some((message, _)) if matches!(error, MalformedPolicy::Json(_)) => message.to_owned(),
        _ => message,
    }
}

/// Line and column, from 1.
pub(super) type LineColumn = (usize, usize);

/// Where in the document the error is.
fn place(text: &str, error: &MalformedPolicy) -> Option<LineColumn> {
    match error {
        MalformedPolicy::TooLarge { .. } => None,
        MalformedPolicy::Json(message) => {
            let (line, column) = message.rsplit_once(" at line ")?.1.split_once(" column ")?;
            // Column 0 is the end of the line before.
            Some((line.parse().ok()?, column.parse::<usize>().ok()?.max(1)))
        }
        MalformedPolicy::Structure { at, .. } => Some(line_column(text, offset(text, at))),
    }
}

/// Where the value behind a path such as `Statement[1].Effect` begins; where the path cannot be followed, the value that it
/// could be followed to.
fn offset(text: &str, path: &str) -> usize {
    let mut here = text.trim_start();
    for step in path.split(['.', '[']) {
        let below: Option<&RawValue> = match step.strip_suffix(']') {
            Some(index) => {
                let list = serde_json::from_str::<Vec<&RawValue>>(here).ok();
                list.zip(index.parse::<usize>().ok()).and_then(|(list, index)| list.get(index).copied())
            }
            None => {
                serde_json::from_str::<BTreeMap<String, &RawValue>>(here).ok().and_then(|map| map.get(step).copied())
            }
        };
        let Some(below) = below else { break };
        here = below.get();
    }
    // `here` is a part of `text`.
    here.as_ptr().addr() - text.as_ptr().addr()
}

/// Where a person looks for `offset`.
pub(super) fn line_column(text: &str, offset: usize) -> LineColumn {
    let before = &text[..offset];
    let line_begins = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_begins..].chars().count() + 1)
}

/// Where the content of a TOML string begins, whose delimiter is at `start`.
fn begins(configuration: &str, start: usize) -> Option<LineColumn> {
    let value = configuration.get(start..).filter(|value| value.starts_with(['\'', '"']))?;
    let delimiter = if value.starts_with("'''") || value.starts_with("\"\"\"") { 3 } else { 1 };
    // TOML: a line end right behind the delimiter is not part of the string.
    let line_end = if delimiter == 3 && value[3..].starts_with("\r\n") {
        2
    } else {
        usize::from(delimiter == 3 && value[3..].starts_with('\n'))
    };
    Some(line_column(configuration, start + delimiter + line_end))
}

/// The place in the whole of a place in a part that begins at `begins`.
fn behind((line, column): LineColumn, (lines, columns): LineColumn) -> LineColumn {
    if lines == 1 { (line, column + columns - 1) } else { (line + lines - 1, columns) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_an_error_is_where_a_person_looks() {
        for (text, expected) in [
            ("{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [}\n", Some((3, 17))),
            ("{\"Version\": \"2013\", \"Statement\": []}", Some((1, 13))),
            (
                "\n{\"Statement\": [\n{\"Effect\": \"Allow\", \"Action\": \"iot:*\", \"Resource\": \"*\"},\n {\"Effect\": \"allow\"}]}",
                Some((4, 13)),
            ),
            (
                "{\"Statement\": {\"Effect\": \"Deny\",\n  \"Condition\": {\"NoSuch\": {}},\n \"Action\": \"*\", \"Resource\": \"*\"}}",
                Some((2, 27)),
            ),
            ("{ \"Statement\":\n  { \"Effect\": \"Allow\", \"Resource\": \"*\" } }", Some((2, 3))),
        ] {
            let error = Document::parse(text).unwrap_err();
            let found = place(text, &error);
            assert_eq!(found, expected, "{text}: {error}");
        }
    }

    #[test]
    fn a_string_begins_behind_its_delimiter() {
        for (configuration, expected) in [
            ("a = '''\n{}'''", Some((2, 1))),
            ("a = '''{}'''", Some((1, 8))),
            ("\na = \"\"\"\r\n{}\"\"\"", Some((3, 1))),
            ("a = '{}'", Some((1, 6))),
            ("a = 1", None),
        ] {
            let start = configuration.find(['\'', '"']).unwrap_or(4);
            assert_eq!(begins(configuration, start), expected, "{configuration:?}");
        }
    }
}
