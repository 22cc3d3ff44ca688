use super::*;
use crate::{KeyAlgorithm, testing::*};

#[test]
fn an_rsa_key_is_handed_out_as_aws_does() {
    let key = PrivateKey::generate_rsa_2048().unwrap();
    assert_eq!(key.public_key().algorithm(), &KeyAlgorithm::Rsa(2048));
    assert!(key.pem().starts_with("-----BEGIN RSA PRIVATE KEY-----\nMII"));
    assert!(key.pem().ends_with("\n-----END RSA PRIVATE KEY-----\n"));
    assert!(key.public_key_pem().starts_with("-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkq"));
}

#[test]
fn each_key_comes_back_from_each_form() {
    for kind in KINDS {
        let key = kind.key();
        for (again, form) in
            [(PrivateKey::from_pkcs8_der(key.pkcs8_der()), "PKCS #8"), (PrivateKey::from_pem(&key.pem()), "PEM")]
        {
            assert_eq!(again.unwrap().public_key(), key.public_key(), "{kind:?} {form}");
        }
    }
}

/// What `openssl ecparam -genkey` writes: an ECPrivateKey that names its curve. Spec: RFC 5915, 3.
fn sec1(p256: &PrivateKey) -> String {
    use x509_parser::asn1_rs::{Any, FromDer};
    let prime256v1 = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    let (_, whole) = Any::from_der(pkcs1(p256.pkcs8_der()).unwrap()).unwrap();
    let (rest, version) = Any::from_der(whole.data).unwrap();
    let (_, scalar) = Any::from_der(rest).unwrap();
    let parts = [
        der::element(der::INTEGER, version.data),
        der::element(der::OCTET_STRING, scalar.data),
        der::element(der::context_constructed(0), &prime256v1),
    ];
    pem::encode("EC PRIVATE KEY", &der::element(der::SEQUENCE, &parts.concat()))
}

#[test]
fn what_is_stored_is_pkcs8_whatever_was_read() {
    let (p256, rsa) = (PrivateKey::generate_p256().unwrap(), Kind::Rsa2048.key());
    for (text, key) in [(sec1(&p256), &p256), (rsa.pem().to_string(), &rsa), (p256.pem().to_string(), &p256)] {
        let read = PrivateKey::from_pem(&text).unwrap();
        assert!(pkcs1(read.pkcs8_der()).is_some(), "{}", &text[..30]);
        let stored = PrivateKey::from_pkcs8_der(read.pkcs8_der()).unwrap();
        assert_eq!(stored.public_key(), key.public_key());
    }
}

#[test]
fn a_key_is_not_printed() {
    let key = PrivateKey::generate_p256().unwrap();
    assert_eq!(format!("{key:?}"), "PrivateKey(P-256, hidden)");
}

#[test]
fn what_is_no_key_is_refused() {
    for text in ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", golden!("ca")] {
        assert!(matches!(PrivateKey::from_pem(text), Err(PkiError::PrivateKey(_))));
    }
    assert!(PrivateKey::from_pkcs8_der(b"\x30\x03\x02\x01\x00").is_err());
}
