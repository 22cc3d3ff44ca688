//! What would mend a refusal: in words, and as commands for a shell in which `aws` speaks for the account.
//!
//! **Invariant:** what a peer wrote stands in a command only between single quotes, as [`quoted`] writes it.

use std::time::Duration;

use serde_json::json;
use tidegate_authorizer::{NoAuthorizer, Refusal};
use tidegate_broker::{Denied, DeniedBy};
use tidegate_ids::{Arn, CertificateId, Tenant};
use tidegate_logs::Case;
use tidegate_registry::{DomainConfiguration, EndpointRequired, Refusal as CertificateRefusal, Refused};

use crate::{authorize::Denial, domain::DomainRefused};

/// A command that makes a new certificate for a device.
const NEW_CERTIFICATE: &str = "aws iot create-keys-and-certificate --set-as-active --certificate-pem-outfile new.pem --private-key-outfile new.key";
/// AWS: developer guide, "Register your CA certificate": the code proves that the CA's key is at hand.
const REGISTER_CA: [&str; 4] = [
    "code=$(aws iot get-registration-code --query registrationCode --output text)",
    "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout verification.key \
     -subj \"/CN=$code\" -out verification.csr",
    "openssl x509 -req -in verification.csr -CA ca.pem -CAkey ca.key -set_serial 1 -days 30 -out verification.pem",
    "aws iot register-ca-certificate --ca-certificate file://ca.pem --verification-certificate file://verification.pem \
     --set-as-active --allow-auto-registration",
];
const ENDPOINT: &str = "aws iot describe-endpoint --endpoint-type iot:Data-ATS";

/// For what the registry refused.
pub(crate) fn of_registry(case: &mut Case, refused: &Refused) {
    let id = refused.certificate_id;
    let one = |command: String| vec![command];
    let (advice, remedy) = match &refused.reason {
        CertificateRefusal::NoIssuer { .. } | CertificateRefusal::NotSignedByIssuer { .. } => (
            "register the CA that signed it, so that its certificates register themselves: where its certificate \
             (ca.pem) and key (ca.key) are",
            REGISTER_CA.map(str::to_owned).to_vec(),
        ),
        CertificateRefusal::CaInactive(ca) => (
            "activate its CA, so that it registers the certificates that it signed",
            one(format!("aws iot update-ca-certificate --certificate-id {ca} --new-status ACTIVE")),
        ),
        CertificateRefusal::AutoRegistrationDisabled(ca) => (
            "let its CA register the certificates that it signed",
            one(format!("aws iot update-ca-certificate --certificate-id {ca} --new-auto-registration-status ENABLE")),
        ),
        CertificateRefusal::Inactive => ("activate the certificate", one(activate(id))),
        CertificateRefusal::Revoked => {
            ("a revoked certificate stays so: give the device a new one", one(NEW_CERTIFICATE.to_owned()))
        }
        CertificateRefusal::Expired(_) => {
            ("give the device a new certificate, from its CA or from here", one(NEW_CERTIFICATE.to_owned()))
        }
        CertificateRefusal::Algorithm(_) => (
            "give the device a certificate with a key and a signature that AWS IoT takes",
            one(NEW_CERTIFICATE.to_owned()),
        ),
        CertificateRefusal::NotYetValid(_) => {
            ("it is valid later: check the clocks of its issuer and of the broker", Vec::new())
        }
        CertificateRefusal::InTransfer => (
            "accept the transfer in the other account, or take it back",
            one(format!("aws iot cancel-certificate-transfer --certificate-id {id}")),
        ),
        CertificateRefusal::EndpointRequired(EndpointRequired::ToRegister) => (
            "the device must name the account's endpoint (or a name of the broker) in SNI: connect to what this says",
            one(ENDPOINT.to_owned()),
        ),
        CertificateRefusal::EndpointRequired(EndpointRequired::SniOnly | EndpointRequired::SeveralOwners) => {
            ("the device must connect to its account's endpoint, by name: what this says", one(ENDPOINT.to_owned()))
        }
        CertificateRefusal::OtherAccount => (
            "the device must connect to the endpoint of the account that has its certificate: what this says there",
            one(ENDPOINT.to_owned()),
        ),
        CertificateRefusal::OnlyByMqtt => {
            ("a certificate registers itself by an MQTT CONNECT; publishing by HTTPS comes after that", Vec::new())
        }
        CertificateRefusal::OtherForm(registered) => (
            "the device must present the certificate that is registered, byte for byte",
            one(format!("aws iot describe-certificate --certificate-id {registered}")),
        ),
        CertificateRefusal::NotPropagated => ("the device may try again when the change has reached it", Vec::new()),
        CertificateRefusal::Throttled => ("the device may try again a second later", Vec::new()),
        CertificateRefusal::Unavailable(_) => ("the broker's own log says what failed", Vec::new()),
    };
    set(case, advice, remedy, refused.tenant);
}

/// For a certificate that waits for activation.
pub(crate) fn of_pending_activation(case: &mut Case, tenant: Tenant, id: CertificateId) {
    set(case, "activate the certificate", vec![activate(id)], Some(tenant));
}

