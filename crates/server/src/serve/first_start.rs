//! The first start makes an account with an administrator's key; later starts find them.
//!
//! Each step is durable before the next, and each can be repeated: a start that is killed half-way is completed by the next.

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use tidegate_ids::{AccessKeyId, AccountId, Now};
use tidegate_registry::{Registry, RegistryError};
use zeroize::Zeroizing;

use crate::config::FirstStart;

const SETTING: &str = "first-account";

/// What the first start decided.
#[derive(Serialize, Deserialize)]
struct Decided {
    account: AccountId,
    access_key_id: Option<AccessKeyId>,
}

/// The account that the first start made.
pub(super) struct FirstAccount {
    /// Its number.
    pub id: AccountId,
    /// Its administrator's key; `None` when somebody deleted it.
    pub key: Option<(AccessKeyId, Zeroizing<String>)>,
}

/// Makes the first account and key, or finds them. `random` is used at the first start only; `known` is the account
/// that an earlier start made, if one was completed.
///
/// Refuses a store that has forgotten that account: it was lost or damaged, and must not be taken for a new one.
pub(super) async fn ensure(
    registry: &Registry,
    config: &FirstStart,
    known: Option<AccountId>,
    random: u64,
    now: Now,
) -> Result<FirstAccount> {
    let decided = match registry.setting(SETTING).await? {
        Some(value) => serde_json::from_value(value).context("the setting `first-account` cannot be read")?,
        None => {
            if let Some(known) = known {
                bail!(
                    "the store does not hold account {known} any more, which this directory belongs to: it was damaged or \
                     replaced; restore the directory from a backup, or start with an empty one"
                );
            }
            let account = config.account_id.unwrap_or_else(|| AccountId::from_number(random));
            remember(registry, Decided { account, access_key_id: None }).await?
        }
    };
    let Decided { account, access_key_id } = decided;
    if let Some(id) = access_key_id {
        let secret = registry.directory().credential(id.as_str(), None, now.wall).ok().map(|(_, secret)| secret);
        let secret = secret.map(|secret| Zeroizing::new(String::from_utf8_lossy(secret.as_bytes()).into_owned()));
        return Ok(FirstAccount { id: account, key: secret.map(|secret| (id, secret)) });
    }
    match registry.create_account(Some(account), now).await {
        Ok(_) | Err(RegistryError::AccountExists(_)) => {}
        Err(error) => return Err(error).context("making the first account"),
    }
    let key = registry.create_access_key(account, now).await.context("making the first access key")?;
    remember(registry, Decided { account, access_key_id: Some(key.id.clone()) }).await?;
    Ok(FirstAccount { id: account, key: Some((key.id, key.secret)) })
}

async fn remember(registry: &Registry, decided: Decided) -> Result<Decided> {
    registry.put_setting(SETTING, serde_json::to_value(&decided)?).await?;
    Ok(decided)
}
