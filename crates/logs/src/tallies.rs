//! How often what failed, as metrics count it.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::{Entry, Status};

macro_rules! tallies {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Counts since the start.
        #[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
        pub struct Tallies {
            $($(#[$doc])* pub $name: u64,)*
        }

        #[derive(Debug, Default)]
        pub(crate) struct Counting {
            $($name: AtomicU64,)*
        }

        impl Counting {
            pub(crate) fn read(&self) -> Tallies {
                Tallies { $($name: self.$name.load(Relaxed),)* }
            }
        }
    };
}

tallies! {
    /// Clients refused before CONNECT, or for their certificate.
    authn_error,
    /// CONNECT packets that a policy refused.
    connect_auth_error,
    /// CONNECT packets that ask for what cannot be had.
    connect_client_error,
    /// CONNECT packets refused because we failed.
    connect_server_error,
}

impl Counting {
    /// Counts a failure, if it is of a kind that is counted.
    pub(crate) fn note(&self, entry: &Entry) {
        if entry.status == Status::Success {
            return;
        }
        let counter = match (entry.event_type, entry.text("reason")) {
            ("Connection.AuthNError", _) => &self.authn_error,
            ("Connect", Some("AUTHORIZATION_FAILURE")) => &self.connect_auth_error,
            // The broker counts these, each quota's its own.
            ("Connect", Some("THROTTLED")) => return,
            ("Connect", Some("INTERNAL_SERVER_ERROR")) => &self.connect_server_error,
            ("Connect", _) => &self.connect_client_error,
            _ => return,
        };
        counter.fetch_add(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use tidegate_ids::Timestamp;

    use super::*;

    #[test]
    fn failures_are_counted_by_kind_and_successes_are_not() {
        let counting = Counting::default();
        let entry = |event_type, status, reason| {
            Entry::new(event_type, status, 0, Timestamp::from_millis(0)).with("reason", Some(reason))
        };
        for (event_type, status, reason) in [
            ("Connect", Status::Success, "AUTHORIZATION_FAILURE"),
            ("Connect", Status::Failure, "AUTHORIZATION_FAILURE"),
            ("Connect", Status::Failure, "THROTTLED"),
            ("Connect", Status::Failure, "MALFORMED_CONNECT"),
            ("Connection.AuthNError", Status::Failure, "SNI_MISUSED"),
            ("Publish-In", Status::Failure, "AUTHORIZATION_FAILURE"),
        ] {
            counting.note(&entry(event_type, status, reason));
        }
        let expected =
            Tallies { authn_error: 1, connect_auth_error: 1, connect_client_error: 1, connect_server_error: 0 };
        assert_eq!(counting.read(), expected);
    }
}
