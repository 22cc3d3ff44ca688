//! Why a device is not let in, or loses its connection: in words, with what is likely behind it.

use std::io;

use rustls::{AlertDescription, CertificateError, Error};
use tidegate_mqtt::{QoS, ReasonCode};
use tidegate_tls::TlsError;

/// Where an attempt to connect had come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// TCP.
    Dialing,
    /// TLS.
    Handshaking,
    /// CONNECT is out, CONNACK is not in.
    Connecting,
    /// SUBSCRIBE is out.
    Subscribing,
    /// Working.
    Live,
}

/// What a device met.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Trouble {
    /// TCP said no.
    Unreachable(String),
    /// No descriptor is left.
    NoDescriptors,
    /// No port is left on the source address.
    NoPorts,
    /// The source address is none of this machine.
    NoSource(String),
    /// The broker's certificate is of a CA that is not trusted.
    NotTrusted,
    /// The broker's certificate does not hold the name.
    OtherName(String),
    /// The broker's certificate is not good for another reason.
    ServerCertificate(String),
    /// What answers does not speak TLS.
    NotTls,
    /// The broker ended the handshake with this alert.
    Alert(String),
    /// TLS failed.
    Tls(String),
    /// The device's own certificate or key cannot be used.
    Identity(String),
    /// CONNACK with a failure.
    Refused(ReasonCode),
    /// SUBACK with a failure.
    SubscriptionRefused(ReasonCode),
    /// The broker takes no messages of this QoS.
    QoSNotTaken(QoS),
    /// DISCONNECT from the broker.
    Disconnected(ReasonCode),
    /// The broker closed the connection.
    Closed(Stage),
    /// Nothing came in time.
    Late(Stage),
    /// What came is not MQTT.
    Protocol(String),
}

impl Trouble {
    /// What an error of a socket is.
    pub(crate) fn of_socket(error: &io::Error, stage: Stage) -> Self {
        /// Too many open files: of this process (EMFILE), or of the machine (ENFILE).
        const EMFILE: i32 = 24;
        const ENFILE: i32 = 23;
        match (error.raw_os_error(), error.kind(), stage) {
            (Some(EMFILE | ENFILE), _, _) => Self::NoDescriptors,
            (_, io::ErrorKind::AddrNotAvailable, _) => Self::NoPorts,
            (_, _, Stage::Dialing) => Self::Unreachable(words(error)),
            _ => Self::Closed(stage),
        }
    }

