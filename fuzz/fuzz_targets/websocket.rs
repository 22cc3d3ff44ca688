//! Frames of a WebSocket carry the same in whatever pieces they come, and make no more than they are.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tidegate_gateway::fuzz::websocket(data));
