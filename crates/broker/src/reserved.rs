//! Topics that belong to services: what clients may publish to them and subscribe to. Pure tables.
//!
//! AWS: developer guide, "Reserved topics". Topics under `$aws/`, and our own under `$tidegate/`, are protected in every profile, because what is
//! published there is believed; other `$…` topics are a matter of the profile.

use tidegate_mqtt::topic;

use crate::Profile;

/// What a client's PUBLISH to a topic name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publish {
    /// A message for subscribers.
    Ordinary,
    /// A request to a service. It is accepted and acknowledged; subscribers never see it.
    Request,
    /// Not for clients.
    Refused,
}

/// Requests that clients publish. Their topics are not subscribed to.
const REQUESTS: &[&str] = &[
    "$aws/certificates/create/+",
    "$aws/certificates/create-from-csr/+",
    "$aws/provisioning-templates/+/provision/+",
    "$aws/things/+/shadow/get",
    "$aws/things/+/shadow/update",
    "$aws/things/+/shadow/delete",
    "$aws/things/+/shadow/name/+/get",
    "$aws/things/+/shadow/name/+/update",
    "$aws/things/+/shadow/name/+/delete",
    "$aws/things/+/jobs/#",
    "$aws/things/+/defender/metrics/+",
    "$aws/things/+/streams/#",
    "$aws/rules/#",
];

/// What services publish and clients may subscribe to.
const ANSWERS: &[&str] = &[
    "$aws/events/#",
    "$aws/certificates/create/+/accepted",
    "$aws/certificates/create/+/rejected",
    "$aws/certificates/create-from-csr/+/accepted",
    "$aws/certificates/create-from-csr/+/rejected",
    "$aws/provisioning-templates/+/provision/+/accepted",
    "$aws/provisioning-templates/+/provision/+/rejected",
    "$aws/things/+/shadow/+/accepted",
    "$aws/things/+/shadow/+/rejected",
    "$aws/things/+/shadow/update/delta",
    "$aws/things/+/shadow/update/documents",
    "$aws/things/+/shadow/name/+/+/accepted",
    "$aws/things/+/shadow/name/+/+/rejected",
    "$aws/things/+/shadow/name/+/update/delta",
    "$aws/things/+/shadow/name/+/update/documents",
    "$aws/things/+/jobs/#",
    "$aws/things/+/defender/metrics/+/+",
    "$aws/things/+/streams/#",
    // Ours, not AWS's: who is offered a certificate.
    "$tidegate/events/#",
];

/// What a client's PUBLISH to `topic_name`, a valid name, is.
pub fn publish(topic_name: &str, profile: &Profile) -> Publish {
    match first_level(topic_name) {
        Some("$aws") if REQUESTS.iter().any(|pattern| topic::matches_below(pattern, topic_name)) => Publish::Request,
        Some("$aws" | "$SYS" | "$share" | "$tidegate") => Publish::Refused,
        Some(_) if !profile.unreserved_dollar_topics => Publish::Refused,
        Some(_) | None => Publish::Ordinary,
    }
}

/// Whether a client may subscribe with `topic_filter`, a valid filter without its `$share/…/`: whether it can match
/// anything that a service publishes, or is no `$…` filter at all.
pub fn may_subscribe(topic_filter: &str, profile: &Profile) -> bool {
    match first_level(topic_filter) {
        Some("$aws" | "$tidegate") => ANSWERS.iter().any(|pattern| overlap(pattern, topic_filter)),
        Some(_) => profile.unreserved_dollar_topics,
        None => true,
    }
}

/// The first level of a `$…` topic.
fn first_level(topic: &str) -> Option<&str> {
    topic.starts_with('$').then(|| topic.split('/').next().expect("a split has a first part"))
}

/// Whether some topic name matches both filters.
fn overlap(a: &str, b: &str) -> bool {
    let (mut a, mut b) = (topic::levels(a), topic::levels(b));
    loop {
        match (a.next(), b.next()) {
            (Some("#"), _) | (_, Some("#")) | (None, None) => return true,
            (Some(a), Some(b)) if a == b || a == "+" || b == "+" => {}
            (Some(_), Some(_)) | (None, Some(_)) | (Some(_), None) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_publish_requests_and_ordinary_topics() {
        use Publish::*;
        let (standard, aws) = (Profile::standard(), Profile::aws());
        for (topic_name, in_standard, in_aws) in [
            ("a/b", Ordinary, Ordinary),
            ("a/$b", Ordinary, Ordinary),
            ("$aws/events/presence/connected/x", Refused, Refused),
            ("$aws/events/certificates/registered/ca", Refused, Refused),
            ("$aws", Refused, Refused),
            ("$aws/things/t/shadow/update", Request, Request),
            ("$aws/things/t/shadow/update/accepted", Refused, Refused),
            ("$aws/things/t/shadow/name/n/get", Request, Request),
            ("$aws/things/t/jobs/start-next", Request, Request),
            ("$aws/rules/r", Request, Request),
            ("$aws/rules/r/any/thing", Request, Request),
            ("$aws/rules", Refused, Refused),
            ("$aws/certificates/create/json", Request, Request),
            ("$SYS/broker/version", Refused, Refused),
            ("$share/g/a", Refused, Refused),
            ("$tidegate/events/certificates/offered/id", Refused, Refused),
            ("$mine/a", Ordinary, Refused),
        ] {
            assert_eq!(publish(topic_name, &standard), in_standard, "{topic_name}");
            assert_eq!(publish(topic_name, &aws), in_aws, "{topic_name}");
        }
    }

    #[test]
    fn clients_subscribe_to_answers_and_ordinary_topics() {
        let (standard, aws) = (Profile::standard(), Profile::aws());
        for (topic_filter, in_standard, in_aws) in [
            ("#", true, true),
            ("+/events/#", true, true),
            ("$aws/events/presence/connected/+", true, true),
            ("$aws/events/certificates/registered/ca", true, true),
            ("$aws/events/#", true, true),
            ("$aws/#", true, true),
            ("$aws/things/t/shadow/update/accepted", true, true),
            ("$aws/things/+/shadow/#", true, true),
            ("$aws/things/t/shadow/update", false, false),
            ("$aws/rules/r", false, false),
            ("$aws/nothing/here", false, false),
            ("$aws/things/t/shadow/name/n/update/delta", true, true),
            ("$SYS/#", true, false),
            ("$tidegate/events/certificates/+/+", true, true),
            ("$tidegate/nothing", false, false),
            ("$mine/a", true, false),
        ] {
            assert_eq!(may_subscribe(topic_filter, &standard), in_standard, "{topic_filter}");
            assert_eq!(may_subscribe(topic_filter, &aws), in_aws, "{topic_filter}");
        }
    }
}
