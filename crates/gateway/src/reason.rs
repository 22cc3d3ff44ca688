//! Our refusals in the words of those who read them: AWS's reason codes and a sentence for the log, CONNACK for clients.

use tidegate_authorizer::Refusal;
use tidegate_broker::{ConnectRefused, DeniedBy};
use tidegate_ids::{Arn, CertificateId, Tenant};
use tidegate_mqtt::{ConnAck, Connect, DecodeError, ReasonCode, Version, announced_version};
use tidegate_registry::{DomainConfiguration, Refused, ServerName};
use tidegate_tls::{Refusal as TlsRefusal, RefusedCertificate, TlsError};
use uuid::Uuid;

use crate::{
    authorize::Denial, clients, connection_log::Reason, core::Shared, domain::DomainRefused, half_open::GivenUp,
    no_connect::NoConnect,
};

/// The registry refused a certificate.
pub(crate) fn of_registry(refused: &Refused) -> Reason {
    Reason::new(refused.authn_error(), refused.to_string())
}

/// No policy allows `iot:Connect`, or one denies it. `certificate_id` is none on a listener without certificates.
pub(crate) fn of_policy(
    tenant: Tenant,
    certificate_id: Option<CertificateId>,
    client_id: &str,
    denial: &Denial,
) -> Reason {
    let client = Arn::iot(tenant, format!("client/{client_id}"));
    let certificate = certificate_id.map(|id| Arn::certificate(tenant, id));
    let details = match (certificate, denial) {
        (None, Denial::By(DeniedBy { place: statement, .. })) => {
            format!("the listener's anonymous_policy denies iot:Connect on {client}: {statement}")
        }
        (None, Denial::Implicit) => format!("the listener's anonymous_policy does not allow iot:Connect on {client}"),
        (Some(certificate), Denial::By(DeniedBy { place: statement, .. })) => format!(
            "{statement} denies iot:Connect on {client}: \
             tidegate explain --principal {certificate} --client-id ID connect says why"
        ),
        (Some(certificate), Denial::Implicit) => format!(
            "no policy of the certificate allows iot:Connect on {client}: \
             aws iot attach-policy --policy-name NAME --target {certificate}"
        ),
    };
    Reason::new("AUTHORIZATION_FAILURE", details)
}

/// No policy of who signed allows `iot:Connect`, or one denies it.
pub(crate) fn of_signers_policy(tenant: Tenant, signer: &Arn, client_id: &str, denial: &Denial) -> Reason {
    let client = Arn::iot(tenant, format!("client/{client_id}"));
    let details = match denial {
        Denial::By(DeniedBy { place: statement, .. }) => {
            format!("{statement}, of {signer}, denies iot:Connect on {client}")
        }
        Denial::Implicit => format!(
            "no policy of {signer} allows iot:Connect on {client}: aws iam put-user-policy, attach-user-policy, or the same of \
             a role"
        ),
    };
    Reason::new("AUTHORIZATION_FAILURE", details)
}

/// A custom authorizer did not let a client in.
pub(crate) fn of_authorizer(name: Option<&str>, refusal: &Refusal) -> Reason {
    let details = match name {
        Some(name) => format!("the custom authorizer {name}: {refusal}"),
        None => format!("custom authentication: {refusal}"),
    };
    Reason::new(refusal.authn_error(), details)
}

/// No policy that the custom authorizer's function answered allows `iot:Connect`, or one denies it.
pub(crate) fn of_authorizers_policy(tenant: Tenant, authorizer: &Arn, client_id: &str, denial: &Denial) -> Reason {
    let client = Arn::iot(tenant, format!("client/{client_id}"));
    let details = match denial {
        Denial::By(DeniedBy { place: statement, .. }) => {
            format!("{statement}, of the function behind {authorizer}, denies iot:Connect on {client}")
        }
        Denial::Implicit => {
            format!("no policy of the function behind {authorizer} allows iot:Connect on {client}")
        }
    };
    Reason::new("AUTHORIZATION_FAILURE", details)
}

/// The key or session that the WebSocket's request was signed with is over.
pub(crate) fn of_ended_credential(signer: &Arn) -> Reason {
    Reason::new(
        "NOT_AUTHENTICATED",
        format!("the access key or session of {signer} ended: sign with one that is active"),
    )
}

