use proptest::prelude::*;

use super::*;
use crate::{CaCertificate, ClientLeaf, KeyAlgorithm, sha256, testing::*};

#[test]
fn openssl_leaves_without_extensions_are_version_1_and_are_read() {
    let leaf = ClientLeaf::from_pem(golden!("leaf_v1_by_ca")).unwrap();
    assert_eq!(leaf.version(), 1);
    assert_eq!(leaf.serial(), [0, 0xfe, 0x01]);
    assert_eq!(leaf.serial_text(), "fe01");
    assert_eq!(leaf.issuer_text(), "O=Example, CN=ca");
    assert_eq!(leaf.issuer(), CaCertificate::from_pem(golden!("ca")).unwrap().subject());
    assert_eq!(leaf.certificate_id().as_bytes(), &sha256(leaf.der()));
    assert_eq!((leaf.subject_key_id(), leaf.authority_key_id(), leaf.basic_constraints_ca()), (None, None, None));
    assert_eq!(leaf.public_key().algorithm(), &KeyAlgorithm::Rsa(2048));
    leaf.check_algorithms().unwrap();
    leaf.check_dates(NOW).unwrap();
}

#[test]
fn a_version_3_leaf_names_its_issuers_key() {
    let (leaf, ca) =
        (ClientLeaf::from_pem(golden!("leaf_v3")).unwrap(), CaCertificate::from_pem(golden!("ca")).unwrap());
    assert_eq!(leaf.version(), 3);
    assert!(leaf.authority_key_id().is_some());
    assert_eq!(leaf.authority_key_id(), ca.subject_key_id());
    assert_eq!(leaf.serial_text(), "1000");
}

#[test]
fn each_kind_of_ca_that_openssl_knows_signs_version_1_leaves() {
    for (leaf, ca) in [
        (golden!("leaf_v1_by_ca"), golden!("ca")),
        (golden!("leaf_v1_by_ca_p256"), golden!("ca_p256")),
        (golden!("leaf_v1_by_ca_p384"), golden!("ca_p384")),
        (golden!("leaf_v1_by_ca_p521"), golden!("ca_p521")),
        (golden!("leaf_v1_by_ca_pss"), golden!("ca_pss")), // with the longest salt
        (golden!("leaf_v3"), golden!("ca")),
    ] {
        let (leaf, ca) = (ClientLeaf::from_pem(leaf).unwrap(), CaCertificate::from_pem(ca).unwrap());
        assert_eq!(leaf.check_issued_by(&ca), Ok(()), "{}", ca.subject_text());
    }
}

#[test]
fn each_kind_of_ca_signs_each_kind_of_key() {
    for ca_kind in KINDS {
        let ca = ca("Factory", ca_kind);
        for kind in KINDS {
            let key = kind.key();
            let leaves = [v1_leaf(&ca, &key), ca.device_certificate(key.public_key(), NOW).unwrap()];
            for (leaf, version) in leaves.iter().zip([1, 3]) {
                assert_eq!(leaf.version(), version);
                assert_eq!(leaf.check_issued_by(ca.certificate()), Ok(()), "{kind:?} by {ca_kind:?}");
                leaf.check_algorithms().unwrap();
            }
        }
    }
}

#[test]
fn another_ca_is_not_the_issuer() {
    let (one, same_name, other_name) = (ca("A", Kind::P256), ca("A", Kind::P256), ca("B", Kind::P256));
    let leaf = v1_leaf(&one, &Kind::P256.key());
    assert_eq!(leaf.check_issued_by(same_name.certificate()), Err(PkiError::BadIssuerSignature));
    assert_eq!(
        leaf.check_issued_by(other_name.certificate()),
        Err(PkiError::OtherIssuer { issuer: "O=Example, CN=A".into(), ca: "O=Example, CN=B".into() })
    );
    let rsa = ca("A", Kind::Rsa2048);
    assert_eq!(leaf.check_issued_by(rsa.certificate()), Err(PkiError::BadIssuerSignature));
}

#[test]
fn no_altered_byte_leaves_a_certificate_of_that_ca() {
    let ca = ca("Factory", Kind::P256);
    let leaf = ca.device_certificate(Kind::P256.key().public_key(), NOW).unwrap();
    for at in 0..leaf.der().len() {
        for bit in [0x01, 0x20, 0x80] {
            let mut altered = leaf.der().to_vec();
            altered[at] ^= bit;
            if let Ok(altered) = X509::parse(&altered) {
                assert!(altered.check_issued_by(ca.certificate()).is_err(), "byte {at}, bit {bit:#x}");
            }
        }
        assert!(X509::parse(&leaf.der()[..at]).is_err(), "cut at {at}");
    }
    let longer = [leaf.der(), &[0]].concat();
    assert!(X509::parse(&longer).is_err());
}

