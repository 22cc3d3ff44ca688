//! Public keys: which kinds are accepted, and one check of one signature.

use std::fmt;

use aws_lc_rs::signature::{self as aws, RsaPssSaltLength, UnparsedPublicKey, VerificationAlgorithm};
use x509_parser::{oid_registry as oid, prelude::FromDer, public_key::RSAPublicKey, x509::SubjectPublicKeyInfo};

use crate::{
    PkiError,
    signature::{Hash, Salt, SignatureAlgorithm},
};

/// Smallest RSA key, in bits. AWS: developer guide, "Create your own client certificates".
pub const RSA_BITS_MIN: usize = 2048;
/// Largest RSA key that is verified, in bits: a bound on the work a stranger can ask for.
pub const RSA_BITS_MAX: usize = 8192;

/// Kind and size of a public key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum KeyAlgorithm {
    /// `rsaEncryption`, with the modulus' bits.
    Rsa(usize),
    /// `id-RSASSA-PSS`: a key for PSS only; TLS 1.3 only. With the modulus' bits.
    RsaPss(usize),
    /// ECDSA on NIST P-256.
    P256,
    /// ECDSA on NIST P-384.
    P384,
    /// ECDSA on NIST P-521.
    P521,
    /// Anything else, by its object identifier or curve.
    Other(String),
}

impl KeyAlgorithm {
    /// Whether certificates with such a key are accepted.
    ///
    /// AWS: RSA of at least 2048 bits, ECDSA on P-256, P-384, P-521.
    pub fn accepted(&self) -> Result<(), PkiError> {
        match self {
            Self::Rsa(bits) | Self::RsaPss(bits) if !(RSA_BITS_MIN..=RSA_BITS_MAX).contains(bits) => {
                Err(PkiError::KeySize(*bits))
            }
            Self::Rsa(_) | Self::RsaPss(_) | Self::P256 | Self::P384 | Self::P521 => Ok(()),
            Self::Other(name) => Err(PkiError::KeyAlgorithm(name.clone())),
        }
    }

    fn of(spki: &SubjectPublicKeyInfo<'_>) -> Self {
        let algorithm = &spki.algorithm.algorithm;
        if *algorithm == oid::OID_PKCS1_RSAENCRYPTION {
            Self::Rsa(rsa_bits(&spki.subject_public_key.data))
        } else if *algorithm == oid::OID_PKCS1_RSASSAPSS {
            Self::RsaPss(rsa_bits(&spki.subject_public_key.data))
        } else if *algorithm == oid::OID_KEY_TYPE_EC_PUBLIC_KEY {
            match spki.algorithm.parameters.as_ref().map(|any| any.as_oid()) {
                Some(Ok(curve)) if curve == oid::OID_EC_P256 => Self::P256,
                Some(Ok(curve)) if curve == oid::OID_NIST_EC_P384 => Self::P384,
                Some(Ok(curve)) if curve == oid::OID_NIST_EC_P521 => Self::P521,
                Some(Ok(curve)) => Self::Other(format!("ECDSA on curve {curve}")),
                Some(Err(_)) | None => Self::Other("ECDSA without a named curve".into()),
            }
        } else if *algorithm == oid::OID_SIG_ED25519 {
            Self::Other("Ed25519".into())
        } else {
            Self::Other(algorithm.to_string())
        }
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa(bits) => write!(f, "RSA-{bits}"),
            Self::RsaPss(bits) => write!(f, "RSA-PSS-{bits}"),
            Self::P256 => f.write_str("P-256"),
            Self::P384 => f.write_str("P-384"),
            Self::P521 => f.write_str("P-521"),
            Self::Other(name) => f.write_str(name),
        }
    }
}

/// Bits of the modulus; 0 when the key does not parse, which no rule accepts.
fn rsa_bits(bit_string: &[u8]) -> usize {
    let Ok((_, key)) = RSAPublicKey::from_der(bit_string) else { return 0 };
    let modulus = key.modulus.iter().position(|byte| *byte != 0).map_or(&[][..], |start| &key.modulus[start..]);
    match modulus.first() {
        Some(first) => modulus.len() * 8 - first.leading_zeros() as usize,
        None => 0,
    }
}

/// One public key, owned: the SubjectPublicKeyInfo as it stands in the certificate.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PublicKey {
    algorithm: KeyAlgorithm,
    spki: Box<[u8]>,
    /// Where the BIT STRING's contents begin; they reach to the end.
    bits_start: usize,
}

impl PublicKey {
    /// The key in a SubjectPublicKeyInfo.
    pub fn from_spki(der: &[u8]) -> Result<Self, PkiError> {
        let (rest, spki) =
            SubjectPublicKeyInfo::from_der(der).map_err(|e| PkiError::der("public key", e.to_string()))?;
        if !rest.is_empty() {
            return Err(PkiError::der("public key", "bytes after its end"));
        }
        Self::from_parsed(der, &spki)
    }

    /// The only key in a PEM text: a block `PUBLIC KEY`, as `openssl rsa -pubout` writes it.
    pub fn from_pem(text: &str) -> Result<Self, PkiError> {
        Self::from_spki(&crate::pem::one_public_key(text)?)
    }

