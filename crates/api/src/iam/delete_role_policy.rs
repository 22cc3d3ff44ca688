use tidegate_registry::IdentityKind;

use super::convert::policy_name;
use crate::{ApiError, call::Call, generated::iam::delete_role_policy::Input};

/// `DeleteRolePolicy`: takes a policy of its own from a role. AWS: API_DeleteRolePolicy of IAM.
pub(crate) async fn delete_role_policy(call: &Call<'_>, input: Input) -> Result<(), ApiError> {
    let (account, kind, policy) = (call.tenant().account, IdentityKind::Role, policy_name(&input.policy_name)?);
    Ok(call.registry().delete_identity_policy(account, kind, &input.role_name, &policy).await?)
}
