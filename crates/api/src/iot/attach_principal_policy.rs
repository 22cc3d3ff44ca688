use tidegate_registry::PolicyTarget;

use crate::{ApiError, call::Call, generated::iot::attach_principal_policy::Input};

/// `PUT /principal-policies/{policyName}`, the principal in `x-amzn-iot-principal`. Deprecated by AWS, and still used.
///
/// AWS: API_AttachPrincipalPolicy.
pub(crate) async fn attach_principal_policy(call: &Call<'_>, input: Input) -> Result<(), ApiError> {
    let target = PolicyTarget::parse(call.tenant(), &input.principal)?;
    call.registry().attach_policy(call.tenant(), &input.policy_name, target).await?;
    Ok(())
}
