//! AWS: API_ListAttachedPolicies, API_ListPrincipalPolicies.

use std::collections::BTreeSet;

use tidegate_ids::{CertificateId, PolicyName, Tenant, ThingGroupName, ThingName};
use tidegate_kv::{Direction, Snapshot};

use super::{
    describe_certificate::read_certificate, describe_thing_group::read_group,
    update_thing_groups_for_thing::groups_of_thing,
};
use crate::{
    POLICIES_PER_TARGET_MAX, Page, PageRequest, PolicyTarget, Registry, RegistryError, ThingPrincipal,
    page::Listing,
    tables::{POLICIES_OF_TARGET, THINGS_OF_PRINCIPAL},
};

/// Most things of a certificate whose groups are looked at for it.
const THINGS_MAX: usize = 1_000;

impl Registry {
    /// The policies attached to a target, by name. With `recursive` also those that it has through thing groups: a
    /// group from all groups above it, a certificate from the groups of all its things and the groups above those.
    ///
    /// AWS: ListPrincipalPolicies is the same without `recursive`, in an order of creation that we do not keep.
    /// Unverified: what AWS takes `recursive` to mean for a certificate.
    ///
    /// # Errors
    /// `CertificateNotFound`, `ThingGroupNotFound`, `InvalidRequest`, also for a certificate with more than 1 000 things,
    /// `InvalidMarker`.
    pub async fn list_attached_policies(
        &self,
        tenant: Tenant,
        target: PolicyTarget,
        recursive: bool,
        page: PageRequest,
    ) -> Result<Page<PolicyName>, RegistryError> {
        let read = self.read().await?;
        require_there(&read, tenant, &target).await?;
        let key = (tenant, target.clone());
        let (rows, next_marker) = if recursive {
            let mut names = attached(&read, tenant, target.clone()).await?;
            names.append(&mut inherited(&read, tenant, &target).await?);
            let keys = names.into_iter().map(|name| (tenant, target.clone(), name));
            Listing::new(&POLICIES_OF_TARGET, &key, "ListAttachedPolicies/recursive").page_of(keys, &page)?
        } else {
            Listing::new(&POLICIES_OF_TARGET, &key, "ListAttachedPolicies").page(&read, &page).await?
        };
        Ok(Page { items: rows.into_iter().map(|(_, _, name)| name).collect(), next_marker })
    }
}

/// Refuses a target that is not there.
pub(super) async fn require_there(read: &Snapshot, tenant: Tenant, target: &PolicyTarget) -> Result<(), RegistryError> {
    match target {
        PolicyTarget::Certificate(id) => drop(read_certificate(read, tenant, *id).await?),
        PolicyTarget::ThingGroup(name) => drop(read_group(read, tenant, name).await?),
    }
    Ok(())
}

/// The policies that apply to a thing through its groups and all groups above them: each with the group that it is attached
/// to, by group. At most 140. Whether a connection has them is another question: see
/// [`ConnectionGrants`](crate::ConnectionGrants).
pub(super) async fn policies_through_groups(
    read: &Snapshot,
    tenant: Tenant,
    thing: &ThingName,
) -> Result<Vec<(ThingGroupName, PolicyName)>, RegistryError> {
    let mut groups = BTreeSet::new();
    for (name, group) in groups_of_thing(read, tenant, thing).await? {
        groups.extend(group.above);
        groups.insert(name);
    }
    let mut found = Vec::new();
    for name in groups {
        let names = attached(read, tenant, PolicyTarget::ThingGroup(name.clone())).await?;
        found.extend(names.into_iter().map(|policy| (name.clone(), policy)));
    }
    Ok(found)
}

/// The policies attached to a target itself.
pub(super) async fn attached(
    read: &Snapshot,
    tenant: Tenant,
    target: PolicyTarget,
) -> Result<BTreeSet<PolicyName>, RegistryError> {
    let range = POLICIES_OF_TARGET.under(&(tenant, target));
    let rows = POLICIES_OF_TARGET.scan(read, &range, POLICIES_PER_TARGET_MAX, Direction::Ascending).await?;
    Ok(rows.into_iter().map(|row| row.key.2).collect())
}

/// What a target has from groups that it is in.
pub(super) async fn inherited(
    read: &Snapshot,
    tenant: Tenant,
    target: &PolicyTarget,
) -> Result<BTreeSet<PolicyName>, RegistryError> {
    let mut names = BTreeSet::new();
    match target {
        PolicyTarget::ThingGroup(name) => {
            for above in read_group(read, tenant, name).await?.value.above {
                names.append(&mut attached(read, tenant, PolicyTarget::ThingGroup(above)).await?);
            }
        }
        PolicyTarget::Certificate(id) => {
            for thing in things_of(read, tenant, *id).await? {
                let found = policies_through_groups(read, tenant, &thing).await?;
                names.extend(found.into_iter().map(|(_, policy)| policy));
            }
        }
    }
    Ok(names)
}

/// The things of a certificate, if they are not too many.
async fn things_of(read: &Snapshot, tenant: Tenant, id: CertificateId) -> Result<Vec<ThingName>, RegistryError> {
    let range = THINGS_OF_PRINCIPAL.under(&(tenant, ThingPrincipal::Certificate(id)));
    let rows = THINGS_OF_PRINCIPAL.scan(read, &range, THINGS_MAX + 1, Direction::Ascending).await?;
    if rows.len() > THINGS_MAX {
        let text = format!("The certificate has more than {THINGS_MAX} things: see get-effective-policies for each");
        return Err(RegistryError::InvalidRequest(text));
    }
    Ok(rows.into_iter().map(|row| row.key.2).collect())
}
