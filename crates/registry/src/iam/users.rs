//! Users. AWS: API_CreateUser, API_GetUser, API_ListUsers, API_DeleteUser.

use std::collections::{BTreeMap, BTreeSet};

use tidegate_ids::{AccountId, Now};
use tidegate_kv::{Direction, Snapshot, Transaction, Versioned};

use super::{IamError, IdentityKind, ROLES_PER_ACCOUNT_MAX, USERS_PER_ACCOUNT_MAX, checked_path, identity_key};
use crate::{
    IdentityDetail, IdentityRecord, Page, PageRequest, Registry, RegistryError, page::Listing, tables::IAM_IDENTITIES,
};

impl Registry {
    /// Makes a user, who has no keys and may do nothing yet.
    ///
    /// # Errors
    /// `IdentityExists`, `Quota`, `InvalidPath`.
    pub async fn create_user(
        &self,
        account: AccountId,
        name: String,
        path: Option<String>,
        now: Now,
    ) -> Result<IdentityRecord, RegistryError> {
        let detail = IdentityDetail::User { access_keys: Vec::new() };
        self.create_identity(account, name, path, detail, now).await
    }

    pub(super) async fn create_identity(
        &self,
        account: AccountId,
        name: String,
        path: Option<String>,
        detail: IdentityDetail,
        now: Now,
    ) -> Result<IdentityRecord, RegistryError> {
        let (of, quota, max) = match detail {
            IdentityDetail::User { .. } => ("AIDA", "UsersPerAccount", USERS_PER_ACCOUNT_MAX),
            IdentityDetail::Role { .. } => ("AROA", "RolesPerAccount", ROLES_PER_ACCOUNT_MAX),
        };
        let record = IdentityRecord {
            name,
            path: checked_path(path)?,
            id: self.new_iam_id(of),
            created: now.wall,
            inline_policies: BTreeMap::new(),
            attached_policies: BTreeSet::new(),
            detail,
        };
        let new = &record;
        self.change(|read| async move {
            let kind = new.kind();
            let key = identity_key(account, kind, &new.name);
            if IAM_IDENTITIES.get(&read, &key).await?.is_some() {
                return Err(IamError::IdentityExists { kind, name: new.name.clone() }.into());
            }
            let all = IAM_IDENTITIES.under(&(account, kind));
            if IAM_IDENTITIES.scan(&read, &all, max, Direction::Ascending).await?.len() >= max {
                return Err(IamError::Quota { quota, max }.into());
            }
            let mut transaction = Transaction::new();
            IAM_IDENTITIES.require_unchanged(&mut transaction, all, &read);
            IAM_IDENTITIES.insert(&mut transaction, &key, new);
            Ok((transaction, ()))
        })
        .await?;
        Ok(record)
    }

    /// A user or a role.
    ///
    /// # Errors
    /// `NoSuchIdentity`.
    pub async fn get_identity(
        &self,
        account: AccountId,
        kind: IdentityKind,
        name: &str,
    ) -> Result<IdentityRecord, RegistryError> {
        let read = self.read().await?;
        Ok(read_identity(&read, account, kind, name).await?.value)
    }

    /// Users or roles by name, those whose path begins so. A page may hold fewer than asked for and not be the last.
    ///
    /// # Errors
    /// `InvalidMarker`.
    pub async fn list_identities(
        &self,
        account: AccountId,
        kind: IdentityKind,
        path_prefix: &str,
        page: PageRequest,
    ) -> Result<Page<IdentityRecord>, RegistryError> {
        let read = self.read().await?;
        let operation = match kind {
            IdentityKind::User => "ListUsers",
            IdentityKind::Role => "ListRoles",
        };
        let (rows, next_marker) = Listing::new(&IAM_IDENTITIES, &(account, kind), operation).rows(&read, &page).await?;
        let items = rows.into_iter().map(|row| row.value).filter(|record| record.path.starts_with(path_prefix));
        Ok(Page { items: items.collect(), next_marker })
    }

    /// Deletes a user or a role that has nothing any more. Its sessions end.
    ///
    /// # Errors
    /// `NoSuchIdentity`, `HasAccessKeys`, `HasInlinePolicies`, `HasAttachedPolicies`.
    pub async fn delete_identity(
        &self,
        account: AccountId,
        kind: IdentityKind,
        name: &str,
    ) -> Result<(), RegistryError> {
        self.change(|read| async move {
            let row = read_identity(&read, account, kind, name).await?;
            let IdentityRecord { inline_policies, attached_policies, detail, .. } = &row.value;
            if matches!(detail, IdentityDetail::User { access_keys } if !access_keys.is_empty()) {
                return Err(IamError::HasAccessKeys.into());
            }
            if !attached_policies.is_empty() {
                return Err(IamError::HasAttachedPolicies.into());
            }
            if !inline_policies.is_empty() {
                return Err(IamError::HasInlinePolicies.into());
            }
            let mut transaction = Transaction::new();
            IAM_IDENTITIES.remove(&mut transaction, &identity_key(account, kind, name), row.revision);
            Ok((transaction, ()))
        })
        .await
    }
}

/// The row of a user or a role of exactly this name.
pub(super) async fn read_identity(
    read: &Snapshot,
    account: AccountId,
    kind: IdentityKind,
    name: &str,
) -> Result<Versioned<IdentityRecord>, RegistryError> {
    let row = IAM_IDENTITIES.get(read, &identity_key(account, kind, name)).await?;
    let none = || IamError::NoSuchIdentity { kind, name: name.to_owned() }.into();
    row.filter(|row| row.value.name == name).ok_or_else(none)
}
