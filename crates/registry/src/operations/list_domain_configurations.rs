//! AWS: API_ListDomainConfigurations.

use tidegate_ids::{DomainConfigurationName, Tenant};

use crate::{Page, PageRequest, Registry, RegistryError, page::Listing, tables::DOMAIN_CONFIGURATIONS};

impl Registry {
    /// The names of the account's domain configurations, in the order of the alphabet, `iot:Data-ATS` among them. There are at most
    /// [`crate::DOMAIN_CONFIGURATIONS_MAX`] and one, so each page reads them all.
    ///
    /// Unverified: AWS's order.
    ///
    /// # Errors
    /// `InvalidRequest`, `InvalidMarker`.
    pub async fn list_domain_configurations(
        &self,
        tenant: Tenant,
        page: PageRequest,
    ) -> Result<Page<DomainConfigurationName>, RegistryError> {
        let mut keys = vec![(tenant, DomainConfigurationName::data_ats())];
        DOMAIN_CONFIGURATIONS
            .each(&self.read().await?, DOMAIN_CONFIGURATIONS.under(&tenant), |row| {
                if !row.key.1.is_reserved() {
                    keys.push(row.key);
                }
            })
            .await?;
        keys.sort();
        let page = PageRequest { ascending: true, ..page };
        let listing = Listing::new(&DOMAIN_CONFIGURATIONS, &tenant, "ListDomainConfigurations");
        let (keys, next_marker) = listing.page_of(keys, &page)?;
        Ok(Page { items: keys.into_iter().map(|(_, name)| name).collect(), next_marker })
    }
}
