use tidegate_registry::IdentityKind;

use super::convert::policy_name;
use crate::{ApiError, call::Call, generated::iam::put_role_policy::Input};

/// `PutRolePolicy`: gives a role a policy of its own. AWS: API_PutRolePolicy of IAM.
pub(crate) async fn put_role_policy(call: &Call<'_>, input: Input) -> Result<(), ApiError> {
    let (account, kind, policy) = (call.tenant().account, IdentityKind::Role, policy_name(&input.policy_name)?);
    Ok(call.registry().put_identity_policy(account, kind, &input.role_name, policy, input.policy_document).await?)
}
