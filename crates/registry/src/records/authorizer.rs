//! Custom authorizers.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use tidegate_ids::{AuthorizerName, Timestamp};

use super::Tag;
use crate::UnknownWord;

/// Whether an authorizer answers. AWS: `AuthorizerStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AuthorizerStatus {
    /// Clients may name it.
    Active,
    /// Clients that name it are refused.
    Inactive,
}

impl AuthorizerStatus {
    /// AWS's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Inactive => "INACTIVE",
        }
    }
}

impl fmt::Display for AuthorizerStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AuthorizerStatus {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        match text {
            "ACTIVE" => Ok(Self::Active),
            "INACTIVE" => Ok(Self::Inactive),
            _ => Err(UnknownWord { expected: "ACTIVE, INACTIVE" }),
        }
    }
}

/// A custom authorizer: who is asked about clients without a certificate, and how their tokens are checked before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizerRecord {
    /// The function that answers. AWS: `authorizerFunctionArn`.
    pub function_arn: String,
    /// Where the token is: a header, a parameter of the query, or of the MQTT user name. AWS: `tokenKeyName`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_key_name: Option<String>,
    /// RSA keys in PEM, by a name that the account gives; one of them signed the token.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub token_signing_public_keys: BTreeMap<String, String>,
    /// Whether it answers.
    pub status: AuthorizerStatus,
    /// Whether the function is asked without a look at signatures. Never changed.
    pub signing_disabled: bool,
    /// Whether an answer holds for further requests on the same HTTP connection.
    pub enable_caching_for_http: bool,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last updated.
    pub modified: Timestamp,
    /// Labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
}

/// The authorizer that is asked when a client names none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DefaultAuthorizerRecord {
    pub(crate) name: AuthorizerName,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        for status in [AuthorizerStatus::Active, AuthorizerStatus::Inactive] {
            assert_eq!(status.as_str().parse(), Ok(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
        assert!("active".parse::<AuthorizerStatus>().is_err());
    }
}
