//! AWS: API_CreatePolicy.

use tidegate_ids::{Now, PolicyName, Tenant};
use tidegate_kv::{Expected, Transaction};
use tidegate_policy::Document;

use crate::{
    PolicyVersionId, Registry, RegistryError, Tag,
    records::{PolicyRecord, PolicyVersionRecord},
    tables::{POLICIES, POLICIES_BY_CREATION, POLICY_VERSIONS},
};

/// What CreatePolicy and CreatePolicyVersion made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedPolicyVersion {
    /// The policy.
    pub name: PolicyName,
    /// The document, as it was sent.
    pub document: String,
    /// The new version.
    pub version: PolicyVersionId,
    /// Whether it is in force.
    pub is_default: bool,
}

impl Registry {
    /// Makes a policy with a first version, which is in force.
    ///
    /// # Errors
    /// `MalformedPolicy`, `PolicyExists`, `InvalidRequest` for the tags.
    pub async fn create_policy(
        &self,
        tenant: Tenant,
        name: PolicyName,
        document: String,
        tags: Vec<Tag>,
        now: Now,
    ) -> Result<CreatedPolicyVersion, RegistryError> {
        check_document(&document)?;
        crate::tags::check_tags(&tags)?;
        let (created, version) = (now.wall, PolicyVersionId::FIRST);
        let policy = &PolicyRecord {
            default_version: version,
            document: document.clone(),
            last_version: version,
            created,
            modified: created,
            generation_id: self.generation_id(),
            tags,
        };
        let (name, first) = (&name, &PolicyVersionRecord { document, created });
        self.change(|read| async move {
            let key = (tenant, name.clone());
            if POLICIES.get(&read, &key).await?.is_some() {
                return Err(RegistryError::PolicyExists(tenant, name.clone()));
            }
            let mut transaction = Transaction::new();
            POLICIES.require(&mut transaction, &key, Expected::Absent);
            POLICIES.put(&mut transaction, &key, policy);
            POLICY_VERSIONS.put(&mut transaction, &(tenant, name.clone(), version), first);
            POLICIES_BY_CREATION.put(&mut transaction, &(tenant, created, name.clone()), &());
            Ok((transaction, ()))
        })
        .await?;
        Ok(CreatedPolicyVersion { name: name.clone(), document: first.document.clone(), version, is_default: true })
    }
}

/// Refuses a document that is no policy.
pub(super) fn check_document(text: &str) -> Result<(), RegistryError> {
    match Document::parse(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(RegistryError::MalformedPolicy(error.to_string())),
    }
}
