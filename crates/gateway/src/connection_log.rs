//! The log entries of connections: one line says who, from where, and why not; the same goes into the log book.
//!
//! Members are spelled as in AWS IoT's own log entries, so that the lines can be read, filtered and forwarded as those
//! are. All have the target `tidegate::connections` and the level `info`: a refusal is the client's trouble.
//!
//! **Invariant:** what a peer wrote is recorded as a string, which every format of the log escapes, or is part of a
//! [`Reason`], which does that itself.
//!
//! AWS: developer guide, "CloudWatch AWS IoT log entries", connection and MQTT entries.

use std::{net::SocketAddr, sync::Arc};

use tidegate_broker::{CloseReason, Exceeded, Link, Trace};
use tidegate_ids::{CertificateId, Tenant, Timestamp};
use tidegate_logs::{Case, Entry, LogBook, Status};
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
#[derive(Debug, Clone)]
pub(crate) struct Client {
    tenant: Tenant,
    client_id: Arc<str>,
    trace: Arc<Trace>,
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
pub(crate) fn printable(text: String) -> String {
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

/// What is on all entries of a connection.
#[derive(Clone, Copy)]
struct Seen<'a> {
    trace_id: u128,
    peer: SocketAddr,
    server_name: Option<&'a str>,
}

impl Origin {
    fn seen(&self) -> Seen<'_> {
        Seen { trace_id: self.trace_id.as_u128(), peer: self.peer, server_name: self.server_name.as_deref() }
    }
}

impl Client {
    /// Whose link it is.
    pub(crate) fn of(link: &Link) -> Self {
        Self { tenant: link.tenant(), client_id: link.client_id().clone(), trace: link.trace().clone() }
    }

    fn seen(&self) -> Seen<'_> {
        let Trace { trace_id, peer_address, server_name, .. } = &*self.trace;
        Seen { trace_id: *trace_id, peer: *peer_address, server_name: server_name.as_deref() }
    }

    fn identity(&self) -> Identity<'_> {
        let certificate_id = self.trace.principal.certificate_id();
        Identity { tenant: Some(self.tenant), client_id: Some(&self.client_id), certificate_id }
    }
}

/// Who writes entries: the log's lines, and the book.
pub(crate) struct Scribe<'a> {
    pub(crate) book: &'a LogBook,
    pub(crate) at: Timestamp,
}

impl Scribe<'_> {
    /// CONNACK 0 was given.
    pub(crate) fn connected(&self, client: &Client) {
        self.write(self.entry(client.seen(), client.identity(), "Connect", Status::Success), None, "connected");
    }

    /// A CONNECT was read and refused.
    pub(crate) fn connect_refused(&self, origin: &Origin, identity: Identity<'_>, reason: &Reason, case: &Case) {
        let entry = self.entry(origin.seen(), identity, "Connect", Status::Failure);
        self.write(because(entry, reason), Some(case), "connection refused");
    }

    /// A connection ended before a CONNECT was read, or because of its certificate.
    ///
    /// AWS: "Connection.AuthNError"; an entry of the account that owns the server name.
    pub(crate) fn authentication_failed(&self, origin: &Origin, identity: Identity<'_>, reason: &Reason, case: &Case) {
        let entry = self
            .entry(origin.seen(), identity, "Connection.AuthNError", Status::Failure)
            .with("authenticationType", origin.authentication_type)
            .with("targetIp", Some(origin.local.ip()))
            .with("targetPort", Some(origin.local.port()));
        self.write(because(entry, reason), Some(case), "connection refused");
    }

    /// A certificate was registered, or presented itself again while it waits for activation. Our extension.
    pub(crate) fn certificate_registered(&self, origin: &Origin, event: &CertificateRegistered) {
        let identity = Identity {
            tenant: Some(event.tenant),
            client_id: Some(&event.client_id),
            certificate_id: Some(event.certificate_id),
        };
        let reason = match event.registered {
            None => "REGISTERED",
            Some(_) => "PENDING_ACTIVATION",
        };
        let entry = self
            .entry(origin.seen(), identity, "RegisterCertificate", Status::Success)
            .with("certificateId", Some(event.certificate_id.to_string()))
            .with("caCertificateId", Some(event.ca_certificate_id.to_string()))
            .with("reason", Some(reason));
        self.write(entry, None, "certificate registered");
    }

    /// A message came by HTTPS: published, or why not.
    ///
    /// AWS: "Publish-In" with the protocol HTTP.
    pub(crate) fn https_publish(
        &self,
        origin: &Origin,
        identity: Identity<'_>,
        (topic_name, retain): (&str, bool),
        refused: Option<(&Reason, &Case)>,
    ) {
        let status = if refused.is_some() { Status::Failure } else { Status::Success };
        let mut entry = self.entry(origin.seen(), identity, "Publish-In", status);
        entry.protocol = Some("HTTP");
        let entry =
            entry.with("topicName", Some(topic_name)).with("retain", Some(if retain { "True" } else { "False" }));
        match refused {
            Some((reason, case)) => self.write(because(entry, reason), Some(case), "not published"),
            // Only the book has room for each.
            None => self.book.write(&entry, None),
        }
    }

    /// The end of an established connection. One that the client may not understand is kept as a refusal.
    pub(crate) fn disconnected(&self, client: &Client, reason: CloseReason) {
        let details = explain(reason);
        let entry = self
            .entry(client.seen(), client.identity(), "Disconnect", Status::Success)
            .with("disconnectReason", Some(reason.disconnect_reason().as_str()))
            // Which rule or limit it was, in MQTT's number: 0x95 is a packet too large, 0x97 a quota.
            .with("reasonCode", reason.disconnect_code().map(|code| format!("{:#04x}", code.byte())))
            .with("details", Some(details));
        let case = is_refusal(reason).then(|| Case { advice: Some(details.to_owned()), ..Case::default() });
        self.write(entry, case.as_ref(), "disconnected");
    }

    /// A client ran into a quota, `times` since the last entry about the two.
    ///
    /// AWS: entries of publishes and subscriptions that are throttled have the reason `THROTTLED`. Unverified: that so have those that
    /// are too large. `quota` and `times` are our extension.
    pub(crate) fn throttled(&self, exceeded: &Exceeded, times: u64) {
        let Exceeded { tenant, client_id, quota, .. } = exceeded;
        let mut entry = Entry::new(quota.event_type(), Status::Failure, 0, self.at).of(Some(*tenant));
        entry.protocol = Some("MQTT");
        entry.client_id = Some(String::from(&**client_id));
        let entry = entry
            .with("reason", Some("THROTTLED"))
            .with("quota", Some(quota.name()))
            .with("times", Some(times))
            .with("details", Some(quota.beyond()));
        let advice = format!("the client ran into a quota ({}): {}", quota.name(), quota.beyond());
        self.write(entry, Some(&Case { advice: Some(advice), ..Case::default() }), "a quota was used up");
    }

    fn entry(&self, seen: Seen<'_>, identity: Identity<'_>, event_type: &'static str, status: Status) -> Entry {
        let mut entry = Entry::new(event_type, status, seen.trace_id, self.at).of(identity.tenant);
        entry.protocol = Some("MQTT");
        entry.client_id = identity.client_id.map(str::to_owned);
        entry.principal_id = identity.certificate_id.map(|id| id.to_string());
        entry.source_ip = Some(seen.peer.ip().to_string());
        entry.with("sourcePort", Some(seen.peer.port())).with("serverNameIndication", seen.server_name)
    }

    fn write(&self, entry: Entry, case: Option<&Case>, message: &'static str) {
        line(&entry, message);
        self.book.write(&entry, case);
    }
}

