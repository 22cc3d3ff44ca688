//! Private keys: made by aws-lc, written as AWS hands them out, never printed.

use std::fmt;

use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, PublicKeyData, RsaKeySize, SigningKey};
use rustls_pki_types::{PrivateKeyDer, pem::PemObject};
use zeroize::{Zeroize, Zeroizing};

use crate::{PkiError, PublicKey, der, pem};

/// A key that signs certificates or serves TLS. `Debug` hides it; aws-lc and the PKCS #8 copy here
/// wipe their bytes when dropped.
pub struct PrivateKey {
    pair: KeyPair,
    /// PKCS #8, DER.
    pkcs8: Zeroizing<Vec<u8>>,
    public_key: PublicKey,
}

impl Drop for PrivateKey {
    /// Wipes the copy that rcgen keeps; the other two wipe themselves.
    fn drop(&mut self) {
        self.pair.zeroize();
    }
}

impl PrivateKey {
    /// A new ECDSA key on P-256: what server certificates and CAs get (a handshake costs half of one with RSA).
    pub fn generate_p256() -> Result<Self, PkiError> {
        Self::new(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(unusable)?)
    }

    /// A new RSA key of 2048 bits: what CreateKeysAndCertificate hands out. Takes 20-500 ms of CPU: not on a core's thread.
    pub fn generate_rsa_2048() -> Result<Self, PkiError> {
        Self::new(KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).map_err(unusable)?)
    }

    /// The key in PKCS #8 DER, as [`Self::pkcs8_der`] gave it: P-256 or RSA, also P-384 and P-521.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, PkiError> {
        Self::new(KeyPair::try_from(der).map_err(unusable)?)
    }

    /// The first private key of a PEM text: PKCS #8, PKCS #1 or SEC 1, not encrypted.
    pub fn from_pem(text: &str) -> Result<Self, PkiError> {
        if text.len() > pem::PEM_BYTES_MAX {
            return Err(PkiError::TooLong { max: pem::PEM_BYTES_MAX });
        }
        let der = PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(unusable)?;
        let key = Self::new(KeyPair::try_from(&der).map_err(unusable)?)?;
        match &der {
            PrivateKeyDer::Pkcs1(_) | PrivateKeyDer::Sec1(_) => {
                let wrapped = in_pkcs8(key.public_key.spki(), der.secret_der());
                Self::from_pkcs8_der(&wrapped.ok_or_else(|| unusable("its public key has no algorithm"))?)
            }
            _ => Ok(key), // PKCS #8; the enumeration may grow
        }
    }

    fn new(pair: KeyPair) -> Result<Self, PkiError> {
        let public_key = PublicKey::from_spki(&pair.subject_public_key_info())?;
        public_key.algorithm().accepted()?;
        let pkcs8 = Zeroizing::new(pair.serialize_der());
        Ok(Self { pair, pkcs8, public_key })
    }

    /// The public half.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// `-----BEGIN PUBLIC KEY-----`: the SubjectPublicKeyInfo, as CreateKeysAndCertificate answers it.
    pub fn public_key_pem(&self) -> String {
        pem::encode("PUBLIC KEY", self.public_key.spki())
    }

    /// PKCS #8, DER: what is sealed and stored, and what TLS reads.
    pub fn pkcs8_der(&self) -> &[u8] {
        &self.pkcs8
    }

    /// The key as AWS hands it out: `RSA PRIVATE KEY` (PKCS #1) for RSA, `PRIVATE KEY` (PKCS #8) for the others.
    ///
    /// AWS: CreateKeysAndCertificate, `keyPair.PrivateKey`.
    pub fn pem(&self) -> Zeroizing<String> {
        match pkcs1(&self.pkcs8) {
            Some(pkcs1) if matches!(self.public_key.algorithm(), crate::KeyAlgorithm::Rsa(_)) => {
                Zeroizing::new(pem::encode("RSA PRIVATE KEY", pkcs1))
            }
            Some(_) | None => Zeroizing::new(pem::encode("PRIVATE KEY", &self.pkcs8)),
        }
    }

    /// The signature over `message`, with SHA-256 for RSA (PKCS #1) and P-256, the curve's own hash for the others.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, PkiError> {
        self.pair.sign(message).map_err(unusable)
    }

    /// The AlgorithmIdentifier of [`Self::sign`], DER.
    pub(crate) fn signature_algorithm(&self) -> Vec<u8> {
        /// ecdsa-with-SHA2, 1.2.840.10045.4.3; the last arc follows.
        const ECDSA: [u8; 7] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03];
        let ecdsa =
            |arc: u8| der::constructed(der::SEQUENCE, &[&der::element(der::OID, &[&ECDSA[..], &[arc]].concat())]);
        match self.public_key.algorithm() {
            crate::KeyAlgorithm::P256 => ecdsa(2),
            crate::KeyAlgorithm::P384 => ecdsa(3),
            crate::KeyAlgorithm::P521 => ecdsa(4),
            // sha256WithRSAEncryption, 1.2.840.113549.1.1.11, parameters NULL.
            crate::KeyAlgorithm::Rsa(_) | crate::KeyAlgorithm::RsaPss(_) | crate::KeyAlgorithm::Other(_) => {
                let oid = der::element(der::OID, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b]);
                der::constructed(der::SEQUENCE, &[&oid, &[0x05, 0x00]])
            }
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({}, hidden)", self.public_key.algorithm())
    }
}

fn unusable(error: impl fmt::Display) -> PkiError {
    PkiError::PrivateKey(error.to_string())
}

/// An RSAPrivateKey or ECPrivateKey as PKCS #8, with the algorithm that `spki`, its public key, names.
///
/// Spec: RFC 5208, 5; RFC 5280, 4.1: both begin with the same AlgorithmIdentifier.
fn in_pkcs8(spki: &[u8], key: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    use x509_parser::asn1_rs::{Any, FromDer};
    let (_, whole) = Any::from_der(spki).ok()?;
    let (rest, _algorithm) = Any::from_der(whole.data).ok()?;
    let algorithm = whole.data.get(..whole.data.len() - rest.len())?;
    let (version, key) = (der::element(der::INTEGER, &[0]), Zeroizing::new(der::element(der::OCTET_STRING, key)));
    Some(Zeroizing::new(der::constructed(der::SEQUENCE, &[&version, algorithm, &key])))
}

/// The RSAPrivateKey inside PKCS #8. Spec: RFC 5208, 5: version, algorithm, OCTET STRING.
fn pkcs1(pkcs8: &[u8]) -> Option<&[u8]> {
    use x509_parser::asn1_rs::{Any, FromDer};
    let (_, whole) = Any::from_der(pkcs8).ok()?;
    let (rest, _version) = Any::from_der(whole.data).ok()?;
    let (rest, _algorithm) = Any::from_der(rest).ok()?;
    let (_, key) = Any::from_der(rest).ok()?;
    (key.tag() == x509_parser::asn1_rs::Tag::OctetString).then_some(key.data)
}

#[cfg(test)]
mod tests;
