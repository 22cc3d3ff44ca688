use tidegate_ids::Arn;

use super::authorization::principal;
use crate::{
    ApiError,
    call::Call,
    generated::iot::{
        get_effective_policies::{Input, Output},
        shapes,
    },
};

/// `POST /effective-policies?thingName`. AWS: API_GetEffectivePolicies.
pub(crate) async fn get_effective_policies(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let tenant = call.tenant();
    if let Some(name) = input.thing_name {
        return Err(ApiError::not_found(format!("Thing {name} was not found")));
    }
    let Some(text) = input.principal else {
        return Err(ApiError::invalid_request("Name a principal: the ARN of a certificate"));
    };
    let principal = principal(tenant, &text, input.cognito_identity_pool_id.as_deref())?;
    let found = call.registry().get_effective_policies(tenant, principal).await?;
    let wire = |policy: tidegate_registry::EffectivePolicy| shapes::EffectivePolicy {
        policy_arn: Some(Arn::policy(tenant, &policy.name).to_string()),
        policy_name: Some(policy.name.to_string()),
        policy_document: Some(policy.document),
    };
    Ok(Output { effective_policies: Some(found.into_iter().map(wire).collect()) })
}
