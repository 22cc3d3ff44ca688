//! Updates of a shadow, one a line: each is merged or refused, and documents keep their shape and size.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tidegate_shadow::fuzz::updates(data));
