//! A connection that ends before its CONNECT: why, and the alert that says so.

use std::io;

use tidegate_mqtt::DecodeError;
use tidegate_tls::{Alert, TlsError};

use crate::{domain::DomainRefused, websocket::upgrade};

/// Why no CONNECT came.
#[derive(Debug)]
pub(crate) enum NoConnect {
    /// The client closed, or the network did.
    Lost,
    /// What came first is another packet, or no MQTT at all.
    NotConnect,
    /// It is longer than allowed, or its header is wrong.
    Malformed(DecodeError),
    /// The server name in SNI is none of ours.
    UnknownServerName,
    /// A domain configuration lets nobody in, or not this client.
    Domain(DomainRefused),
    /// All it offers by ALPN is publishing by HTTPS.
    HttpsPublish,
    /// The client's TLS is older than 1.2.
    OldTls,
    /// It begins like TLS, but not with a ClientHello that can be used; `alert` is the answer.
    UnusableHello { alert: Vec<u8> },
    /// The handshake failed; the alert has been sent.
    Tls(TlsError),
    /// An HTTP request that does not become a WebSocket.
    Upgrade(upgrade::Refused),
    /// A WebSocket that ended before there was a CONNECT, because of its client.
    WebSocket,
}

impl From<io::Error> for NoConnect {
    fn from(_: io::Error) -> Self {
        Self::Lost
    }
}

impl NoConnect {
    /// Why a first message is not one we can go on with: to rustls TLS 1.1 is as little a ClientHello as plain MQTT is.
    pub(crate) fn of_hello(error: TlsError, first: &[u8]) -> Self {
        // A record of the handshake with a ClientHello in it: type, length, then the newest version but for 1.3's extension,
        // which no client without 1.2 sends. Spec: RFC 8446, 4.1.2; RFC 5246, 7.4.1.2.
        match (error, first) {
            (TlsError::NotAHello { .. }, [22, 3, _, _, _, 1, _, _, _, 3, 0..=2, ..]) => Self::OldTls,
            (TlsError::NotAHello { alert }, [22, 3, ..]) => Self::UnusableHello { alert },
            (error, _) => Self::Tls(error),
        }
    }

    /// The alert that answers a first message; empty when there is nothing to say.
    pub(crate) fn alert(&self) -> Vec<u8> {
        /// Spec: RFC 8446, 6: `protocol_version`. Clients that old read records of any 3.x.
        const PROTOCOL_VERSION: [u8; 7] = [21, 3, 1, 0, 2, 2, 70];
        match self {
            Self::OldTls => PROTOCOL_VERSION.to_vec(),
            Self::HttpsPublish => Alert::NoApplicationProtocol.record().to_vec(),
            Self::UnknownServerName | Self::Domain(DomainRefused::Disabled) => {
                Alert::UnrecognizedName.record().to_vec()
            }
            Self::Domain(DomainRefused::OtherProtocol(_)) => Vec::new(),
            Self::Domain(DomainRefused::NotSpokenHere(_) | DomainRefused::NoFunctions | DomainRefused::Certificate) => {
                Alert::AccessDenied.record().to_vec()
            }
            Self::UnusableHello { alert } | Self::Tls(TlsError::NotAHello { alert }) => alert.clone(),
            Self::Tls(TlsError::TooLong { .. }) => Alert::DecodeError.record().to_vec(),
            Self::Tls(_) | Self::Lost | Self::NotConnect | Self::Malformed(_) | Self::Upgrade(_) | Self::WebSocket => {
                Vec::new()
            }
        }
    }
}
