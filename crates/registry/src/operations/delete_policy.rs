//! AWS: API_DeletePolicy.

use tidegate_ids::{PolicyName, Tenant};
use tidegate_kv::{Direction, Transaction};

use super::get_policy::read_policy;
use crate::{
    Registry, RegistryError,
    tables::{POLICIES, POLICIES_BY_CREATION, POLICY_VERSIONS, TARGETS_OF_POLICY},
};

impl Registry {
    /// Deletes a policy that is attached to nothing and has no version but the one in force.
    ///
    /// An attachment made meanwhile wins or loses as a whole: the policy is then attached, or the attachment is refused.
    ///
    /// # Errors
    /// `PolicyNotFound`, `PolicyAttached`, `PolicyHasVersions`.
    pub async fn delete_policy(&self, tenant: Tenant, name: &PolicyName) -> Result<(), RegistryError> {
        self.change(|read| async move {
            let policy = read_policy(&read, tenant, name).await?;
            let targets = TARGETS_OF_POLICY.under(&(tenant, name.clone()));
            if !TARGETS_OF_POLICY.scan(&read, &targets, 1, Direction::Ascending).await?.is_empty() {
                return Err(RegistryError::PolicyAttached(name.clone()));
            }
            let versions = POLICY_VERSIONS.under(&(tenant, name.clone()));
            if POLICY_VERSIONS.scan(&read, &versions, 2, Direction::Ascending).await?.len() > 1 {
                return Err(RegistryError::PolicyHasVersions(name.clone()));
            }
            let mut transaction = Transaction::new();
            // Whoever adds or removes a version rewrites the policy's row, so its revision covers the versions.
            POLICIES.remove(&mut transaction, &(tenant, name.clone()), policy.revision);
            TARGETS_OF_POLICY.require_empty(&mut transaction, targets);
            POLICY_VERSIONS.delete(&mut transaction, &(tenant, name.clone(), policy.value.default_version));
            POLICIES_BY_CREATION.delete(&mut transaction, &(tenant, policy.value.created, name.clone()));
            Ok((transaction, ()))
        })
        .await
    }
}
