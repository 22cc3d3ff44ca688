//! What a device asks by HTTPS is understood, or refused with a reason.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tidegate_gateway::fuzz::https_request(data));
