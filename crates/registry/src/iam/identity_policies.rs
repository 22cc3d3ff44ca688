//! The policies of a user or a role: its own, and those attached to it.
//!
//! AWS: API_PutUserPolicy, API_AttachUserPolicy and their kin, and the same of roles.

use tidegate_ids::{AccountId, PolicyName};
use tidegate_kv::Transaction;
use tidegate_policy::Document;

use super::{
    IamError, IdentityKind, MANAGED_POLICIES_PER_IDENTITY_MAX, ROLE_POLICY_CHARACTERS_MAX, USER_POLICY_CHARACTERS_MAX,
    aws_managed, characters, identity_key, malformed,
    managed_policies::{name_in_arn, policy_key},
    users::read_identity,
};
use crate::{
    IdentityRecord, Registry, RegistryError,
    tables::{IAM_IDENTITIES, IAM_POLICIES},
};

/// A managed policy, as far as it is told of where it is attached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachedManagedPolicy {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
}

impl Registry {
    /// Gives a user or a role a policy of its own, or another document of that name.
    ///
    /// # Errors
    /// `NoSuchIdentity`, `MalformedPolicyDocument`, `InlinePoliciesTooLarge`.
    pub async fn put_identity_policy(
        &self,
        account: AccountId,
        kind: IdentityKind,
        name: &str,
        policy: PolicyName,
        document: String,
    ) -> Result<(), RegistryError> {
        let max = match kind {
            IdentityKind::User => USER_POLICY_CHARACTERS_MAX,
            IdentityKind::Role => ROLE_POLICY_CHARACTERS_MAX,
        };
        let too_large = || RegistryError::from(IamError::InlinePoliciesTooLarge { kind, name: name.to_owned(), max });
        if characters(&document) > max {
            return Err(too_large());
        }
        Document::parse_identity(&document, max).map_err(malformed)?;
        let (policy, document) = (&policy, &document);
        self.change_identity(account, kind, name, |identity| {
            identity.inline_policies.insert(policy.clone(), document.clone());
            let all: usize = identity.inline_policies.values().map(|document| characters(document)).sum();
            if all > max { Err(too_large()) } else { Ok(()) }
        })
        .await
    }

    /// Takes a policy of its own from a user or a role.
    ///
    /// # Errors
    /// `NoSuchIdentity`, `NoSuchInlinePolicy`.
    pub async fn delete_identity_policy(
        &self,
        account: AccountId,
        kind: IdentityKind,
        name: &str,
        policy: &PolicyName,
    ) -> Result<(), RegistryError> {
        self.change_identity(account, kind, name, |identity| {
            let removed = identity.inline_policies.remove(policy);
            removed.map(drop).ok_or_else(|| IamError::NoSuchInlinePolicy { kind, name: policy.clone() }.into())
        })
        .await
    }

    /// Attaches a managed policy; once more changes nothing.
    ///
    /// # Errors
    /// `NoSuchIdentity`, `NotAttachable`, `Quota`.
    pub async fn attach_identity_policy(
        &self,
        account: AccountId,
        kind: IdentityKind,
        name: &str,
        arn: &str,
    ) -> Result<(), RegistryError> {
        self.change(|read| async move {
            let row = read_identity(&read, account, kind, name).await?;
            let mut identity = row.value;
            let mut transaction = Transaction::new();
            if identity.attached_policies.contains(arn) {
                return Ok((transaction, ()));
            }
            if identity.attached_policies.len() >= MANAGED_POLICIES_PER_IDENTITY_MAX {
                let quota = match kind {
                    IdentityKind::User => "PoliciesPerUser",
                    IdentityKind::Role => "PoliciesPerRole",
                };
                return Err(IamError::Quota { quota, max: MANAGED_POLICIES_PER_IDENTITY_MAX }.into());
            }
            if aws_managed(arn).is_none() {
                let none = || RegistryError::from(IamError::NotAttachable(arn.to_owned()));
                let key = policy_key(account, arn).ok_or_else(none)?;
                let policy =
                    IAM_POLICIES.get(&read, &key).await?.filter(|row| row.value.arn(account).to_string() == arn);
                let policy = policy.ok_or_else(none)?;
                let mut counted = policy.value;
                counted.attachments += 1;
                IAM_POLICIES.replace(&mut transaction, &key, policy.revision, &counted);
            }
            identity.attached_policies.insert(arn.to_owned());
            let place = identity_key(account, kind, name);
            IAM_IDENTITIES.replace(&mut transaction, &place, row.revision, &identity);
            Ok((transaction, ()))
        })
        .await
    }

    /// Detaches a managed policy.
    ///
    /// # Errors
    /// `NoSuchIdentity`, `NoSuchPolicy`: it is not attached.
    pub async fn detach_identity_policy(
        &self,
        account: AccountId,
        kind: IdentityKind,
        name: &str,
        arn: &str,
    ) -> Result<(), RegistryError> {
        self.change(|read| async move {
            let row = read_identity(&read, account, kind, name).await?;
            let mut identity = row.value;
            if !identity.attached_policies.remove(arn) {
                return Err(IamError::NoSuchPolicy(arn.to_owned()).into());
            }
            let mut transaction = Transaction::new();
            if let Some(key) = policy_key(account, arn)
                && let Some(policy) = IAM_POLICIES.get(&read, &key).await?
            {
                let mut counted = policy.value;
                counted.attachments = counted.attachments.saturating_sub(1);
                IAM_POLICIES.replace(&mut transaction, &key, policy.revision, &counted);
            }
            let place = identity_key(account, kind, name);
            IAM_IDENTITIES.replace(&mut transaction, &place, row.revision, &identity);
            Ok((transaction, ()))
        })
        .await
    }

    async fn change_identity(
        &self,
        account: AccountId,
        kind: IdentityKind,
        name: &str,
        change: impl Fn(&mut IdentityRecord) -> Result<(), RegistryError>,
    ) -> Result<(), RegistryError> {
        let change = &change;
        self.change(|read| async move {
            let row = read_identity(&read, account, kind, name).await?;
            let mut identity = row.value;
            change(&mut identity)?;
            let mut transaction = Transaction::new();
            let place = identity_key(account, kind, name);
            IAM_IDENTITIES.replace(&mut transaction, &place, row.revision, &identity);
            Ok((transaction, ()))
        })
        .await
    }
}

impl IdentityRecord {
    /// The managed policies attached to it, by ARN.
    pub fn attached(&self) -> impl Iterator<Item = AttachedManagedPolicy> {
        self.attached_policies
            .iter()
            .map(|arn| AttachedManagedPolicy { name: name_in_arn(arn).to_owned(), arn: arn.clone() })
    }
}
