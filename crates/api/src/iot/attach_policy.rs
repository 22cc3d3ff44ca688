use tidegate_registry::PolicyTarget;

use crate::{ApiError, call::Call, generated::iot::attach_policy::Input};

/// `PUT /target-policies/{policyName}`. AWS: API_AttachPolicy.
pub(crate) async fn attach_policy(call: &Call<'_>, input: Input) -> Result<(), ApiError> {
    let target = PolicyTarget::parse(call.tenant(), &input.target)?;
    call.registry().attach_policy(call.tenant(), &input.policy_name, target).await?;
    Ok(())
}
