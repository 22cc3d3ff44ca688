//! AWS: API_iotdata_GetThingShadow.

use tidegate_ids::Tenant;
use tidegate_kv::{Snapshot, Versioned};
use tidegate_shadow::{Place, Shadow};

use crate::{Registry, RegistryError, records::ShadowRecord, tables::SHADOWS};

impl Registry {
    /// The shadow, unless there is none or it was deleted. The thing need not be registered.
    pub async fn get_thing_shadow(&self, tenant: Tenant, place: &Place) -> Result<Option<Shadow>, RegistryError> {
        let read = self.read().await?;
        let row = read_shadow(&read, tenant, place).await?;
        Ok(row.map(|row| row.value.0).filter(|shadow| !shadow.deleted))
    }
}

/// The row of a shadow, deleted ones too.
pub(super) async fn read_shadow(
    read: &Snapshot,
    tenant: Tenant,
    place: &Place,
) -> Result<Option<Versioned<ShadowRecord>>, RegistryError> {
    Ok(SHADOWS.get(read, &shadow_key(tenant, place)).await?)
}

/// The key of a shadow's row.
pub(super) fn shadow_key(tenant: Tenant, place: &Place) -> (Tenant, tidegate_ids::ThingName, String) {
    let name = place.shadow.as_ref().map_or_else(String::new, ToString::to_string);
    (tenant, place.thing.clone(), name)
}
