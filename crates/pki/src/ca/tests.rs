use super::*;
use crate::testing::*;

#[test]
fn cas_that_may_be_registered() {
    for pem in [
        golden!("ca"),
        golden!("ca_p256"),
        golden!("ca_p384"),
        golden!("ca_p521"),
        golden!("ca_pss"),
        golden!("ca_sha384"),
        golden!("ca_sha512"),
        golden!("ca_rsa_signs_pss"),
    ] {
        let ca = CaCertificate::from_pem(pem).unwrap();
        assert_eq!(ca.check_registrable(NOW), Ok(()), "{}", ca.subject_text());
    }
}

#[test]
fn cas_that_may_not_be_registered_and_what_their_owner_is_told() {
    for (pem, expected) in [
        (golden!("ca_v1"), "version 1, version 3 is required"),
        (golden!("ca_no_constraints"), "no basicConstraints extension"),
        (golden!("ca_false"), "basicConstraints says CA:FALSE"),
        (golden!("ca_sha1"), "RSA with SHA-1 is not accepted"),
        (golden!("ca_rsa1024"), "RSA key of 1024 bits is not accepted"),
        (golden!("ca_ed25519"), "Ed25519 is not accepted"),
        (golden!("ca_secp256k1"), "ECDSA on curve 1.3.132.0.10 is not accepted"),
        (golden!("ca_pss_short_salt"), "a salt as long as neither the hash nor the key"),
    ] {
        let ca = CaCertificate::from_pem(pem).unwrap();
        let error = ca.check_registrable(NOW).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_ca_outside_its_dates_may_not_be_registered() {
    let ca = ca("Factory", Kind::P256);
    let (before, after) = (Timestamp::from_seconds(0), Timestamp::from_seconds(4_000_000_000));
    assert_eq!(ca.certificate().check_registrable(before), Err(PkiError::NotYetValid(YEAR.not_before)));
    assert_eq!(ca.certificate().check_registrable(after), Err(PkiError::Expired(YEAR.not_after)));
}

#[test]
fn a_damaged_self_signed_ca_may_not_be_registered() {
    let ca = ca("Factory", Kind::P256);
    let mut der = ca.certificate().der().to_vec();
    *der.last_mut().unwrap() ^= 1;
    let damaged = CaCertificate::parse(&der).unwrap();
    assert_eq!(damaged.check_registrable(NOW), Err(PkiError::BadIssuerSignature));
    assert_ne!(damaged.ca_certificate_id(), ca.certificate().ca_certificate_id());
}

#[test]
fn an_intermediate_may_be_registered_without_its_root() {
    let root = rcgen::Issuer::new(params("Root"), rcgen::KeyPair::generate().unwrap());
    let intermediate = params("Intermediate").signed_by(&rcgen::KeyPair::generate().unwrap(), &root).unwrap();
    let intermediate = CaCertificate::parse(intermediate.der()).unwrap();
    assert!(!intermediate.is_self_issued());
    assert_eq!(intermediate.check_registrable(NOW), Ok(()));
}

fn params(common_name: &str) -> rcgen::CertificateParams {
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, common_name);
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params
}
