//! AWS: API_ListThingGroupsForThing.

use tidegate_ids::{Tenant, ThingGroupName, ThingName};

use super::describe_thing::read_thing;
use crate::{Page, PageRequest, Registry, RegistryError, page::Listing, tables::GROUPS_OF_THING};

impl Registry {
    /// The groups that a thing is in itself, by name; not the groups above them.
    ///
    /// # Errors
    /// `ThingNotFound`, `InvalidRequest`, `InvalidMarker`.
    pub async fn list_thing_groups_for_thing(
        &self,
        tenant: Tenant,
        thing: &ThingName,
        page: PageRequest,
    ) -> Result<Page<ThingGroupName>, RegistryError> {
        let read = self.read().await?;
        read_thing(&read, tenant, thing).await?;
        let listing = Listing::new(&GROUPS_OF_THING, &(tenant, thing.clone()), "ListThingGroupsForThing");
        let (rows, next_marker) = listing.page(&read, &page).await?;
        Ok(Page { items: rows.into_iter().map(|(_, _, group)| group).collect(), next_marker })
    }
}
