//! The log entries of connections: one line says who, from where, and why not.
//!
//! Members are spelled as in AWS IoT's own log entries, so that the lines can be read, filtered and forwarded as those
//! are. All have the target `tidegate::connections` and the level `info`: a refusal is the client's trouble.
//!
//! **Invariant:** what a peer wrote is recorded as a string, which every format of the log escapes, or is part of a
//! [`Reason`], which does that itself.
//!
//! AWS: developer guide, "CloudWatch AWS IoT log entries", connection and MQTT entries.

use std::{net::SocketAddr, sync::Arc};

use tidegate_broker::{CloseReason, Exceeded};
use tidegate_ids::{CertificateId, Tenant};
use tidegate_registry::CertificateRegistered;
use tracing::info;
use uuid::Uuid;

/// Where a connection comes from: known before anybody knows whose it is.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) peer: SocketAddr,
    /// Our side of the connection.
    pub(crate) local: SocketAddr,
    /// SNI.
    pub(crate) server_name: Option<Box<str>>,
    /// How clients prove who they are on this listener: `AWS_X509`, or nothing.
    pub(crate) authentication_type: Option<&'static str>,
    /// One per connection, on all its lines.
    pub(crate) trace_id: Uuid,
}

/// Who a connection belongs to, as far as it was found out.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Identity<'a> {
    pub(crate) tenant: Option<Tenant>,
    pub(crate) client_id: Option<&'a str>,
    pub(crate) certificate_id: Option<CertificateId>,
}

/// An established connection's client.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) origin: Origin,
    pub(crate) tenant: Tenant,
    pub(crate) client_id: Arc<str>,
    pub(crate) certificate_id: Option<CertificateId>,
}

/// Why a connection got no session: AWS's code, and a sentence that says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason {
    code: &'static str,
    details: String,
}

impl Reason {
    /// The only way into a line of the log and a reason string: what a peer wrote may be in `details`, and writes no
    /// lines or commands for terminals of its own.
    pub(crate) fn new(code: &'static str, details: impl Into<String>) -> Self {
        Self { code, details: printable(details.into()) }
    }

    /// AWS's code.
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    /// The sentence; printable.
    pub(crate) fn details(&self) -> &str {
        &self.details
    }
}

/// `text` with what is not to be seen written as escapes: `\n`, `\u{1b}`.
fn printable(text: String) -> String {
    if !text.contains(is_unseen) {
        return text;
    }
    text.chars().fold(String::with_capacity(text.len() + 16), |mut printable, character| {
        if is_unseen(character) {
            printable.extend(character.escape_debug());
        } else {
            printable.push(character);
        }
        printable
    })
}

/// Control characters, the other line ends, and what turns the order of writing round.
fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl Client {
    fn identity(&self) -> Identity<'_> {
        Identity { tenant: Some(self.tenant), client_id: Some(&self.client_id), certificate_id: self.certificate_id }
    }
}

