use tidegate_registry::IdentityKind;

use super::convert::{marker, page, user};
use crate::{
    ApiError,
    call::Call,
    generated::iam::list_users::{Input, Output},
};

/// `ListUsers`: the users of the account, by name. AWS: API_ListUsers of IAM.
pub(crate) async fn list_users(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let (account, prefix) = (call.tenant().account, input.path_prefix.unwrap_or_default());
    let page = page(input.max_items, input.marker);
    let found = call.registry().list_identities(account, IdentityKind::User, &prefix, page).await.map_err(marker)?;
    let users = found.items.into_iter().map(|record| user(call, record)).collect();
    Ok(Output { users: Some(users), is_truncated: Some(found.next_marker.is_some()), marker: found.next_marker })
}
