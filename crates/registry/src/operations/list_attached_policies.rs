//! AWS: API_ListAttachedPolicies, API_ListPrincipalPolicies.

use tidegate_ids::{PolicyName, Tenant};

use super::describe_certificate::read_certificate;
use crate::{Page, PageRequest, PolicyTarget, Registry, RegistryError, page::Listing, tables::POLICIES_OF_TARGET};

impl Registry {
    /// The policies attached to a target, by name.
    ///
    /// AWS: ListPrincipalPolicies is the same, in an order of creation that we do not keep.
    ///
    /// # Errors
    /// `CertificateNotFound`, `InvalidRequest`, `InvalidMarker`.
    pub async fn list_attached_policies(
        &self,
        tenant: Tenant,
        target: PolicyTarget,
        page: PageRequest,
    ) -> Result<Page<PolicyName>, RegistryError> {
        let read = self.read().await?;
        match target {
            PolicyTarget::Certificate(id) => read_certificate(&read, tenant, id).await?,
        };
        let listing = Listing::new(&POLICIES_OF_TARGET, &(tenant, target), "ListAttachedPolicies");
        let (rows, next_marker) = listing.page(&read, &page).await?;
        Ok(Page { items: rows.into_iter().map(|(_, _, name)| name).collect(), next_marker })
    }
}
