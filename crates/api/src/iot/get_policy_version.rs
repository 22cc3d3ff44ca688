use tidegate_ids::Arn;

use super::convert::version;
use crate::{
    ApiError,
    call::Call,
    generated::iot::get_policy_version::{Input, Output},
};

/// `GET /policies/{policyName}/version/{policyVersionId}`. AWS: API_GetPolicyVersion.
pub(crate) async fn get_policy_version(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let (tenant, name) = (call.tenant(), input.policy_name);
    let found = call.registry().get_policy_version(tenant, &name, version(&input.policy_version_id)?).await?;
    Ok(Output {
        policy_arn: Some(Arn::policy(tenant, &name).to_string()),
        policy_name: Some(name.to_string()),
        policy_document: Some(found.document),
        policy_version_id: Some(found.version.to_string()),
        is_default_version: Some(found.is_default),
        creation_date: Some(found.created.into()),
        last_modified_date: Some(found.modified.into()),
        generation_id: Some(found.generation_id.to_string()),
    })
}
