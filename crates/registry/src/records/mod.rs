//! What is stored: one record type per kind of row, as JSON behind a schema byte.
//!
//! A member that a later version adds gets `#[serde(default)]`, or a new schema number and a migration.

mod account;
mod authorizer;
mod ca_certificate;
mod device_certificate;
mod domain_configuration;
mod event_configurations;
mod iam;
mod policy;
mod server;
mod shadow;
mod thing;
mod thing_group;
mod transfer;
mod transfer_notice;

pub(crate) use account::{AccessKeyRecord, AccountRecord, RegistrationCodeRecord};
pub use account::{AccessKeyStatus, AccessKeyUse};
pub(crate) use authorizer::DefaultAuthorizerRecord;
pub use authorizer::{AuthorizerRecord, AuthorizerStatus};
pub use ca_certificate::{CaCertificateRecord, RegistrationConfig};
pub use device_certificate::DeviceCertificateRecord;
pub use domain_configuration::{
    ApplicationProtocol, AuthenticationType, AuthorizerConfig, DomainConfigurationRecord, DomainConfigurationStatus,
    DomainType, SecurityPolicy, is_issued_for_domain,
};
pub(crate) use domain_configuration::{DomainNameRecord, issued_for};
pub use event_configurations::{EventConfigurationsRecord, EventType};
pub use iam::{IdentityDetail, IdentityRecord, ManagedPolicyRecord};
pub(crate) use policy::PolicyVersionRecord;
pub use policy::{NoPolicyVersionId, PolicyRecord, PolicyVersionId};
pub(crate) use server::{IssuerRecord, ServerCertificateRecord, SettingRecord};
pub(crate) use shadow::ShadowRecord;
pub(crate) use thing::{AttachmentRecord, ExclusiveThingRecord};
pub use thing::{
    Attributes, PropagatingAttribute, ResourceId, ThingPrincipalType, ThingRecord, ThingTypeProperties, ThingTypeRecord,
};
pub use thing_group::ThingGroupRecord;
pub use transfer::{Rejection, Transfer};
pub use transfer_notice::{TransferNoticeRecord, TransferStep};

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};
use tidegate_ids::Timestamp;

use crate::CertificateMode;

/// Who holds a certificate that several accounts may hold: the value of an index by certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OwnerRecord {
    /// At most one account of a region holds it in DEFAULT mode.
    pub(crate) mode: CertificateMode,
}

macro_rules! records {
    ($($record:ty),+ $(,)?) => {
        $(impl tidegate_kv::Record for $record {
            const SCHEMA: u8 = 1;
        })+
    };
}
records!(
    AccountRecord,
    AccessKeyRecord,
    AccessKeyUse,
    RegistrationCodeRecord,
    CaCertificateRecord,
    DeviceCertificateRecord,
    OwnerRecord,
    PolicyRecord,
    PolicyVersionRecord,
    IssuerRecord,
    ServerCertificateRecord,
    SettingRecord,
    ThingRecord,
    ThingTypeRecord,
    AttachmentRecord,
    ExclusiveThingRecord,
    ThingGroupRecord,
    ShadowRecord,
    EventConfigurationsRecord,
    TransferNoticeRecord,
    IdentityRecord,
    ManagedPolicyRecord,
    AuthorizerRecord,
    DefaultAuthorizerRecord,
    DomainConfigurationRecord,
    DomainNameRecord,
);

/// The dates between which a certificate is valid, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validity {
    /// First moment. Moments before 1970 are kept as 1970.
    pub not_before: Timestamp,
    /// Last moment.
    pub not_after: Timestamp,
}

impl Validity {
    /// How long a server certificate is valid: what browsers accept at most.
    const SERVER_CERTIFICATE_LIFE: Duration = Duration::from_secs(397 * 24 * 3600);
    /// How far it reaches back, for clients whose clocks are late.
    const SERVER_CERTIFICATE_BACKDATED: Duration = Duration::from_secs(3600);

    /// The dates of a server certificate that the broker issues at `now`.
    pub fn of_server_certificate(now: Timestamp) -> Self {
        Self { not_before: now - Self::SERVER_CERTIFICATE_BACKDATED, not_after: now + Self::SERVER_CERTIFICATE_LIFE }
    }

    /// Whether less than a third of the life is left: it is time for another certificate.
    pub fn is_due(&self, now: Timestamp) -> bool {
        let life = self.not_after.millis().saturating_sub(self.not_before.millis());
        self.not_after.millis().saturating_sub(now.millis()) < life / 3
    }

    /// Whether `now` lies within it.
    pub fn contains(&self, now: Timestamp) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }
}

/// Changes with every change of the thing it belongs to; opaque, in the form of a UUID. AWS: `generationId`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GenerationId(String);

impl GenerationId {
    /// The id made of 16 random bytes: a version 4 UUID.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(uuid(bytes))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GenerationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The version 4 UUID made of 16 random bytes.
///
/// Spec: RFC 9562, section 5.4.
fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// A label on a resource. AWS: `Tag`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// AWS: 1-128 characters.
    pub key: String,
    /// AWS: up to 256 characters.
    pub value: String,
}

/// A secret under the master key, as `pki::seal` writes it; base64 in the row. Its `Debug` form shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Sealed(pub(crate) Vec<u8>);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(..)")
    }
}

impl Serialize for Sealed {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use base64::{Engine, engine::general_purpose::STANDARD};
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Sealed {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(Self).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_id_is_a_version_4_uuid() {
        assert_eq!(GenerationId::from_random([0xff; 16]).as_str(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(GenerationId::from_random([0; 16]).as_str(), "00000000-0000-4000-8000-000000000000");
    }

    #[test]
    fn a_sealed_secret_survives_the_row_and_hides_from_debug() {
        let sealed = Sealed(vec![1, 2, 3]);
        let json = serde_json::to_string(&sealed).unwrap();
        assert_eq!(serde_json::from_str::<Sealed>(&json).unwrap(), sealed);
        assert_eq!(format!("{sealed:?}"), "Sealed(..)");
    }

    #[test]
    fn both_ends_of_the_validity_are_inside() {
        let at = Timestamp::from_millis;
        let validity = Validity { not_before: at(10), not_after: at(20) };
        for (now, inside) in [(9, false), (10, true), (20, true), (21, false)] {
            assert_eq!(validity.contains(at(now)), inside, "{now}");
        }
    }

    #[test]
    fn a_certificate_is_renewed_in_the_last_third_of_its_life() {
        let validity = Validity { not_before: Timestamp::from_seconds(0), not_after: Timestamp::from_seconds(300) };
        for (now, expected) in [(0, false), (199, false), (200, false), (201, true), (300, true), (1000, true)] {
            assert_eq!(validity.is_due(Timestamp::from_seconds(now)), expected, "{now}");
        }
    }
}
