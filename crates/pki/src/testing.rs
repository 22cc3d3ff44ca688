//! What several tests need: keys, version 1 leaves, and the certificates that OpenSSL made.

use std::sync::LazyLock;

use rcgen::KeyPair;
use tidegate_ids::Timestamp;

use crate::{
    ClientLeaf, PrivateKey, der,
    issue::{IssuingCa, Validity},
};

/// 2027: OpenSSL's certificates are valid from late 2026 for a hundred years.
pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

pub(crate) const YEAR: Validity =
    Validity { not_before: NOW, not_after: Timestamp::from_seconds(1_800_000_000 + 365 * 86_400) };

macro_rules! golden {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/", $name, ".pem"))
    };
}
pub(crate) use golden;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    P256,
    P384,
    P521,
    Rsa2048,
}

pub(crate) const KINDS: [Kind; 4] = [Kind::P256, Kind::P384, Kind::P521, Kind::Rsa2048];

impl Kind {
    /// A new key; the one RSA key there is, for RSA.
    pub(crate) fn key(self) -> PrivateKey {
        static RSA: LazyLock<Vec<u8>> = LazyLock::new(|| PrivateKey::generate_rsa_2048().unwrap().pkcs8_der().to_vec());
        let generated = |algorithm| KeyPair::generate_for(algorithm).unwrap().serialize_der();
        match self {
            Self::P256 => PrivateKey::generate_p256().unwrap(),
            Self::P384 => PrivateKey::from_pkcs8_der(&generated(&rcgen::PKCS_ECDSA_P384_SHA384)).unwrap(),
            Self::P521 => PrivateKey::from_pkcs8_der(&generated(&rcgen::PKCS_ECDSA_P521_SHA512)).unwrap(),
            Self::Rsa2048 => PrivateKey::from_pkcs8_der(&RSA).unwrap(),
        }
    }
}

pub(crate) fn ca(common_name: &str, kind: Kind) -> IssuingCa {
    IssuingCa::self_signed(common_name, "Example", kind.key(), YEAR).unwrap()
}

/// A version 1 leaf, as `openssl x509 -req` makes them without an extension file.
pub(crate) fn v1_leaf(ca: &IssuingCa, key: &PrivateKey) -> ClientLeaf {
    let algorithm = ca.key().signature_algorithm();
    let tbs = der::constructed(
        der::SEQUENCE,
        &[
            &der::positive_integer(&[7]),
            &algorithm,
            ca.certificate().subject(),
            &der::constructed(der::SEQUENCE, &[&der::date(YEAR.not_before), &der::date(YEAR.not_after)]),
            &der::name(&[(3, "v1 device")]),
            key.public_key().spki(),
        ],
    );
    let signature = der::bit_string(&ca.key().sign(&tbs).unwrap());
    ClientLeaf::parse(&der::constructed(der::SEQUENCE, &[&tbs, &algorithm, &signature])).unwrap()
}
