//! Why a device may or may not do something: the engine's decision, and each statement's part in it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tidegate_ids::{Arn, PolicyName, Tenant, Timestamp};
use tidegate_policy::{
    Access, Decision, Effect, Explanation, Outcome, PolicySet, PolicyVerdict, Rendered, RequestContext,
    StatementFinding, WhyUnresolved,
};
use tidegate_registry::{POLICIES_PER_TARGET_MAX, PolicyTarget, Registry, RegistryError, Subject, SubjectRights};

use super::lint_policy::warnings;
use crate::{
    ApiError,
    call::Call,
    constraint::{List, Member, Shape, TEXT, Text, body},
};

static NAMES: Shape = Shape::List(List::of(&TEXT).length(0, POLICIES_PER_TARGET_MAX as u64));
static RESOURCE: Shape = Shape::Text(Text::ANY.length(1, 2048));
static VALUES: Shape = Shape::List(List::of(&TEXT).length(1, 10));
static CONTEXT: Shape = Shape::Map { key: &TEXT, value: &VALUES };
static INPUT: &[Member] = &[
    body("principal", &TEXT),
    body("clientId", &TEXT),
    body("action", &TEXT).required(),
    body("resource", &RESOURCE),
    body("policyNamesToAdd", &NAMES),
    body("policyNamesToSkip", &NAMES),
    body("context", &CONTEXT),
];

/// Most condition keys that a question gives values for.
const CONTEXT_KEYS_MAX: usize = 50;

/// What is asked. In JSON as `POST /tidegate/explain` takes it; see `docs/policies.md`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    /// ARN of the certificate that connects; without one, only `policyNamesToAdd` decide.
    pub principal: Option<String>,
    /// The client id it connects with.
    pub client_id: Option<String>,
    /// `iot:Publish`, or short: `publish`.
    pub action: String,
    /// An ARN, or the bare client id, topic name or topic filter. For `connect`, the client id when absent.
    pub resource: Option<String>,
    /// Policies that are treated as attached.
    #[serde(default)]
    pub policy_names_to_add: Option<Vec<String>>,
    /// Policies that are treated as not attached.
    #[serde(default)]
    pub policy_names_to_skip: Option<Vec<String>>,
    /// What else is known, by variable or condition key.
    #[serde(default)]
    pub context: Option<Map<String, Value>>,
}

/// `POST /tidegate/explain`
pub(super) async fn tidegate_explain(call: &Call<'_>) -> Result<Value, ApiError> {
    let question: Question = call.input(INPUT).await?;
    Ok(explain(call.registry(), call.tenant(), &question, call.now.wall).await?)
}

/// The answer as JSON: the decision, the statements that made it, those that came near, and what was missing.
///
/// It names attributes of certificates, client ids and topics; never a secret.
///
/// # Errors
/// `InvalidRequest` for a question that cannot be understood, `CertificateNotFound`, `PolicyNotFound`.
pub async fn explain(
    registry: &Registry,
    tenant: Tenant,
    question: &Question,
    now: Timestamp,
) -> Result<Value, RegistryError> {
    let action = action(&question.action);
    let resource = resource(tenant, &action, question)?;
    let rights = registry.subject_rights(tenant, &subject(tenant, question)?).await?;
    let explanation = rights.policies.explain(&action, &resource, &rights.variables, &RequestContext::at(now));
    Ok(answer(tenant, &action, &resource, &rights, &explanation))
}

/// `publish`, `retain-publish` and the like are short for actions of `iot`.
fn action(asked: &str) -> String {
    let short = asked.replace(['-', '_'], "");
    let known = Access::ALL.into_iter().map(Access::action);
    let full = known.into_iter().find(|name| name["iot:".len()..].eq_ignore_ascii_case(&short));
    full.map_or_else(|| asked.to_owned(), str::to_owned)
}

fn resource(tenant: Tenant, action: &str, question: &Question) -> Result<String, RegistryError> {
    let invalid = |why: &str| Err(RegistryError::InvalidRequest(why.into()));
    let access = Access::named(action);
    let bare = match (&question.resource, access, &question.client_id) {
        (Some(text), _, _) if text.starts_with("arn:") => return Ok(text.clone()),
        (Some(text), Some(_), _) => text,
        (None, Some(Access::Connect), Some(client_id)) => client_id,
        (None, Some(Access::Connect), None) => return invalid("resource: name the client id"),
        (None, Some(_), _) => return invalid("resource: name a topic, a topic filter or an ARN"),
        (_, None, _) => {
            return invalid("resource: this action needs an ARN, such as arn:aws:iot:REGION:ACCOUNT:thing/NAME");
        }
    };
    let kind = access.map_or("", Access::resource_type);
    Ok(Arn::iot(tenant, format!("{kind}/{bare}")).to_string())
}

