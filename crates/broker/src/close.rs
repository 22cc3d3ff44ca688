//! Why a connection ends, and what each side is told.

use tidegate_mqtt::{DecodeError, ReasonCode};

use uuid::Uuid;

use crate::{Trace, events::DisconnectReason};

/// Why a connection ends. Given by the broker when it wants an end, to the broker when the edge saw one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// DISCONNECT with reason 0x00: the only end without a Will.
    Disconnect,
    /// DISCONNECT with another reason, 0x04 among them.
    DisconnectWithWill,
    /// The socket closed or failed.
    ConnectionLost,
    /// Silence for longer than `Link::silence_limit`.
    KeepAliveTimeout,
    /// The client id connected again.
    TakenOver,
    /// The client broke the protocol or a limit of its profile; the code says how.
    ClientError(ReasonCode),
    /// A policy does not allow what the client did, and MQTT has no gentler word for it.
    NotAuthorized,
    /// The certificate was deactivated, revoked or deleted, or is no longer known.
    PrincipalRefused,
    /// The time is over that a custom authorizer gave the connection.
    TimeOver,
    /// The connection has lasted as long as one over WebSocket may.
    WebSocketOver,
    /// An operator closed the connection.
    AdministrativeAction,
    /// The client does not read its acknowledgements.
    DoesNotRead,
    /// A quota of the account or of the process is used up.
    QuotaExceeded,
    /// The server stops.
    ServerShuttingDown,
    /// The server failed: a message could not be made durable.
    ServerError,
}

impl CloseReason {
    /// The reason code of the DISCONNECT that tells an MQTT 5 client; `None` when the client closed, or is gone.
    ///
    /// Spec: 3.14.2.1 (5.0).
    pub fn disconnect_code(self) -> Option<ReasonCode> {
        match self {
            Self::Disconnect | Self::DisconnectWithWill | Self::ConnectionLost => None,
            Self::KeepAliveTimeout => Some(ReasonCode::KeepAliveTimeout),
            Self::TakenOver => Some(ReasonCode::SessionTakenOver),
            Self::ClientError(code) => Some(code),
            Self::NotAuthorized | Self::PrincipalRefused => Some(ReasonCode::NotAuthorized),
            // Spec: 3.14.2.1 (5.0): 0xA0. Unverified: what AWS sends; its list of codes does not have this one.
            Self::TimeOver | Self::WebSocketOver => Some(ReasonCode::MaximumConnectTime),
            Self::AdministrativeAction => Some(ReasonCode::AdministrativeAction),
            Self::DoesNotRead | Self::QuotaExceeded => Some(ReasonCode::QuotaExceeded),
            Self::ServerShuttingDown => Some(ReasonCode::ServerShuttingDown),
            Self::ServerError => Some(ReasonCode::UnspecifiedError),
        }
    }

    /// The same in words, for the Reason String of that DISCONNECT.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Disconnect | Self::DisconnectWithWill => "the client disconnected",
            Self::ConnectionLost => "the connection was lost",
            Self::KeepAliveTimeout => "nothing was heard for one and a half times the keep-alive",
            Self::TakenOver => "the client id connected again",
            Self::ClientError(code) => reason_text(code),
            Self::NotAuthorized => "the policies do not allow it",
            Self::PrincipalRefused => "the certificate may not connect any more",
            Self::TimeOver => "the time is over that the authorizer gave the connection",
            Self::WebSocketOver => "the time is over that a connection over WebSocket may last",
            Self::AdministrativeAction => "closed by an operator",
            Self::DoesNotRead => "acknowledgements were not read",
            Self::QuotaExceeded => "a quota is used up",
            Self::ServerShuttingDown => "the server stops",
            Self::ServerError => "the message could not be made durable",
        }
    }

    /// `disconnectReason` of the lifecycle event and of the connection's log entry.
    pub fn disconnect_reason(self) -> DisconnectReason {
        match self {
            Self::Disconnect | Self::DisconnectWithWill => DisconnectReason::ClientInitiatedDisconnect,
            Self::ConnectionLost => DisconnectReason::ConnectionLost,
            Self::KeepAliveTimeout => DisconnectReason::MqttKeepAliveTimeout,
            Self::TakenOver => DisconnectReason::DuplicateClientId,
            Self::ClientError(_) => DisconnectReason::ClientError,
            Self::NotAuthorized => DisconnectReason::AuthError,
            Self::PrincipalRefused => DisconnectReason::ForbiddenAccess,
            Self::TimeOver => DisconnectReason::CustomAuthTtlExpiration,
            Self::WebSocketOver => DisconnectReason::WebSocketTtlExpiration,
            Self::AdministrativeAction => DisconnectReason::ApiInitiatedDisconnect,
            Self::DoesNotRead | Self::QuotaExceeded => DisconnectReason::Throttled,
            Self::ServerShuttingDown => DisconnectReason::ServerInitiatedDisconnect,
            Self::ServerError => DisconnectReason::ServerError,
        }
    }

    /// Whether the Will is published. Spec: [MQTT-3.1.2-8], [MQTT-3.14.4-3] (5.0). AWS: "Lifecycle events".
    pub fn publishes_will(self) -> bool {
        self != Self::Disconnect
    }
}

/// Why something failed, in words, for a Reason String.
pub(crate) fn reason_text(code: ReasonCode) -> &'static str {
    use ReasonCode::*;
    match code {
        MalformedPacket => "the packet is malformed",
        ProtocolError => "the packet is not allowed here",
        NotAuthorized => "the policies do not allow it",
        TopicNameInvalid => "the topic name is too long, too deep, or not for clients",
        TopicFilterInvalid => "the topic filter is too long, too deep, or not for clients",
        ReceiveMaximumExceeded => "more unacknowledged messages than Receive Maximum",
        TopicAliasInvalid => "the topic alias is 0 or above Topic Alias Maximum",
        PacketTooLarge => "the packet or its payload is too large",
        QuotaExceeded => "a quota is used up: too many, or too often",
        QoSNotSupported => "the QoS is above Maximum QoS",
        SubscriptionIdentifiersNotSupported => "subscription identifiers are not available",
        // The others are never said by this broker, or say all there is to say.
        _ => "it failed",
    }
}

/// The words of a refusal with the trace id under which the log explains it; as they are for what only the client can mend.
pub(crate) fn traced(text: &str, code: ReasonCode, trace: &Trace) -> String {
    match code {
        ReasonCode::NotAuthorized => format!("{text}; trace id {}", Uuid::from_u128(trace.trace_id)),
        _ => text.to_owned(),
    }
}

/// Bytes of an established connection that are not MQTT, or not now.
///
/// Spec: [MQTT-3.1.0-2]: a second CONNECT is a protocol error, whatever version or protocol it names; a DISCONNECT could
/// not say otherwise.
impl From<&DecodeError> for CloseReason {
    fn from(error: &DecodeError) -> Self {
        Self::ClientError(match error {
            DecodeError::ProtocolName | DecodeError::UnsupportedVersion { .. } => ReasonCode::ProtocolError,
            error => error.reason_code(),
        })
    }
}
