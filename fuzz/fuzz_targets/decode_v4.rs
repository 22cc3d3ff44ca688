//! Any bytes as a 3.1.1 packet: never a panic.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tidegate_mqtt::fuzz::decode_v4(data));
