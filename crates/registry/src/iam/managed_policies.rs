//! Managed policies. AWS: API_CreatePolicy, API_GetPolicy, API_GetPolicyVersion, API_ListPolicies, API_DeletePolicy of IAM.
//!
//! A policy has one version, `v1`: CreatePolicyVersion is not served.

use tidegate_ids::{AccountId, Arn, Now, PolicyName, Timestamp};
use tidegate_kv::{Direction, Transaction};
use tidegate_policy::Document;

use super::{
    IamError, MANAGED_POLICIES_PER_ACCOUNT_MAX, MANAGED_POLICY_CHARACTERS_MAX, aws_managed, aws_managed_policies,
    characters, checked_path, malformed,
};
use crate::{ManagedPolicyRecord, Page, PageRequest, Registry, RegistryError, page::Listing, tables::IAM_POLICIES};

/// A managed policy: the account's, or one of AWS's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagedPolicy {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// Its path.
    pub path: String,
    /// Its id.
    pub id: String,
    /// When it was made.
    pub created: Timestamp,
    /// When the version in force was made.
    pub updated: Timestamp,
    /// What it is for.
    pub description: Option<String>,
    /// The version in force: `v1`, …
    pub version: String,
    /// The document.
    pub document: String,
    /// How many users and roles of the account it is attached to; unknown of AWS's own.
    pub attachments: u32,
}

/// What CreatePolicy asks for.
#[derive(Debug, Clone)]
pub struct NewManagedPolicy {
    /// AWS: `PolicyName`.
    pub name: PolicyName,
    /// AWS: `Path`.
    pub path: Option<String>,
    /// AWS: `Description`.
    pub description: Option<String>,
    /// AWS: `PolicyDocument`.
    pub document: String,
}

/// Which policies ListPolicies is asked for. AWS: `Scope`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyScope {
    /// The account's.
    Local,
    /// AWS's own.
    Aws,
    /// Both.
    All,
}

impl ManagedPolicyRecord {
    /// `arn:aws:iam::ACCOUNT:policy/PATH/NAME`
    pub fn arn(&self, account: AccountId) -> Arn {
        Arn::iam(account, format!("policy{}{}", self.path, self.name))
    }

    fn shown(self, account: AccountId) -> ManagedPolicy {
        ManagedPolicy {
            arn: self.arn(account).to_string(),
            name: self.name.to_string(),
            path: self.path,
            id: self.id,
            created: self.created,
            updated: self.created,
            description: self.description,
            version: "v1".into(),
            document: self.document,
            attachments: self.attachments,
        }
    }
}

impl Registry {
    /// Makes a managed policy.
    ///
    /// # Errors
    /// `PolicyExists`, `MalformedPolicyDocument`, `Quota`, `InvalidPath`.
    pub async fn create_managed_policy(
        &self,
        account: AccountId,
        policy: NewManagedPolicy,
        now: Now,
    ) -> Result<ManagedPolicy, RegistryError> {
        let NewManagedPolicy { name, path, description, document } = policy;
        if characters(&document) > MANAGED_POLICY_CHARACTERS_MAX {
            return Err(IamError::Quota { quota: "PolicySize", max: MANAGED_POLICY_CHARACTERS_MAX }.into());
        }
        Document::parse_identity(&document, MANAGED_POLICY_CHARACTERS_MAX).map_err(malformed)?;
        let record = ManagedPolicyRecord {
            name,
            path: checked_path(path)?,
            id: self.new_iam_id("ANPA"),
            created: now.wall,
            description,
            document,
            attachments: 0,
        };
        let new = &record;
        self.change(|read| async move {
            let key = (account, new.name.as_str().to_ascii_lowercase());
            if IAM_POLICIES.get(&read, &key).await?.is_some() {
                return Err(IamError::PolicyExists(new.name.clone()).into());
            }
            let (all, max) = (IAM_POLICIES.under(&account), MANAGED_POLICIES_PER_ACCOUNT_MAX);
            if IAM_POLICIES.scan(&read, &all, max, Direction::Ascending).await?.len() >= max {
                return Err(IamError::Quota { quota: "PoliciesPerAccount", max }.into());
            }
            let mut transaction = Transaction::new();
            IAM_POLICIES.require_unchanged(&mut transaction, all, &read);
            IAM_POLICIES.insert(&mut transaction, &key, new);
            Ok((transaction, ()))
        })
        .await?;
        Ok(record.shown(account))
    }

