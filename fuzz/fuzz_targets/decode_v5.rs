//! Any bytes as a 5.0 packet: never a panic.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tidegate_mqtt::fuzz::decode_v5(data));
