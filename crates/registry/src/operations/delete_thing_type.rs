//! AWS: API_DeleteThingType.

use std::time::Duration;

use tidegate_ids::{Now, Tenant, ThingTypeName, Timestamp};
use tidegate_kv::{Direction, Transaction};

use super::describe_thing_type::read_thing_type;
use crate::{
    Registry, RegistryError,
    tables::{THING_TYPES, THINGS_BY_TYPE},
};

/// How long a thing type must have been deprecated. AWS: developer guide, "Delete a thing type": 5 minutes.
const DEPRECATED_MIN: Duration = Duration::from_secs(5 * 60);

impl Registry {
    /// Deletes a thing type that was deprecated five minutes ago or earlier and that no thing has.
    ///
    /// # Errors
    /// `ThingTypeNotFound`, `ThingTypeNotDeprecated`, `ThingTypeDeprecatedLately`, `ThingTypeHasThings`.
    pub async fn delete_thing_type(&self, tenant: Tenant, name: &ThingTypeName, now: Now) -> Result<(), RegistryError> {
        self.change(|read| async move {
            let row = read_thing_type(&read, tenant, name).await?;
            check_deletable(name, row.value.deprecated, now.wall)?;
            let things = THINGS_BY_TYPE.under(&(tenant, name.clone()));
            if !THINGS_BY_TYPE.scan(&read, &things, 1, Direction::Ascending).await?.is_empty() {
                return Err(RegistryError::ThingTypeHasThings(name.clone()));
            }
            let mut transaction = Transaction::new();
            THINGS_BY_TYPE.require_empty(&mut transaction, things);
            THING_TYPES.remove(&mut transaction, &(tenant, name.clone()), row.revision);
            Ok((transaction, ()))
        })
        .await
    }
}

/// Whether a thing type that was deprecated at this moment, if at all, may be deleted.
fn check_deletable(name: &ThingTypeName, deprecated: Option<Timestamp>, now: Timestamp) -> Result<(), RegistryError> {
    match deprecated {
        None => Err(RegistryError::ThingTypeNotDeprecated(name.clone())),
        Some(since) if now < since + DEPRECATED_MIN => Err(RegistryError::ThingTypeDeprecatedLately(name.clone())),
        Some(_) => Ok(()),
    }
}
