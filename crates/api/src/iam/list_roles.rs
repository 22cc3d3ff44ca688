use tidegate_registry::IdentityKind;

use super::convert::{marker, page, role};
use crate::{
    ApiError,
    call::Call,
    generated::iam::list_roles::{Input, Output},
};

/// `ListRoles`: the roles of the account, by name. AWS: API_ListRoles of IAM.
pub(crate) async fn list_roles(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let (account, prefix) = (call.tenant().account, input.path_prefix.unwrap_or_default());
    let page = page(input.max_items, input.marker);
    let found = call.registry().list_identities(account, IdentityKind::Role, &prefix, page).await.map_err(marker)?;
    let roles = found.items.into_iter().map(|record| role(call, record)).collect();
    Ok(Output { roles: Some(roles), is_truncated: Some(found.next_marker.is_some()), marker: found.next_marker })
}
