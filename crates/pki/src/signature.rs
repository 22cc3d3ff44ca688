//! Signature algorithms: in certificates by AlgorithmIdentifier, in TLS by SignatureScheme number.

use std::fmt;

use x509_parser::{oid_registry as oid, signature_algorithm::RsaSsaPssParams, x509::AlgorithmIdentifier};

use crate::{KeyAlgorithm, PkiError, PublicKey};

/// The hash functions that are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Hash {
    /// Length of the digest, and of the salt that goes with it in PSS.
    const fn bytes(self) -> u32 {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    fn of(identifier: &oid::Oid<'_>) -> Option<Self> {
        if *identifier == oid::OID_NIST_HASH_SHA256 {
            Some(Self::Sha256)
        } else if *identifier == oid::OID_NIST_HASH_SHA384 {
            Some(Self::Sha384)
        } else if *identifier == oid::OID_NIST_HASH_SHA512 {
            Some(Self::Sha512)
        } else {
            None
        }
    }
}

/// Length of the salt in RSASSA-PSS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Salt {
    /// As long as the digest: TLS, and most issuers.
    Digest,
    /// As long as the key allows: what `openssl` makes unless told otherwise.
    Max,
}

/// How a certificate or a request was signed.
///
/// AWS: developer guide, "X.509 client certificates", list of algorithms. DSA, which is on that list, is not verified
/// here: aws-lc has no DSA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5.
    RsaPkcs1(Hash),
    /// RSASSA-PSS with MGF1 over the same hash.
    RsaPss(Hash, Salt),
    /// ECDSA; any curve may go with any hash.
    Ecdsa(Hash),
    /// Not accepted; a name for the message.
    Unaccepted(String),
}

impl SignatureAlgorithm {
    /// Whether certificates signed like this are accepted.
    pub fn accepted(&self) -> Result<(), PkiError> {
        match self {
            Self::RsaPkcs1(_) | Self::RsaPss(..) | Self::Ecdsa(_) => Ok(()),
            Self::Unaccepted(name) => Err(PkiError::SignatureAlgorithm(name.clone())),
        }
    }

    pub(crate) fn of(identifier: &AlgorithmIdentifier<'_>) -> Self {
        let algorithm = &identifier.algorithm;
        let known = [
            (oid::OID_PKCS1_SHA256WITHRSA, Self::RsaPkcs1(Hash::Sha256)),
            (oid::OID_PKCS1_SHA384WITHRSA, Self::RsaPkcs1(Hash::Sha384)),
            (oid::OID_PKCS1_SHA512WITHRSA, Self::RsaPkcs1(Hash::Sha512)),
            (oid::OID_SIG_ECDSA_WITH_SHA256, Self::Ecdsa(Hash::Sha256)),
            (oid::OID_SIG_ECDSA_WITH_SHA384, Self::Ecdsa(Hash::Sha384)),
            (oid::OID_SIG_ECDSA_WITH_SHA512, Self::Ecdsa(Hash::Sha512)),
        ];
        if let Some((_, found)) = known.into_iter().find(|(known, _)| known == algorithm) {
            return found;
        }
        if *algorithm == oid::OID_PKCS1_RSASSAPSS {
            return pss(identifier);
        }
        Self::Unaccepted(if *algorithm == oid::OID_PKCS1_SHA1WITHRSA {
            "RSA with SHA-1".into()
        } else if *algorithm == oid::OID_PKCS1_MD5WITHRSAENC {
            "RSA with MD5".into()
        } else if algorithm.to_id_string() == "1.2.840.10045.4.1" {
            "ECDSA with SHA-1".into()
        } else if algorithm.to_id_string() == "2.16.840.1.101.3.4.3.2" {
            "DSA with SHA-256".into()
        } else if *algorithm == oid::OID_SIG_ED25519 {
            "Ed25519".into()
        } else {
            algorithm.to_id_string()
        })
    }
}

impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RsaPkcs1(hash) => write!(f, "RSA with {hash:?}"),
            Self::RsaPss(hash, _) => write!(f, "RSA-PSS with {hash:?}"),
            Self::Ecdsa(hash) => write!(f, "ECDSA with {hash:?}"),
            Self::Unaccepted(name) => f.write_str(name),
        }
    }
}

