//! AWS: API_ListPolicyVersions.

use tidegate_ids::{PolicyName, Tenant, Timestamp};
use tidegate_kv::Direction;

use super::get_policy::read_policy;
use crate::{POLICY_VERSIONS_MAX, PolicyVersionId, Registry, RegistryError, tables::POLICY_VERSIONS};

/// A line of ListPolicyVersions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyVersionSummary {
    /// Its number.
    pub version: PolicyVersionId,
    /// Whether it is in force.
    pub is_default: bool,
    /// When it was made.
    pub created: Timestamp,
}

impl Registry {
    /// All versions of a policy, newest first.
    ///
    /// Unverified: the order.
    ///
    /// # Errors
    /// `PolicyNotFound`.
    pub async fn list_policy_versions(
        &self,
        tenant: Tenant,
        name: &PolicyName,
    ) -> Result<Vec<PolicyVersionSummary>, RegistryError> {
        let read = self.read().await?;
        let policy = read_policy(&read, tenant, name).await?.value;
        let versions = POLICY_VERSIONS.under(&(tenant, name.clone()));
        let rows = POLICY_VERSIONS.scan(&read, &versions, POLICY_VERSIONS_MAX, Direction::Descending).await?;
        let summaries = rows.into_iter().map(|row| {
            let version = row.key.2;
            PolicyVersionSummary { version, is_default: version == policy.default_version, created: row.value.created }
        });
        Ok(summaries.collect())
    }
}
