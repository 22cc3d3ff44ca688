//! AWS: API_ListThingGroups.

use tidegate_ids::{Tenant, ThingGroupName};

use super::describe_thing_group::read_group;
use crate::{
    Page, PageRequest, Registry, RegistryError,
    page::Listing,
    tables::{ROOT_THING_GROUPS, THING_GROUPS, THING_GROUPS_BELOW, THING_GROUPS_OF_PARENT},
};

/// Which thing groups a caller asks for.
#[derive(Debug, Clone, Default)]
pub struct ThingGroupFilter {
    /// Only groups below this one.
    pub parent: Option<ThingGroupName>,
    /// Children of children, too.
    pub recursive: bool,
    /// Only groups whose names begin so.
    pub name_prefix: Option<ThingGroupName>,
}

impl Registry {
    /// The account's thing groups by name: all, or those below a parent; without `recursive` roots, or children.
    ///
    /// # Errors
    /// `ThingGroupNotFound` for the parent, `InvalidRequest`, `InvalidMarker`.
    pub async fn list_thing_groups(
        &self,
        tenant: Tenant,
        filter: &ThingGroupFilter,
        page: PageRequest,
    ) -> Result<Page<ThingGroupName>, RegistryError> {
        let read = self.read().await?;
        let prefix = filter.name_prefix.as_ref().map_or("", ThingGroupName::as_str);
        let (items, next_marker) = match (&filter.parent, filter.recursive) {
            (None, true) => {
                let listing = Listing::new(&THING_GROUPS, &tenant, "ListThingGroups").beginning_with(prefix);
                names(listing.page(&read, &page).await?, |(_, name)| name)
            }
            (None, false) => {
                let listing = Listing::new(&ROOT_THING_GROUPS, &tenant, "ListThingGroups/roots").beginning_with(prefix);
                names(listing.page(&read, &page).await?, |(_, name)| name)
            }
            (Some(parent), recursive) => {
                read_group(&read, tenant, parent).await?;
                let (table, operation) = match recursive {
                    true => (&THING_GROUPS_BELOW, "ListThingGroups/below"),
                    false => (&THING_GROUPS_OF_PARENT, "ListThingGroups/children"),
                };
                let listing = Listing::new(table, &(tenant, parent.clone()), operation).beginning_with(prefix);
                names(listing.page(&read, &page).await?, |(_, _, name)| name)
            }
        };
        Ok(Page { items, next_marker })
    }
}

/// The names in the keys of a page.
fn names<K>(
    (keys, next_marker): (Vec<K>, Option<String>),
    name: impl Fn(K) -> ThingGroupName,
) -> (Vec<ThingGroupName>, Option<String>) {
    (keys.into_iter().map(name).collect(), next_marker)
}
