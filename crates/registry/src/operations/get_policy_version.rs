//! AWS: API_GetPolicyVersion.

use tidegate_ids::{PolicyName, Tenant, Timestamp};

use super::get_policy::read_policy;
use crate::{GenerationId, PolicyVersionId, Registry, RegistryError, tables::POLICY_VERSIONS};

/// One version of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyVersion {
    /// Its number.
    pub version: PolicyVersionId,
    /// Its document, as it was sent.
    pub document: String,
    /// Whether it is in force.
    pub is_default: bool,
    /// When it was made.
    pub created: Timestamp,
    /// When the policy was last changed.
    pub modified: Timestamp,
    /// The policy's.
    pub generation_id: GenerationId,
}

impl Registry {
    /// One version of a policy.
    ///
    /// # Errors
    /// `PolicyNotFound`, `PolicyVersionNotFound`.
    pub async fn get_policy_version(
        &self,
        tenant: Tenant,
        name: &PolicyName,
        version: PolicyVersionId,
    ) -> Result<PolicyVersion, RegistryError> {
        let read = self.read().await?;
        let policy = read_policy(&read, tenant, name).await?.value;
        let row = POLICY_VERSIONS.get(&read, &(tenant, name.clone(), version)).await?;
        let row = row.ok_or_else(|| RegistryError::PolicyVersionNotFound { name: name.clone(), version })?.value;
        Ok(PolicyVersion {
            version,
            document: row.document,
            is_default: version == policy.default_version,
            created: row.created,
            modified: policy.modified,
            generation_id: policy.generation_id,
        })
    }
}