    /// `der` is the whole SubjectPublicKeyInfo that `parsed` was read from.
    fn from_parsed(der: &[u8], parsed: &SubjectPublicKeyInfo<'_>) -> Result<Self, PkiError> {
        let bits = &parsed.subject_public_key;
        if bits.unused_bits != 0 || bits.data.len() > der.len() {
            return Err(PkiError::der("public key", "its BIT STRING is not whole bytes"));
        }
        Ok(Self { algorithm: KeyAlgorithm::of(parsed), spki: der.into(), bits_start: der.len() - bits.data.len() })
    }

    /// Kind and size.
    pub fn algorithm(&self) -> &KeyAlgorithm {
        &self.algorithm
    }

    /// The SubjectPublicKeyInfo's DER.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// The contents of the BIT STRING: a curve point, or an RSAPublicKey.
    pub fn bits(&self) -> &[u8] {
        &self.spki[self.bits_start..]
    }

    /// Whether `signature` over `message` is the RSASSA-PKCS1-v1_5 signature with SHA-256 of this key's owner; false for a key
    /// that is not RSA, or not accepted.
    pub fn verifies_rsa_sha256(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verifies(&SignatureAlgorithm::RsaPkcs1(Hash::Sha256), message, signature)
    }

    /// Whether `signature` over `message` was made by this key's owner with `algorithm`.
    ///
    /// False, too, when the algorithm does not fit the key or is not accepted. 15-120 µs.
    pub(crate) fn verifies(&self, algorithm: &SignatureAlgorithm, message: &[u8], signature: &[u8]) -> bool {
        let Some(check) = verification(&self.algorithm, algorithm) else { return false };
        // For an elliptic curve aws-lc tries the SubjectPublicKeyInfo first, for RSA the bare RSAPublicKey.
        let key = match self.algorithm {
            KeyAlgorithm::Rsa(_) | KeyAlgorithm::RsaPss(_) => self.bits(),
            KeyAlgorithm::P256 | KeyAlgorithm::P384 | KeyAlgorithm::P521 | KeyAlgorithm::Other(_) => self.spki(),
        };
        UnparsedPublicKey::new(check, key).verify(message, signature).is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.algorithm)
    }
}

/// aws-lc's routine for a key and a signature algorithm, if the two fit and both are accepted.
fn verification(key: &KeyAlgorithm, algorithm: &SignatureAlgorithm) -> Option<&'static dyn VerificationAlgorithm> {
    use {Hash::*, KeyAlgorithm as Key, SignatureAlgorithm::*};
    const LONGEST: RsaPssSaltLength = RsaPssSaltLength::Max;
    key.accepted().ok()?;
    Some(match (key, algorithm) {
        (Key::Rsa(_), RsaPkcs1(Sha256)) => &aws::RSA_PKCS1_2048_8192_SHA256,
        (Key::Rsa(_), RsaPkcs1(Sha384)) => &aws::RSA_PKCS1_2048_8192_SHA384,
        (Key::Rsa(_), RsaPkcs1(Sha512)) => &aws::RSA_PKCS1_2048_8192_SHA512,
        (Key::Rsa(_) | Key::RsaPss(_), RsaPss(Sha256, Salt::Digest)) => &aws::RSA_PSS_2048_8192_SHA256,
        (Key::Rsa(_) | Key::RsaPss(_), RsaPss(Sha256, Salt::Max)) => {
            const { &aws::RSA_PSS_2048_8192_SHA256.with_pss_salt_length(LONGEST) }
        }
        (Key::Rsa(_) | Key::RsaPss(_), RsaPss(Sha384, Salt::Digest)) => &aws::RSA_PSS_2048_8192_SHA384,
        (Key::Rsa(_) | Key::RsaPss(_), RsaPss(Sha384, Salt::Max)) => {
            const { &aws::RSA_PSS_2048_8192_SHA384.with_pss_salt_length(LONGEST) }
        }
        (Key::Rsa(_) | Key::RsaPss(_), RsaPss(Sha512, Salt::Digest)) => &aws::RSA_PSS_2048_8192_SHA512,
        (Key::Rsa(_) | Key::RsaPss(_), RsaPss(Sha512, Salt::Max)) => {
            const { &aws::RSA_PSS_2048_8192_SHA512.with_pss_salt_length(LONGEST) }
        }
        (Key::P256, Ecdsa(Sha256)) => &aws::ECDSA_P256_SHA256_ASN1,
        (Key::P256, Ecdsa(Sha384)) => &aws::ECDSA_P256_SHA384_ASN1,
        (Key::P256, Ecdsa(Sha512)) => &aws::ECDSA_P256_SHA512_ASN1,
        (Key::P384, Ecdsa(Sha256)) => &aws::ECDSA_P384_SHA256_ASN1,
        (Key::P384, Ecdsa(Sha384)) => &aws::ECDSA_P384_SHA384_ASN1,
        (Key::P384, Ecdsa(Sha512)) => &aws::ECDSA_P384_SHA512_ASN1,
        (Key::P521, Ecdsa(Sha256)) => &aws::ECDSA_P521_SHA256_ASN1,
        (Key::P521, Ecdsa(Sha384)) => &aws::ECDSA_P521_SHA384_ASN1,
        (Key::P521, Ecdsa(Sha512)) => &aws::ECDSA_P521_SHA512_ASN1,
        (Key::Rsa(_), Ecdsa(_) | Unaccepted(_))
        | (Key::RsaPss(_), RsaPkcs1(_) | Ecdsa(_) | Unaccepted(_))
        | (Key::P256 | Key::P384 | Key::P521, RsaPkcs1(_) | RsaPss(..) | Unaccepted(_))
        | (Key::Other(_), _) => return None,
    })
}
