//! AWS: API_ListTargetsForPolicy, API_ListPolicyPrincipals.

use tidegate_ids::{PolicyName, Tenant};

use super::get_policy::read_policy;
use crate::{Page, PageRequest, PolicyTarget, Registry, RegistryError, page::Listing, tables::TARGETS_OF_POLICY};

impl Registry {
    /// What a policy is attached to, in the order of the targets' ids.
    ///
    /// AWS: ListPolicyPrincipals is the same.
    ///
    /// # Errors
    /// `PolicyNotFound`, `InvalidRequest`, `InvalidMarker`.
    pub async fn list_targets_for_policy(
        &self,
        tenant: Tenant,
        name: &PolicyName,
        page: PageRequest,
    ) -> Result<Page<PolicyTarget>, RegistryError> {
        let read = self.read().await?;
        read_policy(&read, tenant, name).await?;
        let listing = Listing::new(&TARGETS_OF_POLICY, &(tenant, name.clone()), "ListTargetsForPolicy");
        let (rows, next_marker) = listing.page(&read, &page).await?;
        Ok(Page { items: rows.into_iter().map(|(_, _, target)| target).collect(), next_marker })
    }
}
