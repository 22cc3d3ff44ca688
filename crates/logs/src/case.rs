//! What is known about a refusal beyond its entry: the evidence, and what would mend it.

use serde::{Deserialize, Serialize};

/// A refusal's evidence, as it was found when it happened. Nothing in it is secret.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Case {
    /// The client's certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaf: Option<Leaf>,
    /// Which registered CA stands behind it, and how.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<CaMatch>,
    /// Status of the certificate in the account's registry; `NOT_REGISTERED` when it is in none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_status: Option<String>,
    /// Which statement of which policy decided, or that none allows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// What to do, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// Commands that mend it, for a shell in which `aws` speaks for the account.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remedy: Vec<String>,
}

/// A client certificate, for people.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Leaf {
    /// SHA-256 of its DER.
    pub certificate_id: String,
    /// As text.
    pub subject: String,
    /// As text.
    pub issuer: String,
    /// Milliseconds since the epoch.
    pub not_before_millis: u64,
    /// Milliseconds since the epoch.
    pub not_after_millis: u64,
}

/// A registered CA that the certificate points to.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CaMatch {
    /// `SIGNED_BY` a registered CA, `OTHER_KEY` than the CAs of that name, `UNKNOWN_NAME`.
    pub found: String,
    /// The CA that signed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_certificate_id: Option<String>,
    /// ACTIVE or INACTIVE.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// ENABLE or DISABLE.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_registration: Option<String>,
}