/// One entry, with the members that all have.
macro_rules! entry {
    ($origin:expr, $identity:expr, $event_type:literal, $status:literal, $message:literal $(, $($more:tt)+)?) => {{
        let (origin, identity): (&Origin, Identity<'_>) = ($origin, $identity);
        info!(
            target: "tidegate::connections",
            eventType = $event_type,
            status = $status,
            traceId = %origin.trace_id,
            accountId = identity.tenant.as_ref().map(|tenant| tenant.account.as_str()),
            protocol = "MQTT",
            clientId = identity.client_id,
            principalId = identity.certificate_id.map(tracing::field::display),
            sourceIp = %origin.peer.ip(),
            sourcePort = origin.peer.port(),
            serverNameIndication = origin.server_name.as_deref(),
            $($($more)+,)?
            $message
        );
    }};
}

/// CONNACK 0 was given.
pub(crate) fn connected(client: &Client) {
    entry!(&client.origin, client.identity(), "Connect", "Success", "connected");
}

/// A CONNECT was read and refused.
pub(crate) fn connect_refused(origin: &Origin, identity: Identity<'_>, reason: &Reason) {
    entry!(origin, identity, "Connect", "Failure", "connection refused",
        reason = reason.code(), details = %reason.details());
}

/// A connection ended before a CONNECT was read, or because of its certificate.
///
/// AWS: "Connection.AuthNError"; an entry of the account that owns the server name.
pub(crate) fn authentication_failed(origin: &Origin, identity: Identity<'_>, reason: &Reason) {
    entry!(origin, identity, "Connection.AuthNError", "Failure", "connection refused",
        authenticationType = origin.authentication_type,
        targetIp = %origin.local.ip(),
        targetPort = origin.local.port(),
        reason = reason.code(), details = %reason.details());
}

/// A certificate was registered, or presented itself again while it waits for activation. Our extension.
pub(crate) fn certificate_registered(origin: &Origin, event: &CertificateRegistered) {
    let identity = Identity {
        tenant: Some(event.tenant),
        client_id: Some(&event.client_id),
        certificate_id: Some(event.certificate_id),
    };
    let reason = match event.registered {
        None => "REGISTERED",
        Some(_) => "PENDING_ACTIVATION",
    };
    entry!(origin, identity, "RegisterCertificate", "Success", "certificate registered",
        certificateId = %event.certificate_id, caCertificateId = %event.ca_certificate_id, reason = reason);
}

/// A message came by HTTPS: published, or why not.
///
/// AWS: "Publish-In" with the protocol HTTP.
pub(crate) fn https_publish(
    origin: &Origin,
    identity: Identity<'_>,
    topic_name: &str,
    retain: bool,
    reason: Option<&Reason>,
) {
    macro_rules! publish_in {
        ($log:ident, $status:literal, $message:literal $(, $($more:tt)+)?) => {
            tracing::$log!(
                target: "tidegate::connections",
                eventType = "Publish-In",
                status = $status,
                traceId = %origin.trace_id,
                accountId = identity.tenant.as_ref().map(|tenant| tenant.account.as_str()),
                protocol = "HTTP",
                principalId = identity.certificate_id.map(tracing::field::display),
                sourceIp = %origin.peer.ip(),
                sourcePort = origin.peer.port(),
                topicName = topic_name,
                retain = if retain { "True" } else { "False" },
                $($($more)+,)?
                $message
            )
        };
    }
    match reason {
        None => publish_in!(debug, "Success", "published by HTTPS"),
        Some(reason) => {
            publish_in!(info, "Failure", "not published", reason = reason.code(), details = %reason.details());
        }
    }
}

/// The end of an established connection.
pub(crate) fn disconnected(client: &Client, reason: CloseReason) {
    let disconnect_reason = reason.disconnect_reason();
    entry!(
        &client.origin,
        client.identity(),
        "Disconnect",
        "Success",
        "disconnected",
        disconnectReason = disconnect_reason.as_str(),
        // Which rule or limit it was, in MQTT's number: 0x95 is a packet too large, 0x97 a quota.
        reasonCode = reason.disconnect_code().map(|code| format!("{:#04x}", code.byte())),
        details = explain(reason)
    );
}

/// A client ran into a quota, `times` since the last entry about the two.
///
/// AWS: entries of publishes and subscriptions that are throttled have the reason `THROTTLED`. Unverified: that so have those that
/// are too large. `quota` and `times` are our extension.
pub(crate) fn throttled(exceeded: &Exceeded, times: u64) {
    let Exceeded { tenant, client_id, quota, .. } = exceeded;
    info!(
        target: "tidegate::connections",
        eventType = quota.event_type(),
        status = "Failure",
        accountId = tenant.account.as_str(),
        protocol = "MQTT",
        clientId = &**client_id,
        reason = "THROTTLED",
        quota = quota.name(),
        times,
        details = quota.beyond(),
        "a quota was used up"
    );
}

/// What an operator may want to know about the end of a connection; empty when the code says it all.
fn explain(reason: CloseReason) -> &'static str {
    match reason {
        CloseReason::Disconnect | CloseReason::DisconnectWithWill => "",
        CloseReason::ConnectionLost => "the connection broke or was closed without DISCONNECT",
        CloseReason::KeepAliveTimeout => "nothing was heard for one and a half times the keep-alive",
        CloseReason::TakenOver => "another connection used the same client id: give each device its own",
        CloseReason::ClientError(_) => "the client broke the protocol or a limit of its listener's profile",
        CloseReason::NotAuthorized => {
            "no policy of the certificate allows what the client did: \
            tidegate explain --principal CERTIFICATE_ARN --client-id ID publish TOPIC says which came near"
        }
        CloseReason::PrincipalRefused => "the certificate is not ACTIVE any more",
        CloseReason::AdministrativeAction => "closed by an operator",
        CloseReason::DoesNotRead => "the client did not read what was sent to it",
        CloseReason::QuotaExceeded => "a quota was used up",
        CloseReason::ServerShuttingDown => "the broker stops",
        CloseReason::ServerError => "the broker failed; its own log says how",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_are_printable_whatever_a_peer_wrote() {
        for (text, expected) in [
            ("client/sensor 1", "client/sensor 1"),
            ("client/Gerät-温度", "client/Gerät-温度"),
            ("a\nFORGED \u{1b}[2J", "a\\nFORGED \\u{1b}[2J"),
            ("a\r\t\0\u{7f}\u{9b}", "a\\r\\t\\0\\u{7f}\\u{9b}"),
            ("a\u{2028}b\u{202e}c\u{2066}", "a\\u{2028}b\\u{202e}c\\u{2066}"),
        ] {
            assert_eq!(Reason::new("", text).details(), expected, "{text:?}");
        }
    }
}
