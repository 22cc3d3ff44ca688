//! Answers of functions behind custom authorizers: each is understood within its bounds, or refused.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tidegate_authorizer::fuzz::answer(data));
