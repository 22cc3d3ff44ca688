use tidegate_registry::IdentityKind;

use crate::{ApiError, call::Call, generated::iam::attach_role_policy::Input};

/// `AttachRolePolicy`: attaches a managed policy to a role. AWS: API_AttachRolePolicy of IAM.
pub(crate) async fn attach_role_policy(call: &Call<'_>, input: Input) -> Result<(), ApiError> {
    let (account, kind) = (call.tenant().account, IdentityKind::Role);
    Ok(call.registry().attach_identity_policy(account, kind, &input.role_name, &input.policy_arn).await?)
}
