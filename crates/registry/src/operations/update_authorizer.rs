//! AWS: API_UpdateAuthorizer.

use std::collections::BTreeMap;

use tidegate_ids::{AuthorizerName, Now, Tenant};
use tidegate_kv::Transaction;

use super::{
    create_authorizer::{check_authorizer, require_room},
    describe_authorizer::{Authorizer, read_authorizer},
};
use crate::{AuthorizerStatus, Registry, RegistryError, tables::AUTHORIZERS};

/// What UpdateAuthorizer asks for; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct UpdateAuthorizer {
    /// Another function.
    pub function_arn: Option<String>,
    /// Another name of the token's key.
    pub token_key_name: Option<String>,
    /// Other keys, in place of all that are there. Unverified: that they are not added.
    pub token_signing_public_keys: Option<BTreeMap<String, String>>,
    /// Another status.
    pub status: Option<AuthorizerStatus>,
    /// Whether an answer holds for further requests on the same HTTP connection.
    pub enable_caching_for_http: Option<bool>,
}

impl Registry {
    /// Changes an authorizer. Connections that it let in stay as they are.
    ///
    /// # Errors
    /// `AuthorizerNotFound`, `InvalidRequest`, `TooManyActiveAuthorizers`.
    pub async fn update_authorizer(
        &self,
        tenant: Tenant,
        name: AuthorizerName,
        update: UpdateAuthorizer,
        now: Now,
    ) -> Result<Authorizer, RegistryError> {
        let (name, update) = (&name, &update);
        let record = self
            .change(|read| async move {
                let row = read_authorizer(&read, tenant, name).await?;
                let before = row.value.status;
                let record = update.applied_to(row.value, now);
                check_authorizer(&record)?;
                let mut transaction = Transaction::new();
                if before != record.status && record.status == AuthorizerStatus::Active {
                    require_room(&read, tenant, record.status, false, &mut transaction).await?;
                }
                AUTHORIZERS.replace(&mut transaction, &(tenant, name.clone()), row.revision, &record);
                Ok((transaction, record))
            })
            .await?;
        Ok(Authorizer { tenant, name: name.clone(), record })
    }
}

impl UpdateAuthorizer {
    fn applied_to(&self, mut record: crate::AuthorizerRecord, now: Now) -> crate::AuthorizerRecord {
        if let Some(arn) = &self.function_arn {
            record.function_arn.clone_from(arn);
        }
        if self.token_key_name.is_some() {
            record.token_key_name.clone_from(&self.token_key_name);
        }
        if let Some(keys) = &self.token_signing_public_keys {
            record.token_signing_public_keys.clone_from(keys);
        }
        record.status = self.status.unwrap_or(record.status);
        record.enable_caching_for_http = self.enable_caching_for_http.unwrap_or(record.enable_caching_for_http);
        record.modified = now.wall;
        record
    }
}
