//! What is read, or generated, is written and read again, equal.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tidegate_mqtt::fuzz::roundtrip(data));
