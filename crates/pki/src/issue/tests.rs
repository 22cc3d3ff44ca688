use super::*;

const NOW: Timestamp = Timestamp::from_seconds(1_764_000_000);
const YEAR: Validity = Validity { not_before: NOW, not_after: Timestamp::from_seconds(1_764_000_000 + 365 * 86_400) };

fn ca() -> IssuingCa {
    IssuingCa::self_signed("Tidegate CA", "Tidegate", PrivateKey::generate_p256().unwrap(), YEAR).unwrap()
}

#[test]
fn a_self_signed_ca_is_registrable() {
    ca().certificate().check_registrable(NOW).unwrap();
}
