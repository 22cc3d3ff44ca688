use tidegate_registry::NewManagedPolicy;

use super::convert::{managed, policy_name, unkept};
use crate::{
    ApiError,
    call::Call,
    generated::iam::create_policy::{Input, Output},
};

/// `CreatePolicy`: makes a managed policy. AWS: API_CreatePolicy of IAM.
pub(crate) async fn create_policy(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    unkept(input.tags.as_ref(), "tags")?;
    let policy = NewManagedPolicy {
        name: policy_name(&input.policy_name)?,
        path: input.path,
        description: input.description,
        document: input.policy_document,
    };
    let made = call.registry().create_managed_policy(call.tenant().account, policy, call.now).await?;
    Ok(Output { policy: Some(managed(made, false)) })
}
