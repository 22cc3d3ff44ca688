//! Scenarios of `tidegate fleet`: refused in one line with a place in the text, or carried out down to the last device.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tidegate_fleet::fuzz::scenario(data));
