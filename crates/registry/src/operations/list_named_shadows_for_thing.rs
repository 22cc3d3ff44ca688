//! AWS: API_iotdata_ListNamedShadowsForThing.

use tidegate_ids::{ShadowName, Tenant, ThingName};

use crate::{Page, PageRequest, Registry, RegistryError, page::Listing, tables::NAMED_SHADOWS};

impl Registry {
    /// The named shadows of a thing, by name; none for a thing that nobody knows. The classic shadow is not among them.
    ///
    /// # Errors
    /// `InvalidRequest`, `InvalidMarker`.
    pub async fn list_named_shadows_for_thing(
        &self,
        tenant: Tenant,
        thing: &ThingName,
        page: PageRequest,
    ) -> Result<Page<ShadowName>, RegistryError> {
        let read = self.read().await?;
        let listing = Listing::new(&NAMED_SHADOWS, &(tenant, thing.clone()), "ListNamedShadowsForThing");
        let (rows, next_marker) = listing.page(&read, &page).await?;
        Ok(Page { items: rows.into_iter().map(|(_, _, name)| name).collect(), next_marker })
    }
}
