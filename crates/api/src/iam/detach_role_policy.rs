use tidegate_registry::IdentityKind;

use crate::{ApiError, call::Call, generated::iam::detach_role_policy::Input};

/// `DetachRolePolicy`: detaches a managed policy from a role. AWS: API_DetachRolePolicy of IAM.
pub(crate) async fn detach_role_policy(call: &Call<'_>, input: Input) -> Result<(), ApiError> {
    let (account, kind) = (call.tenant().account, IdentityKind::Role);
    Ok(call.registry().detach_identity_policy(account, kind, &input.role_name, &input.policy_arn).await?)
}
