//! A line of the log as JSON.

use std::{
    cell::Cell,
    fmt::{self, Write as _},
    io::Write as _,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::Value;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, fmt::MakeWriter, layer::Context};

/// A longer line's memory is given back once the line is written.
const KEPT_BYTES_MAX: usize = 16 * 1024;

/// Writes each event as one JSON object in one line: `timestamp`, `level`, the event's fields in its order, `target`.
///
/// Numbers and booleans stay what they are, all else is a string. Spans are not written, and there are none. A line is written
/// at once, into memory that each thread keeps. Whatever a client put into a value, the line stays one line and JSON: see [`escape`].
#[derive(Debug)]
pub(super) struct JsonLines<W>(pub(super) W);

impl<S: Subscriber, W: for<'a> MakeWriter<'a> + 'static> Layer<S> for JsonLines<W> {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        thread_local! {
            static LINE: Cell<Line> = const { Cell::new(Line::new()) };
        }
        let mut line = LINE.take(); // if a value of the event logs as well or panics, there is another
        line.begin(event.metadata(), SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default());
        event.record(&mut line);
        line.end(event.metadata());
        // Nobody could be told of a failure.
        let _ = self.0.make_writer_for(event.metadata()).write_all(line.text.as_bytes());
        line.clear();
        LINE.set(line);
    }
}

#[derive(Default)]
struct Line {
    text: String,
    /// The last second that a line was written in, and its date and time of day.
    second: Option<u64>,
    date: String,
}

impl Line {
    const fn new() -> Self {
        Self { text: String::new(), second: None, date: String::new() }
    }

    /// `since_1970` is the wall time.
    fn begin(&mut self, metadata: &Metadata<'_>, since_1970: Duration) {
        self.text.push_str("{\"timestamp\":\"");
        self.timestamp(since_1970);
        self.text.push_str("\",\"level\":\"");
        self.text.push_str(metadata.level().as_str());
        self.text.push('"');
    }

    /// `2026-11-29T18:48:29.123456Z`, of any year to 9999.
    fn timestamp(&mut self, since_1970: Duration) {
        if self.second != Some(since_1970.as_secs()) {
            let second = since_1970.as_secs().try_into().unwrap_or(i64::MAX);
            let date = jiff::Timestamp::from_second(second).unwrap_or(jiff::Timestamp::MAX);
            self.date = format!("{date:.0}");
            self.date.pop(); // the Z
            self.second = Some(since_1970.as_secs());
        }
        let mut micros = since_1970.subsec_micros();
        let mut digits = [b'0'; 6];
        for digit in digits.iter_mut().rev() {
            *digit += (micros % 10) as u8;
            micros /= 10;
        }
        self.text.push_str(&self.date);
        self.text.push('.');
        self.text.extend(digits.map(char::from));
        self.text.push('Z');
    }

    fn name(&mut self, name: &str) {
        self.text.push_str(",\"");
        escape(&mut self.text, name);
        self.text.push_str("\":");
    }

    fn string(&mut self, name: &str, value: &str) {
        self.name(name);
        self.text.push('"');
        escape(&mut self.text, value);
        self.text.push('"');
    }

    /// A value whose text needs no escaping.
    fn bare(&mut self, field: &Field, value: impl fmt::Display) {
        self.name(field.name());
        let _ = write!(self.text, "{value}"); // a String takes all
    }

    fn end(&mut self, metadata: &Metadata<'_>) {
        self.string("target", metadata.target());
        self.text.push_str("}\n");
    }

    fn clear(&mut self) {
        self.text.clear();
        self.text.shrink_to(KEPT_BYTES_MAX);
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.string(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.bare(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.bare(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.bare(field, value);
    }

    /// What is no number in JSON, such as an infinity, is null.
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.bare(field, Value::from(value));
    }

    /// All else: what is told by its `Display` or `Debug`, errors, bytes, integers of more than 64 bits.
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.name(field.name());
        self.text.push('"');
        let _ = write!(Escaped(&mut self.text), "{value:?}"); // of a value that cannot be told, what it told until then
        self.text.push('"');
    }
}

/// Escapes what is written through it.
struct Escaped<'a>(&'a mut String);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        escape(self.0, text);
        Ok(())
    }
}

/// Appends `text` as the inside of a JSON string, without any character that some reader takes for the end of a line.
///
/// Spec: RFC 8259, section 7. U+0085, U+2028 and U+2029 need no escape there, but end a line in Unicode and in Python.
fn escape(out: &mut String, mut text: &str) {
    loop {
        let (plain, rest) = text.split_at(plain_bytes(text.as_bytes()));
        out.push_str(plain);
        let mut rest = rest.chars();
        match rest.next() {
            None => return,
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\u{8}') => out.push_str("\\b"),
            Some('\t') => out.push_str("\\t"),
            Some('\n') => out.push_str("\\n"),
            Some('\u{c}') => out.push_str("\\f"),
            Some('\r') => out.push_str("\\r"),
            Some(other @ ('\0'..' ' | '\u{85}' | '\u{2028}' | '\u{2029}')) => {
                let _ = write!(out, "\\u{:04x}", u32::from(other)); // a String takes all
            }
            Some(other) => out.push(other),
        }
        text = rest.as_str();
    }
}

/// How many bytes from the start are ASCII and need no escape; 16 are looked at together.
fn plain_bytes(bytes: &[u8]) -> usize {
    let is_plain = |byte: u8| (b' '..0x80).contains(&byte) & (byte != b'"') & (byte != b'\\');
    let (blocks, _) = bytes.as_chunks::<16>();
    let are_plain = |block: &&[u8; 16]| block.iter().fold(true, |all, &byte| all & is_plain(byte));
    let whole = blocks.iter().take_while(are_plain).count() * 16;
    whole + bytes[whole..].iter().take_while(|&&byte| is_plain(byte)).count()
}

#[cfg(test)]
mod tests;
