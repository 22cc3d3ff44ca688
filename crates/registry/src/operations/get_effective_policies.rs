//! AWS: API_GetEffectivePolicies.

use std::collections::BTreeSet;

use tidegate_ids::{PolicyName, Tenant, ThingName};
use tidegate_kv::Snapshot;

use super::{
    describe_thing::read_thing,
    get_policy::read_policy,
    list_attached_policies::{attached, inherited, policies_through_groups, require_there},
};
use crate::{PolicyTarget, PolicyVersionId, Registry, RegistryError, ThingPrincipal, tables::THINGS_OF_PRINCIPAL};

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
    /// The policies that decide about what connects as `principal` and stands for `thing`, by name: those of the principal, and
    /// those of the thing's groups and the groups above them if the principal is attached to the thing, as on a live connection.
    ///
    /// Unverified: what AWS answers about a thing alone; here, what its groups give to whoever is attached to it.
    ///
    /// # Errors
    /// `CertificateNotFound`, `ThingGroupNotFound`, `ThingNotFound`; `InvalidRequest` when neither is named.
    pub async fn get_effective_policies(
        &self,
        tenant: Tenant,
        principal: Option<PolicyTarget>,
        thing: Option<&ThingName>,
    ) -> Result<Vec<EffectivePolicy>, RegistryError> {
        if principal.is_none() && thing.is_none() {
            return Err(RegistryError::InvalidRequest("Name a principal, a thing or both".into()));
        }
        let read = self.read().await?;
        let mut names = BTreeSet::new();
        if let Some(principal) = &principal {
            names.extend(effective_names(&read, tenant, principal).await?);
        }
        if let Some(thing) = thing {
            read_thing(&read, tenant, thing).await?;
            let attached = match principal {
                Some(PolicyTarget::Certificate(id)) => {
                    let key = (tenant, ThingPrincipal::Certificate(id), thing.clone());
                    THINGS_OF_PRINCIPAL.get(&read, &key).await?.is_some()
                }
                Some(PolicyTarget::ThingGroup(_)) => false,
                None => true,
            };
            if attached {
                names.extend(names_through_groups(&read, tenant, thing).await?);
            }
        }
        read_effective(&read, tenant, names).await
    }
}

/// The names of the policies that a thing's groups give to what stands for it.
pub(super) async fn names_through_groups(
    read: &Snapshot,
    tenant: Tenant,
    thing: &ThingName,
) -> Result<impl Iterator<Item = PolicyName>, RegistryError> {
    Ok(policies_through_groups(read, tenant, thing).await?.into_iter().map(|(_, name)| name))
}

/// The names of the policies attached to `principal`, and for a thing group those of the groups above it.
pub(super) async fn effective_names(
    read: &Snapshot,
    tenant: Tenant,
    principal: &PolicyTarget,
) -> Result<BTreeSet<PolicyName>, RegistryError> {
    require_there(read, tenant, principal).await?;
    let mut names = attached(read, tenant, principal.clone()).await?;
    if matches!(principal, PolicyTarget::ThingGroup(_)) {
        names.append(&mut inherited(read, tenant, principal).await?);
    }
    Ok(names)
}

/// The policies of these names, ascending.
pub(super) async fn read_effective(
    read: &Snapshot,
    tenant: Tenant,
    names: BTreeSet<PolicyName>,
) -> Result<Vec<EffectivePolicy>, RegistryError> {
    let mut policies = Vec::with_capacity(names.len());
    for name in names {
        let record = read_policy(read, tenant, &name).await?.value;
        policies.push(EffectivePolicy { name, version: record.default_version, document: record.document });
    }
    Ok(policies)
}
