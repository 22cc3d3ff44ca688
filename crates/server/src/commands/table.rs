//! Rows for people: columns as wide as they must be, and nothing in them that a terminal would obey.

use serde_json::Value;
use tidegate_ids::Timestamp;

/// How a member is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// As it is.
    Plain,
    /// Milliseconds since the epoch, as a date.
    Date,
}

/// A column: its title, the rows' member, how that is shown.
pub(super) type Column = (&'static str, &'static str, Shown);

/// The rows below a line of titles.
pub(super) fn table(columns: &[Column], rows: &[Value]) -> String {
    let titles = columns.iter().map(|(title, ..)| (*title).to_owned()).collect();
    let cells = |row: &Value| columns.iter().map(|(_, member, shown)| cell(&row[*member], *shown)).collect();
    let lines: Vec<Vec<String>> = std::iter::once(titles).chain(rows.iter().map(cells)).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let mut text = String::new();
    for line in &lines {
        let padded: Vec<String> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        text.push_str(padded.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// A value as a person reads it: nothing is `-`.
pub(super) fn cell(value: &Value, shown: Shown) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(value) => if *value { "yes" } else { "no" }.to_owned(),
        Value::String(text) => printable(text),
        Value::Number(number) if shown == Shown::Date => {
            super::date(Timestamp::from_millis(number.as_u64().unwrap_or_default()))
        }
        other => other.to_string(),
    }
}

/// A client chose it: what a terminal would obey, or would not show, is written as an escape.
pub(super) fn printable(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().flat_map(|c| if hidden(c) { c.escape_debug().collect() } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let columns = [("client", "clientId", Shown::Plain), ("since", "sinceMillis", Shown::Date)];
        let rows = [
            json!({ "clientId": "thermometer-1", "sinceMillis": 0 }),
            json!({ "clientId": "ü\u{1b}[2J\n", "sinceMillis": null }),
        ];
        let expected = "client         since\nthermometer-1  1970-01-01T00:00:00Z\nü\\u{1b}[2J\\n   -\n";
        assert_eq!(table(&columns, &rows), expected);
    }
}
