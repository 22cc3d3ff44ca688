//! What can go wrong on the devices' and the operator's side.

use std::{io, path::PathBuf};

use tidegate_mqtt::{DecodeError, EncodeError, ReasonCode};
use tidegate_pki::PkiError;

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
    /// The environment lacks a value.
    #[error("{0} is not in the environment: take the operator's keys with `. data/tidegate.env`, or say --no-activate")]
    NotInEnvironment(&'static str),
    /// A value in `tidegate.env` is not what it should be.
    #[error("{name} is {value}, which is not {expected}")]
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
    /// A broker of our own did not end when it was asked to.
    #[error("the broker {0}")]
    NotStopped(String),
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
    /// Nobody says where the broker is.
    #[error(
        "where is the broker? Say host in [broker], give --host, or take TIDEGATE_MQTT_HOST from the environment: `. data/tidegate.env`"
    )]
    NoBroker,
    /// Nobody says whom to trust.
    #[error(
        "which CA signed the broker's certificate? Say ca in [broker], give --ca, or take TIDEGATE_CA_FILE from the environment: `. data/tidegate.env`"
    )]
    NoCaFile,
    /// Fewer devices in a directory than a group needs.
    #[error("{} has {there} devices, group {group} needs {needed}: `tidegate fleet make {0} --count {needed}` makes the others", directory.display())]
    TooFew {
        /// The directory.
        directory: PathBuf,
        /// How many it has.
        there: usize,
        /// How many it needs.
        needed: usize,
        /// The group.
        group: String,
    },
    /// Not enough descriptors.
    #[error(
        "{devices} devices need as many file descriptors, and this process may have {limit}: {fit} devices fit; raise the limit (ulimit -Hn), or run several processes with `first` and `count`"
    )]
    Descriptors {
        /// Devices of the scenario.
        devices: u64,
        /// The limit.
        limit: u64,
        /// Devices that fit.
        fit: u64,
    },
    /// What would happen to every device.
    #[error("{0}")]
    Hopeless(String),
    /// A file.
    #[error("{what} {}", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// A directory of keys that others may enter.
    #[error("{} is open to other users (mode {mode:o}); it holds keys: chmod 700 it", path.display())]
    Open {
        /// The directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A directory without devices.
    #[error("there are no devices in {}: make them with `tidegate fleet make {0}`", directory.display())]
    NoIdentities {
        /// The directory.
        directory: PathBuf,
    },
    /// A bundle whose last device is not whole.
    #[error("the last device in {} is not whole: `tidegate fleet make {0}` goes on where it was interrupted", directory.display())]
    Unfinished {
        /// The directory.
        directory: PathBuf,
    },
    /// A bundle that is none.
    #[error("{} is damaged at byte {offset}: there a line `device: NAME`, a certificate or a key should be", path.display())]
    Damaged {
        /// The bundle.
        path: PathBuf,
        /// Where.
        offset: u64,
    },
    /// Another process writes the bundle.
    #[error("another `tidegate fleet make` writes {}", path.display())]
    InUse {
        /// The bundle.
        path: PathBuf,
    },
    /// Names that devices cannot have.
    #[error("{0}")]
    Names(String),
    /// The directory's CA is not the one that was given.
    #[error("the devices in {} are of another CA: use another directory", directory.display())]
    OtherCa {
        /// The directory.
        directory: PathBuf,
    },
    /// The key of the directory's CA is held elsewhere.
    #[error("the key of the CA in {} is held elsewhere: give it with --ca-cert and --ca-key", directory.display())]
    NoCaKey {
        /// The directory.
        directory: PathBuf,
    },
    /// A file, a socket or a process.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<PkiError> for FleetError {
    fn from(error: PkiError) -> Self {
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
