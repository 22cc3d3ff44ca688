//! AWS: API_AttachPolicy, API_AttachPrincipalPolicy.

use tidegate_ids::{PolicyName, Tenant};
use tidegate_kv::{Direction, Expected, Snapshot, Transaction};

use super::{describe_certificate::read_certificate, describe_thing_group::read_group, get_policy::read_policy};
use crate::{
    CertificateStatus, POLICIES_PER_TARGET_MAX, POLICIES_PER_THING_GROUP_MAX, PolicyTarget, Registry, RegistryError,
    tables::{CERTIFICATES, POLICIES, POLICIES_OF_TARGET, TARGETS_OF_POLICY, THING_GROUPS},
};

impl Registry {
    /// Attaches a policy to a target; a second time changes nothing.
    ///
    /// Of an attachment and a deletion of either side at the same moment exactly one happens.
    /// AWS: AttachPrincipalPolicy is the same.
    ///
    /// # Errors
    /// `PolicyNotFound`, `CertificateNotFound`, `TargetInTransfer`, `ThingGroupNotFound`, `TooManyPolicies`.
    pub async fn attach_policy(
        &self,
        tenant: Tenant,
        name: &PolicyName,
        target: PolicyTarget,
    ) -> Result<(), RegistryError> {
        let target = &target;
        self.change(|read| async move {
            let policy = read_policy(&read, tenant, name).await?;
            let mut transaction = Transaction::new();
            require_target(&read, &mut transaction, tenant, target).await?;
            let of_target = POLICIES_OF_TARGET.under(&(tenant, target.clone()));
            let max = policies_max(target);
            let attached = POLICIES_OF_TARGET.scan(&read, &of_target, max + 1, Direction::Ascending).await?;
            if attached.iter().any(|row| row.key.2 == *name) {
                return Ok((Transaction::new(), ()));
            }
            if attached.len() >= max {
                return Err(RegistryError::TooManyPolicies(max));
            }
            POLICIES.require(&mut transaction, &(tenant, name.clone()), Expected::Revision(policy.revision));
            POLICIES_OF_TARGET.require_unchanged(&mut transaction, of_target, &read);
            POLICIES_OF_TARGET.put(&mut transaction, &(tenant, target.clone(), name.clone()), &());
            TARGETS_OF_POLICY.put(&mut transaction, &(tenant, name.clone(), target.clone()), &());
            Ok((transaction, ()))
        })
        .await
    }
}

/// Most policies attached to a target.
const fn policies_max(target: &PolicyTarget) -> usize {
    match target {
        PolicyTarget::Certificate(_) => POLICIES_PER_TARGET_MAX,
        PolicyTarget::ThingGroup(_) => POLICIES_PER_THING_GROUP_MAX,
    }
}

/// Reads the target and requires it to be as read.
async fn require_target(
    read: &Snapshot,
    transaction: &mut Transaction,
    tenant: Tenant,
    target: &PolicyTarget,
) -> Result<(), RegistryError> {
    match target {
        PolicyTarget::Certificate(id) => {
            let id = *id;
            let row = read_certificate(read, tenant, id).await?;
            if row.value.status == CertificateStatus::PendingTransfer {
                return Err(RegistryError::TargetInTransfer(id));
            }
            CERTIFICATES.require(transaction, &(tenant, id), Expected::Revision(row.revision));
            Ok(())
        }
        PolicyTarget::ThingGroup(name) => {
            let row = read_group(read, tenant, name).await?;
            THING_GROUPS.require(transaction, &(tenant, name.clone()), Expected::Revision(row.revision));
            Ok(())
        }
    }
}
