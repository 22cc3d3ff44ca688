use crate::{ApiError, call::Call, generated::iot::delete_policy::Input};

/// `DELETE /policies/{policyName}`. AWS: API_DeletePolicy.
pub(crate) async fn delete_policy(call: &Call<'_>, input: Input) -> Result<(), ApiError> {
    call.registry().delete_policy(call.tenant(), &input.policy_name).await?;
    Ok(())
}
