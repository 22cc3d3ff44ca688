//! TLS for a broker whose clients show certificates: rustls configurations, our client-certificate verifier, server
//! certificates by name, tickets on our clock. Bytes in, bytes out: no sockets.
//!
//! A connection's path: [`ClientHello::peek`] at the first bytes → an `Arc<ServerConfig>` out of [`ServerConfigs`] → the
//! same bytes into [`Session::feed`]. What is decided about a client's certificate comes from outside through
//! [`ClientCertificates`]; [`Refusal`] and [`RefusedCertificate`] carry the reason back to whoever logs it.
//!
//! **Invariant:** nothing here does I/O or reads a clock of its own; rustls sees the `Clock` it is handed.
//! **Invariant:** no certificate is parsed here.

mod alert;
mod clock;
mod config;
mod error;
mod hello;
mod names;
mod refusal;
mod session;
mod suites;
mod tickets;
mod verifier;

pub use alert::Alert;
pub use config::{
    ALPN_HTTPS_CLIENT_CERTIFICATE, ALPN_MQTT, ALPN_MQTT_CLIENT_CERTIFICATE, ServerConfigs, Settings, Tickets, Versions,
};
pub use error::TlsError;
pub use hello::{CLIENT_HELLO_BYTES_MAX, ClientHello};
pub use names::{NameTable, ServerCertificate, ServerNames};
pub use refusal::{Refusal, RefusedCertificate, refusal_of};
pub use session::{ClientSession, End, PARTIAL_BYTES_MAX, Progress, Session};
pub use tickets::TICKET_LIFETIME_MAX;
pub use verifier::ClientCertificates;

/// A rustls server configuration, as [`ServerConfigs`] makes it; for `tokio-rustls` on the HTTPS side.
pub use rustls::ServerConfig;
