use tidegate_registry::IdentityKind;

use crate::{
    ApiError,
    call::Call,
    generated::iam::list_role_policies::{Input, Output},
};

/// `ListRolePolicies`: the names of a role's own policies. At most a page. AWS: API_ListRolePolicies of IAM.
pub(crate) async fn list_role_policies(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let found = call.registry().get_identity(call.tenant().account, IdentityKind::Role, &input.role_name).await?;
    let names = found.inline_policies.keys().map(ToString::to_string).collect();
    Ok(Output { policy_names: Some(names), is_truncated: Some(false), marker: None })
}
