//! Names that policies for devices may use.

use crate::{CertificateAttribute, keys};

/// Actions of AWS IoT that a device's policy can speak of. AWS: developer guide, "AWS IoT Core policy actions"; service
/// authorization reference, the actions of `iot` on connections, topics, shadows, jobs, commands.
const ACTIONS: &[&str] = &[
    "iot:AssumeRoleWithCertificate",
    "iot:Connect",
    "iot:DeleteConnection",
    "iot:DeleteThingShadow",
    "iot:DescribeJobExecution",
    "iot:GetCommandExecution",
    "iot:GetConnection",
    "iot:GetPendingJobExecutions",
    "iot:GetRetainedMessage",
    "iot:GetThingShadow",
    "iot:ListNamedShadowsForThing",
    "iot:ListRetainedMessages",
    "iot:ListSubscriptions",
    "iot:Publish",
    "iot:Receive",
    "iot:RetainPublish",
    "iot:SendDirectMessage",
    "iot:StartNextPendingJobExecution",
    "iot:Subscribe",
    "iot:UpdateCommandExecution",
    "iot:UpdateJobExecution",
    "iot:UpdateThingShadow",
];

/// Variables that are at the same time condition keys.
const BASIC: &[&str] = &[
    keys::CLIENT_ID,
    keys::CERTIFICATE_ID,
    keys::SOURCE_IP,
    keys::SERIAL_NUMBER,
    keys::AVAILABLE_KEYS,
    keys::DOMAIN_NAME,
    keys::THING_NAME,
    keys::THING_TYPE_NAME,
    keys::THING_IS_ATTACHED,
    "iot:Thing.ThingName",
    "iot:Thing.ThingTypeName",
    "iot:Thing.IsAttached",
    // Of all services. AWS: IAM user guide, "AWS global condition context keys".
    "aws:userid",
    "aws:PrincipalTag",
];

/// Condition keys that are no variables.
const KEYS_ONLY: &[&str] = &[
    keys::CURRENT_TIME,
    keys::EPOCH_TIME,
    keys::CONNECT_ATTRIBUTES,
    keys::LAST_WILL_TOPIC,
    "iot:IncludeSocketInformation",
];

const THING_ATTRIBUTES: &[&str] = &["iot:Connection.Thing.Attributes[", "iot:Thing.Attributes["];

/// Whether an action of this name, or one that the pattern matches, exists.
pub(super) fn is_action(pattern: &str) -> bool {
    let pattern = pattern.to_ascii_lowercase();
    ACTIONS.iter().any(|action| crate::wildcard_match(&pattern, &action.to_ascii_lowercase()))
}

/// Whether `${name}` can have a value on some connection.
pub(super) fn is_variable(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    if BASIC.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
        return true;
    }
    if THING_ATTRIBUTES.iter().any(|known| name.starts_with(&known.to_ascii_lowercase()) && name.ends_with(']')) {
        return true;
    }
    let Some(rest) = name.strip_prefix("iot:certificate.") else { return false };
    let Some(rest) = rest.strip_prefix("subject.").or_else(|| rest.strip_prefix("issuer.")) else { return false };
    let attribute = |text: &str| CertificateAttribute::ALL.iter().any(|known| known.name().eq_ignore_ascii_case(text));
    let item = |suffix: &str| suffix == "list" || suffix.bytes().all(|b| b.is_ascii_digit());
    attribute(rest) || rest.rsplit_once('.').is_some_and(|(base, suffix)| attribute(base) && item(suffix))
}

/// Whether the condition key `name` can have a value in some request.
pub(super) fn is_condition_key(name: &str) -> bool {
    is_variable(name) || KEYS_ONLY.iter().any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_in_any_case_and_with_their_suffixes() {
        for (name, variable, key) in [
            ("iot:ClientId", true, true),
            ("IOT:clientid", true, true),
            ("iot:Client", false, false),
            ("iot:Certificate.Subject.CommonName", true, true),
            ("iot:Certificate.Subject.CommonName.1", true, true),
            ("iot:Certificate.Issuer.AlternativeName.DNSName.List", true, true),
            ("iot:Certificate.Subject.CommonName.x", false, false),
            ("iot:Certificate.Subject", false, false),
            ("iot:Certificate.SerialNumber", true, true),
            ("iot:Connection.Thing.Attributes[floor]", true, true),
            ("iot:Connection.Thing.Attributes", false, false),
            ("aws:CurrentTime", false, true),
            ("iot:ConnectAttributes", false, true),
        ] {
            assert_eq!((is_variable(name), is_condition_key(name)), (variable, key), "{name}");
        }
        for (pattern, known) in
            [("iot:*", true), ("*", true), ("IOT:connect", true), ("iot: *", false), ("iot:Conect", false)]
        {
            assert_eq!(is_action(pattern), known, "{pattern}");
        }
    }
}
