//! AWS: API_DeleteThing.

use tidegate_ids::{Tenant, ThingName};
use tidegate_kv::{Direction, Transaction};

use super::{
    create_thing::remove_from_indexes,
    update_thing::check_version,
    update_thing_groups_for_thing::{groups_of_thing, leave},
};
use crate::{
    Registry, RegistryError,
    tables::{GROUPS_OF_THING, PRINCIPALS_OF_THING, THINGS},
};

impl Registry {
    /// Deletes a thing that nothing is attached to; it leaves its groups. A thing that is not there counts as deleted.
    ///
    /// AWS: "Returns successfully with no error if … you specify a thing that doesn't exist".
    ///
    /// # Errors
    /// `ThingVersionConflict` when the caller expects another version, `ThingAttached`.
    pub async fn delete_thing(
        &self,
        tenant: Tenant,
        name: ThingName,
        expected_version: Option<i64>,
    ) -> Result<(), RegistryError> {
        let key = &(tenant, name);
        self.change(|read| async move {
            let mut transaction = Transaction::new();
            let Some(row) = THINGS.get(&read, key).await? else { return Ok((transaction, ())) };
            check_version(&key.1, row.value.version, expected_version)?;
            let attached = PRINCIPALS_OF_THING.under(key);
            if !PRINCIPALS_OF_THING.scan(&read, &attached, 1, Direction::Ascending).await?.is_empty() {
                return Err(RegistryError::ThingAttached(key.1.clone()));
            }
            PRINCIPALS_OF_THING.require_empty(&mut transaction, attached);
            THINGS.remove(&mut transaction, key, row.revision);
            remove_from_indexes(&mut transaction, key, &row.value);
            GROUPS_OF_THING.require_unchanged(&mut transaction, GROUPS_OF_THING.under(key), &read);
            for (name, group) in groups_of_thing(&read, tenant, &key.1).await? {
                leave(&mut transaction, tenant, &key.1, &name, &group);
            }
            Ok((transaction, ()))
        })
        .await
    }
}
