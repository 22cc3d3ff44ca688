//! What became of connections and subscriptions, as data; [`wire`] writes it down. Publishing it on `$aws/events/…` is the
//! reader's work.
//!
//! AWS: developer guide, "Lifecycle events".

pub mod wire;

use std::{net::SocketAddr, sync::Arc};

use tidegate_ids::{Tenant, Timestamp};

use crate::Principal;

/// One event of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LifecycleEvent {
    /// Whose client it is.
    pub tenant: Tenant,
    /// The client.
    pub client_id: Arc<str>,
    /// Who it acts for.
    pub principal: Arc<Principal>,
    /// The thing that the connection stands for, where events name it.
    pub thing_name: Option<Arc<str>>,
    /// Unique per session: 32 hexadecimal digits when written.
    pub session_identifier: u128,
    /// The same in all events of one connection; larger by one in the next connection of this client id; 0 again an hour
    /// after its session ended.
    pub version_number: u64,
    /// When.
    pub at: Timestamp,
    /// What happened.
    pub kind: LifecycleKind,
}

/// What happened to a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LifecycleKind {
    /// CONNACK 0 was given.
    Connected {
        /// Where the client is.
        peer_address: SocketAddr,
        /// Whether a session was resumed.
        session_present: bool,
    },
    /// An authenticated client was refused at CONNECT.
    ConnectFailed {
        /// Where the client is.
        peer_address: SocketAddr,
        /// Why.
        reason: ConnectFailure,
    },
    /// The connection ended, for whatever reason.
    Disconnected {
        /// Why.
        reason: DisconnectReason,
    },
    /// Filters were subscribed with; as the client wrote them.
    Subscribed {
        /// The granted filters of one SUBSCRIBE.
        topic_filters: Vec<Arc<str>>,
    },
    /// Filters were given up.
    Unsubscribed {
        /// The filters of one UNSUBSCRIBE that were subscribed with.
        topic_filters: Vec<Arc<str>>,
    },
}

/// `connectFailureReason` of the connect_failed event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConnectFailure {
    /// The policies allow neither the client id nor, if there is one, the Will.
    AuthorizationFailed,
}

impl ConnectFailure {
    /// As AWS writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationFailed => "AUTHORIZATION_FAILED",
        }
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// `disconnectReason` of the disconnected event.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum DisconnectReason {
            $($(#[$doc])* $name,)*
        }

        impl DisconnectReason {
            /// As AWS writes it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

reasons! {
    /// Authentication or authorization failed.
    AuthError = "AUTH_ERROR",
    /// DISCONNECT arrived. No Will when its reason is 0x00.
    ClientInitiatedDisconnect = "CLIENT_INITIATED_DISCONNECT",
    /// The client did what it must not.
    ClientError = "CLIENT_ERROR",
    /// The time is over that a custom authorizer gave the connection.
    CustomAuthTtlExpiration = "CUSTOM_AUTH_TTL_EXPIRATION",
    /// A connection over WebSocket has lasted as long as it may.
    WebSocketTtlExpiration = "WEBSOCKET_TTL_EXPIRATION",
    /// The socket closed without DISCONNECT.
    ConnectionLost = "CONNECTION_LOST",
    /// The client id came back on another connection.
    DuplicateClientId = "DUPLICATE_CLIENTID",
    /// What the connection rested on was taken away: a certificate revoked or deactivated.
    ForbiddenAccess = "FORBIDDEN_ACCESS",
    /// Silence for one and a half times Keep Alive.
    MqttKeepAliveTimeout = "MQTT_KEEP_ALIVE_TIMEOUT",
    /// We failed.
    ServerError = "SERVER_ERROR",
    /// We stop.
    ServerInitiatedDisconnect = "SERVER_INITIATED_DISCONNECT",
    /// An operator asked for it.
    ApiInitiatedDisconnect = "API_INITIATED_DISCONNECT",
    /// A limit was exceeded.
    Throttled = "THROTTLED",
}
