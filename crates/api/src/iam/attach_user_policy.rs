use tidegate_registry::IdentityKind;

use crate::{ApiError, call::Call, generated::iam::attach_user_policy::Input};

/// `AttachUserPolicy`: attaches a managed policy to a user. AWS: API_AttachUserPolicy of IAM.
pub(crate) async fn attach_user_policy(call: &Call<'_>, input: Input) -> Result<(), ApiError> {
    let (account, kind) = (call.tenant().account, IdentityKind::User);
    Ok(call.registry().attach_identity_policy(account, kind, &input.user_name, &input.policy_arn).await?)
}