    /// What an error of TLS is.
    pub(crate) fn of_tls(error: &TlsError, name: &str) -> Self {
        let TlsError::Protocol(error) = error else { return Self::Tls(error.to_string()) };
        match error {
            Error::InvalidCertificate(CertificateError::UnknownIssuer) => Self::NotTrusted,
            Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            ) => Self::OtherName(name.to_owned()),
            Error::InvalidCertificate(problem) => Self::ServerCertificate(problem.to_string()),
            Error::AlertReceived(alert) => Self::Alert(alert_name(*alert)),
            Error::InvalidMessage(_) => Self::NotTls,
            other => Self::Tls(other.to_string()),
        }
    }

    /// Whether it will be the same for ever, and for all devices of the group.
    pub(crate) fn is_final(&self) -> bool {
        match self {
            Self::NotTrusted
            | Self::OtherName(_)
            | Self::ServerCertificate(_)
            | Self::NotTls
            | Self::NoSource(_)
            | Self::Identity(_)
            | Self::QoSNotTaken(_) => true,
            Self::Unreachable(_)
            | Self::NoDescriptors
            | Self::NoPorts
            | Self::Alert(_)
            | Self::Tls(_)
            | Self::Refused(_)
            | Self::SubscriptionRefused(_)
            | Self::Disconnected(_)
            | Self::Closed(_)
            | Self::Late(_)
            | Self::Protocol(_) => false,
        }
    }

    /// Whether the broker said no to this device, and not the network or the machine.
    pub(crate) fn is_refusal(&self) -> bool {
        match self {
            Self::Alert(_) | Self::Refused(_) | Self::SubscriptionRefused(_) => true,
            Self::Closed(stage) => *stage != Stage::Live && *stage != Stage::Dialing,
            _ => false,
        }
    }

    /// What happened, in a few words.
    pub(crate) fn what(&self) -> String {
        match self {
            Self::Unreachable(why) => format!("cannot reach the broker: {why}"),
            Self::NoDescriptors => "no file descriptor is left".into(),
            Self::NoPorts => "no port is left on the source address".into(),
            Self::NoSource(why) => format!("cannot use the source address: {why}"),
            Self::NotTrusted => "the broker's certificate is of a CA that is not trusted".into(),
            Self::OtherName(name) => format!("the broker's certificate does not hold the name {name}"),
            Self::ServerCertificate(why) => format!("the broker's certificate is not good: {why}"),
            Self::NotTls => "what answers does not speak TLS".into(),
            Self::Alert(alert) => format!("refused during the TLS handshake ({alert})"),
            Self::Tls(why) => format!("TLS failed: {why}"),
            Self::Identity(why) => format!("the device's certificate or key cannot be used: {why}"),
            Self::Refused(code) => format!("refused with CONNACK 0x{:02x} ({code:?})", code.byte()),
            Self::SubscriptionRefused(code) => {
                format!("a subscription was refused with 0x{:02x} ({code:?})", code.byte())
            }
            Self::QoSNotTaken(qos) => format!("the broker takes no messages of QoS {}", qos.bits()),
            Self::Disconnected(code) => format!("the broker sent DISCONNECT 0x{:02x} ({code:?})", code.byte()),
            Self::Closed(Stage::Dialing | Stage::Handshaking) => "closed during the TLS handshake".into(),
            Self::Closed(Stage::Connecting) => "closed after CONNECT, without CONNACK".into(),
            Self::Closed(Stage::Subscribing) => "closed after SUBSCRIBE".into(),
            Self::Closed(Stage::Live) => "the connection was lost".into(),
            Self::Late(Stage::Dialing) => "no TCP connection in time".into(),
            Self::Late(Stage::Handshaking) => "the TLS handshake took too long".into(),
            Self::Late(Stage::Connecting) => "no CONNACK in time".into(),
            Self::Late(Stage::Subscribing) => "no SUBACK in time".into(),
            Self::Late(Stage::Live) => "no PINGRESP in time".into(),
            Self::Protocol(why) => format!("the broker does not keep to MQTT: {why}"),
        }
    }

    /// What is likely behind it, and what to do.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Unreachable(_) => "is it running, and do host and port name it?",
            Self::NoDescriptors => "raise the limit (ulimit -n), or take fewer devices in a process",
            Self::NoPorts => "one address has some 28 000 ports: give several with `source`",
            Self::NoSource(_) => "`source` takes addresses of this machine",
            Self::NotTrusted => "give the CA that signed it: `ca` in [broker], --ca, or TIDEGATE_CA_FILE",
            Self::OtherName(_) => "use a host name that it holds, or say `server_name`",
            Self::ServerCertificate(_) => "renew it, or look at this machine's clock",
            Self::NotTls => "is that the port for TLS? Without it: transport = \"plain\"",
            Self::Alert(alert) => return alert_hint(alert),
            Self::Refused(code) => return connack_hint(*code),
            Self::SubscriptionRefused(_) => {
                "the policy does not allow iot:Subscribe on the filter, or a quota is reached"
            }
            Self::QoSNotTaken(_) => "AWS IoT Core, and the profile `aws`, know QoS 0 and 1",
            Self::Closed(Stage::Connecting) => {
                "AWS does so while a certificate is PENDING_ACTIVATION, and when no policy allows iot:Connect"
            }
            Self::Closed(Stage::Subscribing) => "AWS does so beyond 8 filters in a SUBSCRIBE or 50 on a connection",
            Self::Closed(Stage::Handshaking) => "is that the port for TLS, and does the broker know the device's CA?",
            Self::Disconnected(ReasonCode::SessionTakenOver) => "somebody else connects with the same client ids",
            Self::Late(_) => "the broker is overloaded, or something between drops packets",
            Self::Identity(_) => "make the devices anew with `tidegate fleet make`",
            Self::Closed(Stage::Live | Stage::Dialing) | Self::Tls(_) | Self::Disconnected(_) | Self::Protocol(_) => {
                return None;
            }
        })
    }

    /// Both in one line.
    pub(crate) fn line(&self) -> String {
        match self.hint() {
            Some(hint) => format!("{}: {hint}", self.what()),
            None => self.what(),
        }
    }
}

