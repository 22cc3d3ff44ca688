//! Accounts and what proves a caller to be one.

use serde::{Deserialize, Serialize};
use tidegate_ids::{AccountId, Region, RegistrationCode, Timestamp};

use super::Sealed;

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AccountRecord {
    /// When it was made.
    pub(crate) created: Timestamp,
}

/// An access key: who signs with it is the account's root, or a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AccessKeyRecord {
    /// Whose it is.
    pub(crate) account: AccountId,
    /// The name of its user; `None`: the account's root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    /// Whether signatures with it are accepted.
    pub(crate) status: AccessKeyStatus,
    /// The secret access key, sealed.
    pub(crate) secret: Sealed,
    /// When it was made.
    pub(crate) created: Timestamp,
}

/// The last use of an access key, as far as it was written. AWS (IAM): `AccessKeyLastUsed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessKeyUse {
    /// When.
    pub at: Timestamp,
    /// What the signature was for, such as `iot`.
    pub service: String,
    /// The region of the signature.
    pub region: Region,
}

/// Whether signatures with an access key are accepted. AWS (IAM): `statusType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub enum AccessKeyStatus {
    /// They are.
    Active,
    /// They are not.
    Inactive,
}

/// The registration code of an account in a region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RegistrationCodeRecord {
    /// The code.
    pub(crate) code: RegistrationCode,
    /// When it was made.
    pub(crate) created: Timestamp,
}
