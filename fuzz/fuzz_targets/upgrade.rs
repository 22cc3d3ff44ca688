//! The HTTP request that a WebSocket begins with is accepted, or refused by an answer that says why.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tidegate_gateway::fuzz::upgrade(data));
