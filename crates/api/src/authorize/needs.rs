//! What an operation needs: which action on which resources. One row for each served operation.
//!
//! AWS: service authorization reference, "Actions, resources, and condition keys" for AWS IoT, AWS IAM and AWS STS; an
//! operation of which it names no resource type is on `*`.

use serde_json::{Map, Value};
use tidegate_ids::Arn;
use tidegate_policy::keys;
use tidegate_registry::{IdentityKind, SignerKind};

use crate::call::Call;

/// One action on one resource, which must be allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Need {
    /// `iot:TransferCertificate`, …
    pub(crate) action: String,
    /// An ARN, or `*`.
    pub(crate) resource: String,
    /// Further condition keys.
    pub(crate) known: Vec<(&'static str, String)>,
}

/// How an input names a resource.
#[derive(Debug, Clone, Copy)]
enum Named {
    /// A resource of AWS IoT: its kind, and the member that has its id or name.
    Iot(&'static str, &'static str),
    /// A domain configuration, by name.
    DomainConfiguration,
    /// As [`Self::Iot`], each item of a list.
    EachIot(&'static str, &'static str),
    /// `thing/NAME`, or `thing/NAME/SHADOW`.
    Shadow,
    /// The member is its ARN.
    Arn(&'static str),
    /// A user, by name; without one, who signs.
    User,
    /// The user that has this access key. AWS: denials name the key when it is nobody's here.
    UserOfKey,
    /// A role, by name.
    Role,
    /// A managed policy that is to be made.
    NewPolicy,
    /// A log group, and the log stream in it that is named, if one is.
    LogStream,
    /// A text that stands for all of a kind.
    Fixed(&'static str),
}

use Named::{
    Arn as ByArn, DomainConfiguration, EachIot, Fixed, Iot, LogStream, NewPolicy, Role, Shadow, User, UserOfKey,
};

const CERT: Named = Iot("cert", "certificateId");
const CA_CERT: Named = Iot("cacert", "certificateId");
const POLICY: Named = Iot("policy", "policyName");
const THING: Named = Iot("thing", "thingName");
const THING_TYPE: Named = Iot("thingtype", "thingTypeName");
const THING_GROUP: Named = Iot("thinggroup", "thingGroupName");
const AUTHORIZER: Named = Iot("authorizer", "authorizerName");
const TOPIC: Named = Iot("topic", "topic");
const CLIENT: Named = Iot("client", "clientId");
const EVERYTHING: &[Named] = &[];

/// Of `iot` and `iot-data`, whose actions share one prefix.
static IOT: &[(&str, &[Named])] = &[
    ("AcceptCertificateTransfer", &[CERT]),
    ("AddThingToThingGroup", &[THING, ByArn("thingArn"), THING_GROUP, ByArn("thingGroupArn")]),
    ("AttachPolicy", &[ByArn("target")]),
    ("AttachPrincipalPolicy", &[ByArn("principal")]),
    ("AttachThingPrincipal", &[ByArn("principal")]),
    ("CancelCertificateTransfer", &[CERT]),
    ("ClearDefaultAuthorizer", EVERYTHING),
    ("CreateAuthorizer", &[AUTHORIZER]),
    ("CreateCertificateFromCsr", EVERYTHING),
    ("CreateDomainConfiguration", &[DomainConfiguration]),
    ("CreateKeysAndCertificate", EVERYTHING),
    ("CreatePolicy", &[POLICY]),
    ("CreatePolicyVersion", &[POLICY]),
    ("CreateThing", &[THING, Iot("billinggroup", "billingGroupName")]),
    ("CreateThingGroup", &[THING_GROUP]),
    ("CreateThingType", &[THING_TYPE]),
    ("DeleteAuthorizer", &[AUTHORIZER]),
    ("DeleteCACertificate", &[CA_CERT]),
    ("DeleteCertificate", &[CERT]),
    ("DeleteDomainConfiguration", &[DomainConfiguration]),
    ("DeleteConnection", &[CLIENT]),
    ("DeletePolicy", &[POLICY]),
    ("DeletePolicyVersion", &[POLICY]),
    ("DeleteRegistrationCode", EVERYTHING),
    ("DeleteThing", &[THING]),
    ("DeleteThingGroup", &[THING_GROUP]),
    ("DeleteThingShadow", &[Shadow]),
    ("DeleteThingType", &[THING_TYPE]),
    ("DeleteV2LoggingLevel", EVERYTHING),
    ("DeprecateThingType", &[THING_TYPE]),
    ("DescribeAuthorizer", &[AUTHORIZER]),
    ("DescribeCACertificate", &[CA_CERT]),
    ("DescribeCertificate", &[CERT]),
    ("DescribeDefaultAuthorizer", EVERYTHING),
    ("DescribeDomainConfiguration", &[DomainConfiguration]),
    ("DescribeEndpoint", EVERYTHING),
    ("DescribeEventConfigurations", EVERYTHING),
    ("DescribeThing", &[THING]),
    ("DescribeThingGroup", &[THING_GROUP]),
    ("DescribeThingType", &[THING_TYPE]),
    ("DetachPolicy", &[ByArn("target")]),
    ("DetachPrincipalPolicy", &[ByArn("principal")]),
    ("DetachThingPrincipal", &[ByArn("principal")]),
    ("GetConnection", &[CLIENT]),
    ("GetEffectivePolicies", &[ByArn("principal")]),
    ("GetLoggingOptions", EVERYTHING),
    ("GetPolicy", &[POLICY]),
    ("GetPolicyVersion", &[POLICY]),
    ("GetRegistrationCode", EVERYTHING),
    ("GetRetainedMessage", &[TOPIC]),
    ("GetThingShadow", &[Shadow]),
    ("GetV2LoggingOptions", EVERYTHING),
    ("ListAttachedPolicies", EVERYTHING),
    ("ListAuthorizers", EVERYTHING),
    ("ListCACertificates", EVERYTHING),
    ("ListCertificates", EVERYTHING),
    ("ListCertificatesByCA", EVERYTHING),
    ("ListDomainConfigurations", EVERYTHING),
    ("ListNamedShadowsForThing", &[THING]),
    ("ListOutgoingCertificates", EVERYTHING),
    ("ListPolicies", EVERYTHING),
    ("ListPolicyPrincipals", EVERYTHING),
    ("ListPolicyVersions", &[POLICY]),
    ("ListPrincipalPolicies", EVERYTHING),
    ("ListPrincipalThings", &[ByArn("principal")]),
    ("ListPrincipalThingsV2", &[ByArn("principal")]),
    ("ListRetainedMessages", EVERYTHING),
    ("ListSubscriptions", &[CLIENT]),
    ("ListTagsForResource", &[ByArn("resourceArn")]),
    ("ListTargetsForPolicy", &[POLICY]),
    ("ListThingGroups", EVERYTHING),
    ("ListThingGroupsForThing", &[THING]),
    ("ListThingPrincipals", &[THING]),
    ("ListThingPrincipalsV2", &[THING]),
    ("ListThingTypes", EVERYTHING),
    ("ListThings", EVERYTHING),
    ("ListThingsInThingGroup", &[THING_GROUP]),
    ("ListV2LoggingLevels", EVERYTHING),
    ("Publish", &[TOPIC]),
    ("RegisterCACertificate", EVERYTHING),
    ("RegisterCertificate", EVERYTHING),
    ("RegisterCertificateWithoutCA", EVERYTHING),
    ("RejectCertificateTransfer", &[CERT]),
    ("RemoveThingFromThingGroup", &[THING, ByArn("thingArn"), THING_GROUP, ByArn("thingGroupArn")]),
    ("SendDirectMessage", &[CLIENT]),
    ("SetDefaultAuthorizer", &[AUTHORIZER]),
    ("SetDefaultPolicyVersion", &[POLICY]),
    ("SetLoggingOptions", EVERYTHING),
    ("SetV2LoggingLevel", EVERYTHING),
    ("SetV2LoggingOptions", EVERYTHING),
    ("TagResource", &[ByArn("resourceArn")]),
    ("TestAuthorization", &[ByArn("principal")]),
    ("TestInvokeAuthorizer", &[AUTHORIZER]),
    ("TidegateExplain", &[ByArn("principal")]),
    ("TidegateLintPolicy", EVERYTHING),
    ("TransferCertificate", &[CERT]),
    ("UntagResource", &[ByArn("resourceArn")]),
    ("UpdateAuthorizer", &[AUTHORIZER]),
    ("UpdateCACertificate", &[CA_CERT]),
    ("UpdateCertificate", &[CERT]),
    ("UpdateDomainConfiguration", &[DomainConfiguration]),
    ("UpdateEventConfigurations", EVERYTHING),
    ("UpdateThing", &[THING]),
    ("UpdateThingGroup", &[THING_GROUP]),
    (
        "UpdateThingGroupsForThing",
        &[THING, EachIot("thinggroup", "thingGroupsToAdd"), EachIot("thinggroup", "thingGroupsToRemove")],
    ),
    ("UpdateThingShadow", &[Shadow]),
    ("UpdateThingType", &[THING_TYPE]),
];

static IAM: &[(&str, &[Named])] = &[
    ("AttachRolePolicy", &[Role]),
    ("AttachUserPolicy", &[User]),
    ("CreateAccessKey", &[User]),
    ("CreatePolicy", &[NewPolicy]),
    ("CreateRole", &[Role]),
    ("CreateUser", &[User]),
    ("DeleteAccessKey", &[User]),
    ("DeletePolicy", &[ByArn("PolicyArn")]),
    ("DeleteRole", &[Role]),
    ("DeleteRolePolicy", &[Role]),
    ("DeleteUser", &[User]),
    ("DeleteUserPolicy", &[User]),
    ("DetachRolePolicy", &[Role]),
    ("DetachUserPolicy", &[User]),
    ("GetAccessKeyLastUsed", &[UserOfKey]),
    ("GetPolicy", &[ByArn("PolicyArn")]),
    ("GetPolicyVersion", &[ByArn("PolicyArn")]),
    ("GetRole", &[Role]),
    ("GetRolePolicy", &[Role]),
    ("GetUser", &[User]),
    ("GetUserPolicy", &[User]),
    ("ListAccessKeys", &[User]),
    ("ListAttachedRolePolicies", &[Role]),
    ("ListAttachedUserPolicies", &[User]),
    ("ListPolicies", &[Fixed("policy path /")]),
    ("ListRolePolicies", &[Role]),
    ("ListRoles", &[Role]),
    ("ListUserPolicies", &[User]),
    ("ListUsers", &[Fixed("user/")]),
    ("PutRolePolicy", &[Role]),
    ("PutUserPolicy", &[User]),
    ("UpdateAccessKey", &[User]),
];

/// Of `logs`.
///
/// AWS: denials name `log-group:NAME:log-stream:STREAM`, with nothing for what a request does not name.
static LOGS: &[(&str, &[Named])] = &[
    ("DescribeLogGroups", &[LogStream]),
    ("DescribeLogStreams", &[LogStream]),
    ("FilterLogEvents", &[LogStream]),
    ("GetLogEvents", &[LogStream]),
];

/// Of `cloudtrail`.
static CLOUDTRAIL: &[(&str, &[Named])] = &[("LookupEvents", EVERYTHING)];

/// Operations that need no permission, or decide about it themselves. AWS: GetCallerIdentity and GetSessionToken need none.
const FREE: &[(&str, &str)] = &[("sts", "GetCallerIdentity"), ("sts", "GetSessionToken"), ("sts", "AssumeRole")];

/// What this call needs.
///
/// Of a service without a table here, and of an operation that is not served, the action on `*`.
pub(super) fn of(call: &Call<'_>, input: &Map<String, Value>) -> Vec<Need> {
    let (service, operation) = (call.service.name, call.operation.name);
    if FREE.contains(&(service, operation)) {
        return Vec::new();
    }
    let (prefix, table) = table(service);
    let action = format!("{prefix}:{operation}");
    let row = table.iter().find(|(name, _)| *name == operation).map_or(EVERYTHING, |(_, named)| named);
    let mut resources: Vec<String> = row.iter().flat_map(|named| resources(call, *named, input)).collect();
    if resources.is_empty() {
        resources.push("*".to_owned());
    }
    resources.dedup();
    let known = known(call, input);
    let need = |action: &str, resource: String| Need { action: action.to_owned(), resource, known: known.clone() };
    let mut needs: Vec<Need> = resources.iter().map(|resource| need(&action, resource.clone())).collect();
    // AWS: a retained message needs a permission of its own beside.
    if (service, operation) == ("iot-data", "Publish") && input.get("retain").and_then(Value::as_bool) == Some(true) {
        needs.extend(resources.into_iter().map(|resource| need("iot:RetainPublish", resource)));
    }
    needs
}

/// The prefix of a service's actions, and its rows.
fn table(service: &'static str) -> (&'static str, &'static [(&'static str, &'static [Named])]) {
    match service {
        "iot" | "iot-data" => ("iot", IOT),
        "iot-jobs-data" => ("iotjobsdata", &[]),
        "iam" => ("iam", IAM),
        "logs" => ("logs", LOGS),
        "cloudtrail" => ("cloudtrail", CLOUDTRAIL),
        other => (other, &[]),
    }
}

/// The resources that an input names in this way: none when the member is absent, or no text.
fn resources(call: &Call<'_>, named: Named, input: &Map<String, Value>) -> Vec<String> {
    let text = |member: &str| input.get(member).and_then(Value::as_str);
    let iot = |kind: &str, id: &str| Arn::iot(call.tenant(), format!("{kind}/{id}")).to_string();
    let iam = |resource: String| Arn::iam(call.tenant().account, resource).to_string();
    match named {
        Iot(kind, member) => text(member).map(|id| iot(kind, id)).into_iter().collect(),
        DomainConfiguration => {
            let name = text("domainConfigurationName").and_then(|name| name.parse().ok());
            name.map(|name| Arn::domain_configuration(call.tenant(), &name).to_string()).into_iter().collect()
        }
        EachIot(kind, member) => {
            let items = input.get(member).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            items.iter().filter_map(Value::as_str).map(|id| iot(kind, id)).collect()
        }
        Shadow => {
            let thing = text("thingName").map(|thing| match text("shadowName") {
                None => iot("thing", thing),
                Some(shadow) => iot("thing", &format!("{thing}/{shadow}")),
            });
            thing.into_iter().collect()
        }
        ByArn(member) => text(member).map(str::to_owned).into_iter().collect(),
        User => vec![match text("UserName") {
            Some(name) => identity(call, IdentityKind::User, name, text("Path")),
            None => own(call),
        }],
        UserOfKey => {
            let owner =
                text("AccessKeyId").and_then(|id| call.registry().directory().access_key_owner(&id.parse().ok()?));
            vec![match owner.filter(|(account, _)| *account == call.tenant().account) {
                Some((_, Some(name))) => identity(call, IdentityKind::User, &name, None),
                Some((account, None)) => Arn::root(account).to_string(),
                None => format!("access key {}", text("AccessKeyId").unwrap_or_default()),
            }]
        }
        Role => vec![match text("RoleName") {
            Some(name) => identity(call, IdentityKind::Role, name, text("Path")),
            None => iam("role/".to_owned()),
        }],
        NewPolicy => {
            let path = text("Path").unwrap_or("/");
            text("PolicyName").map(|name| iam(format!("policy{path}{name}"))).into_iter().collect()
        }
        LogStream => {
            let name = text("logGroupName").or(text("logGroupIdentifier")).unwrap_or_default();
            let name = name.strip_suffix(":*").unwrap_or(name);
            let stream = format!(":log-stream:{}", text("logStreamName").unwrap_or_default());
            let group = match name.starts_with("arn:") {
                true => name.to_owned(),
                false => crate::logs::group_arn(call.tenant(), name),
            };
            vec![group + &stream]
        }
        Fixed(resource) if resource.ends_with('/') && !resource.contains(' ') => vec![iam(resource.to_owned())],
        Fixed(resource) => vec![resource.to_owned()],
    }
}

/// The ARN of a user or role, with the path that it has or is to get.
fn identity(call: &Call<'_>, kind: IdentityKind, name: &str, path: Option<&str>) -> String {
    let account = call.tenant().account;
    let known = call.registry().directory().identity_named(account, kind, name).and_then(|identity| identity.record());
    match known {
        Some(record) => record.arn(account).to_string(),
        None => Arn::iam(account, format!("{}{}{name}", kind.as_str(), path.unwrap_or("/"))).to_string(),
    }
}

/// Who signs, where they are meant by default: the user itself.
fn own(call: &Call<'_>) -> String {
    let credential = &call.caller.credential;
    match &credential.kind {
        SignerKind::Root | SignerKind::User { .. } => credential.arn().to_string(),
        SignerKind::Role { role_arn, .. } => role_arn.to_string(),
    }
}

/// Condition keys of single operations.
fn known(call: &Call<'_>, input: &Map<String, Value>) -> Vec<(&'static str, String)> {
    match call.operation.name {
        "AttachThingPrincipal" | "DetachThingPrincipal" => {
            let thing = input.get("thingName").and_then(Value::as_str);
            let arn = thing.map(|thing| Arn::iot(call.tenant(), format!("thing/{thing}")).to_string());
            arn.map(|arn| (keys::THING_ARN, arn)).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::generated;

    #[test]
    fn every_served_operation_has_one_row() {
        for (table, served) in [
            (IOT, generated::iot::SERVED),
            (IOT, generated::iot_data::SERVED),
            (IAM, generated::iam::SERVED),
            (LOGS, generated::logs::SERVED),
            (CLOUDTRAIL, generated::cloudtrail::SERVED),
        ] {
            let rows: BTreeSet<&str> = table.iter().map(|(name, _)| *name).collect();
            assert_eq!(rows.len(), table.len(), "a row is there twice");
            for operation in served {
                assert!(rows.contains(operation), "{operation} needs a row that says on which resources it is");
            }
        }
    }

    #[test]
    fn members_that_name_resources_are_the_models_own() {
        for (operations, table) in [(generated::routes::SERVICES, IOT)] {
            for (name, _) in table.iter().filter(|(name, _)| !name.starts_with("Tidegate")) {
                assert!(operations.iter().any(|s| s.named(name).is_some()), "no service has {name}");
            }
        }
    }
}
