//! The log entries of what clients do once they are connected.
//!
//! AWS: developer guide, "CloudWatch AWS IoT log entries", MQTT entries.

use std::sync::Arc;

use serde_json::json;
use tidegate_broker::{Denied, Narrated, Traffic};
use tidegate_ids::Timestamp;
use tidegate_logs::{Case, Entry, LogBook, LogLevel, Status};
use tidegate_mqtt::{QoS, ReasonCode};
use uuid::Uuid;

use crate::{evidence, remedy};

/// Writes what was told into the book.
pub(crate) fn write(book: &LogBook, narrated: Narrated, at: Timestamp) {
    let Narrated { tenant, client_id, trace, what, denied } = narrated;
    if denied.is_none() && !book.is_kept_for(tenant) {
        return; // another account wants such entries, and this one none
    }
    let status = if denied.is_some() { Status::Failure } else { Status::Success };
    let trace_id = trace.as_ref().map_or(0, |trace| trace.trace_id);
    let mut entry = Entry::new(event_type(&what), status, trace_id, at).of(Some(tenant));
    entry.protocol = Some("MQTT");
    entry.client_id = Some(String::from(&*client_id));
    let mut certificate_id = None;
    if let Some(trace) = &trace {
        certificate_id = trace.principal.certificate_id();
        entry.principal_id = Some(trace.principal.to_string());
        entry.source_ip = Some(trace.peer_address.ip().to_string());
        entry = entry.with("sourcePort", Some(trace.peer_address.port()));
    }
    if matches!(what, Traffic::Ping) {
        entry.level = LogLevel::Debug;
    }
    entry = members(entry, what);
    let Some(denied) = denied else { return book.write(&entry, None) };
    let Denied { action, topic, statement } = &denied;
    let details = match statement {
        Some(statement) => format!("{} denies {action} on {topic}", statement.place),
        None => format!("no policy allows {action} on {topic}"),
    };
    entry = entry.with("reason", Some("AUTHORIZATION_FAILURE")).with("details", Some(details));
    let mut case = Case::default();
    let name = evidence::policy_name(Uuid::from_u128(trace_id));
    let name = format!("{name}-{}", &Uuid::from_u128(topic_digest(&denied)).simple().to_string()[..6]);
    remedy::of_denied(&mut case, (tenant, certificate_id), &denied, &client_id, &name);
    book.write(&entry, Some(&case));
}

fn event_type(what: &Traffic) -> &'static str {
    match what {
        Traffic::PublishIn { .. } => "Publish-In",
        Traffic::PublishOut { .. } => "Publish-Out",
        Traffic::Queued { .. } => "Queued",
        Traffic::Subscribe(_) => "Subscribe",
        Traffic::Unsubscribe(_) => "Unsubscribe",
        Traffic::Ping => "Ping",
    }
}

fn members(entry: Entry, what: Traffic) -> Entry {
    match what {
        Traffic::PublishIn { topic_name, qos, retain } => {
            let entry = entry.with("topicName", Some(topic_name)).with("qos", Some(number(qos)));
            // AWS writes it as a text, and only when it is set.
            entry.with("retain", retain.then_some("True"))
        }
        Traffic::PublishOut { topic_name, qos } | Traffic::Queued { topic_name, qos } => {
            entry.with("topicName", Some(topic_name)).with("qos", Some(number(qos)))
        }
        Traffic::Subscribe(filters) | Traffic::Unsubscribe(filters) => {
            let first = filters.first().map(|(filter, _)| filter.to_string());
            let row =
                |(filter, code): &(Arc<str>, ReasonCode)| json!({"topicName": **filter, "reasonCode": code.byte()});
            let rows: Vec<_> = filters.iter().map(row).collect();
            let entry = entry.with("topicName", first.filter(|_| rows.len() == 1));
            entry.with("subscriptions", Some(rows))
        }
        Traffic::Ping => entry,
    }
}

fn number(qos: QoS) -> u8 {
    qos as u8
}

/// Tells the policies that one connection's refusals would make apart. FNV-1a; nothing rests on it.
fn topic_digest(denied: &Denied) -> u128 {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let bytes = denied.action.bytes().chain(denied.topic.bytes());
    bytes.fold(OFFSET, |digest, byte| (digest ^ u128::from(byte)).wrapping_mul(PRIME))
}
