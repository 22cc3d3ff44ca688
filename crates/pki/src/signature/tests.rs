use aws_lc_rs::{
    rand::SystemRandom,
    signature::{self as aws, EcdsaKeyPair, RsaKeyPair},
};

use super::*;
use crate::{CaCertificate, PrivateKey, testing::*};

const MESSAGE: &[u8] = b"TLS 1.3, client CertificateVerify\0transcript";

fn ecdsa(key: &PrivateKey, algorithm: &'static aws::EcdsaSigningAlgorithm) -> Vec<u8> {
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, key.pkcs8_der()).unwrap();
    pair.sign(&SystemRandom::new(), MESSAGE).unwrap().as_ref().to_vec()
}

fn rsa(key: &PrivateKey, padding: &'static dyn aws::RsaEncoding) -> Vec<u8> {
    let pair = RsaKeyPair::from_pkcs8(key.pkcs8_der()).unwrap();
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(padding, &SystemRandom::new(), MESSAGE, &mut signature).unwrap();
    signature
}

#[test]
fn possession_is_proven_by_the_schemes_that_fit_key_and_version() {
    let (p256, p384, p521, rsa_key) = (Kind::P256.key(), Kind::P384.key(), Kind::P521.key(), Kind::Rsa2048.key());
    for (key, scheme, signature, tls12, tls13) in [
        (&p256, 0x0403, ecdsa(&p256, &aws::ECDSA_P256_SHA256_ASN1_SIGNING), true, true),
        (&p384, 0x0503, ecdsa(&p384, &aws::ECDSA_P384_SHA384_ASN1_SIGNING), true, true),
        (&p521, 0x0603, ecdsa(&p521, &aws::ECDSA_P521_SHA512_ASN1_SIGNING), true, true),
        // In TLS 1.2 the scheme names a hash, in TLS 1.3 a hash and a curve.
        (&p521, 0x0403, ecdsa(&p521, &aws::ECDSA_P521_SHA256_ASN1_SIGNING), true, false),
        (&p521, 0x0503, ecdsa(&p521, &aws::ECDSA_P521_SHA384_ASN1_SIGNING), true, false),
        (&rsa_key, 0x0804, rsa(&rsa_key, &aws::RSA_PSS_SHA256), true, true),
        (&rsa_key, 0x0805, rsa(&rsa_key, &aws::RSA_PSS_SHA384), true, true),
        (&rsa_key, 0x0806, rsa(&rsa_key, &aws::RSA_PSS_SHA512), true, true),
        (&rsa_key, 0x0401, rsa(&rsa_key, &aws::RSA_PKCS1_SHA256), true, false),
        (&rsa_key, 0x0501, rsa(&rsa_key, &aws::RSA_PKCS1_SHA384), true, false),
        (&rsa_key, 0x0601, rsa(&rsa_key, &aws::RSA_PKCS1_SHA512), true, false),
        // An rsaEncryption key is not an RSASSA-PSS key.
        (&rsa_key, 0x0809, rsa(&rsa_key, &aws::RSA_PSS_SHA256), false, false),
        // A true signature under the wrong name.
        (&p256, 0x0804, ecdsa(&p256, &aws::ECDSA_P256_SHA256_ASN1_SIGNING), false, false),
        (&rsa_key, 0x0403, rsa(&rsa_key, &aws::RSA_PSS_SHA256), false, false),
        (&p256, 0x0203, ecdsa(&p256, &aws::ECDSA_P256_SHA256_ASN1_SIGNING), false, false), // ecdsa_sha1
        (&p256, 0x0807, ecdsa(&p256, &aws::ECDSA_P256_SHA256_ASN1_SIGNING), false, false), // ed25519
    ] {
        for (tls13, fits) in [(false, tls12), (true, tls13)] {
            let key = key.public_key();
            let what = format!("{key:?} {scheme:#06x}, TLS 1.3: {tls13}");
            let checked = check_possession(key, scheme, tls13, MESSAGE, &signature);
            match checked {
                Ok(()) => assert!(fits, "{what}"),
                Err(PkiError::Scheme { .. }) => assert!(!fits, "{what}"),
                Err(other) => panic!("{what}: {other}"),
            }
            if fits {
                let other = check_possession(key, scheme, tls13, b"another transcript", &signature);
                assert_eq!(other, Err(PkiError::NotPossessed), "{what}");
                assert_eq!(check_possession(key, scheme, tls13, MESSAGE, &[]), Err(PkiError::NotPossessed), "{what}");
            }
        }
    }
}

#[test]
fn an_rsassa_pss_key_goes_with_its_own_schemes_in_tls_1_3_only() {
    let ca = CaCertificate::from_pem(golden!("ca_pss")).unwrap();
    let key = ca.public_key().algorithm();
    assert_eq!(key, &KeyAlgorithm::RsaPss(2048));
    for (scheme, tls13, fits) in [
        (0x0809, true, true),
        (0x080a, true, true),
        (0x080b, true, true),
        (0x0809, false, false),
        (0x0804, true, false),
        (0x0401, false, false),
    ] {
        assert_eq!(scheme_algorithm(key, scheme, tls13).is_some(), fits, "{scheme:#06x}, TLS 1.3: {tls13}");
    }
}

#[test]
fn the_key_of_another_client_proves_nothing() {
    for kind in [Kind::P256, Kind::P384] {
        let (one, other) = (kind.key(), kind.key());
        let (scheme, algorithm): (u16, &'static aws::EcdsaSigningAlgorithm) = match kind {
            Kind::P256 => (0x0403, &aws::ECDSA_P256_SHA256_ASN1_SIGNING),
            _ => (0x0503, &aws::ECDSA_P384_SHA384_ASN1_SIGNING),
        };
        let signature = ecdsa(&other, algorithm);
        let checked = check_possession(one.public_key(), scheme, true, MESSAGE, &signature);
        assert_eq!(checked, Err(PkiError::NotPossessed));
    }
}
