//! Users, roles and the policies they have.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tidegate_ids::{AccessKeyId, PolicyName, Timestamp};

/// A user or a role. All that decides what it may do is in this one row, so that a change is one write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityRecord {
    /// Its name, as it was given: the key has it in small letters. AWS: names that differ in case alone are the same.
    pub name: String,
    /// AWS: `Path`; `/` unless something else was asked for.
    pub path: String,
    /// AWS: `AIDA…`, `AROA…`; never given twice.
    pub id: String,
    /// When it was made.
    pub created: Timestamp,
    /// The documents of its own policies.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inline_policies: BTreeMap<PolicyName, String>,
    /// The ARNs of the managed policies that are attached to it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub attached_policies: BTreeSet<String>,
    /// What users have and roles do not, and the other way round.
    pub detail: IdentityDetail,
}

/// What tells users and roles apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum IdentityDetail {
    /// A user.
    User {
        /// Its keys, at most [`crate::ACCESS_KEYS_PER_USER_MAX`].
        access_keys: Vec<AccessKeyId>,
    },
    /// A role.
    Role {
        /// Who may take it on: the document. AWS: `AssumeRolePolicyDocument`.
        trust_policy: String,
        /// AWS: `Description`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// Longest session, in seconds. AWS: `MaxSessionDuration`, 3 600 to 43 200.
        max_session_seconds: u32,
    },
}

/// A managed policy of an account. Its document never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManagedPolicyRecord {
    /// Its name, as it was given.
    pub name: PolicyName,
    /// AWS: `Path`.
    pub path: String,
    /// AWS: `ANPA…`.
    pub id: String,
    /// When it was made.
    pub created: Timestamp,
    /// AWS: `Description`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The document.
    pub document: String,
    /// How many users and roles it is attached to.
    pub attachments: u32,
}
