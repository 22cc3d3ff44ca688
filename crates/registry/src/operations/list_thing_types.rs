//! AWS: API_ListThingTypes.

use tidegate_ids::{Tenant, ThingTypeName};

use super::describe_thing_type::ThingType;
use crate::{Page, PageRequest, Registry, RegistryError, page::Listing, tables::THING_TYPES};

impl Registry {
    /// The account's thing types by name; only the one called `name`, if that is given.
    ///
    /// Unverified: AWS's order; that the name is a whole name and not the beginning of one.
    ///
    /// # Errors
    /// `InvalidRequest`, `InvalidMarker`.
    pub async fn list_thing_types(
        &self,
        tenant: Tenant,
        name: Option<ThingTypeName>,
        page: PageRequest,
    ) -> Result<Page<ThingType>, RegistryError> {
        let read = self.read().await?;
        let operation = "ListThingTypes";
        let listing = match name {
            Some(name) => Listing::under(&THING_TYPES, &(tenant, name), operation),
            None => Listing::new(&THING_TYPES, &tenant, operation),
        };
        let (rows, next_marker) = listing.rows(&read, &page).await?;
        let items = rows.into_iter().map(|row| ThingType { tenant, name: row.key.1, record: row.value });
        Ok(Page { items: items.collect(), next_marker })
    }
}
