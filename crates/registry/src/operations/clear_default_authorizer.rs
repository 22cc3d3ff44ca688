//! AWS: API_ClearDefaultAuthorizer.

use tidegate_ids::Tenant;
use tidegate_kv::Transaction;

use crate::{Registry, RegistryError, tables::DEFAULT_AUTHORIZERS};

impl Registry {
    /// Leaves the account without a default authorizer.
    ///
    /// # Errors
    /// `NoDefaultAuthorizer`.
    pub async fn clear_default_authorizer(&self, tenant: Tenant) -> Result<(), RegistryError> {
        self.change(|read| async move {
            let default = DEFAULT_AUTHORIZERS.get(&read, &tenant).await?;
            let default = default.ok_or(RegistryError::NoDefaultAuthorizer)?;
            let mut transaction = Transaction::new();
            DEFAULT_AUTHORIZERS.remove(&mut transaction, &tenant, default.revision);
            Ok((transaction, ()))
        })
        .await
    }
}
