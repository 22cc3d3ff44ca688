//! Accounts and their access keys. Not operations of AWS IoT: the admin socket and the first start call these.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use tidegate_ids::{AccessKeyId, AccountId, Now, Timestamp};
use tidegate_kv::{Direction, KeyRange, Transaction};
use zeroize::Zeroizing;

use crate::{
    ACCESS_KEYS_PER_ACCOUNT_MAX, AccessKeyStatus, Registry, RegistryError,
    iam::remove_key,
    records::{AccessKeyRecord, AccountRecord, Sealed},
    tables::{ACCESS_KEYS, ACCESS_KEYS_OF_ACCOUNT, ACCOUNTS},
};

/// An account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// Its number.
    pub id: AccountId,
    /// When it was made.
    pub created: Timestamp,
}

/// A new access key: the only moment at which its secret is handed out. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct CreatedAccessKey {
    /// The account that requests signed with it act for.
    pub account: AccountId,
    /// Its id: `AKIA` and 16 letters and digits.
    pub id: AccessKeyId,
    /// Its secret: 40 characters.
    pub secret: Zeroizing<String>,
}

impl fmt::Debug for CreatedAccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreatedAccessKey").field("account", &self.account).field("id", &self.id).finish_non_exhaustive()
    }
}

/// An access key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKeySummary {
    /// Its id.
    pub id: AccessKeyId,
    /// Its user; `None`: the account's root.
    pub user: Option<String>,
    /// Whether signatures with it are accepted.
    pub status: AccessKeyStatus,
    /// When it was made.
    pub created: Timestamp,
}

impl Registry {
    /// Makes an account: the one with this number, or with a random one that is free.
    ///
    /// # Errors
    /// `AccountExists`, when the number was given.
    pub async fn create_account(&self, id: Option<AccountId>, now: Now) -> Result<AccountId, RegistryError> {
        self.change(|read| async move {
            let chosen = id.unwrap_or_else(|| AccountId::from_number(u64::from_le_bytes(self.chance().bytes())));
            if ACCOUNTS.get(&read, &chosen).await?.is_some() {
                // A random number that is taken is as good as a conflict: the caller may try again.
                return Err(if id.is_some() { RegistryError::AccountExists(chosen) } else { RegistryError::Contended });
            }
            let mut transaction = Transaction::new();
            ACCOUNTS.insert(&mut transaction, &chosen, &AccountRecord { created: now.wall });
            Ok((transaction, chosen))
        })
        .await
    }

    /// Every account, by number. Reads them all: for people.
    pub async fn list_accounts(&self) -> Result<Vec<Account>, RegistryError> {
        let mut accounts = Vec::new();
        let read = self.read().await?;
        let visit = |row: tidegate_kv::Row<AccountId, AccountRecord>| {
            accounts.push(Account { id: row.key, created: row.value.created });
        };
        ACCOUNTS.each(&read, KeyRange::all(), visit).await?;
        Ok(accounts)
    }

    /// Makes an access key that acts for the account.
    ///
    /// # Errors
    /// `AccountNotFound`, `TooManyAccessKeys`.
    pub async fn create_access_key(&self, account: AccountId, now: Now) -> Result<CreatedAccessKey, RegistryError> {
        let id = new_access_key_id("AKIA", self.chance().bytes());
        let secret = new_secret(Zeroizing::new(self.chance().bytes()));
        let record = &AccessKeyRecord {
            account,
            user: None,
            status: AccessKeyStatus::Active,
            secret: Sealed(self.master_key().seal(&secret_place(&id), secret.as_bytes())),
            created: now.wall,
        };
        let key = &id;
        self.change(|read| async move {
            let owner = ACCOUNTS.get(&read, &account).await?.ok_or(RegistryError::AccountNotFound(account))?;
            let of_account = ACCESS_KEYS_OF_ACCOUNT.under(&account);
            let max = ACCESS_KEYS_PER_ACCOUNT_MAX;
            if ACCESS_KEYS_OF_ACCOUNT.scan(&read, &of_account, max, Direction::Ascending).await?.len() >= max {
                return Err(RegistryError::TooManyAccessKeys(account));
            }
            let mut transaction = Transaction::new();
            ACCOUNTS.require_as_read(&mut transaction, &account, Some(&owner));
            ACCESS_KEYS_OF_ACCOUNT.require_unchanged(&mut transaction, of_account, &read);
            ACCESS_KEYS_OF_ACCOUNT.put(&mut transaction, &(account, key.clone()), &());
            ACCESS_KEYS.insert(&mut transaction, key, record);
            Ok((transaction, ()))
        })
        .await?;
        Ok(CreatedAccessKey { account, id, secret })
    }

    /// The access keys of the account's root, by id.
    ///
    /// # Errors
    /// `AccountNotFound`.
    pub async fn list_access_keys(&self, account: AccountId) -> Result<Vec<AccessKeySummary>, RegistryError> {
        let read = self.read().await?;
        ACCOUNTS.get(&read, &account).await?.ok_or(RegistryError::AccountNotFound(account))?;
        let range = ACCESS_KEYS_OF_ACCOUNT.under(&account);
        let max = ACCESS_KEYS_PER_ACCOUNT_MAX;
        let mut keys = Vec::new();
        for entry in ACCESS_KEYS_OF_ACCOUNT.scan(&read, &range, max, Direction::Ascending).await? {
            let id = entry.key.1;
            if let Some(row) = ACCESS_KEYS.get(&read, &id).await? {
                let AccessKeyRecord { user, status, created, .. } = row.value;
                keys.push(AccessKeySummary { id, user, status, created });
            }
        }
        Ok(keys)
    }

    /// Deletes an access key. Requests signed with it are refused from now on.
    ///
    /// # Errors
    /// `AccessKeyNotFound`.
    pub async fn delete_access_key(&self, id: &AccessKeyId) -> Result<(), RegistryError> {
        self.change(|read| async move { remove_key(&read, id).await }).await
    }
}

/// What the secret of an access key is sealed for.
pub(crate) fn secret_place(id: &AccessKeyId) -> Vec<u8> {
    format!("{}/{id}", ACCESS_KEYS.name()).into_bytes()
}

/// `AKIA` (or `ASIA`, of a session) and 16 characters of base 32: 80 random bits.
pub(crate) fn new_access_key_id(of: &str, random: [u8; 16]) -> AccessKeyId {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let tail = random.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)]));
    let id: String = of.chars().chain(tail).collect();
    id.parse().expect("letters and digits make an access key id")
}

/// 40 characters of base 64: 240 random bits.
pub(crate) fn new_secret(random: Zeroizing<[u8; 30]>) -> Zeroizing<String> {
    Zeroizing::new(STANDARD_NO_PAD.encode(random.as_slice()))
}
