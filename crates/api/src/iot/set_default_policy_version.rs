use super::convert::version;
use crate::{ApiError, call::Call, generated::iot::set_default_policy_version::Input};

/// `PATCH /policies/{policyName}/version/{policyVersionId}`. AWS: API_SetDefaultPolicyVersion.
pub(crate) async fn set_default_policy_version(call: &Call<'_>, input: Input) -> Result<(), ApiError> {
    let version = version(&input.policy_version_id)?;
    call.registry().set_default_policy_version(call.tenant(), &input.policy_name, version, call.now).await?;
    Ok(())
}
