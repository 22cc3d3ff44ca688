//! AWS: API_GetEffectivePolicies.

use tidegate_ids::{PolicyName, Tenant};
use tidegate_kv::Snapshot;

use super::{
    get_policy::read_policy,
    list_attached_policies::{attached, inherited, require_there},
};
use crate::{PolicyTarget, PolicyVersionId, Registry, RegistryError};

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
    /// `CertificateNotFound`, `ThingGroupNotFound`.
    pub async fn get_effective_policies(
        &self,
        tenant: Tenant,
        principal: PolicyTarget,
    ) -> Result<Vec<EffectivePolicy>, RegistryError> {
        let read = self.read().await?;
        let names = effective_names(&read, tenant, &principal).await?;
        read_effective(&read, tenant, names).await
    }
}

/// The names of the policies attached to `principal`, and for a thing group those of the groups above it, ascending.
pub(super) async fn effective_names(
    read: &Snapshot,
    tenant: Tenant,
    principal: &PolicyTarget,
) -> Result<Vec<PolicyName>, RegistryError> {
    require_there(read, tenant, principal).await?;
    let mut names = attached(read, tenant, principal.clone()).await?;
    if matches!(principal, PolicyTarget::ThingGroup(_)) {
        names.append(&mut inherited(read, tenant, principal).await?);
    }
    Ok(names.into_iter().collect())
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
