use tidegate_ids::Arn;

use crate::{
    ApiError,
    call::Call,
    generated::iot::get_policy::{Input, Output},
};

/// `GET /policies/{policyName}`: with the document in force. AWS: API_GetPolicy.
pub(crate) async fn get_policy(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let (tenant, name) = (call.tenant(), input.policy_name);
    let policy = call.registry().get_policy(tenant, &name).await?;
    Ok(Output {
        policy_arn: Some(Arn::policy(tenant, &name).to_string()),
        policy_name: Some(name.to_string()),
        policy_document: Some(policy.document),
        default_version_id: Some(policy.default_version.to_string()),
        creation_date: Some(policy.created.into()),
        last_modified_date: Some(policy.modified.into()),
        generation_id: Some(policy.generation_id.to_string()),
    })
}
