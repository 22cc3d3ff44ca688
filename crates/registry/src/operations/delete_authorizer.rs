//! AWS: API_DeleteAuthorizer.

use tidegate_ids::{AuthorizerName, Tenant};
use tidegate_kv::Transaction;

use super::describe_authorizer::read_authorizer;
use crate::{
    AuthorizerStatus, Registry, RegistryError,
    tables::{AUTHORIZERS, DEFAULT_AUTHORIZERS},
};

impl Registry {
    /// Deletes an authorizer that is INACTIVE and not the default.
    ///
    /// Unverified: AWS's errors; that an ACTIVE one is refused is what its users see.
    ///
    /// # Errors
    /// `AuthorizerNotFound`, `AuthorizerActive`, `AuthorizerIsDefault`.
    pub async fn delete_authorizer(&self, tenant: Tenant, name: &AuthorizerName) -> Result<(), RegistryError> {
        self.change(|read| async move {
            let row = read_authorizer(&read, tenant, name).await?;
            let default = DEFAULT_AUTHORIZERS.get(&read, &tenant).await?;
            if default.as_ref().is_some_and(|default| default.value.name == *name) {
                return Err(RegistryError::AuthorizerIsDefault(name.clone()));
            }
            if row.value.status == AuthorizerStatus::Active {
                return Err(RegistryError::AuthorizerActive(name.clone()));
            }
            let mut transaction = Transaction::new();
            DEFAULT_AUTHORIZERS.require_as_read(&mut transaction, &tenant, default.as_ref());
            AUTHORIZERS.remove(&mut transaction, &(tenant, name.clone()), row.revision);
            Ok((transaction, ()))
        })
        .await
    }
}
