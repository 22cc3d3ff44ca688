use tidegate_registry::PolicyScope;

use super::convert::{managed, marker, page};
use crate::generated::iam::shapes::PolicyScopeType;
use crate::{
    ApiError,
    call::Call,
    generated::iam::list_policies::{Input, Output},
};

/// `ListPolicies`: managed policies, by name. AWS: API_ListPolicies of IAM.
pub(crate) async fn list_policies(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let (account, prefix) = (call.tenant().account, input.path_prefix.unwrap_or_default());
    let scope = match input.scope {
        Some(PolicyScopeType::Local) => PolicyScope::Local,
        Some(PolicyScopeType::Aws) => PolicyScope::Aws,
        Some(PolicyScopeType::All) | None => PolicyScope::All,
    };
    let page = page(input.max_items, input.marker);
    let found = call.registry().list_managed_policies(account, scope, &prefix, page).await.map_err(marker)?;
    let only_attached = input.only_attached.unwrap_or(false);
    let policies = found.items.into_iter().filter(|policy| !only_attached || policy.attachments > 0);
    let policies = policies.map(|policy| managed(policy, false)).collect();
    Ok(Output { policies: Some(policies), is_truncated: Some(found.next_marker.is_some()), marker: found.next_marker })
}
