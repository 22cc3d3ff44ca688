use tidegate_ids::Arn;

use super::authorization::warn_about;
use crate::{
    ApiError,
    call::Call,
    generated::iot::create_policy_version::{Input, Output},
};

/// `POST /policies/{policyName}/version?setAsDefault`. AWS: API_CreatePolicyVersion.
pub(crate) async fn create_policy_version(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let tenant = call.tenant();
    let (name, document, default) = (input.policy_name, input.policy_document, input.set_as_default.unwrap_or(false));
    let created = call.registry().create_policy_version(tenant, name, document, default, call.now).await?;
    warn_about(tenant, &created);
    Ok(Output {
        policy_arn: Some(Arn::policy(tenant, &created.name).to_string()),
        policy_document: Some(created.document),
        policy_version_id: Some(created.version.to_string()),
        is_default_version: Some(created.is_default),
    })
}
