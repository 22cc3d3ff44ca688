//! What fuzzing runs; the same body is a property test.

use serde_json::json;

use crate::FilterPattern;

/// Reads the first line as a filter pattern and the rest as the message of an event: the pattern is refused or can be asked, and what
/// quotes the message wants it, as a phrase and as the value of a member.
///
/// # Panics
/// When one of these does not hold.
pub fn filter_pattern(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (pattern, message) = text.split_once('\n').unwrap_or((text, ""));
    if let Ok(parsed) = FilterPattern::parse(pattern) {
        let _ = parsed.matches(message);
        let _ = parsed.matches(&json!({ "a": message, "b": { "c": pattern } }).to_string());
    }
    let quoted = format!("\"{}\"", message.replace('\\', "\\\\").replace('"', "\\\""));
    for (pattern, event, wanted) in [
        (quoted.clone(), message.to_owned(), true),
        (format!("-{quoted}"), message.to_owned(), false),
        (format!("?{quoted} ?other"), message.to_owned(), true),
        (format!("{{ ($.a.b = {quoted}) }}"), json!({ "a": { "b": message } }).to_string(), true),
        (format!("{{ $.a != {quoted} || $.b = 1 }}"), json!({ "a": message }).to_string(), false),
    ] {
        if let Ok(parsed) = FilterPattern::parse(&pattern) {
            assert_eq!(parsed.matches(&event), wanted, "{pattern}");
        }
    }
}
