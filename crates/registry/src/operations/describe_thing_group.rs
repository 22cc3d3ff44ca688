//! AWS: API_DescribeThingGroup.

use tidegate_ids::{Arn, Tenant, ThingGroupName};
use tidegate_kv::{Snapshot, Versioned};

use crate::{Registry, RegistryError, records::ThingGroupRecord, tables::THING_GROUPS};

/// A thing group of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThingGroup {
    /// Whose.
    pub tenant: Tenant,
    /// Its name.
    pub name: ThingGroupName,
    /// All else.
    pub record: ThingGroupRecord,
}

impl ThingGroup {
    /// Its ARN.
    pub fn arn(&self) -> Arn {
        Arn::thing_group(self.tenant, &self.name)
    }
}

impl Registry {
    /// One thing group.
    ///
    /// # Errors
    /// `ThingGroupNotFound`.
    pub async fn describe_thing_group(
        &self,
        tenant: Tenant,
        name: ThingGroupName,
    ) -> Result<ThingGroup, RegistryError> {
        let record = read_group(&self.read().await?, tenant, &name).await?.value;
        Ok(ThingGroup { tenant, name, record })
    }
}

/// The thing group's row.
pub(super) async fn read_group(
    read: &Snapshot,
    tenant: Tenant,
    name: &ThingGroupName,
) -> Result<Versioned<ThingGroupRecord>, RegistryError> {
    let row = THING_GROUPS.get(read, &(tenant, name.clone())).await?;
    row.ok_or_else(|| RegistryError::ThingGroupNotFound(name.clone()))
}