/// The certificate waits for activation.
pub(crate) fn of_pending_activation(certificate_id: CertificateId) -> Reason {
    let details = format!(
        "the certificate is registered and PENDING_ACTIVATION: \
         aws iot update-certificate --certificate-id {certificate_id} --new-status ACTIVE"
    );
    Reason::new("DEVICE_CERTIFICATE_INACTIVE", details)
}

/// The broker refused a CONNECT for what it asks.
///
/// AWS: `AUTHORIZATION_FAILURE` for a Will that no policy allows.
pub(crate) fn of_broker(refused: &ConnectRefused) -> Reason {
    let code = match refused.code {
        ReasonCode::NotAuthorized => "AUTHORIZATION_FAILURE",
        ReasonCode::QuotaExceeded => "THROTTLED",
        _ => "CLIENT_ERROR",
    };
    match refused.quota {
        None => Reason::new(code, refused.reason),
        Some(quota) => Reason::new(code, format!("{} (quota: {})", refused.reason, quota.name())),
    }
}

/// No policy allows a message that came by HTTPS.
pub(crate) fn of_https_denied(topic_name: &str) -> Reason {
    let details = format!(
        "no policy of the certificate, or of the authorizer's function, allows iot:Publish (and iot:RetainPublish for a retained \
         message) on topic/{topic_name}: \
         tidegate explain --principal CERTIFICATE_ARN publish TOPIC says which came near"
    );
    Reason::new("AUTHORIZATION_FAILURE", details)
}

/// A message that came by HTTPS was not taken.
pub(crate) fn of_https(message: &str) -> Reason {
    Reason::new("CLIENT_ERROR", message)
}

/// A CONNECT that cannot be read.
pub(crate) fn of_malformed(error: &DecodeError) -> Reason {
    Reason::new("MALFORMED_CONNECT", format!("the first packet is not a valid CONNECT: {error}"))
}

/// A connection that was given up on before its CONNECT.
pub(crate) fn of_given_up(why: GivenUp) -> Reason {
    let (code, details) = match why {
        GivenUp::TooSlow => ("TIMEOUT", "the client did not send a whole CONNECT in time"),
        GivenUp::Displaced => ("THROTTLED", "newer connections took its place before it had sent a whole CONNECT"),
        GivenUp::Stopping => ("SERVER_INITIATED_DISCONNECT", "the broker stops"),
    };
    Reason::new(code, details)
}

/// A resumed session whose ticket brought no readable certificate back.
pub(crate) fn no_certificate() -> Reason {
    Reason::new("NOT_AUTHENTICATED", "the session has no client certificate")
}

/// No signature where nothing else counts.
pub(crate) fn unsigned() -> Reason {
    let details = "the domain configuration takes AWS_SIGV4 only: the request that begins a WebSocket must be signed";
    Reason::new("NOT_AUTHENTICATED", details)
}

/// A connection without CONNECT; `None` for one that just went away, which concerns nobody. `domain`: what is configured under the
/// name that the client used.
pub(crate) fn of_no_connect(
    error: &NoConnect,
    judged: Option<&Refused>,
    domain: Option<&DomainConfiguration>,
) -> Option<Reason> {
    let reason = of_no_connect_anywhere(error, judged)?;
    let Some(domain) = domain else { return Some(reason) };
    let record = &domain.record;
    let configured = format!(
        "{}; domain configuration {}: {}, {}, {}, {}",
        reason.details(),
        domain.name,
        record.status,
        record.authentication_type,
        record.application_protocol,
        record.security_policy
    );
    Some(Reason::new(reason.code(), configured))
}

/// A domain configuration lets nobody in, or not this client.
///
/// Unverified: when AWS says DOMAIN_CONFIGURATION_INVALID.
fn of_domain(refused: DomainRefused) -> (&'static str, String) {
    match refused {
        DomainRefused::Disabled => (
            "DOMAIN_CONFIGURATION_DISABLED",
            "the server name (SNI) belongs to a domain configuration that is DISABLED".to_owned(),
        ),
        DomainRefused::NotSpokenHere(protocol) => (
            "DOMAIN_CONFIGURATION_INVALID",
            format!(
                "the listener does not speak {protocol}: set websocket = true or https = true in the configuration"
            ),
        ),
        DomainRefused::NoFunctions => (
            "DOMAIN_CONFIGURATION_INVALID",
            "a custom authorizer should be asked, and the broker's configuration has no [[function]]".to_owned(),
        ),
        DomainRefused::Certificate => (
            "INTERNAL_SERVER_ERROR",
            "the server certificate cannot be served: the broker's own log says why".to_owned(),
        ),
        DomainRefused::OtherProtocol(protocol) => {
            ("CLIENT_ERROR", format!("the client does not begin as {protocol} does, and nothing else is spoken here"))
        }
    }
}

