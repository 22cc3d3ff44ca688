//! The certificate that a client shows in the TLS handshake or an operator registers.

use std::ops::Deref;

use tidegate_ids::CertificateId;

use crate::{PkiError, X509, check_possession, pem, sha256};

/// A client's own certificate, X.509 version 1, 2 or 3.
///
/// AWS: the documented `openssl x509 -req` commands make version 1 certificates, so these are as good as others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientLeaf {
    x509: X509,
    certificate_id: CertificateId,
}

impl ClientLeaf {
    /// Reads one certificate; its form only, see [`X509::parse`].
    pub fn parse(der: &[u8]) -> Result<Self, PkiError> {
        Ok(Self { x509: X509::parse(der)?, certificate_id: certificate_id(der) })
    }

    /// Reads the single certificate of a PEM text.
    pub fn from_pem(text: &str) -> Result<Self, PkiError> {
        Self::parse(&pem::one_certificate(text)?)
    }

    /// SHA-256 of the DER.
    pub fn certificate_id(&self) -> CertificateId {
        self.certificate_id
    }

    /// Whether the peer that signed `message` in its CertificateVerify holds this leaf's key; see [`check_possession`].
    pub fn check_possession(&self, scheme: u16, tls13: bool, message: &[u8], signature: &[u8]) -> Result<(), PkiError> {
        check_possession(self.x509.public_key(), scheme, tls13, message, signature)
    }
}

impl Deref for ClientLeaf {
    type Target = X509;
    fn deref(&self) -> &X509 {
        &self.x509
    }
}

/// The id of a client certificate: SHA-256 of its DER. AWS: `certificateId`.
pub fn certificate_id(der: &[u8]) -> CertificateId {
    CertificateId::from_bytes(sha256(der))
}
