//! AWS: API_ListThingsInThingGroup.

use tidegate_ids::{Tenant, ThingGroupName, ThingName};

use super::describe_thing_group::read_group;
use crate::{
    Page, PageRequest, Registry, RegistryError,
    page::Listing,
    tables::{THINGS_OF_GROUP, THINGS_WITHIN_GROUP},
};

impl Registry {
    /// The things in a group, by name; with `recursive`, those in the groups below it, too. Each is there once, for no
    /// thing is in two groups of a hierarchy.
    ///
    /// # Errors
    /// `ThingGroupNotFound`, `InvalidRequest`, `InvalidMarker`.
    pub async fn list_things_in_thing_group(
        &self,
        tenant: Tenant,
        name: &ThingGroupName,
        recursive: bool,
        page: PageRequest,
    ) -> Result<Page<ThingName>, RegistryError> {
        let read = self.read().await?;
        read_group(&read, tenant, name).await?;
        let (table, operation) = match recursive {
            true => (&THINGS_WITHIN_GROUP, "ListThingsInThingGroup/below"),
            false => (&THINGS_OF_GROUP, "ListThingsInThingGroup"),
        };
        let listing = Listing::new(table, &(tenant, name.clone()), operation);
        let (rows, next_marker) = listing.page(&read, &page).await?;
        Ok(Page { items: rows.into_iter().map(|(_, _, thing)| thing).collect(), next_marker })
    }
}
