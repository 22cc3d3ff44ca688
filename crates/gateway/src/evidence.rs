//! What stands behind a refusal, gathered when it happens: `tidegate why` tells it.

use tidegate_ids::Tenant;
use tidegate_logs::{CaMatch, Case, Leaf};
use tidegate_pki::ClientLeaf;
use tidegate_registry::{Directory, DomainConfiguration, Evidence, IssuerEvidence, Refused};
use tidegate_tls::{Refusal, TlsError};
use uuid::Uuid;

use crate::{
    clients,
    connection_log::{Reason, printable},
    core::Shared,
    no_connect::NoConnect,
    remedy,
};

/// The case of a certificate: what it says, who signed it, what is registered of it.
pub(crate) fn of_leaf(directory: &Directory, leaf: &ClientLeaf, tenant: Option<Tenant>) -> Case {
    let Evidence { status, issuer } = directory.evidence(leaf, tenant);
    let found = |found: &str| CaMatch { found: found.into(), ..CaMatch::default() };
    let ca = match issuer {
        IssuerEvidence::SignedBy { id, status, auto_registration } => CaMatch {
            ca_certificate_id: Some(id.to_string()),
            status: Some(status.to_string()),
            auto_registration: Some(auto_registration.to_string()),
            ..found("SIGNED_BY")
        },
        IssuerEvidence::OtherKey => found("OTHER_KEY"),
        IssuerEvidence::UnknownName => found("UNKNOWN_NAME"),
    };
    Case {
        leaf: Some(Leaf {
            certificate_id: leaf.certificate_id().to_string(),
            subject: printable(leaf.subject_text()),
            issuer: printable(leaf.issuer_text()),
            not_before_millis: leaf.not_before().millis(),
            not_after_millis: leaf.not_after().millis(),
        }),
        ca: Some(ca),
        certificate_status: Some(status.map_or("NOT_REGISTERED".to_owned(), |status| status.to_string())),
        ..Case::default()
    }
}

/// The case of a refusal by the registry.
pub(crate) fn of_registry(directory: &Directory, leaf: &ClientLeaf, refused: &Refused) -> Case {
    let mut case = of_leaf(directory, leaf, refused.tenant);
    remedy::of_registry(&mut case, refused);
    case
}

/// The case of a connection without CONNECT; `judged` is what the registry says of its certificate, `domain` what is configured
/// under the name that it used.
pub(crate) fn of_no_connect(
    error: &NoConnect,
    (judged, domain): (Option<&Refused>, Option<&DomainConfiguration>),
    reason: &Reason,
    shared: &Shared,
) -> Case {
    let mut case = advised(reason);
    match error {
        NoConnect::Tls(TlsError::Refused(refused)) => {
            let Ok(leaf) = clients::parse(&refused.leaf) else { return case };
            let directory = shared.registry.propagated();
            match judged {
                Some(judged) => case = of_registry(directory, &leaf, judged),
                None if refused.refusal == Refusal::NotPossessed => {
                    case = Case { advice: case.advice, ..of_leaf(directory, &leaf, None) };
                }
                None => {}
            }
        }
        NoConnect::Tls(TlsError::NoCertificate) => remedy::of_no_certificate(&mut case),
        NoConnect::UnknownServerName => remedy::of_server_name(&mut case),
        NoConnect::Domain(refused) => remedy::of_domain(&mut case, *refused, domain),
        NoConnect::Tls(_)
        | NoConnect::Lost
        | NoConnect::NotConnect
        | NoConnect::Malformed(_)
        | NoConnect::HttpsPublish
        | NoConnect::OldTls
        | NoConnect::UnusableHello { .. }
        | NoConnect::Upgrade(_)
        | NoConnect::WebSocket => {}
    }
    case
}

/// A case of which the reason says all there is to say.
pub(crate) fn advised(reason: &Reason) -> Case {
    Case { advice: Some(reason.details().to_owned()), ..Case::default() }
}

/// The name of a policy that a remedy makes: one for each connection that was refused.
pub(crate) fn policy_name(trace_id: Uuid) -> String {
    format!("allow-{}", &trace_id.simple().to_string()[..12])
}