fn of_no_connect_anywhere(error: &NoConnect, judged: Option<&Refused>) -> Option<Reason> {
    let (code, details) = match error {
        NoConnect::Lost => return None,
        NoConnect::NotConnect => (
            "MALFORMED_CONNECT",
            "the first packet is not a CONNECT: an MQTT client must begin with it, and TLS is not spoken on a plain port"
                .to_owned(),
        ),
        NoConnect::Malformed(error) => return Some(of_malformed(error)),
        NoConnect::UnknownServerName => (
            "SNI_MISUSED",
            "the server name (SNI) is neither a name of a server certificate, nor an account's endpoint, nor that of a domain \
             configuration: see server.host_names and mqtt.endpoint_domain in the configuration"
                .to_owned(),
        ),
        NoConnect::Domain(refused) => of_domain(*refused),
        NoConnect::HttpsPublish => (
            "NOT_AUTHENTICATED",
            "the client offers x-amzn-http-ca (ALPN), publishing by HTTPS, which this listener does not speak: set https = true, or \
             offer x-amzn-mqtt-ca or none for MQTT"
                .to_owned(),
        ),
        NoConnect::OldTls => {
            ("NOT_AUTHENTICATED", "the client's TLS is too old: TLS 1.2 or 1.3 is needed".to_owned())
        }
        NoConnect::UnusableHello { .. } => (
            "NOT_AUTHENTICATED",
            "the client's first TLS message is damaged, or lacks what TLS 1.2 and 1.3 require".to_owned(),
        ),
        NoConnect::Tls(error) => return Some(of_tls(error, judged)),
        NoConnect::Upgrade(refused) if refused.is_forbidden() => {
            ("NOT_AUTHENTICATED", format!("a request for a WebSocket was refused: {}", refused.why))
        }
        NoConnect::Upgrade(refused) => ("MALFORMED_CONNECT", format!("an HTTP request was refused: {}", refused.why)),
        NoConnect::WebSocket => ("MALFORMED_CONNECT", "the client broke the rules of WebSocket".to_owned()),
    };
    Some(Reason::new(code, details))
}

/// A handshake that failed.
fn of_tls(error: &TlsError, judged: Option<&Refused>) -> Reason {
    let (code, details) = match error {
        TlsError::Refused(refused) => return of_certificate(refused, judged),
        TlsError::NoCertificate => (
            "NOT_AUTHENTICATED",
            "the client showed no certificate: give it its certificate and key (mosquitto_pub --cert … --key …)"
                .to_owned(),
        ),
        TlsError::NotAHello { .. } => (
            "NOT_AUTHENTICATED",
            "the client does not speak TLS: it must use TLS with its certificate on this port".to_owned(),
        ),
        TlsError::TooLong { max } => (
            "NOT_AUTHENTICATED",
            format!("a TLS message of the client is longer than {max} bytes, more than any needs"),
        ),
        TlsError::Protocol(rustls::Error::PeerIncompatible(how)) => (
            "NOT_AUTHENTICATED",
            format!(
                "the client offers nothing that the broker accepts ({how:?}): it needs TLS 1.2 with ECDHE and AES-GCM or \
                 ChaCha20, or TLS 1.3"
            ),
        ),
        // rustls asks for a certificate before it compares suites; without one that suits the client it has this text only.
        TlsError::Protocol(rustls::Error::General(how)) if how == "no server certificate chain resolved" => (
            "NOT_AUTHENTICATED",
            "the client offers no cipher suite and signature algorithm for the broker's certificate: it needs TLS 1.2 with \
             ECDHE and AES-GCM or ChaCha20, or TLS 1.3"
                .to_owned(),
        ),
        TlsError::Protocol(rustls::Error::AlertReceived(alert)) => (
            "NOT_AUTHENTICATED",
            format!(
                "the client ended the handshake with the alert {alert:?}: does it trust the CA of the broker's \
                 certificate, and connect by a name that is in it?"
            ),
        ),
        other => ("NOT_AUTHENTICATED", format!("the TLS handshake failed: {other}")),
    };
    Reason::new(code, details)
}

