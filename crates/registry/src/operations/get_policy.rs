//! AWS: API_GetPolicy.

use tidegate_ids::{PolicyName, Tenant};
use tidegate_kv::{Snapshot, Versioned};

use crate::{PolicyRecord, Registry, RegistryError, tables::POLICIES};

impl Registry {
    /// The policy, with the document in force.
    ///
    /// # Errors
    /// `PolicyNotFound`.
    pub async fn get_policy(&self, tenant: Tenant, name: &PolicyName) -> Result<PolicyRecord, RegistryError> {
        Ok(read_policy(&self.read().await?, tenant, name).await?.value)
    }
}

/// The policy's row.
pub(super) async fn read_policy(
    read: &Snapshot,
    tenant: Tenant,
    name: &PolicyName,
) -> Result<Versioned<PolicyRecord>, RegistryError> {
    let row = POLICIES.get(read, &(tenant, name.clone())).await?;
    row.ok_or_else(|| RegistryError::PolicyNotFound(name.clone()))
}
