//! What ends a TLS connection, or keeps one from being configured.

use crate::{Alert, RefusedCertificate};

/// Why TLS cannot go on. When it comes out of a session, the alert is already in that session's output.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The client's certificate was refused.
    #[error("{}", .0.refusal)]
    Refused(Box<RefusedCertificate>),
    /// The client showed no certificate where one is required.
    #[error("the client showed no certificate")]
    NoCertificate,
    /// Anything else in the protocol: no common version or suite, a bad record, an alert from the peer.
    #[error("{0}")]
    Protocol(#[source] rustls::Error),
    /// The first bytes are not a ClientHello; `alert` is what to answer, empty for "nothing".
    #[error("not a TLS ClientHello")]
    NotAHello {
        /// Bytes to send before closing.
        alert: Vec<u8>,
    },
    /// More bytes than one message may have, and still no whole message.
    #[error("more than {max} bytes without a whole TLS message")]
    TooLong {
        /// The bound in bytes.
        max: usize,
    },
    /// The session has ended, or its handshake has not: no data can be sent.
    #[error("the TLS session is not open")]
    NotOpen,
    /// A server certificate or key that cannot be served.
    #[error("server certificate: {0}")]
    ServerCertificate(String),
    /// A combination of settings that rustls refuses.
    #[error("TLS settings: {0}")]
    Settings(#[source] rustls::Error),
}

impl TlsError {
    pub(crate) fn not_a_hello() -> Self {
        Self::NotAHello { alert: Alert::DecodeError.record().to_vec() }
    }
}