/// A certificate that the handshake refused: in the registry's words, which name the CA and the command that helps.
fn of_certificate(refused: &RefusedCertificate, judged: Option<&Refused>) -> Reason {
    if refused.refusal == TlsRefusal::NotPossessed {
        let details = "the client does not hold the certificate's private key: certificate and key do not match, or \
                       somebody else's certificate was shown";
        return Reason::new("NOT_AUTHENTICATED", details);
    }
    match judged {
        Some(refused) => of_registry(refused),
        // Unreadable, or changed meanwhile.
        None => Reason::new("NOT_AUTHENTICATED", refused.refusal.to_string()),
    }
}

/// What the registry says of the certificate that a handshake failed for; `None` when it does not refuse it, or cannot read it.
pub(crate) fn judge_again(error: &NoConnect, shared: &Shared) -> Option<Refused> {
    let NoConnect::Tls(TlsError::Refused(refused)) = error else { return None };
    if refused.refusal == TlsRefusal::NotPossessed {
        return None;
    }
    let (directory, now) = (shared.registry.propagated(), shared.clock.now().wall);
    let leaf = clients::parse(&refused.leaf).ok()?;
    let refused = directory.check_leaf(&leaf, now).and_then(|()| directory.check_status(&leaf, now)).err()?;
    Some(shared.registry.retold(refused, &leaf, ServerName::Host))
}

/// The certificate that a handshake failed for.
pub(crate) fn refused_certificate(error: &NoConnect) -> Option<CertificateId> {
    match error {
        NoConnect::Tls(TlsError::Refused(refused)) => Some(refused.certificate_id),
        NoConnect::Tls(_)
        | NoConnect::Lost
        | NoConnect::NotConnect
        | NoConnect::Upgrade(_)
        | NoConnect::WebSocket
        | NoConnect::Malformed(_)
        | NoConnect::HttpsPublish
        | NoConnect::OldTls
        | NoConnect::UnusableHello { .. }
        | NoConnect::Domain(_)
        | NoConnect::UnknownServerName => None,
    }
}

/// The answer to a first packet that cannot be accepted as a CONNECT: CONNACK, where the client's version has a code for
/// what is wrong with it, else nothing.
///
/// Spec: [MQTT-3.1.2-2], 4.13 (5.0); [MQTT-3.1.2-2], [MQTT-3.2.2-4] (3.1.1): 3.1.1 only knows a wrong version.
pub(crate) fn answer_malformed(packet: &[u8], error: &DecodeError, out: &mut Vec<u8>) {
    let Some(version) = announced_version(packet) else { return };
    let code = error.reason_code();
    if version == Version::V4 && code != ReasonCode::UnsupportedProtocolVersion {
        return;
    }
    // It fits by construction; if not, silence is an answer too.
    let _ = ConnAck::new(false, code).encode(version, out);
}

/// The answer to a client that is refused for who it is: 0x87 with the reason in words for 5.0, 5 for 3.1.1; nothing to
/// one that takes no packet as large.
pub(crate) fn answer_refused(connect: &Connect<'_>, reason: &Reason, trace_id: Uuid, out: &mut Vec<u8>) {
    let text = format!("{}: {}; trace id {trace_id}", reason.code(), reason.details());
    let mut answer = ConnAck::new(false, ReasonCode::NotAuthorized);
    if connect.version == Version::V5 && connect.properties.request_problem_information {
        answer.properties.reason.reason_string = Some(&text);
    }
    let before = out.len();
    let written = answer.encode(connect.version, out).is_ok();
    if !written || !takes(connect, &out[before..]) {
        // Spec: [MQTT-3.2.2-19] (5.0): without the text, if that makes it fit.
        out.truncate(before);
        let _ = ConnAck::new(false, ReasonCode::NotAuthorized).encode(connect.version, out);
    }
    if !takes(connect, &out[before..]) {
        out.truncate(before);
    }
}

/// Whether the client takes a packet as large as `packet`. Spec: [MQTT-3.1.2-24] (5.0).
pub(crate) fn takes(connect: &Connect<'_>, packet: &[u8]) -> bool {
    connect.properties.maximum_packet_size.is_none_or(|max| packet.len() <= max.get() as usize)
}

#[cfg(test)]
mod tests;
