use tidegate_registry::PolicyTarget;

use crate::{ApiError, call::Call, generated::iot::detach_principal_policy::Input};

/// `DELETE /principal-policies/{policyName}`, the principal in `x-amzn-iot-principal`. AWS: API_DetachPrincipalPolicy.
pub(crate) async fn detach_principal_policy(call: &Call<'_>, input: Input) -> Result<(), ApiError> {
    let target = PolicyTarget::parse(call.tenant(), &input.principal)?;
    call.registry().detach_principal_policy(call.tenant(), &input.policy_name, target).await?;
    Ok(())
}
