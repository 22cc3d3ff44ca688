//! AWS: API_ListAuthorizers.

use tidegate_ids::{AuthorizerName, Tenant};

use crate::{AuthorizerStatus, Page, PageRequest, Registry, RegistryError, page::Listing, tables::AUTHORIZERS};

impl Registry {
    /// The names of the account's authorizers in the order of the alphabet, backwards unless ascending; only those with
    /// `status`, if that is given. There are at most [`crate::AUTHORIZERS_MAX`], so each page reads them all.
    ///
    /// AWS: `ascendingOrder`: "in ascending alphabetical order".
    ///
    /// # Errors
    /// `InvalidRequest`, `InvalidMarker`.
    pub async fn list_authorizers(
        &self,
        tenant: Tenant,
        status: Option<AuthorizerStatus>,
        page: PageRequest,
    ) -> Result<Page<AuthorizerName>, RegistryError> {
        let mut keys = Vec::new();
        AUTHORIZERS
            .each(&self.read().await?, AUTHORIZERS.under(&tenant), |row| {
                if status.is_none_or(|status| status == row.value.status) {
                    keys.push(row.key);
                }
            })
            .await?;
        let listing = Listing::new(&AUTHORIZERS, &tenant, "ListAuthorizers");
        let (keys, next_marker) = listing.page_of(keys, &page)?;
        Ok(Page { items: keys.into_iter().map(|(_, name)| name).collect(), next_marker })
    }
}
