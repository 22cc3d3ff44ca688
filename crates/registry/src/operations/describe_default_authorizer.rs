//! AWS: API_DescribeDefaultAuthorizer.

use tidegate_ids::Tenant;

use super::describe_authorizer::{Authorizer, read_authorizer};
use crate::{Registry, RegistryError, tables::DEFAULT_AUTHORIZERS};

impl Registry {
    /// The authorizer that is asked when a client names none.
    ///
    /// # Errors
    /// `NoDefaultAuthorizer`.
    pub async fn describe_default_authorizer(&self, tenant: Tenant) -> Result<Authorizer, RegistryError> {
        let read = self.read().await?;
        let default = DEFAULT_AUTHORIZERS.get(&read, &tenant).await?;
        let name = default.ok_or(RegistryError::NoDefaultAuthorizer)?.value.name;
        let record = read_authorizer(&read, tenant, &name).await?.value;
        Ok(Authorizer { tenant, name, record })
    }
}
