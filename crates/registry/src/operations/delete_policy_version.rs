//! AWS: API_DeletePolicyVersion.

use tidegate_ids::{Now, PolicyName, Tenant};
use tidegate_kv::Transaction;

use super::get_policy::read_policy;
use crate::{
    PolicyVersionId, Registry, RegistryError,
    tables::{POLICIES, POLICY_VERSIONS},
};

impl Registry {
    /// Deletes a version that is not in force.
    ///
    /// # Errors
    /// `PolicyNotFound`, `PolicyVersionNotFound`, `DefaultPolicyVersion`.
    pub async fn delete_policy_version(
        &self,
        tenant: Tenant,
        name: &PolicyName,
        version: PolicyVersionId,
        now: Now,
    ) -> Result<(), RegistryError> {
        let generation_id = &self.generation_id();
        self.change(|read| async move {
            let row = read_policy(&read, tenant, name).await?;
            let key = (tenant, name.clone(), version);
            if POLICY_VERSIONS.get(&read, &key).await?.is_none() {
                return Err(RegistryError::PolicyVersionNotFound { name: name.clone(), version });
            }
            if version == row.value.default_version {
                return Err(RegistryError::DefaultPolicyVersion);
            }
            let mut policy = row.value;
            policy.modified = now.wall;
            policy.generation_id = generation_id.clone();
            let mut transaction = Transaction::new();
            POLICIES.replace(&mut transaction, &(tenant, name.clone()), row.revision, &policy);
            POLICY_VERSIONS.delete(&mut transaction, &key);
            Ok((transaction, ()))
        })
        .await
    }
}
