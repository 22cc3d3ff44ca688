use x509_parser::{certificate::X509Certificate, extensions::GeneralName, prelude::FromDer};

use super::*;
use crate::{NameAttribute, testing::*};

fn parsed(certificate: &X509) -> X509Certificate<'_> {
    X509Certificate::from_der(certificate.der()).unwrap().1
}

/// Critical basicConstraints CA:FALSE, critical keyUsage digitalSignature and nothing else.
fn assert_end_entity(certificate: &X509) {
    let parsed = parsed(certificate);
    let constraints = parsed.basic_constraints().unwrap().unwrap();
    assert!(constraints.critical && !constraints.value.ca);
    let usage = parsed.key_usage().unwrap().unwrap();
    assert!(usage.critical);
    assert_eq!(usage.value.flags, 1, "digitalSignature alone");
}

#[test]
fn a_device_certificate_has_the_shape_of_those_of_aws() {
    for kind in [Kind::P256, Kind::Rsa2048] {
        let ca = ca("Tidegate devices", kind);
        let leaf = ca.device_certificate(Kind::Rsa2048.key().public_key(), NOW).unwrap();
        assert_eq!(leaf.version(), 3);
        assert_eq!(leaf.subject_text(), "CN=AWS IoT Certificate");
        assert_eq!(leaf.issuer(), ca.certificate().subject());
        assert_eq!((leaf.not_before(), leaf.not_after()), (NOW, DEVICE_NOT_AFTER));
        assert_eq!(leaf.authority_key_id(), ca.certificate().subject_key_id());
        assert!(leaf.subject_key_id().is_some());
        assert_end_entity(&leaf);
        leaf.check_issued_by(ca.certificate()).unwrap();
    }
    let date = parsed(&ca("x", Kind::P256).device_certificate(Kind::P256.key().public_key(), NOW).unwrap())
        .validity()
        .not_after
        .to_datetime();
    assert_eq!(date.to_string(), "2049-12-31 23:59:59.0 +00:00:00");
}

#[test]
fn a_csr_keeps_its_subject_byte_for_byte() {
    let csr = Csr::from_pem(golden!("request")).unwrap();
    let ca = ca("Tidegate devices", Kind::P256);
    let leaf = ca.device_certificate_from_csr(&csr, NOW).unwrap();
    assert_eq!(leaf.subject(), csr.subject());
    assert_eq!(leaf.public_key(), csr.public_key());
    assert_eq!(leaf.attributes().subject(NameAttribute::OrganizationalUnit), ["Fleet", "Lab"]);
    assert_end_entity(&leaf);
    leaf.check_issued_by(ca.certificate()).unwrap();
}

#[test]
fn a_server_certificate_carries_its_names_and_ends_with_its_ca() {
    let ca = ca("Tidegate CA", Kind::P256);
    let key = Kind::P256.key();
    let long = Validity { not_before: Timestamp::from_seconds(0), not_after: DEVICE_NOT_AFTER };
    let names = ["localhost", "*.iot.example.com", "127.0.0.1", "::1"];
    let certificate = ca.server_certificate(&names, key.public_key(), long).unwrap();
    assert_eq!(certificate.subject_text(), "CN=localhost");
    assert_eq!(certificate.dns_names(), ["localhost", "*.iot.example.com"]);
    assert_eq!((certificate.not_before(), certificate.not_after()), (YEAR.not_before, YEAR.not_after));
    certificate.check_issued_by(ca.certificate()).unwrap();
    assert_end_entity(&certificate);
    let parsed = parsed(&certificate);
    let usage = parsed.extended_key_usage().unwrap().unwrap();
    assert!(usage.value.server_auth && !usage.value.client_auth);
    let names = &parsed.subject_alternative_name().unwrap().unwrap().value.general_names;
    assert_eq!(names[0], GeneralName::DNSName("localhost"));
    assert_eq!(names[1], GeneralName::DNSName("*.iot.example.com"));
    assert_eq!(names[2], GeneralName::IPAddress(&[127, 0, 0, 1]));
    assert_eq!(names[3], GeneralName::IPAddress(&std::net::Ipv6Addr::LOCALHOST.octets()));
}

#[test]
fn a_server_certificate_for_something_else_than_names_is_refused() {
    let ca = ca("Tidegate CA", Kind::P256);
    for names in [&[][..], &[""], &["a b"], &["a..b"], &["x.*.com"], &["*"], &["localhost", "ü.example"]] {
        let refused = ca.server_certificate(names, ca.key().public_key(), YEAR);
        assert!(matches!(refused, Err(PkiError::ServerName(_))), "{names:?}");
    }
}

#[test]
fn a_ca_is_registrable_and_comes_back_with_its_key_only() {
    for kind in KINDS {
        let one = ca("Tidegate CA", kind);
        one.certificate().check_registrable(NOW).unwrap();
        assert_eq!(one.certificate().subject_text(), "O=Example, CN=Tidegate CA");
        let key = PrivateKey::from_pkcs8_der(one.key().pkcs8_der()).unwrap();
        IssuingCa::new(CaCertificate::from_pem(&one.certificate().pem()).unwrap(), key).unwrap();
    }
    let (one, other) = (ca("Tidegate CA", Kind::P256), ca("Tidegate CA", Kind::P256));
    let key = PrivateKey::from_pkcs8_der(other.key().pkcs8_der()).unwrap();
    assert!(IssuingCa::new(one.certificate().clone(), key).is_err());
}

#[test]
fn serial_numbers_are_positive_random_and_20_bytes() {
    let (one, other) = (ca("x", Kind::P256), ca("x", Kind::P256));
    assert_eq!(one.certificate().serial().len(), 20);
    assert!(one.certificate().serial()[0] < 0x80);
    assert_ne!(one.certificate().serial(), other.certificate().serial());
}

#[test]
fn a_verification_certificate_is_signed_by_its_ca_and_carries_the_code() {
    // As the guide has it: a request with the registration code as its common name, signed by the CA.
    let code = "ab".repeat(32);
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, code.as_str());
    let request = params.serialize_request(&rcgen::KeyPair::generate().unwrap()).unwrap();
    let ca = ca("Factory", Kind::P256);
    let verification = ca.device_certificate_from_csr(&Csr::parse(request.der()).unwrap(), NOW).unwrap();
    assert_eq!(verification.attributes().subject(NameAttribute::CommonName), [code]);
    verification.check_issued_by(ca.certificate()).unwrap();
}

#[test]
fn dates_are_written_in_the_form_of_their_century() {
    for (seconds, expected) in [
        (0, &b"\x17\x0d700101000000Z"[..]),
        (2_524_607_999, b"\x17\x0d491231235959Z"),
        (2_524_608_000, b"\x18\x0f20500101000000Z"),
        (u64::MAX / 1000, b"\x18\x0f99991231235959Z"),
    ] {
        assert_eq!(der::date(Timestamp::from_seconds(seconds)), expected, "{seconds}");
    }
}
