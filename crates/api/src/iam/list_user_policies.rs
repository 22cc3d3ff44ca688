use tidegate_registry::IdentityKind;

use crate::{
    ApiError,
    call::Call,
    generated::iam::list_user_policies::{Input, Output},
};

/// `ListUserPolicies`: the names of a user's own policies. At most a page. AWS: API_ListUserPolicies of IAM.
pub(crate) async fn list_user_policies(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let found = call.registry().get_identity(call.tenant().account, IdentityKind::User, &input.user_name).await?;
    let names = found.inline_policies.keys().map(ToString::to_string).collect();
    Ok(Output { policy_names: Some(names), is_truncated: Some(false), marker: None })
}
