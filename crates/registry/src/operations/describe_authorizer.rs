//! AWS: API_DescribeAuthorizer.

use tidegate_ids::{Arn, AuthorizerName, Tenant};
use tidegate_kv::{Snapshot, Versioned};

use crate::{AuthorizerRecord, AuthorizerStatus, Registry, RegistryError, tables::AUTHORIZERS};

/// A custom authorizer of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorizer {
    /// Whose.
    pub tenant: Tenant,
    /// Its name.
    pub name: AuthorizerName,
    /// All else.
    pub record: AuthorizerRecord,
}

impl Authorizer {
    /// Its ARN.
    pub fn arn(&self) -> Arn {
        Arn::authorizer(self.tenant, &self.name)
    }

    /// Whether it answers.
    pub fn is_active(&self) -> bool {
        self.record.status == AuthorizerStatus::Active
    }
}

impl Registry {
    /// One authorizer.
    ///
    /// # Errors
    /// `AuthorizerNotFound`.
    pub async fn describe_authorizer(&self, tenant: Tenant, name: AuthorizerName) -> Result<Authorizer, RegistryError> {
        let record = read_authorizer(&self.read().await?, tenant, &name).await?.value;
        Ok(Authorizer { tenant, name, record })
    }
}

/// The authorizer's row.
pub(super) async fn read_authorizer(
    read: &Snapshot,
    tenant: Tenant,
    name: &AuthorizerName,
) -> Result<Versioned<AuthorizerRecord>, RegistryError> {
    let row = AUTHORIZERS.get(read, &(tenant, name.clone())).await?;
    row.ok_or_else(|| RegistryError::AuthorizerNotFound(name.clone()))
}
