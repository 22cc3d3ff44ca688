//! User names, headers and queries in which tokens are looked for: nothing panics, and events are JSON.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tidegate_authorizer::fuzz::presented(data));