    /// A managed policy, by its ARN.
    ///
    /// # Errors
    /// `NoSuchPolicy`.
    pub async fn get_managed_policy(&self, account: AccountId, arn: &str) -> Result<ManagedPolicy, RegistryError> {
        if let Some(policy) = aws_managed(arn) {
            return Ok(policy.shown());
        }
        let none = || RegistryError::from(IamError::NoSuchPolicy(arn.to_owned()));
        let key = policy_key(account, arn).ok_or_else(none)?;
        let read = self.read().await?;
        let row = IAM_POLICIES.get(&read, &key).await?.filter(|row| row.value.arn(account).to_string() == arn);
        Ok(row.ok_or_else(none)?.value.shown(account))
    }

    /// Managed policies by name; AWS's own come on the first page.
    ///
    /// # Errors
    /// `InvalidMarker`.
    pub async fn list_managed_policies(
        &self,
        account: AccountId,
        scope: PolicyScope,
        path_prefix: &str,
        page: PageRequest,
    ) -> Result<Page<ManagedPolicy>, RegistryError> {
        let mut items = Vec::new();
        if scope != PolicyScope::Local && page.marker.is_none() {
            items.extend(aws_managed_policies().iter().map(|policy| policy.shown()));
        }
        let mut next_marker = None;
        if scope != PolicyScope::Aws {
            let read = self.read().await?;
            let (rows, next) = Listing::new(&IAM_POLICIES, &account, "ListPolicies").rows(&read, &page).await?;
            items.extend(rows.into_iter().map(|row| row.value.shown(account)));
            next_marker = next;
        }
        items.retain(|policy| policy.path.starts_with(path_prefix));
        Ok(Page { items, next_marker })
    }

    /// Deletes a managed policy that is attached to nothing.
    ///
    /// # Errors
    /// `NoSuchPolicy`, `PolicyAttached`, `AwsManaged`.
    pub async fn delete_managed_policy(&self, account: AccountId, arn: &str) -> Result<(), RegistryError> {
        if aws_managed(arn).is_some() {
            return Err(IamError::AwsManaged(arn.to_owned()).into());
        }
        self.change(|read| async move {
            let none = || RegistryError::from(IamError::NoSuchPolicy(arn.to_owned()));
            let key = policy_key(account, arn).ok_or_else(none)?;
            let row = IAM_POLICIES.get(&read, &key).await?.filter(|row| row.value.arn(account).to_string() == arn);
            let row = row.ok_or_else(none)?;
            if row.value.attachments > 0 {
                return Err(IamError::PolicyAttached.into());
            }
            let mut transaction = Transaction::new();
            IAM_POLICIES.remove(&mut transaction, &key, row.revision);
            Ok((transaction, ()))
        })
        .await
    }
}

/// Where the policy with this ARN would be; `None`: it is no policy of the account.
pub(super) fn policy_key(account: AccountId, arn: &str) -> Option<(AccountId, String)> {
    let arn: Arn = arn.parse().ok()?;
    let own = &*arn.service == "iam" && arn.region.is_none() && arn.account == Some(account);
    let name = arn.resource.strip_prefix("policy/").map(name_in_arn)?;
    (own && !name.is_empty()).then(|| (account, name.to_ascii_lowercase()))
}

/// What stands behind the last slash.
pub(super) fn name_in_arn(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}
