use crate::{ApiError, call::Call, generated::iam::delete_policy::Input};

/// `DeletePolicy`: deletes a managed policy that is attached to nothing. AWS: API_DeletePolicy of IAM.
pub(crate) async fn delete_policy(call: &Call<'_>, input: Input) -> Result<(), ApiError> {
    Ok(call.registry().delete_managed_policy(call.tenant().account, &input.policy_arn).await?)
}
