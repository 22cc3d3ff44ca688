//! AWS: API_DescribeThingType.

use tidegate_ids::{Arn, Tenant, ThingTypeName};
use tidegate_kv::{Snapshot, Versioned};

use crate::{Registry, RegistryError, ThingTypeRecord, tables::THING_TYPES};

/// A thing type of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThingType {
    /// Whose.
    pub tenant: Tenant,
    /// Its name.
    pub name: ThingTypeName,
    /// All else.
    pub record: ThingTypeRecord,
}

impl ThingType {
    /// Its ARN.
    pub fn arn(&self) -> Arn {
        Arn::thing_type(self.tenant, &self.name)
    }
}

impl Registry {
    /// One thing type.
    ///
    /// # Errors
    /// `ThingTypeNotFound`.
    pub async fn describe_thing_type(&self, tenant: Tenant, name: ThingTypeName) -> Result<ThingType, RegistryError> {
        let record = read_thing_type(&self.read().await?, tenant, &name).await?.value;
        Ok(ThingType { tenant, name, record })
    }
}

/// The thing type's row.
pub(super) async fn read_thing_type(
    read: &Snapshot,
    tenant: Tenant,
    name: &ThingTypeName,
) -> Result<Versioned<ThingTypeRecord>, RegistryError> {
    let row = THING_TYPES.get(read, &(tenant, name.clone())).await?;
    row.ok_or_else(|| RegistryError::ThingTypeNotFound(name.clone()))
}
