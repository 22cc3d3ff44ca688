//! The registration event as AWS writes it.
//!
//! AWS: developer guide, "Just-in-time registration"; types and nulls as measured (`facts/aws-iot.md`, 1.2).

use serde::Serialize;
use tidegate_ids::CaCertificateId;

use crate::CertificateRegistered;

/// Members in AWS's order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Registered<'a> {
    certificate_id: String,
    ca_certificate_id: String,
    /// Milliseconds, a number.
    timestamp: u64,
    certificate_status: &'a str,
    aws_account_id: &'a str,
    /// Milliseconds, a string; null in the event of the registration itself.
    certificate_registration_timestamp: Option<String>,
}

/// The topic that registrations by a CA are announced on.
pub fn topic(ca: CaCertificateId) -> String {
    format!("$aws/events/certificates/registered/{ca}")
}

/// The payload.
pub fn json(event: &CertificateRegistered) -> String {
    let wire = Registered {
        certificate_id: event.certificate_id.to_string(),
        ca_certificate_id: event.ca_certificate_id.to_string(),
        timestamp: event.timestamp.millis(),
        certificate_status: event.status.as_str(),
        aws_account_id: event.tenant.account.as_str(),
        certificate_registration_timestamp: event.registered.map(|at| at.millis().to_string()),
    };
    serde_json::to_string(&wire).expect("text and numbers make JSON")
}

#[cfg(test)]
mod tests {
    use tidegate_ids::{Tenant, Timestamp};

    use super::*;
    use crate::CertificateStatus;

    #[test]
    fn the_event_is_written_as_aws_writes_it() {
        let (leaf, ca) = ("ab".repeat(32), "cd".repeat(32));
        let first = CertificateRegistered {
            tenant: Tenant { account: "012345678901".parse().unwrap(), region: "eu-central-1".parse().unwrap() },
            certificate_id: leaf.parse().unwrap(),
            ca_certificate_id: ca.parse().unwrap(),
            client_id: "d1".into(),
            timestamp: Timestamp::from_millis(1_700_000_000_123),
            status: CertificateStatus::PendingActivation,
            registered: None,
        };
        let common = format!(
            r#"{{"certificateId":"{leaf}","caCertificateId":"{ca}","timestamp":1700000000123,"certificateStatus":"PENDING_ACTIVATION","awsAccountId":"012345678901","certificateRegistrationTimestamp":"#
        );
        assert_eq!(json(&first), format!("{common}null}}"));
        let again = CertificateRegistered { registered: Some(Timestamp::from_millis(1_600_000_000_001)), ..first };
        assert_eq!(json(&again), format!(r#"{common}"1600000000001"}}"#));
        assert_eq!(topic(again.ca_certificate_id), format!("$aws/events/certificates/registered/{ca}"));
    }
}
