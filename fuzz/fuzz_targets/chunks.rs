//! A stream gives the same packets in whatever chunks it arrives.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tidegate_mqtt::fuzz::chunks(data));
