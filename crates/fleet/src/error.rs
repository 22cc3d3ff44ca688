//! What can go wrong on the devices' and the operator's side.

use std::{io, path::PathBuf};

use tidegate_mqtt::{DecodeError, EncodeError, ReasonCode};

use crate::ApiRefusal;

/// Why a device or its operator could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FleetError {
    /// No broker has written `tidegate.env` there.
    #[error("no broker runs on {}: start one with `tidegate serve --data {0}`", data.display())]
    NotRunning {
        /// The data directory.
        data: PathBuf,
        /// What reading the file came to.
        #[source]
        source: io::Error,
    },
    /// `tidegate.env` lacks a value.
    #[error("tidegate.env does not say {0}")]
    NotSaid(&'static str),
    /// A value in `tidegate.env` is not what it should be.
    #[error("tidegate.env says {name}={value}, which is not {expected}")]
    Unusable {
        /// Which.
        name: &'static str,
        /// What it says.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A broker of our own did not come up.
    #[error("the broker {0}")]
    NotStarted(String),
    /// No connection.
    #[error("cannot reach {to}")]
    Unreachable {
        /// Host and port.
        to: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Nothing came in time.
    #[error("no {0} came in time")]
    Late(&'static str),
    /// The API refused.
    #[error(transparent)]
    Refused(#[from] ApiRefusal),
    /// The API answered with something that is not HTTP with JSON.
    #[error("the API's answer is unreadable: {0}")]
    Answer(String),
    /// The broker acknowledged with a failure.
    #[error("{what} was refused with 0x{:02x}", *reason_code as u8)]
    Acknowledged {
        /// What was asked.
        what: String,
        /// The answer.
        reason_code: ReasonCode,
    },
    /// The broker sent something else than what has to follow.
    #[error("the broker sent something else than {0}")]
    Unexpected(&'static str),
    /// The broker closed the connection.
    #[error("the connection was closed")]
    Closed,
    /// The broker sent a malformed packet.
    #[error("the broker sent a malformed packet")]
    Decode(#[from] DecodeError),
    /// A packet cannot be written: one of its fields is too long.
    #[error("the packet cannot be written")]
    Encode(#[from] EncodeError),
    /// Keys and certificates could not be used.
    #[error("certificate: {0}")]
    Certificate(String),
    /// TLS cannot be set up with these keys and certificates.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
    /// A file, a socket or a process.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<rcgen::Error> for FleetError {
    fn from(error: rcgen::Error) -> Self {
        Self::Certificate(error.to_string())
    }
}

impl From<rustls::pki_types::pem::Error> for FleetError {
    fn from(error: rustls::pki_types::pem::Error) -> Self {
        Self::Certificate(error.to_string())
    }
}

impl From<rustls::pki_types::InvalidDnsNameError> for FleetError {
    fn from(error: rustls::pki_types::InvalidDnsNameError) -> Self {
        Self::Certificate(error.to_string())
    }
}
