//! AWS: API_RemoveThingFromThingGroup.

use std::slice;

use tidegate_ids::{Tenant, ThingGroupName, ThingName};

use crate::{Registry, RegistryError};

impl Registry {
    /// Takes a thing out of a group; one that is not in it counts as removed. Unverified.
    ///
    /// # Errors
    /// `ThingNotFound`, `ThingGroupNotFound`.
    pub async fn remove_thing_from_thing_group(
        &self,
        tenant: Tenant,
        thing: &ThingName,
        group: &ThingGroupName,
    ) -> Result<(), RegistryError> {
        self.update_thing_groups_for_thing(tenant, thing, &[], slice::from_ref(group)).await
    }
}
