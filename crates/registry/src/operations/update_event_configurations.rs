//! AWS: API_UpdateEventConfigurations.

use std::collections::BTreeSet;

use tidegate_ids::{Now, Tenant};
use tidegate_kv::Transaction;

use crate::{EventConfigurationsRecord, EventType, Registry, RegistryError, tables::EVENT_CONFIGURATIONS};

impl Registry {
    /// Sets some of the switches; the others stay. What is changed from now on is told accordingly.
    pub async fn update_event_configurations(
        &self,
        tenant: Tenant,
        switches: &[(EventType, bool)],
        now: Now,
    ) -> Result<(), RegistryError> {
        self.change_unseen(|read| async move {
            let row = EVENT_CONFIGURATIONS.get(&read, &tenant).await?;
            let (mut enabled, created) = match &row {
                Some(row) => (row.value.enabled.clone(), row.value.created),
                None => (BTreeSet::new(), now.wall),
            };
            for (event_type, on) in switches {
                if *on {
                    enabled.insert(*event_type);
                } else {
                    enabled.remove(event_type);
                }
            }
            let mut transaction = Transaction::new();
            EVENT_CONFIGURATIONS.require_as_read(&mut transaction, &tenant, row.as_ref());
            let record = EventConfigurationsRecord { enabled, created, modified: now.wall };
            EVENT_CONFIGURATIONS.put(&mut transaction, &tenant, &record);
            Ok((transaction, ()))
        })
        .await
    }
}
