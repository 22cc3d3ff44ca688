use tidegate_registry::IdentityKind;

use super::convert::attached;
use crate::{
    ApiError,
    call::Call,
    generated::iam::list_attached_user_policies::{Input, Output},
};

/// `ListAttachedUserPolicies`: the managed policies attached to a user. At most a page. AWS: API_ListAttachedUserPolicies of IAM.
pub(crate) async fn list_attached_user_policies(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let found = call.registry().get_identity(call.tenant().account, IdentityKind::User, &input.user_name).await?;
    let attached = attached(&found, input.path_prefix.as_deref());
    Ok(Output { attached_policies: Some(attached), is_truncated: Some(false), marker: None })
}
