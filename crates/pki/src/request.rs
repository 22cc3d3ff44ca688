//! Certificate signing requests: subject and key are taken, the rest is left, as AWS does.

use x509_parser::{certification_request::X509CertificationRequest, prelude::FromDer};

use crate::{PkiError, PublicKey, SignatureAlgorithm, pem};

/// Longest request that is read, in characters of PEM. AWS: CreateCertificateFromCsr, `certificateSigningRequest`.
pub const REQUEST_BYTES_MAX: usize = 4096;

/// A certificate signing request (PKCS #10) whose own signature has been checked: its sender holds the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Csr {
    subject: Box<[u8]>,
    public_key: PublicKey,
}

impl Csr {
    /// Reads the single request of a PEM text of at most [`REQUEST_BYTES_MAX`] bytes.
    pub fn from_pem(text: &str) -> Result<Self, PkiError> {
        if text.len() > REQUEST_BYTES_MAX {
            return Err(PkiError::TooLong { max: REQUEST_BYTES_MAX });
        }
        Self::parse(&pem::one_request(text)?)
    }

    /// Reads one request and checks its key, its algorithm and its signature by that key.
    pub fn parse(der: &[u8]) -> Result<Self, PkiError> {
        let what = "certificate signing request";
        if der.len() > REQUEST_BYTES_MAX {
            return Err(PkiError::TooLong { max: REQUEST_BYTES_MAX });
        }
        let (rest, request) = X509CertificationRequest::from_der(der).map_err(|e| PkiError::der(what, e))?;
        if !rest.is_empty() || request.signature_value.unused_bits != 0 {
            return Err(PkiError::der(what, "bytes after its end"));
        }
        let algorithm = SignatureAlgorithm::of(&request.signature_algorithm);
        algorithm.accepted()?;
        let public_key = PublicKey::from_spki(request.certification_request_info.subject_pki.raw)?;
        public_key.algorithm().accepted()?;
        if !public_key.verifies(&algorithm, request.certification_request_info.raw, &request.signature_value.data) {
            return Err(PkiError::BadRequestSignature);
        }
        Ok(Self { subject: request.certification_request_info.subject.as_raw().into(), public_key })
    }

    /// The requested subject, raw DER: it goes into the certificate byte for byte.
    pub fn subject(&self) -> &[u8] {
        &self.subject
    }

    /// The key to certify.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }
}

#[cfg(test)]
mod tests;
