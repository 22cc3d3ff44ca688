//! The certificate of a CA that signs device certificates.

use std::ops::Deref;

use tidegate_ids::{CaCertificateId, Timestamp};

use crate::{PkiError, X509, pem, sha256};

/// A CA's certificate, root or intermediate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaCertificate {
    x509: X509,
    ca_certificate_id: CaCertificateId,
}

impl CaCertificate {
    /// Reads one certificate; its form only. Whether it may be registered is [`Self::check_registrable`].
    pub fn parse(der: &[u8]) -> Result<Self, PkiError> {
        Ok(Self { x509: X509::parse(der)?, ca_certificate_id: ca_certificate_id(der) })
    }

    /// Reads the single certificate of a PEM text.
    pub fn from_pem(text: &str) -> Result<Self, PkiError> {
        Self::parse(&pem::one_certificate(text)?)
    }

    /// SHA-256 of the DER.
    pub fn ca_certificate_id(&self) -> CaCertificateId {
        self.ca_certificate_id
    }

    /// Whether RegisterCACertificate may take this certificate at `now`; the error's text tells its owner what is wrong.
    ///
    /// AWS: developer guide, "Create a CA certificate": X.509 version 3, basicConstraints CA:TRUE, within its dates, an
    /// accepted algorithm and key. A self-signed one must have signed itself (our addition: a damaged file).
    pub fn check_registrable(&self, now: Timestamp) -> Result<(), PkiError> {
        match (self.version(), self.basic_constraints_ca()) {
            (1 | 2, _) => return Err(PkiError::CaVersion(self.version())),
            (_, None) => return Err(PkiError::NoBasicConstraints),
            (_, Some(false)) => return Err(PkiError::NotCa),
            (_, Some(true)) => {}
        }
        self.check_algorithms()?;
        self.check_dates(now)?;
        // Spec: RFC 5280, 6.1: self-issued is not self-signed; a certificate for a changed key names another one.
        let names_own_key = self.authority_key_id().is_none_or(|id| Some(id) == self.subject_key_id());
        if self.is_self_issued() && names_own_key {
            self.check_signed_by(self.public_key())?;
        }
        Ok(())
    }
}

impl Deref for CaCertificate {
    type Target = X509;
    fn deref(&self) -> &X509 {
        &self.x509
    }
}

/// The id of a CA certificate: SHA-256 of its DER. AWS: `caCertificateId`.
pub fn ca_certificate_id(der: &[u8]) -> CaCertificateId {
    CaCertificateId::from_bytes(sha256(der))
}

#[cfg(test)]
mod tests;
