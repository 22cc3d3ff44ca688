use tidegate_ids::Tenant;
use tidegate_policy::{Access, Decision, Explanation, PolicyVerdict, RequestContext};
use tidegate_registry::{Subject, SubjectRights};
use tokio::task::yield_now;

use super::{
    authorization::{optional_principal, policy_names},
    convert::policies,
};
use crate::{
    ApiError,
    call::Call,
    generated::iot::{
        shapes::{ActionType, Allowed, AuthDecision, AuthInfo, AuthResult, Denied, ExplicitDeny, ImplicitDeny, Policy},
        test_authorization::{Input, Output},
    },
};

/// Most resources in all `authInfos` of one request. AWS documents no bound.
const RESOURCES_MAX: usize = 100;

/// `POST /test-authorization?clientId`. AWS: API_TestAuthorization.
pub(crate) async fn test_authorization(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let tenant = call.tenant();
    let pool = input.cognito_identity_pool_id.as_deref();
    let asked: usize = input.auth_infos.iter().filter_map(|info| info.resources.as_ref()).map(Vec::len).sum();
    if asked > RESOURCES_MAX {
        let text = format!("At most {RESOURCES_MAX} resources are tested in one request");
        return Err(ApiError::limit_exceeded(text));
    }
    let principal = optional_principal(tenant, input.principal.as_deref(), pool)?;
    let subject = Subject {
        principal,
        client_id: input.client_id,
        policies_to_add: policy_names("policyNamesToAdd", input.policy_names_to_add)?,
        policies_to_skip: policy_names("policyNamesToSkip", input.policy_names_to_skip)?,
        known: Vec::new(),
    };
    let rights = call.registry().subject_rights(tenant, &subject).await?;
    let context = RequestContext::at(call.now.wall);
    let mut results = Vec::with_capacity(input.auth_infos.len());
    for info in input.auth_infos {
        results.push(test(&rights, tenant, info, &context).await?);
    }
    Ok(Output { auth_results: Some(results) })
}

/// Decides about each resource; the worst decision is the answer. A policy is among those that deny implicitly when it
/// says nothing about one of the resources. A resource that is no ARN of this account is compared as the text that it is.
///
/// Unverified: all three, for AWS documents one resource only.
async fn test(
    rights: &SubjectRights,
    tenant: Tenant,
    info: AuthInfo,
    context: &RequestContext<'_>,
) -> Result<AuthResult, ApiError> {
    let access = match info.action_type {
        Some(ActionType::Connect) => Access::Connect,
        Some(ActionType::Publish) => Access::Publish,
        Some(ActionType::Subscribe) => Access::Subscribe,
        Some(ActionType::Receive) => Access::Receive,
        None => return Err(ApiError::invalid_request("authInfos: each needs an actionType")),
    };
    let resources = info.resources.as_deref().unwrap_or_default();
    if resources.is_empty() {
        return Err(ApiError::invalid_request("authInfos: each needs a resource"));
    }
    let mut explanations: Vec<Explanation> = Vec::with_capacity(resources.len());
    for resource in resources {
        explanations.push(rights.policies.explain(access.action(), resource, &rights.variables, context));
        yield_now().await; // some milliseconds with many policies: others have their turn
    }
    let with = |verdict| with_verdict(rights, tenant, &explanations, verdict);
    let mut missing: Vec<String> = Vec::new();
    for name in explanations.iter().flat_map(|explanation| &explanation.missing) {
        if !missing.contains(name) {
            missing.push(name.clone());
        }
    }
    Ok(AuthResult {
        allowed: Some(Allowed { policies: Some(with(PolicyVerdict::Allows)) }),
        denied: Some(Denied {
            implicit_deny: Some(ImplicitDeny { policies: Some(with(PolicyVerdict::Silent)) }),
            explicit_deny: Some(ExplicitDeny { policies: Some(with(PolicyVerdict::Denies)) }),
        }),
        auth_decision: Some(worst(&explanations)),
        missing_context_values: Some(missing),
        auth_info: Some(info),
    })
}

/// The policies that said this about one of the resources.
fn with_verdict(
    rights: &SubjectRights,
    tenant: Tenant,
    explanations: &[Explanation],
    verdict: PolicyVerdict,
) -> Vec<Policy> {
    let said = |index: usize| explanations.iter().any(|explanation| explanation.verdicts[index] == verdict);
    let all = rights.policies.policies().iter().enumerate();
    policies(tenant, all.filter(|(index, _)| said(*index)).map(|(_, policy)| policy.name.clone()).collect())
}

fn worst(explanations: &[Explanation]) -> AuthDecision {
    let any = |wanted: fn(&Decision) -> bool| explanations.iter().any(|explanation| wanted(&explanation.decision));
    if any(|decision| matches!(decision, Decision::ExplicitDeny(_))) {
        AuthDecision::ExplicitDeny
    } else if any(|decision| matches!(decision, Decision::ImplicitDeny)) {
        AuthDecision::ImplicitDeny
    } else {
        AuthDecision::Allowed
    }
}
