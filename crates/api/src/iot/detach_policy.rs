use tidegate_registry::PolicyTarget;

use crate::{ApiError, call::Call, generated::iot::detach_policy::Input};

/// `POST /target-policies/{policyName}`. AWS: API_DetachPolicy.
pub(crate) async fn detach_policy(call: &Call<'_>, input: Input) -> Result<(), ApiError> {
    let target = PolicyTarget::parse(call.tenant(), &input.target)?;
    call.registry().detach_policy(call.tenant(), &input.policy_name, target).await?;
    Ok(())
}