fn subject(tenant: Tenant, question: &Question) -> Result<Subject, RegistryError> {
    let names = |member: &str, names: &Option<Vec<String>>| -> Result<Vec<PolicyName>, RegistryError> {
        let parse = |name: &String| {
            name.parse().map_err(|error| RegistryError::InvalidRequest(format!("{member}: {name:?}: {error}")))
        };
        names.iter().flatten().map(parse).collect()
    };
    let principal = question.principal.as_deref().map(|text| PolicyTarget::parse(tenant, text)).transpose()?;
    let context = question.context.iter().flatten();
    let known: Vec<(String, Vec<String>)> = context.map(|(key, values)| (key.clone(), texts(values))).collect();
    if known.len() > CONTEXT_KEYS_MAX {
        return Err(RegistryError::InvalidRequest(format!("context: at most {CONTEXT_KEYS_MAX} keys")));
    }
    Ok(Subject {
        principal,
        client_id: question.client_id.clone(),
        policies_to_add: names("policyNamesToAdd", &question.policy_names_to_add)?,
        policies_to_skip: names("policyNamesToSkip", &question.policy_names_to_skip)?,
        known,
    })
}

fn texts(values: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    values.as_array().map_or_else(|| vec![text(values)], |list| list.iter().map(text).collect())
}

fn answer(tenant: Tenant, action: &str, resource: &str, rights: &SubjectRights, explanation: &Explanation) -> Value {
    let set = &rights.policies;
    let decision = match explanation.decision {
        Decision::Allowed(_) => "ALLOWED",
        Decision::ExplicitDeny(_) => "EXPLICIT_DENY",
        Decision::ImplicitDeny => "IMPLICIT_DENY",
    };
    let deciding: Vec<Value> = explanation.deciding().map(|found| statement(set, found)).collect();
    let near = explanation.statements.iter().filter(|s| s.effect == Effect::Allow && s.outcome != Outcome::Applies);
    let near: Vec<Value> = match explanation.decision {
        Decision::ImplicitDeny => near.map(|found| statement(set, found)).collect(),
        Decision::Allowed(_) | Decision::ExplicitDeny(_) => Vec::new(),
    };
    let policies = set.policies().iter().zip(&explanation.verdicts).map(|(policy, verdict)| {
        json!({
            "policyName": policy.name.as_str(), "policyVersionId": policy.version.to_string(), "verdict": verdict_name(*verdict),
            "warnings": warnings(&policy.document.lint(Some(tenant))),
        })
    });
    json!({
        "decision": decision, "action": action, "resource": resource,
        "certificateStatus": rights.status.map(|status| status.to_string()),
        "decidedBy": deciding, "cameNear": near, "policies": policies.collect::<Vec<_>>(),
        "missingContextValues": explanation.missing,
    })
}

fn verdict_name(verdict: PolicyVerdict) -> &'static str {
    match verdict {
        PolicyVerdict::Allows => "ALLOWS",
        PolicyVerdict::Denies => "DENIES",
        PolicyVerdict::Silent => "SILENT",
    }
}

/// A statement: where it is, how far it came, and its texts with their variables replaced.
fn statement(set: &PolicySet, found: &StatementFinding) -> Value {
    let policy = set.policy(found.origin);
    let conditions = found.conditions.iter().map(|condition| {
        json!({
            "operator": condition.operator, "key": condition.key, "holds": condition.holds, "found": condition.found,
            "values": condition.values.iter().map(rendered).collect::<Vec<_>>(),
        })
    });
    let resource = if found.not_resource { "notResource" } else { "resource" };
    json!({
        "policyName": policy.name.as_str(), "policyVersionId": policy.version.to_string(),
        "statement": found.origin.statement, "sid": found.sid,
        "effect": match found.effect { Effect::Allow => "Allow", Effect::Deny => "Deny" },
        "outcome": match found.outcome {
            Outcome::Applies => "APPLIES",
            Outcome::ResourceDiffers => "RESOURCE_DIFFERS",
            Outcome::ConditionFails => "CONDITION_FAILS",
        },
        (resource): found.resources.iter().map(rendered).collect::<Vec<_>>(),
        "condition": conditions.collect::<Vec<_>>(),
    })
}

fn rendered(text: &Rendered) -> Value {
    let unresolved = text.unresolved.iter().map(|one| {
        let why = match one.why {
            WhyUnresolved::Missing => "MISSING",
            WhyUnresolved::Withheld => "WITHHELD",
        };
        json!({ "variable": one.name, "why": why })
    });
    json!({ "text": text.text, "unresolved": unresolved.collect::<Vec<_>>() })
}
