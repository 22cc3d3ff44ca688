//! The verifier that rustls calls: it asks [`ClientCertificates`] and translates.

use std::{fmt::Debug, sync::Arc};

use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    pki_types::{CertificateDer, UnixTime},
    server::danger::{ClientCertVerified, ClientCertVerifier},
};
use tidegate_ids::{Clock, Timestamp};

use crate::{
    Refusal,
    refusal::{refuse, take_last},
};

/// What is known about client certificates; the gateway implements it over the registry's memory.
///
/// All three are called inside the handshake, synchronously, on a core's thread: no waiting, no I/O. None of them runs
/// when a session is resumed, so CONNECT asks for the status again.
pub trait ClientCertificates: Debug + Send + Sync + 'static {
    /// Whether the leaf has the form of a certificate, an accepted algorithm and key, an issuer that signed it (or is
    /// registered itself) and dates around `now`. Possession is not proven yet: nothing may be learnt from the answer
    /// that the certificate itself does not say.
    fn check_leaf(&self, leaf: &[u8], now: Timestamp) -> Result<(), Refusal>;

    /// Whether `signature` over `message` proves that the client holds the leaf's key. `scheme` is the IANA number of the
    /// SignatureScheme.
    fn check_possession(
        &self,
        leaf: &[u8],
        scheme: u16,
        message: &[u8],
        signature: &[u8],
        tls13: bool,
    ) -> Result<(), Refusal>;

    /// Whether the leaf, whose key the client has proven to hold, may go on to CONNECT: registered and not refused, or
    /// unknown and to be registered by itself.
    fn check_status(&self, leaf: &[u8], now: Timestamp) -> Result<(), Refusal>;
}

/// The signature schemes that a client may prove possession with, in the order they are offered in.
///
/// AWS: client certificates have RSA keys or ECDSA keys on P-256, P-384, P-521; RSASSA-PSS keys with TLS 1.3. The three
/// `rsa_pss_pss_*` have no names in rustls.
const SCHEMES: [SignatureScheme; 12] = [
    SignatureScheme::ECDSA_NISTP256_SHA256,
    SignatureScheme::ECDSA_NISTP384_SHA384,
    SignatureScheme::ECDSA_NISTP521_SHA512,
    SignatureScheme::RSA_PSS_SHA256,
    SignatureScheme::RSA_PSS_SHA384,
    SignatureScheme::RSA_PSS_SHA512,
    SignatureScheme::Unknown(0x0809),
    SignatureScheme::Unknown(0x080a),
    SignatureScheme::Unknown(0x080b),
    SignatureScheme::RSA_PKCS1_SHA256,
    SignatureScheme::RSA_PKCS1_SHA384,
    SignatureScheme::RSA_PKCS1_SHA512,
];

#[derive(Debug)]
pub(crate) struct Verifier {
    pub(crate) certificates: Arc<dyn ClientCertificates>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Whether a client without a certificate is refused.
    pub(crate) mandatory: bool,
}

impl Verifier {
    /// Possession first, then the status: only the owner of a key learns what became of its certificate.
    fn verify_signature(
        &self,
        message: &[u8],
        leaf: &[u8],
        signed: &DigitallySignedStruct,
        tls13: bool,
    ) -> Result<HandshakeSignatureValid, Error> {
        let scheme = u16::from(signed.scheme);
        self.certificates
            .check_possession(leaf, scheme, message, signed.signature(), tls13)
            .and_then(|()| self.certificates.check_status(leaf, self.clock.now().wall))
            .map(|()| HandshakeSignatureValid::assertion())
            .map_err(|refusal| refuse(refusal, leaf))
    }
}

impl ClientCertVerifier for Verifier {
    /// No hints: a list of CAs would grow with the registry, and clients without a fitting name in it send nothing.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        self.mandatory
    }

    /// The intermediates are not looked at. AWS: only the CA that signs the leaf is registered; no path is built.
    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        take_last(); // a former session's, if nobody took it
        self.certificates
            .check_leaf(end_entity, Timestamp::from_seconds(now.as_secs()))
            .map(|()| ClientCertVerified::assertion())
            .map_err(|refusal| refuse(refusal, end_entity))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verify_signature(message, leaf, signed, false)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verify_signature(message, leaf, signed, true)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        SCHEMES.to_vec()
    }
}
