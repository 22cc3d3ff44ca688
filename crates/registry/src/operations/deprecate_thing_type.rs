//! AWS: API_DeprecateThingType.

use tidegate_ids::{Now, Tenant, ThingTypeName};
use tidegate_kv::Transaction;

use super::describe_thing_type::read_thing_type;
use crate::{Registry, RegistryError, tables::THING_TYPES};

impl Registry {
    /// From now on no thing is given this type; with `undo`, things are again. Those that have it keep it.
    ///
    /// Unverified: that a type deprecated before keeps its date.
    ///
    /// # Errors
    /// `ThingTypeNotFound`.
    pub async fn deprecate_thing_type(
        &self,
        tenant: Tenant,
        name: &ThingTypeName,
        undo: bool,
        now: Now,
    ) -> Result<(), RegistryError> {
        self.change(|read| async move {
            let row = read_thing_type(&read, tenant, name).await?;
            let mut record = row.value;
            let deprecated = if undo { None } else { record.deprecated.or(Some(now.wall)) };
            let mut transaction = Transaction::new();
            if deprecated != record.deprecated {
                record.deprecated = deprecated;
                THING_TYPES.replace(&mut transaction, &(tenant, name.clone()), row.revision, &record);
            }
            Ok((transaction, ()))
        })
        .await
    }
}
