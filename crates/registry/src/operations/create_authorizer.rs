//! AWS: API_CreateAuthorizer.

use std::collections::BTreeMap;

use tidegate_ids::{AuthorizerName, Now, Tenant};
use tidegate_kv::{Expected, Snapshot, Transaction};
use tidegate_pki::{KeyAlgorithm, PublicKey};

use super::describe_authorizer::Authorizer;
use crate::{
    ACTIVE_AUTHORIZERS_MAX, AUTHORIZERS_MAX, AuthorizerRecord, AuthorizerStatus, Registry, RegistryError,
    TOKEN_SIGNING_KEYS_MAX, Tag, tables::AUTHORIZERS, tags::check_tags,
};

/// What CreateAuthorizer asks for.
#[derive(Debug, Clone)]
pub struct CreateAuthorizer {
    /// Its name.
    pub name: AuthorizerName,
    /// The function that answers.
    pub function_arn: String,
    /// Where the token is; needed unless signing is disabled.
    pub token_key_name: Option<String>,
    /// The keys of the token's signature, in PEM; needed unless signing is disabled.
    pub token_signing_public_keys: BTreeMap<String, String>,
    /// INACTIVE when absent. Unverified.
    pub status: Option<AuthorizerStatus>,
    /// Whether signatures are not looked at.
    pub signing_disabled: bool,
    /// Whether an answer holds for further requests on the same HTTP connection.
    pub enable_caching_for_http: bool,
    /// Its tags.
    pub tags: Vec<Tag>,
}

impl Registry {
    /// Makes a custom authorizer. Whether there is a function behind the ARN is not looked at; TestInvokeAuthorizer tells.
    ///
    /// # Errors
    /// `AuthorizerExists`, `InvalidRequest`, `TooManyAuthorizers`.
    pub async fn create_authorizer(
        &self,
        tenant: Tenant,
        request: CreateAuthorizer,
        now: Now,
    ) -> Result<Authorizer, RegistryError> {
        check_tags(&request.tags)?;
        let record = &AuthorizerRecord {
            function_arn: request.function_arn,
            token_key_name: request.token_key_name,
            token_signing_public_keys: request.token_signing_public_keys,
            status: request.status.unwrap_or(AuthorizerStatus::Inactive),
            signing_disabled: request.signing_disabled,
            enable_caching_for_http: request.enable_caching_for_http,
            created: now.wall,
            modified: now.wall,
            tags: request.tags,
        };
        check_authorizer(record)?;
        let key = &(tenant, request.name);
        self.change(|read| async move {
            if AUTHORIZERS.get(&read, key).await?.is_some() {
                return Err(RegistryError::AuthorizerExists(tenant, key.1.clone()));
            }
            let mut transaction = Transaction::new();
            require_room(&read, tenant, record.status, true, &mut transaction).await?;
            AUTHORIZERS.require(&mut transaction, key, Expected::Absent);
            AUTHORIZERS.put(&mut transaction, key, record);
            Ok((transaction, ()))
        })
        .await?;
        Ok(Authorizer { tenant, name: key.1.clone(), record: record.clone() })
    }
}

/// Refuses when the account would have too many authorizers, or too many that are ACTIVE.
///
/// AWS: quotas, 100 and 32.
pub(super) async fn require_room(
    read: &Snapshot,
    tenant: Tenant,
    status: AuthorizerStatus,
    is_new: bool,
    transaction: &mut Transaction,
) -> Result<(), RegistryError> {
    let all = AUTHORIZERS.under(&tenant);
    let (mut held, mut active) = (0, 0);
    AUTHORIZERS
        .each(read, all.clone(), |row| {
            held += 1;
            active += usize::from(row.value.status == AuthorizerStatus::Active);
        })
        .await?;
    if is_new && held >= AUTHORIZERS_MAX {
        return Err(RegistryError::TooManyAuthorizers(AUTHORIZERS_MAX));
    }
    if status == AuthorizerStatus::Active && active >= ACTIVE_AUTHORIZERS_MAX {
        return Err(RegistryError::TooManyActiveAuthorizers(ACTIVE_AUTHORIZERS_MAX));
    }
    AUTHORIZERS.require_unchanged(transaction, all, read);
    Ok(())
}

/// Refuses an authorizer that could never answer. Lengths and characters are in the service model.
///
/// AWS: developer guide, "Creating and managing custom authorizers": with signing, the name of the token's key and a key are
/// required, of 2 048 bits at least. Unverified: that there are at most two keys; the sentences.
pub(super) fn check_authorizer(record: &AuthorizerRecord) -> Result<(), RegistryError> {
    let invalid = |why: String| Err(RegistryError::InvalidRequest(why));
    if record.function_arn.is_empty() {
        return invalid("authorizerFunctionArn must not be empty".into());
    }
    if record.token_signing_public_keys.len() > TOKEN_SIGNING_KEYS_MAX {
        return invalid(format!("An authorizer has at most {TOKEN_SIGNING_KEYS_MAX} token signing public keys"));
    }
    for (name, pem) in &record.token_signing_public_keys {
        let why = match PublicKey::from_pem(pem) {
            Err(error) => error.to_string(),
            Ok(key) => match key.algorithm() {
                KeyAlgorithm::Rsa(_) => match key.algorithm().accepted() {
                    Ok(()) => continue,
                    Err(error) => error.to_string(),
                },
                other => format!("it is no RSA key but {other}"),
            },
        };
        return invalid(format!("The token signing public key {name} cannot be used: {why}"));
    }
    if record.signing_disabled {
        return Ok(());
    }
    if record.token_key_name.is_none() {
        return invalid("tokenKeyName is required unless signingDisabled is true".into());
    }
    if record.token_signing_public_keys.is_empty() {
        return invalid("tokenSigningPublicKeys is required unless signingDisabled is true".into());
    }
    Ok(())
}
