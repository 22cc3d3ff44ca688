//! What the receiver of a transfer is told. An extension: AWS has no such event; the topic says that it is ours.

use serde::Serialize;
use tidegate_ids::{AccountId, Arn, CertificateId, Tenant, Timestamp};

use crate::TransferStep;

/// A step of a transfer, as its receiver hears of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransferEvent<'a> {
    /// The account that receives.
    pub receiver: Tenant,
    /// Which certificate.
    pub certificate_id: CertificateId,
    /// What happened.
    pub step: TransferStep,
    /// The account that gives.
    pub from: AccountId,
    /// What it says about it.
    pub message: Option<&'a str>,
    /// When.
    pub at: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    event_type: &'a str,
    certificate_id: String,
    /// The ARN that it has here, now or once it is accepted.
    certificate_arn: String,
    aws_account_id: &'a str,
    region: &'a str,
    transferred_from: &'a str,
    transfer_message: Option<&'a str>,
    /// Milliseconds, a number, as in AWS's events.
    timestamp: u64,
}

/// The topic that the receiver's clients may subscribe to.
pub fn topic(step: TransferStep, certificate_id: CertificateId) -> String {
    format!("$tidegate/events/certificates/{}/{certificate_id}", step.as_str())
}

/// The payload, over MQTT and of the webhook alike.
pub fn json(event: &TransferEvent<'_>) -> String {
    let wire = Wire {
        event_type: event.step.as_str(),
        certificate_id: event.certificate_id.to_string(),
        certificate_arn: Arn::certificate(event.receiver, event.certificate_id).to_string(),
        aws_account_id: event.receiver.account.as_str(),
        region: event.receiver.region.as_str(),
        transferred_from: event.from.as_str(),
        transfer_message: event.message,
        timestamp: event.at.millis(),
    };
    serde_json::to_string(&wire).expect("text and numbers make JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_receiver_reads_what_where_and_from_whom() {
        let id: CertificateId = "ab".repeat(32).parse().unwrap();
        let receiver = Tenant { account: "222222222222".parse().unwrap(), region: "us-west-2".parse().unwrap() };
        let event = TransferEvent {
            receiver,
            certificate_id: id,
            step: TransferStep::Offered,
            from: "111111111111".parse().unwrap(),
            message: Some("yours \"now\""),
            at: Timestamp::from_millis(1_700_000_000_123),
        };
        let expected = format!(
            r#"{{"eventType":"offered","certificateId":"{id}","certificateArn":"arn:aws:iot:us-west-2:222222222222:cert/{id}","awsAccountId":"222222222222","region":"us-west-2","transferredFrom":"111111111111","transferMessage":"yours \"now\"","timestamp":1700000000123}}"#
        );
        assert_eq!(json(&event), expected);
        let cancelled = TransferEvent { step: TransferStep::Cancelled, message: None, ..event };
        assert!(json(&cancelled).contains(r#""eventType":"cancelled""#));
        assert!(json(&cancelled).contains(r#""transferMessage":null"#));
        assert_eq!(topic(cancelled.step, id), format!("$tidegate/events/certificates/cancelled/{id}"));
    }
}
