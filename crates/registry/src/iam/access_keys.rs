//! Access keys of users. AWS: API_CreateAccessKey, API_ListAccessKeys, API_UpdateAccessKey, API_DeleteAccessKey.
//!
//! Those of an account's root are in `operations::accounts`, where a key without a user is made.

use tidegate_ids::{AccessKeyId, AccountId, Now};
use tidegate_kv::{Snapshot, Transaction};
use zeroize::Zeroizing;

use super::{ACCESS_KEYS_PER_USER_MAX, IamError, IdentityKind, identity_key, users::read_identity};
use crate::{
    AccessKeyStatus, AccessKeySummary, CreatedAccessKey, IdentityDetail, Registry, RegistryError,
    operations::{new_access_key_id, new_secret, secret_place},
    records::{AccessKeyRecord, Sealed},
    tables::{ACCESS_KEY_USES, ACCESS_KEYS, ACCESS_KEYS_OF_ACCOUNT, IAM_IDENTITIES},
};

/// Whose access key is meant: a user's of this name, or one of the root's.
pub type UserAccessKey<'a> = Option<&'a str>;

impl Registry {
    /// Makes an access key of a user.
    ///
    /// # Errors
    /// `NoSuchIdentity`, `Quota`.
    pub async fn create_user_access_key(
        &self,
        account: AccountId,
        user: &str,
        now: Now,
    ) -> Result<CreatedAccessKey, RegistryError> {
        let id = new_access_key_id("AKIA", self.chance().bytes());
        let secret = new_secret(Zeroizing::new(self.chance().bytes()));
        let record = &AccessKeyRecord {
            account,
            user: Some(user.to_owned()),
            status: AccessKeyStatus::Active,
            secret: Sealed(self.master_key().seal(&secret_place(&id), secret.as_bytes())),
            created: now.wall,
        };
        let key = &id;
        self.change(|read| async move {
            let row = read_identity(&read, account, IdentityKind::User, user).await?;
            let mut identity = row.value;
            if let IdentityDetail::User { access_keys } = &mut identity.detail {
                if access_keys.len() >= ACCESS_KEYS_PER_USER_MAX {
                    return Err(IamError::Quota { quota: "AccessKeysPerUser", max: ACCESS_KEYS_PER_USER_MAX }.into());
                }
                access_keys.push(key.clone());
            }
            let mut transaction = Transaction::new();
            let place = identity_key(account, IdentityKind::User, user);
            IAM_IDENTITIES.replace(&mut transaction, &place, row.revision, &identity);
            ACCESS_KEYS.insert(&mut transaction, key, record);
            Ok((transaction, ()))
        })
        .await?;
        Ok(CreatedAccessKey { account, id, secret })
    }

    /// The access keys of a user, in the order they were made.
    ///
    /// # Errors
    /// `NoSuchIdentity`.
    pub async fn list_user_access_keys(
        &self,
        account: AccountId,
        user: &str,
    ) -> Result<Vec<AccessKeySummary>, RegistryError> {
        let read = self.read().await?;
        let identity = read_identity(&read, account, IdentityKind::User, user).await?.value;
        let IdentityDetail::User { access_keys } = identity.detail else { return Ok(Vec::new()) };
        let mut keys = Vec::new();
        for id in access_keys {
            if let Some(row) = ACCESS_KEYS.get(&read, &id).await? {
                let AccessKeyRecord { status, created, user, .. } = row.value;
                keys.push(AccessKeySummary { id, user, status, created });
            }
        }
        Ok(keys)
    }

    /// The access keys of the account's root, then those of its users. Reads all users: for people.
    ///
    /// # Errors
    /// `AccountNotFound`.
    pub async fn list_all_access_keys(&self, account: AccountId) -> Result<Vec<AccessKeySummary>, RegistryError> {
        let mut keys = self.list_access_keys(account).await?;
        let mut users = Vec::new();
        let range = IAM_IDENTITIES.under(&(account, IdentityKind::User));
        IAM_IDENTITIES.each(&self.read().await?, range, |row| users.push(row.value.name)).await?;
        for user in users {
            match self.list_user_access_keys(account, &user).await {
                Ok(more) => keys.extend(more),
                Err(RegistryError::Iam(IamError::NoSuchIdentity { .. })) => {} // deleted meanwhile
                Err(error) => return Err(error),
            }
        }
        Ok(keys)
    }

    /// Accepts signatures with a key, or does not.
    ///
    /// # Errors
    /// `NoSuchAccessKey`: it is not there, or somebody else's.
    pub async fn update_access_key(
        &self,
        account: AccountId,
        of: UserAccessKey<'_>,
        id: &AccessKeyId,
        status: AccessKeyStatus,
    ) -> Result<(), RegistryError> {
        self.change(|read| async move {
            let row = read_key(&read, account, of, id).await?;
            let mut transaction = Transaction::new();
            let changed = AccessKeyRecord { status, ..row.value };
            ACCESS_KEYS.replace(&mut transaction, id, row.revision, &changed);
            Ok((transaction, ()))
        })
        .await
    }

    /// Deletes a key. Requests signed with it are refused from now on, and its connections are closed.
    ///
    /// # Errors
    /// `NoSuchAccessKey`: it is not there, or somebody else's.
    pub async fn delete_access_key_of(
        &self,
        account: AccountId,
        of: UserAccessKey<'_>,
        id: &AccessKeyId,
    ) -> Result<(), RegistryError> {
        self.change(|read| async move {
            read_key(&read, account, of, id).await?;
            remove_key(&read, id).await
        })
        .await
    }
}

async fn read_key(
    read: &Snapshot,
    account: AccountId,
    of: UserAccessKey<'_>,
    id: &AccessKeyId,
) -> Result<tidegate_kv::Versioned<AccessKeyRecord>, RegistryError> {
    let row = ACCESS_KEYS.get(read, id).await?;
    let own = row.filter(|row| row.value.account == account && row.value.user.as_deref() == of);
    own.ok_or_else(|| IamError::NoSuchAccessKey(id.clone()).into())
}

/// Removes a key, whoever has it.
pub(crate) async fn remove_key(read: &Snapshot, id: &AccessKeyId) -> Result<(Transaction, ()), RegistryError> {
    let row = ACCESS_KEYS.get(read, id).await?.ok_or_else(|| RegistryError::AccessKeyNotFound(id.clone()))?;
    let account = row.value.account;
    let mut transaction = Transaction::new();
    ACCESS_KEYS.remove(&mut transaction, id, row.revision);
    ACCESS_KEY_USES.delete(&mut transaction, id);
    match &row.value.user {
        None => ACCESS_KEYS_OF_ACCOUNT.delete(&mut transaction, &(account, id.clone())),
        Some(user) => {
            let identity = read_identity(read, account, IdentityKind::User, user).await?;
            let mut changed = identity.value;
            if let IdentityDetail::User { access_keys } = &mut changed.detail {
                access_keys.retain(|key| key != id);
            }
            let place = identity_key(account, IdentityKind::User, user);
            IAM_IDENTITIES.replace(&mut transaction, &place, identity.revision, &changed);
        }
    }
    Ok((transaction, ()))
}
