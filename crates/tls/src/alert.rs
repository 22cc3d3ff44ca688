//! Alerts that are sent before there is a session: when the ClientHello alone decides.

/// A fatal alert. Spec: RFC 8446, 6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Alert {
    /// `handshake_failure`.
    HandshakeFailure = 40,
    /// `access_denied`: the address or the moment is not welcome.
    AccessDenied = 49,
    /// `decode_error`: not a ClientHello.
    DecodeError = 50,
    /// `internal_error`.
    InternalError = 80,
    /// `unrecognized_name`: the server name is nobody's. Spec: RFC 6066, 3.
    UnrecognizedName = 112,
    /// `no_application_protocol`. Spec: RFC 7301, 3.2.
    NoApplicationProtocol = 120,
}

impl Alert {
    /// The alert as one unprotected record, to be written in place of a ServerHello.
    pub const fn record(self) -> [u8; 7] {
        [21, 3, 3, 0, 2, 2, self as u8]
    }
}