/// The name of an alert as RFC 8446 prints it.
fn alert_name(alert: AlertDescription) -> String {
    let camel = format!("{alert:?}");
    let mut name = String::new();
    for (at, letter) in camel.char_indices() {
        let starts = letter.is_ascii_uppercase() && camel[..at].ends_with(|c: char| c.is_ascii_lowercase());
        if starts {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

fn alert_hint(alert: &str) -> Option<&'static str> {
    Some(match alert {
        "unknown_ca" => "the broker does not know the devices' CA: register it, ACTIVE and with auto-registration",
        "certificate_unknown" => "the certificate is INACTIVE or REVOKED, or its CA registers nobody",
        "certificate_revoked" => "the certificate is REVOKED",
        "certificate_expired" => "the certificate has expired, or the broker's clock is wrong",
        "certificate_required" | "handshake_failure" => "the broker wants a client certificate: give `identities`",
        "unrecognised_name" => "the broker has no endpoint of that name: say `server_name`",
        "no_application_protocol" => "the broker does not offer the protocol in `alpn`",
        "protocol_version" => "the broker and this program share no version of TLS",
        _ => return None,
    })
}

fn connack_hint(code: ReasonCode) -> Option<&'static str> {
    Some(match code {
        ReasonCode::NotAuthorized => {
            "the certificate is not ACTIVE, or no policy allows iot:Connect with that client id"
        }
        ReasonCode::BadUserNameOrPassword => "user_name or password is wrong",
        ReasonCode::ClientIdentifierNotValid => "the broker does not take such a client_id",
        ReasonCode::UnsupportedProtocolVersion => "say version = \"3.1.1\"",
        ReasonCode::QuotaExceeded | ReasonCode::ConnectionRateExceeded => "connect more slowly, or raise the quota",
        ReasonCode::ServerUnavailable | ReasonCode::ServerBusy => "the broker is overloaded",
        _ => return None,
    })
}

/// An error without its number: `connection refused`.
fn words(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_fail_in_words() {
        for (errno, stage, what) in [
            (111, Stage::Dialing, "cannot reach the broker: connection refused"),
            (24, Stage::Dialing, "no file descriptor is left"),
            (99, Stage::Dialing, "no port is left on the source address"),
            (104, Stage::Connecting, "closed after CONNECT, without CONNACK"),
            (104, Stage::Live, "the connection was lost"),
        ] {
            assert_eq!(Trouble::of_socket(&io::Error::from_raw_os_error(errno), stage).what(), what);
        }
    }

    #[test]
    fn tls_fails_in_words() {
        let of = |error| Trouble::of_tls(&TlsError::Protocol(error), "broker.example");
        for (error, line, last) in [
            (Error::InvalidCertificate(CertificateError::UnknownIssuer), "not trusted: give the CA", true),
            (Error::InvalidCertificate(CertificateError::NotValidForName), "the name broker.example: use a host", true),
            (Error::InvalidCertificate(CertificateError::Expired), "not good: ", true),
            (
                Error::AlertReceived(AlertDescription::CertificateUnknown),
                "(certificate_unknown): the certificate is",
                false,
            ),
            (Error::AlertReceived(AlertDescription::UnknownCA), "(unknown_ca): the broker does not know", false),
            (Error::AlertReceived(AlertDescription::UnrecognisedName), "(unrecognised_name): the broker has no", false),
        ] {
            let trouble = of(error);
            assert!(trouble.line().contains(line), "{}", trouble.line());
            assert_eq!(trouble.is_final(), last, "{}", trouble.line());
        }
    }

    #[test]
    fn a_refusal_is_the_brokers_word() {
        assert!(Trouble::Refused(ReasonCode::NotAuthorized).is_refusal());
        assert!(Trouble::Closed(Stage::Connecting).is_refusal());
        assert!(!Trouble::Closed(Stage::Live).is_refusal());
        assert!(!Trouble::Late(Stage::Connecting).is_refusal());
        let line = Trouble::Refused(ReasonCode::NotAuthorized).line();
        assert!(line.starts_with("refused with CONNACK 0x87 (NotAuthorized): the certificate is not ACTIVE"), "{line}");
    }
}
