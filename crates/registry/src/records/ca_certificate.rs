//! CA certificates.

use serde::{Deserialize, Serialize};
use tidegate_ids::Timestamp;

use super::{GenerationId, Tag, Validity};
use crate::{AutoRegistrationStatus, CaStatus, CertificateMode};

/// A CA certificate that an account registered. AWS: `CACertificateDescription`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaCertificateRecord {
    /// Whether it registers anything.
    pub status: CaStatus,
    /// Whether it registers unknown leaves at their first CONNECT, while it is active.
    pub auto_registration: AutoRegistrationStatus,
    /// How the account of its leaves is found.
    pub mode: CertificateMode,
    /// The certificate.
    pub pem: String,
    /// SHA-256 of the raw subject, 64 hexadecimal digits: the key in the index of subjects.
    pub subject_digest: String,
    /// The certificate's own dates.
    pub validity: Validity,
    /// What happens to leaves after registration. AWS: `registrationConfig`; kept for provisioning templates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration_config: Option<RegistrationConfig>,
    /// When it was registered.
    pub created: Timestamp,
    /// When it was last changed.
    pub modified: Timestamp,
    /// 1 at first, one more with each update. AWS: `customerVersion`.
    pub customer_version: u32,
    /// Changes with each update.
    pub generation_id: GenerationId,
    /// Labels given at registration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
}

/// The provisioning template of a CA certificate. AWS: `RegistrationConfig`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationConfig {
    /// The template itself; up to 10 240 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_body: Option<String>,
    /// Whose rights the provisioning has; 20-2 048 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// A template stored under this name; up to 36 characters of `[0-9A-Za-z_-]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_name: Option<String>,
}

impl RegistrationConfig {
    /// What is wrong with it, if anything.
    ///
    /// AWS: the model's lengths and patterns. Unverified: AWS may want a body or a name, and a role; we do not.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        let long = |text: &Option<String>, max| text.as_ref().is_some_and(|t| t.chars().count() > max);
        let short = |text: &Option<String>, min| text.as_ref().is_some_and(|t| t.chars().count() < min);
        let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if long(&self.template_body, 10_240) {
            Some("registrationConfig.templateBody has at most 10240 characters")
        } else if long(&self.role_arn, 2_048) || short(&self.role_arn, 20) {
            Some("registrationConfig.roleArn has 20 to 2048 characters")
        } else if self.template_name.as_ref().is_some_and(|n| !(1..=36).contains(&n.len()) || !n.bytes().all(legal)) {
            Some("registrationConfig.templateName has 1 to 36 letters, digits, _ and -")
        } else {
            None
        }
    }
}
