//! A request with any `Authorization` and any query: its claims are read or refused, and checking them never panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_ids::Timestamp;
use tidegate_sigv4::{Credentials, EMPTY_PAYLOAD, RequestParts};

/// Lines: path, query, then header fields as `name:value`.
fn ask(input: &str) {
    let mut lines = input.split('\n');
    let (raw_path, raw_query) = (lines.next().unwrap_or(""), lines.next().unwrap_or(""));
    let headers: Vec<(&str, &[u8])> =
        lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name, value.as_bytes())).collect();
    let request = RequestParts { method: "GET", raw_path, raw_query, headers: &headers };
    if let Ok(credentials) = Credentials::parse(&request) {
        let key = credentials.signing_key(b"secret");
        let now = Timestamp::from_seconds(1_440_938_160);
        if let Err(error) = credentials.check(&request, EMPTY_PAYLOAD, &key, now, Credentials::SKEW) {
            let _ = error.aws_message();
        }
    }
}

fuzz_target!(|input: &str| ask(input));
