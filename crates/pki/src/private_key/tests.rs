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