/// For a CONNECT that no policy allows, or one denies.
pub(crate) fn of_connect(
    case: &mut Case,
    (tenant, certificate_id): (Tenant, Option<CertificateId>),
    client_id: &str,
    denial: &Denial,
    name: &str,
) {
    let statement = match denial {
        Denial::By(statement) => Some(statement),
        Denial::Implicit => None,
    };
    of_policy(case, (tenant, certificate_id), ("iot:Connect", &format!("client/{client_id}")), statement, name);
}

/// For something else that no policy allows, or one denies.
pub(crate) fn of_denied(
    case: &mut Case,
    whose: (Tenant, Option<CertificateId>),
    denied: &Denied,
    client_id: &str,
    name: &str,
) {
    let Denied { action, topic, statement } = denied;
    let kind = if *action == "iot:Subscribe" { "topicfilter" } else { "topic" };
    of_policy(case, whose, (action, &format!("{kind}/{topic}")), statement.as_ref(), name);
    if let (Some(certificate_id), Some(word)) = (whose.1, explained(action)) {
        let arn = Arn::certificate(whose.0, certificate_id);
        let (client_id, topic) = (quoted(client_id), quoted(topic));
        let explain = format!("tidegate explain --principal {arn} --client-id {client_id} {word} {topic}");
        case.advice = case.advice.take().map(|advice| format!("{advice}; in detail: {explain}"));
    }
}

/// The action as `tidegate explain` takes it.
fn explained(action: &str) -> Option<&'static str> {
    Some(match action {
        "iot:Publish" => "publish",
        "iot:RetainPublish" => "retain-publish",
        "iot:Subscribe" => "subscribe",
        "iot:Receive" => "receive",
        _ => return None,
    })
}

/// `name` is that of a policy to be made.
fn of_policy(
    case: &mut Case,
    (tenant, certificate_id): (Tenant, Option<CertificateId>),
    (action, resource): (&str, &str),
    statement: Option<&DeniedBy>,
    name: &str,
) {
    let arn = Arn::iot(tenant, resource).to_string();
    case.policy = Some(match statement {
        Some(DeniedBy { place, .. }) => format!("{place} denies {action} on {arn}"),
        None => format!("no statement allows {action} on {arn}"),
    });
    let Some(certificate_id) = certificate_id else {
        let advice = "if the client signed for its WebSocket, change the policies of that user or role (aws iam); if a custom \
                      authorizer let it in, change what its function answers; if not, change the listener's \
                      anonymous_policy in the configuration, and start the broker again";
        return set(case, advice, Vec::new(), Some(tenant));
    };
    let target = Arn::certificate(tenant, certificate_id);
    match statement {
        Some(DeniedBy { policy, .. }) => {
            let remedy = format!("aws iot detach-policy --policy-name {} --target {target}", quoted(policy));
            set(case, "change the policy that denies it, or take it from the certificate", vec![remedy], Some(tenant));
        }
        // In a policy these would stand for more than was asked for.
        None if resource.contains(|c: char| matches!(c, '*' | '?' | '$') || c.is_control()) => {
            let advice = format!("attach a policy that allows {action} on {arn}");
            set(case, &advice, Vec::new(), Some(tenant));
        }
        None => {
            let document = json!({"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": action, "Resource": arn}]});
            let document = quoted(&document.to_string());
            let remedy = vec![
                format!("aws iot create-policy --policy-name {name} --policy-document {document}"),
                format!("aws iot attach-policy --policy-name {name} --target {target}"),
            ];
            set(case, "attach a policy that allows it, such as this", remedy, Some(tenant));
        }
    }
}

/// For a server name that is none of ours.
pub(crate) fn of_server_name(case: &mut Case) {
    let advice = "the device must connect by a name of the broker, such as this says (or add the name to \
                  server.host_names in the configuration)";
    set(case, advice, vec![ENDPOINT.to_owned()], None);
}

/// For what a domain configuration refuses.
pub(crate) fn of_domain(case: &mut Case, refused: DomainRefused, domain: Option<&DomainConfiguration>) {
    let Some(domain) = domain else { return };
    let name = quoted(domain.name.as_str());
    let update =
        |what: &str| format!("aws iot update-domain-configuration --domain-configuration-name {name} --{what}");
    let describe = format!("aws iot describe-domain-configuration --domain-configuration-name {name}");
    let (advice, remedy) = match refused {
        DomainRefused::Disabled => {
            ("enable the domain configuration, or use another name", update("domain-configuration-status ENABLED"))
        }
        DomainRefused::NotSpokenHere(_) => (
            "let the listener speak it (websocket, https in the configuration), or change the domain configuration",
            update("application-protocol DEFAULT"),
        ),
        DomainRefused::NoFunctions => (
            "name a [[function]] in the configuration, or change the domain configuration",
            update("authentication-type DEFAULT"),
        ),
        DomainRefused::Certificate => ("the broker's own log says what is wrong with the certificate", describe),
        DomainRefused::OtherProtocol(_) => (
            "let the client speak what is configured, or change the domain configuration",
            update("application-protocol DEFAULT"),
        ),
    };
    set(case, advice, vec![remedy], Some(domain.tenant));
}

