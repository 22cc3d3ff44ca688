//! AWS: API_DetachPolicy, API_DetachPrincipalPolicy.

use tidegate_ids::{PolicyName, Tenant};
use tidegate_kv::Transaction;

use super::{get_policy::read_policy, list_attached_policies::require_there};
use crate::{
    PolicyTarget, Registry, RegistryError,
    tables::{POLICIES_OF_TARGET, TARGETS_OF_POLICY},
};

impl Registry {
    /// Detaches a policy from a target. What is not attached, or not there at all, counts as detached.
    ///
    /// AWS: DetachPolicy declares no ResourceNotFoundException.
    pub async fn detach_policy(
        &self,
        tenant: Tenant,
        name: &PolicyName,
        target: PolicyTarget,
    ) -> Result<(), RegistryError> {
        let target = &target;
        self.change(|read| async move {
            let key = (tenant, target.clone(), name.clone());
            let mut transaction = Transaction::new();
            if POLICIES_OF_TARGET.get(&read, &key).await?.is_some() {
                // Blind: both rows go together whoever else removes them meanwhile.
                POLICIES_OF_TARGET.delete(&mut transaction, &key);
                TARGETS_OF_POLICY.delete(&mut transaction, &(tenant, name.clone(), target.clone()));
            }
            Ok((transaction, ()))
        })
        .await
    }

    /// As [`Self::detach_policy`], but policy and target must exist.
    ///
    /// # Errors
    /// `PolicyNotFound`, `CertificateNotFound`, `ThingGroupNotFound`.
    pub async fn detach_principal_policy(
        &self,
        tenant: Tenant,
        name: &PolicyName,
        target: PolicyTarget,
    ) -> Result<(), RegistryError> {
        let read = self.read().await?;
        read_policy(&read, tenant, name).await?;
        require_there(&read, tenant, &target).await?;
        self.detach_policy(tenant, name, target).await
    }
}
