use tidegate_registry::NewRole;

use super::convert::{role, unkept};
use crate::{
    ApiError,
    call::Call,
    generated::iam::create_role::{Input, Output},
};

/// `CreateRole`: makes a role, which may do nothing yet. AWS: API_CreateRole of IAM.
pub(crate) async fn create_role(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    unkept(input.tags.as_ref(), "tags")?;
    unkept(input.permissions_boundary.as_ref(), "permissions boundary")?;
    let new = NewRole {
        name: input.role_name,
        path: input.path,
        trust_policy: input.assume_role_policy_document,
        description: input.description,
        max_session_seconds: input.max_session_duration.and_then(|seconds| u32::try_from(seconds).ok()),
    };
    let made = call.registry().create_role(call.tenant().account, new, call.now).await?;
    Ok(Output { role: Some(role(call, made)) })
}