/// For a client that signs nothing where only signatures count.
pub(crate) fn of_unsigned(case: &mut Case, domain: Option<&DomainConfiguration>) {
    let advice = "let the client come by WebSocket with a signed request, or change the domain configuration";
    let change = domain.map(|domain| {
        let name = quoted(domain.name.as_str());
        format!("aws iot update-domain-configuration --domain-configuration-name {name} --authentication-type DEFAULT")
    });
    set(case, advice, change.into_iter().collect(), domain.map(|domain| domain.tenant));
}

/// For a client that a custom authorizer does not let in. `name`: the authorizer that was asked, or meant.
pub(crate) fn of_authorizer(case: &mut Case, tenant: Option<Tenant>, name: Option<&str>, refusal: &Refusal) {
    let list = || vec!["aws iot list-authorizers --status ACTIVE".to_owned()];
    let test = || name.map(|name| format!("aws iot test-invoke-authorizer --authorizer-name {}", quoted(name)));
    let (advice, remedy) = match refusal {
        Refusal::NoAuthorizer(NoAuthorizer::Unnamed) => (
            "configure the device's certificate, or let it name an authorizer in its user name: \
             USER?x-amz-customauthorizer-name=NAME; these are there:",
            list(),
        ),
        Refusal::NoAuthorizer(NoAuthorizer::Override) => {
            ("let the client name no authorizer, or allow it in the domain configuration", Vec::new())
        }
        Refusal::NotFound(_) => ("let the client name an authorizer that is ACTIVE; these are:", list()),
        Refusal::Parameter(_) => ("let the client send what the authorizer needs; what it needs is here:", {
            let describe = |name| format!("aws iot describe-authorizer --authorizer-name {}", quoted(name));
            name.map(describe).into_iter().collect()
        }),
        Refusal::Signature => (
            "sign the token with the private key of one of the authorizer's tokenSigningPublicKeys (RSA, PKCS #1 v1.5, \
             SHA-256), in Base64, and percent-encode it in a user name or query",
            Vec::new(),
        ),
        Refusal::Function(_) | Refusal::Answer(_) => {
            ("mend the function; this asks it without a client:", test().into_iter().collect())
        }
        Refusal::NotAuthenticated => (
            "the function decides: look at what the client sends, and ask it without a client:",
            test().into_iter().collect(),
        ),
    };
    set(case, advice, remedy, tenant);
}

/// For a client that showed no certificate.
pub(crate) fn of_no_certificate(case: &mut Case) {
    let advice = "configure the device's certificate and key (mosquitto_pub --cert … --key …); a new pair:";
    set(case, advice, vec![NEW_CERTIFICATE.to_owned()], None);
}

/// For a client that may have come too early: so many changes are on their way, each for so long.
pub(crate) fn of_waiting(case: &mut Case, (changes, delay): (usize, Duration)) {
    if changes > 0 {
        let waits = format!(
            "changes that have not reached the devices' edge yet: {changes}, each takes {} s (mqtt.propagation_delay_s)",
            delay.as_secs()
        );
        case.advice = Some(case.advice.take().map_or_else(|| waits.clone(), |advice| format!("{advice}; {waits}")));
    }
}

fn set(case: &mut Case, advice: &str, remedy: Vec<String>, tenant: Option<Tenant>) {
    case.advice = Some(advice.to_owned());
    let in_region = |command: String| match &tenant {
        Some(tenant) if command.starts_with("aws ") => format!("{command} --region {}", tenant.region.as_str()),
        Some(_) | None => command,
    };
    case.remedy = remedy.into_iter().map(in_region).collect();
}

fn activate(id: CertificateId) -> String {
    format!("aws iot update-certificate --certificate-id {id} --new-status ACTIVE")
}

/// `text` as one word for a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_peer_wrote_is_one_word() {
        for (text, expected) in [("a b", "'a b'"), ("$(rm) `x`", "'$(rm) `x`'"), ("it's", r"'it'\''s'"), ("", "''")] {
            assert_eq!(quoted(text), expected);
        }
    }

    #[test]
    fn a_wildcard_in_a_name_makes_no_policy_that_allows_more() {
        let tenant = Tenant { account: "123456789012".parse().unwrap(), region: "us-east-1".parse().unwrap() };
        let id = CertificateId::from_bytes([1; 32]);
        for (client_id, commands) in [("press-7", 2), ("*", 0), ("a?", 0), ("${iot:ClientId}", 0), ("it's", 2)] {
            let mut case = Case::default();
            of_connect(&mut case, (tenant, Some(id)), client_id, &Denial::Implicit, "allow-1");
            assert_eq!(case.remedy.len(), commands, "{client_id}");
            assert!(case.policy.unwrap().ends_with(client_id));
        }
        let mut case = Case::default();
        let by = DeniedBy { policy: "p".into(), place: "policy p, version 1, statement 0".into() };
        of_connect(&mut case, (tenant, Some(id)), "c", &Denial::By(by), "allow-1");
        assert!(case.remedy[0].starts_with("aws iot detach-policy --policy-name 'p' --target arn:aws:iot:"));
    }
}
