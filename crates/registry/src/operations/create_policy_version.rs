//! AWS: API_CreatePolicyVersion.

use tidegate_ids::{Now, PolicyName, Tenant};
use tidegate_kv::{Direction, Transaction};

use super::{create_policy::check_document, get_policy::read_policy};
use crate::{
    CreatedPolicyVersion, POLICY_VERSIONS_MAX, PolicyVersionId, Registry, RegistryError,
    records::PolicyVersionRecord,
    tables::{POLICIES, POLICY_VERSIONS},
};

impl Registry {
    /// Adds a version to a policy and, if asked, puts it in force. Its number was never used before.
    ///
    /// # Errors
    /// `MalformedPolicy`, `PolicyNotFound`, `TooManyVersions`.
    pub async fn create_policy_version(
        &self,
        tenant: Tenant,
        name: PolicyName,
        document: String,
        set_as_default: bool,
        now: Now,
    ) -> Result<CreatedPolicyVersion, RegistryError> {
        check_document(&document)?;
        let generation_id = &self.generation_id();
        let (for_name, text) = (&name, &document);
        let version = self
            .change(|read| async move {
                let row = read_policy(&read, tenant, for_name).await?;
                let versions = POLICY_VERSIONS.under(&(tenant, for_name.clone()));
                let held = POLICY_VERSIONS.scan(&read, &versions, POLICY_VERSIONS_MAX, Direction::Ascending).await?;
                if held.len() >= POLICY_VERSIONS_MAX {
                    return Err(RegistryError::TooManyVersions(for_name.clone()));
                }
                let mut policy = row.value;
                let version = PolicyVersionId(policy.last_version.0.saturating_add(1));
                policy.last_version = version;
                policy.modified = now.wall;
                policy.generation_id = generation_id.clone();
                if set_as_default {
                    policy.default_version = version;
                    policy.document = text.clone();
                }
                let mut transaction = Transaction::new();
                POLICIES.replace(&mut transaction, &(tenant, for_name.clone()), row.revision, &policy);
                let record = PolicyVersionRecord { document: text.clone(), created: now.wall };
                POLICY_VERSIONS.put(&mut transaction, &(tenant, for_name.clone(), version), &record);
                Ok((transaction, version))
            })
            .await?;
        Ok(CreatedPolicyVersion { name, document, version, is_default: set_as_default })
    }
}