fn because(entry: Entry, reason: &Reason) -> Entry {
    entry.with("reason", Some(reason.code())).with("details", Some(reason.details()))
}

/// The entry as a line of the process's own log.
fn line(entry: &Entry, message: &'static str) {
    info!(
        target: "tidegate::connections",
        eventType = entry.event_type,
        status = entry.status_text(),
        traceId = (entry.trace_id != 0).then(|| tracing::field::display(entry.trace())),
        accountId = entry.tenant.as_ref().map(|tenant| tenant.account.as_str()),
        protocol = entry.protocol,
        clientId = entry.client_id.as_deref(),
        principalId = entry.principal_id.as_deref(),
        sourceIp = entry.source_ip.as_deref(),
        sourcePort = entry.number("sourcePort"),
        serverNameIndication = entry.text("serverNameIndication"),
        authenticationType = entry.text("authenticationType"),
        targetIp = entry.text("targetIp"),
        targetPort = entry.number("targetPort"),
        certificateId = entry.text("certificateId"),
        caCertificateId = entry.text("caCertificateId"),
        disconnectReason = entry.text("disconnectReason"),
        reasonCode = entry.text("reasonCode"),
        topicName = entry.text("topicName"),
        retain = entry.text("retain"),
        reason = entry.text("reason"),
        quota = entry.text("quota"),
        times = entry.number("times"),
        details = entry.text("details"),
        "{message}"
    );
}

/// Whether a client whose connection ended so may ask why.
fn is_refusal(reason: CloseReason) -> bool {
    match reason {
        CloseReason::TakenOver
        | CloseReason::ClientError(_)
        | CloseReason::NotAuthorized
        | CloseReason::PrincipalRefused
        | CloseReason::TimeOver
        | CloseReason::AdministrativeAction
        | CloseReason::DoesNotRead
        | CloseReason::QuotaExceeded
        | CloseReason::ServerError => true,
        CloseReason::Disconnect
        | CloseReason::DisconnectWithWill
        | CloseReason::ConnectionLost
        | CloseReason::KeepAliveTimeout
        | CloseReason::WebSocketOver
        | CloseReason::ServerShuttingDown => false,
    }
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
        CloseReason::PrincipalRefused => {
            "the certificate is not ACTIVE any more; or the access key or session that was signed with ended; or the \
             authorizer's function, asked again, does not let the client stay"
        }
        CloseReason::TimeOver => {
            "the time is over that the authorizer's function gave the connection (disconnectAfterInSeconds): connect again"
        }
        CloseReason::WebSocketOver => {
            "the time is over that a connection over WebSocket may last in the listener's profile: connect again"
        }
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
