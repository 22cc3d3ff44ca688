//! AWS: API_DescribeEventConfigurations.

use tidegate_ids::Tenant;

use crate::{EventConfigurationsRecord, Registry, RegistryError, tables::EVENT_CONFIGURATIONS};

impl Registry {
    /// The switches; `None` while nobody has set one, when all are off.
    pub async fn describe_event_configurations(
        &self,
        tenant: Tenant,
    ) -> Result<Option<EventConfigurationsRecord>, RegistryError> {
        let read = self.read().await?;
        Ok(EVENT_CONFIGURATIONS.get(&read, &tenant).await?.map(|row| row.value))
    }
}
