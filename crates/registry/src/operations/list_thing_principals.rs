//! AWS: API_ListThingPrincipals, API_ListThingPrincipalsV2.

use tidegate_ids::{Tenant, ThingName};

use super::describe_thing::read_thing;
use crate::{
    Page, PageRequest, Registry, RegistryError, ThingPrincipal, ThingPrincipalType, page::Listing,
    tables::PRINCIPALS_OF_THING,
};

impl Registry {
    /// The principals of a thing and how they are attached, in the order of their ids; with `kind`, those that are so.
    ///
    /// With `kind`, a page may hold fewer than asked for, or none, and still have a next one.
    ///
    /// # Errors
    /// `PrincipalsOfNoThing`, `InvalidRequest`, `InvalidMarker`.
    pub async fn list_thing_principals(
        &self,
        tenant: Tenant,
        thing: &ThingName,
        kind: Option<ThingPrincipalType>,
        page: PageRequest,
    ) -> Result<Page<(ThingPrincipal, ThingPrincipalType)>, RegistryError> {
        let read = self.read().await?;
        read_thing(&read, tenant, thing).await.map_err(|error| match error {
            RegistryError::ThingNotFound(thing) => RegistryError::PrincipalsOfNoThing(thing),
            error => error,
        })?;
        let listing = Listing::new(&PRINCIPALS_OF_THING, &(tenant, thing.clone()), "ListThingPrincipals");
        let (rows, next_marker) = listing.rows(&read, &page).await?;
        let items = rows.into_iter().map(|row| (row.key.2, row.value.kind));
        Ok(Page { items: items.filter(|(_, is)| kind.is_none_or(|kind| *is == kind)).collect(), next_marker })
    }
}
