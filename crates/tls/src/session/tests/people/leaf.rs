//! Keys, and the certificates of clients.

use std::sync::LazyLock;

use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData, SigningKey};

#[derive(Debug, Clone, Copy)]
pub(in crate::session::tests) enum Kind {
    P256,
    P384,
    P521,
    Rsa2048,
}

impl Kind {
    pub(super) fn generate(self) -> KeyPair {
        /// RSA keys take long: one is enough for all tests.
        static RSA: LazyLock<Vec<u8>> =
            LazyLock::new(|| KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap().serialize_der());
        match self {
            Self::P256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap(),
            Self::P384 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap(),
            Self::P521 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512).unwrap(),
            Self::Rsa2048 => KeyPair::try_from(RSA.as_slice()).unwrap(),
        }
    }
}

/// A client certificate and its key.
#[derive(Clone)]
pub(in crate::session::tests) struct Leaf {
    pub(in crate::session::tests) der: Vec<u8>,
    pub(in crate::session::tests) pkcs8: Vec<u8>,
    pub(in crate::session::tests) public: Vec<u8>,
}

impl Leaf {
    pub(in crate::session::tests) fn v3(kind: Kind) -> Self {
        let key = kind.generate();
        let der = CertificateParams::new(vec!["device".to_owned()]).unwrap().self_signed(&key).unwrap().der().to_vec();
        Self { der, pkcs8: key.serialize_der(), public: key.der_bytes().to_vec() }
    }

    /// What `openssl x509 -req` without an extension file makes, and what rustls's own verifier refuses.
    pub(in crate::session::tests) fn v1(kind: Kind) -> Self {
        let key = kind.generate();
        let element = |tag: u8, contents: &[u8]| {
            let length = contents.len() as u16;
            [&[tag, 0x82, (length >> 8) as u8, length as u8], contents].concat()
        };
        // ecdsa-with-SHA256; nobody here looks at the issuer's signature.
        let algorithm = [0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
        let name = element(0x30, &[]);
        let dates = element(0x30, b"\x17\x0d250101000000Z\x17\x0d491231235959Z");
        let spki = key.subject_public_key_info();
        let tbs = element(0x30, &[&[0x02, 1, 7], &algorithm[..], &name, &dates, &name, &spki].concat());
        let signature = element(0x03, &[&[0], key.sign(&tbs).unwrap().as_slice()].concat());
        let der = element(0x30, &[&tbs, &algorithm[..], &signature].concat());
        Self { der, pkcs8: key.serialize_der(), public: key.der_bytes().to_vec() }
    }
}
