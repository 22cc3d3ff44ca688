use tidegate_registry::IdentityKind;

use super::convert::policy_name;
use crate::{ApiError, call::Call, generated::iam::put_user_policy::Input};

/// `PutUserPolicy`: gives a user a policy of its own. AWS: API_PutUserPolicy of IAM.
pub(crate) async fn put_user_policy(call: &Call<'_>, input: Input) -> Result<(), ApiError> {
    let (account, kind, policy) = (call.tenant().account, IdentityKind::User, policy_name(&input.policy_name)?);
    Ok(call.registry().put_identity_policy(account, kind, &input.user_name, policy, input.policy_document).await?)
}
