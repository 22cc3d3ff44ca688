use super::convert::version;
use crate::{ApiError, call::Call, generated::iot::delete_policy_version::Input};

/// `DELETE /policies/{policyName}/version/{policyVersionId}`. AWS: API_DeletePolicyVersion.
pub(crate) async fn delete_policy_version(call: &Call<'_>, input: Input) -> Result<(), ApiError> {
    let version = version(&input.policy_version_id)?;
    call.registry().delete_policy_version(call.tenant(), &input.policy_name, version, call.now).await?;
    Ok(())
}
