//! Filter patterns of `aws logs`: refused, or asked about an event; what quotes a message wants it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tidegate_logs::fuzz::filter_pattern(data));
