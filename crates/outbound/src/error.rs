//! Why a call brought no answer.

use std::{io, net::IpAddr, time::Duration};

/// Why a call brought no answer. None of them says what was sent.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The name has no address.
    #[error("{host} has no address")]
    Unresolved {
        /// The name.
        host: String,
        /// What the resolver says.
        #[source]
        source: Option<io::Error>,
    },
    /// Its only addresses are ones that may not be called.
    #[error("{host} is {address}, an address of a private network or of this machine, which is not allowed")]
    PrivateAddress {
        /// The name.
        host: String,
        /// The first of its addresses.
        address: IpAddr,
    },
    /// Nobody answers at any address.
    #[error("{host} cannot be reached")]
    Unreachable {
        /// The name.
        host: String,
        /// What the last attempt says.
        #[source]
        source: io::Error,
    },
    /// The other side does not prove who it is, or does not speak TLS.
    #[error("TLS with {host} failed")]
    Tls {
        /// The name.
        host: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It does not speak HTTP/1.1, or hangs up half-way.
    #[error("{host} gives no HTTP answer")]
    Http {
        /// The name.
        host: String,
        /// Why.
        #[source]
        source: hyper::Error,
    },
    /// Its answer is longer than allowed.
    #[error("the answer of {host} is longer than {bytes_max} bytes")]
    TooLong {
        /// The name.
        host: String,
        /// The bound.
        bytes_max: usize,
    },
    /// It takes too long.
    #[error("{host} has not answered within {limit:?}")]
    Late {
        /// The name.
        host: String,
        /// The bound.
        limit: Duration,
    },
    /// A header cannot be sent: it has bytes that no header may have.
    #[error("the header {0} cannot be sent")]
    Header(String),
}

impl CallError {
    /// The error with its causes, in one line.
    pub fn with_causes(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}
