//! AWS: API_SetDefaultPolicyVersion.

use tidegate_ids::{Now, PolicyName, Tenant};
use tidegate_kv::Transaction;

use super::get_policy::read_policy;
use crate::{
    PolicyVersionId, Registry, RegistryError,
    tables::{POLICIES, POLICY_VERSIONS},
};

impl Registry {
    /// Puts a version in force.
    ///
    /// # Errors
    /// `PolicyNotFound`, `PolicyVersionNotFound`.
    pub async fn set_default_policy_version(
        &self,
        tenant: Tenant,
        name: &PolicyName,
        version: PolicyVersionId,
        now: Now,
    ) -> Result<(), RegistryError> {
        let generation_id = &self.generation_id();
        self.change(|read| async move {
            let row = read_policy(&read, tenant, name).await?;
            let chosen = POLICY_VERSIONS.get(&read, &(tenant, name.clone(), version)).await?;
            let chosen = chosen.ok_or_else(|| RegistryError::PolicyVersionNotFound { name: name.clone(), version })?;
            let mut transaction = Transaction::new();
            let mut policy = row.value;
            if policy.default_version != version {
                policy.default_version = version;
                policy.document = chosen.value.document;
                policy.modified = now.wall;
                policy.generation_id = generation_id.clone();
                POLICIES.replace(&mut transaction, &(tenant, name.clone()), row.revision, &policy);
            }
            Ok((transaction, ()))
        })
        .await
    }
}
