//! Why a client's certificate was refused, and how that travels through rustls to the log.

use std::{cell::RefCell, sync::Arc};

use aws_lc_rs::digest;
use rustls::{CertificateError, Error, OtherError};
use tidegate_ids::CertificateId;

/// Why a client's certificate is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No registered, usable CA has the issuer's name and key, and the leaf itself is not registered.
    #[error("no registered CA issued the certificate")]
    NoIssuer,
    /// A registered CA has the issuer's name, but its key did not sign the leaf.
    #[error("the certificate is not signed by the CA it names")]
    BadSignature,
    /// `notAfter` has passed.
    #[error("the certificate has expired")]
    Expired,
    /// `notBefore` is still to come.
    #[error("the certificate is not valid yet")]
    NotYetValid,
    /// Not a certificate, or of a key or signature algorithm that is not accepted; in words.
    #[error("the certificate is not acceptable: {0}")]
    Unacceptable(String),
    /// The client does not hold the private key.
    #[error("the client does not hold the certificate's private key")]
    NotPossessed,
    /// Neither registered nor to be registered by itself.
    #[error("the certificate is not registered")]
    NotRegistered,
    /// Registered, status INACTIVE.
    #[error("the certificate is inactive")]
    Inactive,
    /// Registered, status REVOKED.
    #[error("the certificate is revoked")]
    Revoked,
    /// Registered, status PENDING_TRANSFER.
    #[error("the certificate is being transferred to another account")]
    PendingTransfer,
    /// Its CA is registered but INACTIVE, and the leaf is unknown.
    #[error("the CA certificate is inactive")]
    CaInactive,
    /// Its CA does not register leaves by itself, and the leaf is unknown.
    #[error("the CA does not allow automatic registration")]
    AutoRegistrationOff,
    /// We could not tell.
    #[error("the certificate could not be checked: {0}")]
    Internal(String),
}

impl Refusal {
    /// The error that makes rustls send the right alert: `unknown_ca` (48) for an unknown issuer, `certificate_expired` (45),
    /// `certificate_unknown` (46) for all others.
    ///
    /// AWS: a revoked or inactive certificate shows as 46 (aws-iot-device-sdk-python issue 76). Decision: DESIGN, 5.
    pub(crate) fn into_rustls(self) -> Error {
        Error::InvalidCertificate(match self {
            Self::NoIssuer => CertificateError::UnknownIssuer,
            Self::Expired => CertificateError::Expired,
            other => CertificateError::Other(OtherError(Arc::new(other))),
        })
    }
}

/// The refusal inside an error of rustls, for connections that are not driven by [`Session`](crate::Session).
pub fn refusal_of(error: &Error) -> Option<Refusal> {
    match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => Some(Refusal::NoIssuer),
        Error::InvalidCertificate(CertificateError::Expired) => Some(Refusal::Expired),
        Error::InvalidCertificate(CertificateError::Other(OtherError(other))) => other.downcast_ref().cloned(),
        _ => None,
    }
}

/// A refused certificate, with what the log needs to explain the refusal.
#[derive(Clone, PartialEq, Eq)]
pub struct RefusedCertificate {
    /// Why.
    pub refusal: Refusal,
    /// SHA-256 of the leaf.
    pub certificate_id: CertificateId,
    /// The leaf's DER, as the client sent it: at most 64 KiB, perhaps not a certificate at all.
    pub leaf: Vec<u8>,
}

impl std::fmt::Debug for RefusedCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RefusedCertificate")
            .field("refusal", &self.refusal)
            .field("certificate_id", &self.certificate_id)
            .finish_non_exhaustive()
    }
}

thread_local! {
    /// The certificate that the verifier refused last on this thread.
    ///
    /// rustls forgets the certificate of a failed handshake, and its errors for alerts 45 and 48 have room for nothing. The
    /// verifier runs inside `Session::feed`, on the same thread, so what it leaves here belongs to that session.
    static LAST: RefCell<Option<Box<RefusedCertificate>>> = const { RefCell::new(None) };
}

/// Notes a refusal for [`take_last`], and says it in rustls's words.
pub(crate) fn refuse(refusal: Refusal, leaf: &[u8]) -> Error {
    let mut id = [0; 32];
    id.copy_from_slice(digest::digest(&digest::SHA256, leaf).as_ref());
    let refused = RefusedCertificate {
        refusal: refusal.clone(),
        certificate_id: CertificateId::from_bytes(id),
        leaf: leaf.into(),
    };
    LAST.set(Some(Box::new(refused)));
    refusal.into_rustls()
}

/// What the verifier refused since the last call on this thread.
pub(crate) fn take_last() -> Option<Box<RefusedCertificate>> {
    LAST.take()
}
