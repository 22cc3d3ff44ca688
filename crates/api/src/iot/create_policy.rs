use tidegate_ids::Arn;

use super::{authorization::warn_about, convert::tags};
use crate::{
    ApiError,
    call::Call,
    generated::iot::create_policy::{Input, Output},
};

/// `POST /policies/{policyName}`. AWS: API_CreatePolicy.
pub(crate) async fn create_policy(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let tenant = call.tenant();
    let (name, document, tags) = (input.policy_name, input.policy_document, tags(input.tags));
    let created = call.registry().create_policy(tenant, name, document, tags, call.now).await?;
    warn_about(tenant, &created);
    Ok(Output {
        policy_arn: Some(Arn::policy(tenant, &created.name).to_string()),
        policy_name: Some(created.name.to_string()),
        policy_document: Some(created.document),
        policy_version_id: Some(created.version.to_string()),
    })
}