/// RSASSA-PSS by its parameters. Spec: RFC 4055, section 3.1; absent parameters mean SHA-1.
fn pss(identifier: &AlgorithmIdentifier<'_>) -> SignatureAlgorithm {
    let unaccepted = |why: &str| SignatureAlgorithm::Unaccepted(format!("RSA-PSS with {why}"));
    let Some(parameters) = &identifier.parameters else { return unaccepted("SHA-1") };
    let Ok(parameters) = RsaSsaPssParams::try_from(parameters) else { return unaccepted("unreadable parameters") };
    let Some(hash) = parameters.hash_algorithm().and_then(|id| Hash::of(&id.algorithm)) else {
        return unaccepted("a hash other than SHA-256, SHA-384 and SHA-512");
    };
    let mask = parameters.mask_gen_algorithm().ok().and_then(|mask| Hash::of(&mask.hash));
    if mask != Some(hash) {
        return unaccepted("a mask hash that differs from the message hash");
    }
    // With the longest salt a 2048-bit key leaves no room: 256 = salt + hash + 2; longer keys have longer ones.
    let longest = (crate::RSA_BITS_MIN / 8) as u32 - hash.bytes() - 2;
    match parameters.salt_length() {
        length if length == hash.bytes() => SignatureAlgorithm::RsaPss(hash, Salt::Digest),
        length if length >= longest => SignatureAlgorithm::RsaPss(hash, Salt::Max),
        _ => unaccepted("a salt as long as neither the hash nor the key"),
    }
}

/// Whether a TLS peer holds the private key of `key`: its CertificateVerify over `message`.
///
/// `scheme` is the IANA number of the SignatureScheme. Spec: RFC 8446, 4.2.3 and 4.4.3 (TLS 1.3: no PKCS #1, ECDSA
/// bound to its curve); RFC 5246, 7.4.8 (TLS 1.2: the ECDSA hash goes with any curve).
pub fn check_possession(
    key: &PublicKey,
    scheme: u16,
    tls13: bool,
    message: &[u8],
    signature: &[u8],
) -> Result<(), PkiError> {
    let algorithm = scheme_algorithm(key.algorithm(), scheme, tls13).ok_or_else(|| PkiError::Scheme {
        scheme,
        key: key.algorithm().to_string(),
        version: if tls13 { "TLS 1.3" } else { "TLS 1.2" },
    })?;
    if key.verifies(&algorithm, message, signature) { Ok(()) } else { Err(PkiError::NotPossessed) }
}

/// The signature algorithm that `scheme` names, if it may be used with such a key in that version.
fn scheme_algorithm(key: &KeyAlgorithm, scheme: u16, tls13: bool) -> Option<SignatureAlgorithm> {
    use {Hash::*, KeyAlgorithm::*, SignatureAlgorithm as Algorithm};
    let curve_or_tls12 = |curve: &KeyAlgorithm| !tls13 || key == curve;
    Some(match (scheme, key) {
        (0x0401, Rsa(_)) if !tls13 => Algorithm::RsaPkcs1(Sha256),
        (0x0501, Rsa(_)) if !tls13 => Algorithm::RsaPkcs1(Sha384),
        (0x0601, Rsa(_)) if !tls13 => Algorithm::RsaPkcs1(Sha512),
        // rsa_pss_rsae_*: a key that calls itself rsaEncryption.
        (0x0804, Rsa(_)) => Algorithm::RsaPss(Sha256, Salt::Digest),
        (0x0805, Rsa(_)) => Algorithm::RsaPss(Sha384, Salt::Digest),
        (0x0806, Rsa(_)) => Algorithm::RsaPss(Sha512, Salt::Digest),
        // rsa_pss_pss_*: a key that calls itself RSASSA-PSS. AWS: with TLS 1.3 only.
        (0x0809, RsaPss(_)) if tls13 => Algorithm::RsaPss(Sha256, Salt::Digest),
        (0x080a, RsaPss(_)) if tls13 => Algorithm::RsaPss(Sha384, Salt::Digest),
        (0x080b, RsaPss(_)) if tls13 => Algorithm::RsaPss(Sha512, Salt::Digest),
        (0x0403, P256 | P384 | P521) if curve_or_tls12(&P256) => Algorithm::Ecdsa(Sha256),
        (0x0503, P256 | P384 | P521) if curve_or_tls12(&P384) => Algorithm::Ecdsa(Sha384),
        (0x0603, P256 | P384 | P521) if curve_or_tls12(&P521) => Algorithm::Ecdsa(Sha512),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
