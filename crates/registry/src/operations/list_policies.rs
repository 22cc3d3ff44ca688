//! AWS: API_ListPolicies.

use tidegate_ids::{PolicyName, Tenant};

use crate::{Page, PageRequest, Registry, RegistryError, page::Listing, tables::POLICIES_BY_CREATION};

impl Registry {
    /// The names of the account's policies, in the order of their creation (newest first unless ascending).
    ///
    /// # Errors
    /// `InvalidRequest`, `InvalidMarker`.
    pub async fn list_policies(&self, tenant: Tenant, page: PageRequest) -> Result<Page<PolicyName>, RegistryError> {
        let listing = Listing::new(&POLICIES_BY_CREATION, &tenant, "ListPolicies");
        let (rows, next_marker) = listing.page(&self.read().await?, &page).await?;
        Ok(Page { items: rows.into_iter().map(|(_, _, name)| name).collect(), next_marker })
    }
}
