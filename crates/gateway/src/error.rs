//! What can go wrong when the gateway starts.

use std::{io, net::SocketAddr};

use thiserror::Error;

/// Why the gateway does not start. Once it runs, nothing that a peer does is an error of the gateway.
#[derive(Debug, Error)]
pub enum GatewayError {
    /// Another process has the port.
    #[error(
        "listener `{listener}`: {address} is in use; stop the other process (`ss -ltnp` names it) or give the listener \
         another port"
    )]
    AddressInUse {
        /// The listener's name in the configuration.
        listener: Box<str>,
        /// Where it was to listen.
        address: SocketAddr,
    },
    /// A port below 1024, without the right to it.
    #[error(
        "listener `{listener}`: not allowed to listen on {address}; choose a port from 1024 up or give the program the \
         capability CAP_NET_BIND_SERVICE"
    )]
    NotAllowed {
        /// The listener's name in the configuration.
        listener: Box<str>,
        /// Where it was to listen.
        address: SocketAddr,
    },
    /// The address is not one of this machine, or something else the system refused.
    #[error("listener `{listener}`: cannot listen on {address}; check that the address belongs to this machine")]
    Listen {
        /// The listener's name in the configuration.
        listener: Box<str>,
        /// Where it was to listen.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A listener's TLS settings cannot be used.
    #[error("listener `{listener}`: its TLS settings cannot be used: {message}")]
    Tls {
        /// The listener's name in the configuration.
        listener: Box<str>,
        /// What is wrong with them.
        message: String,
    },
    /// A core's thread, poll or runtime could not be made.
    #[error("cannot start core {core}; the process may be out of threads or descriptors")]
    Core {
        /// The number of the core, from 0.
        core: u16,
        /// What the system said.
        source: io::Error,
    },
}

impl GatewayError {
    /// The failure to listen, in words that say what to do about it.
    pub(crate) fn listen(listener: &str, address: SocketAddr, source: io::Error) -> Self {
        let listener = listener.into();
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::AddressInUse { listener, address },
            io::ErrorKind::PermissionDenied => Self::NotAllowed { listener, address },
            _ => Self::Listen { listener, address, source },
        }
    }
}
