use tidegate_registry::IdentityKind;

use crate::{ApiError, call::Call, generated::iam::detach_user_policy::Input};

/// `DetachUserPolicy`: detaches a managed policy from a user. AWS: API_DetachUserPolicy of IAM.
pub(crate) async fn detach_user_policy(call: &Call<'_>, input: Input) -> Result<(), ApiError> {
    let (account, kind) = (call.tenant().account, IdentityKind::User);
    Ok(call.registry().detach_identity_policy(account, kind, &input.user_name, &input.policy_arn).await?)
}
