//! A certificate or request of any bytes is read or refused; what was read answers every question about it.
#![no_main]

use tidegate_ids::Timestamp;
use tidegate_pki::{CaCertificate, ClientLeaf, Csr, pem};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let now = Timestamp::from_seconds(1_800_000_000);
    if let Ok(leaf) = ClientLeaf::parse(data) {
        assert_eq!(pem::one_certificate(&leaf.pem()).as_deref(), Ok(data));
        let _ = (leaf.attributes(), leaf.issuer_text(), leaf.subject_text(), leaf.serial_text());
        let _ = (leaf.check_algorithms(), leaf.check_dates(now), leaf.check_issued_by(&leaf));
        for scheme in [0x0401, 0x0403, 0x0503, 0x0603, 0x0804, 0x0809] {
            let _ = leaf.check_possession(scheme, true, b"message", data);
        }
        let _ = CaCertificate::parse(data).expect("the same form").check_registrable(now);
    }
    let _ = Csr::parse(data);
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = (pem::one_certificate(text), pem::one_request(text), pem::certificates(text));
    }
});