#[test]
fn a_rewritten_ecdsa_signature_makes_another_id_of_the_same_signed_part() {
    let ca = ca("Factory", Kind::P256);
    let leaf = v1_leaf(&ca, &Kind::P256.key());
    let again = ClientLeaf::parse(&negate_s(leaf.der())).unwrap();
    assert_eq!(again.check_issued_by(ca.certificate()), Ok(()));
    assert_ne!(again.certificate_id(), leaf.certificate_id());
    assert_eq!(again.signed_part_sha256(), leaf.signed_part_sha256());
}

/// The certificate with the signature (r, n - s) in place of (r, s), n being P-256's order.
fn negate_s(certificate: &[u8]) -> Vec<u8> {
    use x509_parser::asn1_rs::{Any, FromDer};
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad,
        0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let whole = Any::from_der(certificate).unwrap().1.data;
    let (rest, tbs) = Any::from_der(whole).unwrap();
    let (bits, algorithm) = Any::from_der(rest).unwrap();
    let tbs_and_algorithm = &whole[..whole.len() - bits.len()];
    let _ = (tbs, algorithm);
    let signature = Any::from_der(&Any::from_der(bits).unwrap().1.data[1..]).unwrap().1.data;
    let (s, r) = Any::from_der(signature).unwrap();
    let s = Any::from_der(s).unwrap().1.data;
    let mut padded = [0; 33];
    padded[33 - s.len()..].copy_from_slice(s);
    let (mut negated, mut borrow) = ([0; 32], 0i16);
    for at in (0..32).rev() {
        let digit = i16::from(ORDER[at]) - i16::from(padded[at + 1]) - borrow;
        borrow = i16::from(digit < 0);
        negated[at] = digit.rem_euclid(256) as u8;
    }
    let signature =
        der::constructed(der::SEQUENCE, &[&der::positive_integer(r.data), &der::positive_integer(&negated)]);
    der::constructed(der::SEQUENCE, &[tbs_and_algorithm, &der::bit_string(&signature)])
}

#[test]
fn both_ends_of_the_dates_count() {
    let leaf = v1_leaf(&ca("Factory", Kind::P256), &Kind::P256.key());
    let (from, to) = (YEAR.not_before, YEAR.not_after);
    let millis = |at: Timestamp, by: i64| Timestamp::from_millis(at.millis().saturating_add_signed(by));
    for (now, expected) in [
        (from, Ok(())),
        (millis(from, -1), Err(PkiError::NotYetValid(from))),
        (to, Ok(())),
        (millis(to, 999), Ok(())),
        (millis(to, 1000), Err(PkiError::Expired(to))),
    ] {
        assert_eq!(leaf.check_dates(now), expected, "{now}");
    }
}

#[test]
fn dates_are_told_as_people_write_them() {
    let end = crate::issue::DEVICE_NOT_AFTER;
    assert_eq!(PkiError::Expired(end).to_string(), "the certificate expired at 2049-12-31T23:59:59Z");
}

#[test]
fn what_is_too_long_is_not_parsed() {
    assert_eq!(X509::parse(&vec![0x30; 65_537]), Err(PkiError::TooLong { max: 65_536 }));
}

#[test]
fn two_different_signature_algorithms_are_refused() {
    let leaf = v1_leaf(&ca("Factory", Kind::P256), &Kind::P256.key());
    // The outer ecdsa-with-SHA256 becomes ecdsa-with-SHA384.
    let oid = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
    let at = leaf.der().windows(8).rposition(|window| window == oid).unwrap();
    let mut altered = leaf.der().to_vec();
    altered[at + 7] = 0x03;
    assert!(matches!(X509::parse(&altered), Err(PkiError::Der { what: "certificate", .. })));
}

proptest! {
    #[test]
    fn noise_is_never_more_than_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = ClientLeaf::parse(&bytes);
    }

    #[test]
    fn altered_certificates_are_never_more_than_an_error(
        changes in proptest::collection::vec((0usize..4096, any::<u8>()), 1..6),
        cut in 0usize..64,
    ) {
        static SOUND: std::sync::LazyLock<Vec<u8>> =
            std::sync::LazyLock::new(|| crate::pem::one_certificate(golden!("leaf_v3")).unwrap());
        let mut der = SOUND.clone();
        for (at, byte) in changes {
            let at = at % der.len();
            der[at] = byte;
        }
        der.truncate(der.len() - cut % der.len());
        if let Ok(leaf) = ClientLeaf::parse(&der) {
            let _ = (leaf.attributes(), leaf.issuer_text(), leaf.subject_text(), leaf.serial_text(), leaf.pem());
            let _ = (leaf.check_algorithms(), leaf.check_dates(NOW), leaf.check_signed_by(leaf.public_key()));
            let _ = leaf.check_possession(0x0804, true, b"message", b"signature");
            let _ = crate::CaCertificate::parse(&der).unwrap().check_registrable(NOW);
        }
    }
}
