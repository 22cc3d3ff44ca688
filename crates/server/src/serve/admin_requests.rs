//! What the admin socket answers.

mod clients;
mod recorded;
mod refusals;

use std::sync::Arc;

use serde_json::{Value, json};
use tidegate_broker::Broker;
use tidegate_ids::{AccountId, Clock, Now, Tenant};
use tidegate_kv::Store;
use tidegate_logs::{LogBook, Trail, Verification};
use tidegate_registry::{AccessKeyStatus, CreatedAccessKey, Registry, RegistryError};
use tidegate_standalone::StandaloneStore;

use self::recorded::Recorded;
use crate::admin::{Peer, Request};

/// Who answers.
#[derive(Clone)]
pub(super) struct Answerer {
    /// Accounts and keys.
    pub registry: Registry,
    /// Connections, sessions, retained messages.
    pub broker: Arc<Broker>,
    /// Refusals.
    pub book: Arc<LogBook>,
    /// Where commands are recorded.
    pub trail: Arc<Trail>,
    /// The audit trail as it is on disk.
    pub store: Arc<StandaloneStore>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The first account, and the first region: where commands are recorded that belong nowhere else.
    pub home: Tenant,
}

impl Answerer {
    /// Carries out one request, and records it if it changes something. The error is the sentence that the person at the command
    /// line reads.
    pub(super) async fn answer(self, request: Request, peer: Peer) -> Result<Value, String> {
        match Recorded::of(&request, &self, peer) {
            Some(recorded) => recorded.carry_out(&self.trail, self.carry_out(request)).await,
            None => self.carry_out(request).await.map(|done| done.answer),
        }
    }

    async fn carry_out(&self, request: Request) -> Result<Done, String> {
        let Self { registry, broker, book, store, clock, home, .. } = self;
        let now = clock.now();
        let within = |account| Tenant { account, region: home.region };
        let looked = match request {
            Request::CreateAccount { id } => {
                let key = create_account(registry, id, now).await.map_err(told)?;
                return Ok(Done { answer: created(&key), touched: vec![within(key.account)] });
            }
            Request::CreateKey { account } => {
                let key = registry.create_access_key(account, now).await.map_err(told)?;
                return Ok(Done { answer: created(&key), touched: vec![within(account)] });
            }
            Request::DeleteKey { access_key_id } => {
                let owner = registry.directory().access_key_owner(&access_key_id);
                registry.delete_access_key(&access_key_id).await.map_err(told)?;
                let touched = owner.map(|(account, _)| within(account)).into_iter().collect();
                return Ok(Done { answer: json!({ "accessKeyId": access_key_id }), touched });
            }
            Request::Kick { target, scope, reason } => {
                return clients::kick(broker, &target, scope, reason.as_deref(), now);
            }
            Request::DropSession { client_id, scope, prevent_will } => {
                return clients::drop_session(broker, &client_id, scope, prevent_will, now);
            }
            Request::ListAccounts => list_accounts(registry).await.map_err(told),
            Request::ListKeys { account } => list_keys(registry, account).await.map_err(told),
            Request::Explain { account, region, question } => {
                tidegate_api::explain(registry, Tenant { account, region }, &question, now.wall).await.map_err(told)
            }
            Request::Why { whom, max } => refusals::why(book, &whom, max).await,
            Request::ListRefusals { since_millis, max } => refusals::list(book, since_millis, max).await,
            Request::VerifyAudit => verify_audit(&**store).await,
            Request::ListConnections(listing) => Ok(clients::connections(broker, &listing, now)),
            Request::ListSessions(listing) => Ok(clients::sessions(broker, &listing, now)),
            Request::ShowSession { client_id, scope } => clients::show(broker, &client_id, scope, now),
            Request::ListRetained { filter, listing } => clients::retained(broker, filter.as_deref(), &listing, now),
        };
        looked.map(|answer| Done { answer, touched: Vec::new() })
    }
}

/// What was done.
struct Done {
    answer: Value,
    /// The accounts and regions in which something is different now.
    touched: Vec<Tenant>,
}

/// An error as the person at the command line reads it.
fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}

async fn verify_audit(store: &dyn Store) -> Result<Value, String> {
    let found = Verification::of(store).await.map_err(|error| error.to_string())?;
    serde_json::to_value(found).map_err(|error| error.to_string())
}

async fn create_account(
    registry: &Registry,
    id: Option<AccountId>,
    now: Now,
) -> Result<CreatedAccessKey, RegistryError> {
    let id = registry.create_account(id, now).await?;
    registry.create_access_key(id, now).await
}

async fn list_accounts(registry: &Registry) -> Result<Value, RegistryError> {
    let accounts = registry.list_accounts().await?;
    let row = |account: &tidegate_registry::Account| json!({ "accountId": account.id, "createdMillis": account.created.millis() });
    Ok(accounts.iter().map(row).collect())
}

/// The keys of one account, or of all.
async fn list_keys(registry: &Registry, account: Option<AccountId>) -> Result<Value, RegistryError> {
    let accounts = match account {
        Some(account) => vec![account],
        None => registry.list_accounts().await?.iter().map(|account| account.id).collect(),
    };
    let mut all = Vec::new();
    for account in accounts {
        all.append(&mut keys(registry, account).await?);
    }
    Ok(Value::Array(all))
}

fn created(key: &CreatedAccessKey) -> Value {
    json!({ "accountId": key.account, "accessKeyId": key.id, "secretAccessKey": *key.secret })
}

async fn keys(registry: &Registry, account: AccountId) -> Result<Vec<Value>, RegistryError> {
    let keys = registry.list_all_access_keys(account).await?;
    let row = |key: &tidegate_registry::AccessKeySummary| {
        let status = match key.status {
            AccessKeyStatus::Active => "Active",
            AccessKeyStatus::Inactive => "Inactive",
        };
        let user = key.user.as_deref().unwrap_or("root");
        json!({
            "accountId": account, "accessKeyId": key.id, "user": user, "status": status,
            "createdMillis": key.created.millis(),
        })
    };
    Ok(keys.iter().map(row).collect())
}
