//! AWS: API_DeleteThingGroup.

use tidegate_ids::{Tenant, ThingGroupName};
use tidegate_kv::{Direction, Transaction};

use super::update_thing_group::check_version;
use crate::{
    Registry, RegistryError,
    tables::{ROOT_THING_GROUPS, THING_GROUPS, THING_GROUPS_BELOW, THING_GROUPS_OF_PARENT},
};

impl Registry {
    /// Deletes a thing group without child groups. A group that is not there counts as deleted.
    ///
    /// A child made meanwhile wins or loses as a whole.
    /// AWS: DeleteThingGroup declares no ResourceNotFoundException.
    ///
    /// # Errors
    /// `ThingGroupVersionConflict` when the caller expects another version, `ThingGroupHasChildren`.
    pub async fn delete_thing_group(
        &self,
        tenant: Tenant,
        name: ThingGroupName,
        expected_version: Option<i64>,
    ) -> Result<(), RegistryError> {
        let key = &(tenant, name);
        self.change(|read| async move {
            let mut transaction = Transaction::new();
            let Some(row) = THING_GROUPS.get(&read, key).await? else { return Ok((transaction, ())) };
            let (name, group) = (&key.1, row.value);
            check_version(name, group.version, expected_version)?;
            let children = THING_GROUPS_OF_PARENT.under(key);
            if !THING_GROUPS_OF_PARENT.scan(&read, &children, 1, Direction::Ascending).await?.is_empty() {
                return Err(RegistryError::ThingGroupHasChildren(name.clone()));
            }
            THING_GROUPS_OF_PARENT.require_empty(&mut transaction, children);
            THING_GROUPS.remove(&mut transaction, key, row.revision);
            match group.parent() {
                Some(parent) => {
                    THING_GROUPS_OF_PARENT.delete(&mut transaction, &(tenant, parent.clone(), name.clone()));
                }
                None => ROOT_THING_GROUPS.delete(&mut transaction, key),
            }
            for above in &group.above {
                THING_GROUPS_BELOW.delete(&mut transaction, &(tenant, above.clone(), name.clone()));
            }
            Ok((transaction, ()))
        })
        .await
    }
}
