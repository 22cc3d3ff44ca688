//! Policies and their versions.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use tidegate_ids::Timestamp;

use super::{GenerationId, Tag};

/// Number of a policy version, counted from 1 and never used again. AWS: `policyVersionId`, a string of digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PolicyVersionId(pub(crate) u32);

impl PolicyVersionId {
    /// The version that every policy begins with.
    pub const FIRST: Self = Self(1);

    /// The number.
    pub const fn number(self) -> u32 {
        self.0
    }
}

impl fmt::Display for PolicyVersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A text that numbers no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a policy version id is a number from 1, such as 1")]
pub struct NoPolicyVersionId;

impl FromStr for PolicyVersionId {
    type Err = NoPolicyVersionId;

    fn from_str(text: &str) -> Result<Self, NoPolicyVersionId> {
        let plain = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
        if !plain {
            return Err(NoPolicyVersionId);
        }
        text.parse().map(Self).map_err(|_| NoPolicyVersionId)
    }
}

/// A policy; each version's document is a row of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyRecord {
    /// The version in force.
    pub default_version: PolicyVersionId,
    /// The document in force: that of the default version, kept here too so that one row says all that decides.
    pub document: String,
    /// The newest version ever made, deleted or not.
    pub last_version: PolicyVersionId,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last changed.
    pub modified: Timestamp,
    /// Changes with each version made, deleted, or set as default.
    pub generation_id: GenerationId,
    /// Labels given at creation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
}

/// One version of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PolicyVersionRecord {
    /// The document, as it was sent.
    pub(crate) document: String,
    /// When it was made.
    pub(crate) created: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_ids_are_plain_numbers() {
        for (text, expected) in [
            ("1", Ok(PolicyVersionId(1))),
            ("12", Ok(PolicyVersionId(12))),
            ("", Err(NoPolicyVersionId)),
            ("0", Err(NoPolicyVersionId)),
            ("01", Err(NoPolicyVersionId)),
            ("+1", Err(NoPolicyVersionId)),
            ("99999999999", Err(NoPolicyVersionId)),
            ("v1", Err(NoPolicyVersionId)),
        ] {
            assert_eq!(text.parse(), expected, "{text}");
        }
    }
}
