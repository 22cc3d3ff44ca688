//! AWS: API_AddThingToThingGroup.

use std::slice;

use tidegate_ids::{Tenant, ThingGroupName, ThingName};

use crate::{Registry, RegistryError};

impl Registry {
    /// Puts a thing into a group; a second time changes nothing.
    ///
    /// # Errors
    /// `ThingNotFound`, `ThingGroupNotFound`, `TooManyGroupsOfThing`, `ThingInHierarchy`.
    pub async fn add_thing_to_thing_group(
        &self,
        tenant: Tenant,
        thing: &ThingName,
        group: &ThingGroupName,
    ) -> Result<(), RegistryError> {
        self.update_thing_groups_for_thing(tenant, thing, slice::from_ref(group), &[]).await
    }
}
