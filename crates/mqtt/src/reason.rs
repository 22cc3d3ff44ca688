//! Reason codes: what became of a request, in MQTT 5.0's numbers, and their 3.1.1 counterparts.

use crate::{PacketType, Peer};

macro_rules! reason_codes {
    ($($(#[$doc:meta])* $name:ident = $value:literal,)+) => {
        /// What became of a request. Spec: 2.4, table 2-6 (5.0).
        ///
        /// 0x00 has three names in the specification; all are [`ReasonCode::Success`] here: normal disconnection, granted
        /// QoS 0, success. Codes from 0x80 on are failures.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum ReasonCode { $($(#[$doc])* $name = $value,)+ }

        impl ReasonCode {
            /// Every reason code, in numeric order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The reason code of a byte; `None` for the numbers that the specification leaves free.
            pub fn from_byte(byte: u8) -> Option<Self> {
                match byte {
                    $($value => Some(Self::$name),)+
                    _ => None,
                }
            }
        }
    };
}

reason_codes! {
    /// Success; also "normal disconnection" and "granted QoS 0".
    Success = 0x00,
    /// The subscription is made, with at most QoS 1.
    GrantedQoS1 = 0x01,
    /// The subscription is made, with at most QoS 2.
    GrantedQoS2 = 0x02,
    /// The client leaves and asks that its will be published.
    DisconnectWithWillMessage = 0x04,
    /// The message was accepted; nobody subscribes to it.
    NoMatchingSubscribers = 0x10,
    /// There was no such subscription to end.
    NoSubscriptionExisted = 0x11,
    /// Authentication goes on with another step.
    ContinueAuthentication = 0x18,
    /// The client starts authentication anew.
    ReAuthenticate = 0x19,
    /// Failure that the sender does not explain; 3.1.1's only failure of a subscription.
    UnspecifiedError = 0x80,
    /// The packet could not be parsed.
    MalformedPacket = 0x81,
    /// The packet was unexpected or contradicts the protocol.
    ProtocolError = 0x82,
    /// Valid, but the receiver does not accept it.
    ImplementationSpecificError = 0x83,
    /// The receiver does not speak that protocol version.
    UnsupportedProtocolVersion = 0x84,
    /// The client identifier is not allowed.
    ClientIdentifierNotValid = 0x85,
    /// User name or password refused.
    BadUserNameOrPassword = 0x86,
    /// The request is not authorized.
    NotAuthorized = 0x87,
    /// The server is not available.
    ServerUnavailable = 0x88,
    /// The server is busy: try again later.
    ServerBusy = 0x89,
    /// The client is banned.
    Banned = 0x8A,
    /// The server shuts down.
    ServerShuttingDown = 0x8B,
    /// The authentication method is not supported, or not the one in use.
    BadAuthenticationMethod = 0x8C,
    /// Nothing was heard for one and a half times Keep Alive.
    KeepAliveTimeout = 0x8D,
    /// Another connection uses the same client identifier.
    SessionTakenOver = 0x8E,
    /// The topic filter is well formed but not accepted.
    TopicFilterInvalid = 0x8F,
    /// The topic name is well formed but not accepted.
    TopicNameInvalid = 0x90,
    /// The packet identifier is already in use.
    PacketIdentifierInUse = 0x91,
    /// The packet identifier is not known.
    PacketIdentifierNotFound = 0x92,
    /// More unacknowledged messages than Receive Maximum.
    ReceiveMaximumExceeded = 0x93,
    /// The topic alias is 0 or above Topic Alias Maximum.
    TopicAliasInvalid = 0x94,
    /// The packet is larger than the receiver accepts.
    PacketTooLarge = 0x95,
    /// Messages come too fast.
    MessageRateTooHigh = 0x96,
    /// A limit of the implementation or of an administrator is reached.
    QuotaExceeded = 0x97,
    /// An administrator closed the connection.
    AdministrativeAction = 0x98,
    /// The payload is not what its format indicator says.
    PayloadFormatInvalid = 0x99,
    /// The server does not retain messages.
    RetainNotSupported = 0x9A,
    /// The QoS is above Maximum QoS.
    QoSNotSupported = 0x9B,
    /// The client should use another server for now.
    UseAnotherServer = 0x9C,
    /// The client should use another server for good.
    ServerMoved = 0x9D,
    /// The server has no shared subscriptions.
    SharedSubscriptionsNotSupported = 0x9E,
    /// Connections come too fast.
    ConnectionRateExceeded = 0x9F,
    /// The longest time allowed for a connection is over.
    MaximumConnectTime = 0xA0,
    /// The server has no subscription identifiers.
    SubscriptionIdentifiersNotSupported = 0xA1,
    /// The server has no wildcard subscriptions.
    WildcardSubscriptionsNotSupported = 0xA2,
}

impl ReasonCode {
    /// The number on the wire.
    pub fn byte(self) -> u8 {
        self as u8
    }

    /// Whether the request failed: 0x80 and above.
    pub fn is_failure(self) -> bool {
        self.byte() >= 0x80
    }

    /// The granted subscription's reason code.
    pub fn granted(qos: crate::QoS) -> Self {
        match qos {
            crate::QoS::AtMostOnce => Self::Success,
            crate::QoS::AtLeastOnce => Self::GrantedQoS1,
            crate::QoS::ExactlyOnce => Self::GrantedQoS2,
        }
    }

    /// The CONNACK return code of 3.1.1 that says the same.
    ///
    /// `None` when there is none: then a 3.1.1 client is disconnected without a CONNACK.
    /// Spec: 3.2.2.3 and [MQTT-3.2.2-6] (3.1.1).
    pub fn connack_return_code(self) -> Option<u8> {
        use ReasonCode::*;
        match self {
            Success => Some(0),
            UnsupportedProtocolVersion => Some(1),
            ClientIdentifierNotValid => Some(2),
            ServerUnavailable
            | ServerBusy
            | ServerShuttingDown
            | QuotaExceeded
            | UseAnotherServer
            | ServerMoved
            | ConnectionRateExceeded => Some(3),
            BadUserNameOrPassword | BadAuthenticationMethod => Some(4),
            NotAuthorized | Banned => Some(5),
            _ => None,
        }
    }

    /// The reason code of a 3.1.1 CONNACK return code; `None` for the reserved 6-255.
    pub fn from_connack_return_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Success,
            1 => Self::UnsupportedProtocolVersion,
            2 => Self::ClientIdentifierNotValid,
            3 => Self::ServerUnavailable,
            4 => Self::BadUserNameOrPassword,
            5 => Self::NotAuthorized,
            _ => return None,
        })
    }

    /// The SUBACK return code of 3.1.1: the granted QoS, or 0x80 for every failure. Spec: 3.9.3 (3.1.1).
    pub fn suback_return_code(self) -> u8 {
        if self.is_failure() { 0x80 } else { self.byte() }
    }

    /// Whether a 5.0 packet of this type may carry this code when `from` sends it.
    ///
    /// Spec: [MQTT-3.2.2-8], [MQTT-3.4.2-1], [MQTT-3.5.2-1], [MQTT-3.6.2-1], [MQTT-3.7.2-1], [MQTT-3.9.3-2],
    /// [MQTT-3.11.3-2], [MQTT-3.14.2-1], [MQTT-3.15.2-1] (5.0) and their tables.
    pub fn may_stand_in(self, packet: PacketType, from: Peer) -> bool {
        use PacketType as P;
        use ReasonCode::*;
        match packet {
            P::ConnAck => match self {
                Success
                | BadAuthenticationMethod
                | TopicNameInvalid
                | PacketTooLarge
                | QuotaExceeded
                | PayloadFormatInvalid
                | RetainNotSupported
                | QoSNotSupported
                | UseAnotherServer
                | ServerMoved
                | ConnectionRateExceeded => true,
                other => (UnspecifiedError..=Banned).contains(&other),
            },
            P::PubAck | P::PubRec => matches!(
                self,
                Success
                    | NoMatchingSubscribers
                    | UnspecifiedError
                    | ImplementationSpecificError
                    | NotAuthorized
                    | TopicNameInvalid
                    | PacketIdentifierInUse
                    | QuotaExceeded
                    | PayloadFormatInvalid
            ),
            P::PubRel | P::PubComp => matches!(self, Success | PacketIdentifierNotFound),
            P::SubAck => matches!(
                self,
                Success
                    | GrantedQoS1
                    | GrantedQoS2
                    | UnspecifiedError
                    | ImplementationSpecificError
                    | NotAuthorized
                    | TopicFilterInvalid
                    | PacketIdentifierInUse
                    | QuotaExceeded
                    | SharedSubscriptionsNotSupported
                    | SubscriptionIdentifiersNotSupported
                    | WildcardSubscriptionsNotSupported
            ),
            P::UnsubAck => matches!(
                self,
                Success
                    | NoSubscriptionExisted
                    | UnspecifiedError
                    | ImplementationSpecificError
                    | NotAuthorized
                    | TopicFilterInvalid
                    | PacketIdentifierInUse
            ),
            P::Disconnect => self.may_stand_in_disconnect(from),
            P::Auth => match self {
                Success => from == Peer::Server,
                ContinueAuthentication => true,
                ReAuthenticate => from == Peer::Client,
                _ => false,
            },
            P::Connect | P::Publish | P::Subscribe | P::Unsubscribe | P::PingReq | P::PingResp => false,
        }
    }

    /// Table 3-13 of 5.0. 0x00 is listed for clients only; a server's DISCONNECT may leave the code out, which means 0x00,
    /// so it is taken from both.
    fn may_stand_in_disconnect(self, from: Peer) -> bool {
        use ReasonCode::*;
        match self {
            Success
            | UnspecifiedError
            | MalformedPacket
            | ProtocolError
            | ImplementationSpecificError
            | TopicNameInvalid
            | ReceiveMaximumExceeded
            | TopicAliasInvalid
            | PacketTooLarge
            | MessageRateTooHigh
            | QuotaExceeded
            | AdministrativeAction
            | PayloadFormatInvalid => true,
            DisconnectWithWillMessage => from == Peer::Client,
            NotAuthorized
            | ServerBusy
            | ServerShuttingDown
            | KeepAliveTimeout
            | SessionTakenOver
            | TopicFilterInvalid
            | RetainNotSupported
            | QoSNotSupported
            | UseAnotherServer
            | ServerMoved
            | SharedSubscriptionsNotSupported
            | ConnectionRateExceeded
            | MaximumConnectTime
            | SubscriptionIdentifiersNotSupported
            | WildcardSubscriptionsNotSupported => from == Peer::Server,
            GrantedQoS1
            | GrantedQoS2
            | NoMatchingSubscribers
            | NoSubscriptionExisted
            | ContinueAuthentication
            | ReAuthenticate
            | UnsupportedProtocolVersion
            | ClientIdentifierNotValid
            | BadUserNameOrPassword
            | ServerUnavailable
            | Banned
            | BadAuthenticationMethod
            | PacketIdentifierInUse
            | PacketIdentifierNotFound => false,
        }
    }
}
