//! What the admin socket answers.

use std::sync::Arc;

use serde_json::{Value, json};
use tidegate_ids::{AccountId, Clock, Tenant};
use tidegate_registry::{AccessKeyStatus, CreatedAccessKey, Registry, RegistryError};

use crate::admin::Request;

/// Carries out one request. The error is the sentence that the person at the command line reads.
pub(super) async fn answer(registry: Registry, clock: Arc<dyn Clock>, request: Request) -> Result<Value, String> {
    carry_out(&registry, &*clock, request).await.map_err(|error| error.to_string())
}

async fn carry_out(registry: &Registry, clock: &dyn Clock, request: Request) -> Result<Value, RegistryError> {
    let now = clock.now();
    Ok(match request {
        Request::CreateAccount { id } => {
            let id = registry.create_account(id, now).await?;
            created(&registry.create_access_key(id, now).await?)
        }
        Request::ListAccounts => {
            let accounts = registry.list_accounts().await?;
            let row = |account: &tidegate_registry::Account| json!({ "accountId": account.id, "createdMillis": account.created.millis() });
            accounts.iter().map(row).collect()
        }
        Request::CreateKey { account } => created(&registry.create_access_key(account, now).await?),
        Request::ListKeys { account: Some(account) } => Value::Array(keys(registry, account).await?),
        Request::ListKeys { account: None } => {
            let mut all = Vec::new();
            for account in registry.list_accounts().await? {
                all.append(&mut keys(registry, account.id).await?);
            }
            Value::Array(all)
        }
        Request::DeleteKey { access_key_id } => {
            registry.delete_access_key(&access_key_id).await?;
            json!({ "accessKeyId": access_key_id })
        }
        Request::Explain { account, region, question } => {
            tidegate_api::explain(registry, Tenant { account, region }, &question, now.wall).await?
        }
    })
}

fn created(key: &CreatedAccessKey) -> Value {
    json!({ "accountId": key.account, "accessKeyId": key.id, "secretAccessKey": *key.secret })
}

async fn keys(registry: &Registry, account: AccountId) -> Result<Vec<Value>, RegistryError> {
    let keys = registry.list_access_keys(account).await?;
    let row = |key: &tidegate_registry::AccessKeySummary| {
        let status = match key.status {
            AccessKeyStatus::Active => "Active",
            AccessKeyStatus::Inactive => "Inactive",
        };
        json!({ "accountId": account, "accessKeyId": key.id, "status": status, "createdMillis": key.created.millis() })
    };
    Ok(keys.iter().map(row).collect())
}
