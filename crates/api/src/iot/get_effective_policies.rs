use tidegate_ids::Arn;

use super::authorization::optional_principal;
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
    let principal = optional_principal(tenant, input.principal.as_deref(), input.cognito_identity_pool_id.as_deref())?;
    let found = call.registry().get_effective_policies(tenant, principal, input.thing_name.as_ref()).await?;
    let wire = |policy: tidegate_registry::EffectivePolicy| shapes::EffectivePolicy {
        policy_arn: Some(Arn::policy(tenant, &policy.name).to_string()),
        policy_name: Some(policy.name.to_string()),
        policy_document: Some(policy.document),
    };
    Ok(Output { effective_policies: Some(found.into_iter().map(wire).collect()) })
}
