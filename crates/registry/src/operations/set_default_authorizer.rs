//! AWS: API_SetDefaultAuthorizer.

use tidegate_ids::{AuthorizerName, Tenant};
use tidegate_kv::{Expected, Transaction};

use super::describe_authorizer::{Authorizer, read_authorizer};
use crate::{
    Registry, RegistryError,
    records::DefaultAuthorizerRecord,
    tables::{AUTHORIZERS, DEFAULT_AUTHORIZERS},
};

impl Registry {
    /// Makes an authorizer the one that is asked when a client names none. Setting the same one again changes nothing.
    ///
    /// Unverified: that another default must be cleared first, as ResourceAlreadyExistsException among its errors suggests; that
    /// its status does not matter.
    ///
    /// # Errors
    /// `AuthorizerNotFound`, `DefaultAuthorizerExists`.
    pub async fn set_default_authorizer(
        &self,
        tenant: Tenant,
        name: AuthorizerName,
    ) -> Result<Authorizer, RegistryError> {
        let name = &name;
        let record = self
            .change(|read| async move {
                let row = read_authorizer(&read, tenant, name).await?;
                let mut transaction = Transaction::new();
                let Some(default) = DEFAULT_AUTHORIZERS.get(&read, &tenant).await? else {
                    let key = (tenant, name.clone());
                    AUTHORIZERS.require(&mut transaction, &key, Expected::Revision(row.revision));
                    DEFAULT_AUTHORIZERS.require(&mut transaction, &tenant, Expected::Absent);
                    DEFAULT_AUTHORIZERS.put(&mut transaction, &tenant, &DefaultAuthorizerRecord { name: name.clone() });
                    return Ok((transaction, row.value));
                };
                if default.value.name != *name {
                    return Err(RegistryError::DefaultAuthorizerExists(tenant, default.value.name));
                }
                Ok((transaction, row.value))
            })
            .await?;
        Ok(Authorizer { tenant, name: name.clone(), record })
    }
}
