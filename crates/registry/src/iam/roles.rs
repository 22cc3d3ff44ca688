//! Roles. AWS: API_CreateRole; what they share with users is in `users`.

use tidegate_ids::{AccountId, Now};
use tidegate_policy::TrustPolicy;

use super::malformed;
use crate::{IdentityDetail, IdentityRecord, Registry, RegistryError};

/// What CreateRole asks for. The model bounds each member.
#[derive(Debug, Clone, Default)]
pub struct NewRole {
    /// AWS: `RoleName`.
    pub name: String,
    /// AWS: `Path`.
    pub path: Option<String>,
    /// AWS: `AssumeRolePolicyDocument`.
    pub trust_policy: String,
    /// AWS: `Description`.
    pub description: Option<String>,
    /// AWS: `MaxSessionDuration`; an hour when absent.
    pub max_session_seconds: Option<u32>,
}

impl Registry {
    /// Makes a role, which may do nothing yet.
    ///
    /// # Errors
    /// `IdentityExists`, `MalformedPolicyDocument`, `Quota`, `InvalidPath`.
    pub async fn create_role(
        &self,
        account: AccountId,
        role: NewRole,
        now: Now,
    ) -> Result<IdentityRecord, RegistryError> {
        let NewRole { name, path, trust_policy, description, max_session_seconds } = role;
        TrustPolicy::parse(&trust_policy).map_err(malformed)?;
        let max_session_seconds = max_session_seconds.unwrap_or(3600);
        let detail = IdentityDetail::Role { trust_policy, description, max_session_seconds };
        self.create_identity(account, name, path, detail, now).await
    }
}
