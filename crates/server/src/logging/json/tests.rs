use std::{
    error::Error,
    fmt, io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use parking_lot::Mutex;
use proptest::prelude::*;
use serde_json::{Map, json};
use tracing::{debug, error, field, info, subscriber, trace, warn};
use tracing_subscriber::layer::SubscriberExt;

use super::*;

#[derive(Debug, Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().clone()).unwrap()
    }
}

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Written {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// What we and what tracing-subscriber's own JSON format write of the same events.
fn both(log: impl FnOnce()) -> (String, String) {
    let (ours, theirs) = (Written::default(), Written::default());
    let format = tracing_subscriber::fmt::layer().json().flatten_event(true);
    let format = format.with_current_span(false).with_span_list(false).with_writer(theirs.clone());
    subscriber::with_default(tracing_subscriber::registry().with(JsonLines(ours.clone())).with(format), log);
    (ours.text(), theirs.text())
}

/// The time of the only line in `text`, and what follows it.
fn split(text: &str) -> (jiff::Timestamp, &str) {
    let (time, rest) = text.strip_prefix("{\"timestamp\":\"").unwrap().split_at(27);
    let parsed: jiff::Timestamp = time.parse().unwrap();
    assert_eq!(format!("{parsed:.6}"), time);
    (parsed, rest)
}

const LINE_ENDS: [char; 3] = ['\u{85}', '\u{2028}', '\u{2029}'];

/// `theirs`, with the ends of lines escaped that we escape and they do not.
fn escaped(theirs: &str) -> String {
    let escape = |text: String, end: char| text.replace(end, &format!("\\u{:04x}", u32::from(end)));
    LINE_ENDS.into_iter().fold(theirs.to_owned(), escape)
}

#[derive(Debug)]
struct Failed(&'static str);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Failed {}

#[test]
fn a_line_is_what_tracing_subscriber_would_write() {
    let events: &[fn()] = &[
        || info!("text"),
        || info!(target: "tidegate::connections", eventType = "Connect", status = "Success", "{}", "taken"),
        || error!(error = &Failed("a \"quoted\"\n\\ cause") as &dyn Error, "failed"),
        || error!(error = %Failed("\u{1b}[2J"), debugged = ?Failed("\u{1b}[2J\0"), "failed"),
        || warn!(path = ?std::path::Path::new("/a\nb"), listener = %"ünïcode 水 🦀 \u{7f}\u{80}\u{9f}", "degraded"),
        || debug!(least = i64::MIN, minus = -1, zero = 0, most = u64::MAX, small = 7_u8, yes = true, no = false),
        || trace!(large = u128::MAX, largely = i128::MIN, bytes = &[0_u8, 255, 16][..], character = "\u{10ffff}"),
        || {
            info!(
                half = 0.5,
                whole = 1.0,
                tiny = 5e-324,
                huge = 1e300,
                minus = -0.0,
                nothing = f64::NAN,
                all = f64::INFINITY
            )
        },
        || info!(absent = None::<&str>, present = Some("x"), unit = field::Empty, "options"),
        || info!(r#type = "raw", dotted.name = 1, "quoted \"name\"\n" = 2, "names"),
        || info!(timestamp = "t", level = "l", target = "again", "names that are there already"),
        || info!(client_id = "a\u{0}\u{1}\u{8}\t\n\u{b}\u{c}\r\u{1f} \"\\/", "every kind of escape"),
        || info!(client_id = "0123456789abcde\"0123456789abcdef0123456789abcde水0123456789abcdef", "about 16 bytes"),
        || info!(empty = "", "{}", ""),
    ];
    for event in events {
        let (ours, theirs) = both(event);
        let ((our_time, our_rest), (their_time, their_rest)) = (split(&ours), split(&theirs));
        assert_eq!(our_rest, their_rest);
        assert!(our_time.duration_since(their_time).unsigned_abs() < Duration::from_secs(60), "{ours}{theirs}");
    }
}

#[test]
fn what_ends_a_line_in_unicode_is_escaped() {
    let (ours, theirs) = both(|| info!(client_id = "a\u{85}b\u{2028}c\u{2029}d"));
    assert!(ours.contains(r#""client_id":"a\u0085b\u2028c\u2029d""#), "{ours}");
    assert!(theirs.contains(LINE_ENDS), "no difference is left: {theirs}");
}

#[test]
fn a_value_that_panics_takes_only_its_own_line() {
    struct Panics;
    impl fmt::Debug for Panics {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("half")?;
            panic!("as the test wants");
        }
    }
    let written = Written::default();
    subscriber::with_default(tracing_subscriber::registry().with(JsonLines(written.clone())), || {
        info!("before");
        catch_unwind(AssertUnwindSafe(|| info!(value = ?Panics, "lost"))).unwrap_err();
        info!("after");
    });
    let written = written.text();
    let lines: Vec<Value> = written.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().map(|line| &line["message"]).collect::<Vec<_>>(), ["before", "after"]);
}

#[test]
fn a_long_line_is_whole_and_its_memory_is_given_back() {
    let long = "\n".repeat(KEPT_BYTES_MAX);
    let (ours, theirs) = both(|| info!(long));
    assert_eq!(split(&ours).1, split(&theirs).1);

    let mut line = Line::new();
    line.string("long", &long);
    line.clear();
    assert!(line.text.is_empty() && line.text.capacity() <= KEPT_BYTES_MAX);
}

fn text() -> impl Strategy<Value = String> {
    let hostile: Vec<char> =
        ('\0'..=' ').chain("\"\\/\u{7f}\u{80}\u{9b}\u{a0}\u{feff}".chars()).chain(LINE_ENDS).collect();
    let character =
        prop_oneof![3 => prop::char::range(' ', '~'), 1 => any::<char>(), 1 => prop::sample::select(hostile)];
    prop::collection::vec(character, 0..80).prop_map(String::from_iter)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_fields_are_one_line_that_says_what_they_say(
        (message, string, shown, debugged, bytes) in
            (text(), prop::option::of(text()), prop::option::of(text()), prop::option::of(text()), prop::option::of(any::<Vec<u8>>())),
        (unsigned, signed, real, truth, large) in
            (prop::option::of(any::<u64>()), prop::option::of(any::<i64>()), prop::option::of(any::<f64>()), prop::option::of(any::<bool>()), prop::option::of(any::<u128>())),
    ) {
        let (ours, theirs) = both(|| info!(
            target: "any \"target\"",
            string = string.as_deref(),
            shown = shown.as_ref().map(field::display),
            unsigned,
            signed,
            real,
            debugged = debugged.as_ref().map(field::debug),
            truth,
            large,
            bytes = bytes.as_deref(),
            "{message}"
        ));
        prop_assert_eq!(split(&ours).1, escaped(split(&theirs).1));

        let line = ours.strip_suffix('\n').unwrap();
        prop_assert!(!line.contains(|c: char| c < ' ' || LINE_ENDS.contains(&c)), "{}", line);
        let mut parsed: Map<String, Value> = serde_json::from_str(line).unwrap();
        prop_assert!(parsed.remove("timestamp").is_some() && parsed.remove("bytes").is_some() == bytes.is_some());
        // As read, which is not always the nearest.
        let real = real.map(|real| serde_json::from_str(&json!(real).to_string()).unwrap());
        let expected = [
            ("level", Some(json!("INFO"))),
            ("target", Some(json!("any \"target\""))),
            ("message", Some(json!(message))),
            ("string", string.map(Value::from)),
            ("shown", shown.map(Value::from)),
            ("unsigned", unsigned.map(Value::from)),
            ("signed", signed.map(Value::from)),
            ("real", real),
            ("debugged", debugged.map(|text| json!(format!("{text:?}")))),
            ("truth", truth.map(Value::from)),
            ("large", large.map(|number| json!(number.to_string()))),
        ];
        let expected = expected.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        prop_assert_eq!(parsed, expected.collect::<Map<_, _>>());
    }

    #[test]
    fn the_time_is_told_to_the_microsecond(times in prop::collection::vec((0..253_402_200_000_u64, 0..1_000_000_000_u32), 1..4)) {
        let mut line = Line::new();
        for (second, nanos) in times {
            for nanos in [nanos, 999_999_999 - nanos] {
                line.clear();
                line.timestamp(Duration::new(second, nanos));
                let expected = jiff::Timestamp::new(second as i64, nanos as i32).unwrap();
                prop_assert_eq!(&line.text, &format!("{expected:.6}"));
            }
        }
    }
}

#[test]
fn the_time_is_of_the_form_that_readers_know() {
    for (seconds, nanos, expected) in [
        (0, 0, "1970-01-01T00:00:00.000000Z"),
        (951_782_399, 999_999_999, "2000-02-28T23:59:59.999999Z"),
        (951_782_400, 1_000, "2000-02-29T00:00:00.000001Z"),
        (1_796_000_909, 123_456_789, "2026-11-30T01:08:29.123456Z"),
    ] {
        let mut line = Line::new();
        line.timestamp(Duration::new(seconds, nanos));
        assert_eq!(line.text, expected);
    }
}
