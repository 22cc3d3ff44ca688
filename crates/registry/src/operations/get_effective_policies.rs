//! AWS: API_GetEffectivePolicies.

use tidegate_ids::{PolicyName, Tenant};
use tidegate_kv::{Direction, Snapshot};

use super::{describe_certificate::read_certificate, get_policy::read_policy};
use crate::{
    POLICIES_PER_TARGET_MAX, PolicyTarget, PolicyVersionId, Registry, RegistryError, tables::POLICIES_OF_TARGET,
};

/// A policy that decides about a principal, in the version in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectivePolicy {
    /// Its name.
    pub name: PolicyName,
    /// The version in force.
    pub version: PolicyVersionId,
    /// The document of that version.
    pub document: String,
}

impl Registry {
    /// The policies that decide about what connects as `principal`, by name.
    ///
    /// # Errors
    /// `CertificateNotFound`.
    pub async fn get_effective_policies(
        &self,
        tenant: Tenant,
        principal: PolicyTarget,
    ) -> Result<Vec<EffectivePolicy>, RegistryError> {
        let read = self.read().await?;
        let names = effective_names(&read, tenant, principal).await?;
        read_effective(&read, tenant, names).await
    }
}

/// The names of the policies attached to `principal`, ascending.
pub(super) async fn effective_names(
    read: &Snapshot,
    tenant: Tenant,
    principal: PolicyTarget,
) -> Result<Vec<PolicyName>, RegistryError> {
    match principal {
        PolicyTarget::Certificate(id) => read_certificate(read, tenant, id).await?,
    };
    let of_target = POLICIES_OF_TARGET.under(&(tenant, principal));
    let rows = POLICIES_OF_TARGET.scan(read, &of_target, POLICIES_PER_TARGET_MAX, Direction::Ascending).await?;
    Ok(rows.into_iter().map(|row| row.key.2).collect())
}

/// The policies of these names, in their order.
pub(super) async fn read_effective(
    read: &Snapshot,
    tenant: Tenant,
    names: Vec<PolicyName>,
) -> Result<Vec<EffectivePolicy>, RegistryError> {
    let mut policies = Vec::with_capacity(names.len());
    for name in names {
        let record = read_policy(read, tenant, &name).await?.value;
        policies.push(EffectivePolicy { name, version: record.default_version, document: record.document });
    }
    Ok(policies)
}
