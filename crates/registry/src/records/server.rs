//! What the broker itself owns: its CAs, its server certificates, its settings.

use serde::{Deserialize, Serialize};
use tidegate_ids::Timestamp;

use super::{Sealed, Validity};

/// A CA of our own, with its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IssuerRecord {
    /// The CA certificate.
    pub(crate) pem: String,
    /// Its private key in PKCS #8, sealed.
    pub(crate) key: Sealed,
    /// When it was made.
    pub(crate) created: Timestamp,
}

/// A certificate that the broker shows to its clients, with its key. The certificate manager adopts these rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ServerCertificateRecord {
    /// Names in the certificate: DNS names and IP addresses.
    pub(crate) names: Vec<String>,
    /// The certificate and what leads to its root, in PEM, leaf first.
    pub(crate) chain_pem: String,
    /// Its private key in PKCS #8, sealed.
    pub(crate) key: Sealed,
    /// The leaf's own dates.
    pub(crate) validity: Validity,
    /// When it was made.
    pub(crate) created: Timestamp,
}

/// A setting that is kept with the data rather than in the configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SettingRecord {
    /// Its value.
    pub(crate) value: serde_json::Value,
}
