use tidegate_registry::IdentityKind;

use super::convert::policy_name;
use crate::{ApiError, call::Call, generated::iam::delete_user_policy::Input};

/// `DeleteUserPolicy`: takes a policy of its own from a user. AWS: API_DeleteUserPolicy of IAM.
pub(crate) async fn delete_user_policy(call: &Call<'_>, input: Input) -> Result<(), ApiError> {
    let (account, kind, policy) = (call.tenant().account, IdentityKind::User, policy_name(&input.policy_name)?);
    Ok(call.registry().delete_identity_policy(account, kind, &input.user_name, &policy).await?)
}
