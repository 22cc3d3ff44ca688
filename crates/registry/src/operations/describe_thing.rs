//! AWS: API_DescribeThing.

use tidegate_ids::{Arn, Tenant, ThingName};
use tidegate_kv::{Snapshot, Versioned};

use crate::{Registry, RegistryError, ThingRecord, tables::THINGS};

/// A thing of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thing {
    /// Whose.
    pub tenant: Tenant,
    /// Its name. AWS: `defaultClientId` is the same.
    pub name: ThingName,
    /// All else.
    pub record: ThingRecord,
}

impl Thing {
    /// Its ARN.
    pub fn arn(&self) -> Arn {
        Arn::thing(self.tenant, &self.name)
    }
}

impl Registry {
    /// One thing.
    ///
    /// # Errors
    /// `ThingNotFound`.
    pub async fn describe_thing(&self, tenant: Tenant, name: ThingName) -> Result<Thing, RegistryError> {
        let record = read_thing(&self.read().await?, tenant, &name).await?.value;
        Ok(Thing { tenant, name, record })
    }
}

/// The thing's row.
pub(super) async fn read_thing(
    read: &Snapshot,
    tenant: Tenant,
    name: &ThingName,
) -> Result<Versioned<ThingRecord>, RegistryError> {
    let row = THINGS.get(read, &(tenant, name.clone())).await?;
    row.ok_or_else(|| RegistryError::ThingNotFound(name.clone()))
}
