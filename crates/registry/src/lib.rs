//! What an account owns: users, roles and access keys, CA certificates, device certificates, policies, things and
//! their groups; and a device's first CONNECT.
//!
//! ```text
//!   api ──▶ Registry::register_ca_certificate … ──▶ read rows, decide, commit (kv) ──▶ changes
//!                                                                                        │
//!   gateway ──▶ Directory (in memory: TLS, SigV4, policies) ◀── applied in order ◀───────┤
//!          └──▶ Registry::connect ──▶ Admission | Refused                                └──▶ RegistryChange ──▶ server
//! ```
//!
//! * [`Registry`] has one method for each AWS operation, in a file of the operation's name under `operations`.
//!   Each reads a snapshot, decides by a pure function over the rows, commits with preconditions, and decides again when
//!   somebody was faster. When it returns, the rows are durable **and the [`Directory`] shows them**: a CONNECT that
//!   begins afterwards is judged by them.
//! * [`Directory`] is what the message path asks: no store, no await, nothing linear in the number of CAs or certificates. Where
//!   changes [take their time](Settings::propagation_delay), the devices' edge asks a [second one](Registry::propagated).
//! * [`Registry::connect`] is the device's path; it reads the store only to register a leaf that nobody has seen.
//!
//! **Invariant:** no clock, no randomness, no I/O but `kv`: `now` is an argument, [`Chance`] is handed in.

mod attributes;
mod certificate_variables;
mod chance;
mod change;
mod connect;
mod directory;
mod domain_name;
mod error;
pub mod events;
mod fault;
mod iam;
mod operations;
mod own_resource;
mod page;
mod principal;
mod records;
mod registry;
mod status;
mod tables;
mod tags;
mod target;

pub use attributes::{ATTRIBUTE_NAME_CHARS_MAX, ATTRIBUTE_VALUE_CHARS_MAX, AttributePayload};
pub use certificate_variables::{add_certificate_attributes, certificate_variables};
pub use chance::Chance;
pub use change::RegistryChange;
pub use connect::{
    AUTO_REGISTRATIONS_PER_SECOND_AWS, Admission, Admitted, CertificateRegistered, EndpointRequired, Evidence,
    IssuerEvidence, Limits, Presented, Refusal, Refused, ServerName,
};
pub use directory::{
    BoundThing, ConnectionGrants, Counts, Directory, Domain, Grants, Identity, Propagated, SecretAccessKey,
    StoredCertificate, ThingState,
};
pub use error::{CertificateProblem, RegistryError};
pub use events::thing::RegistryEvent;
pub use fault::FaultPoints;
pub use iam::*;
pub use operations::*;
pub use page::{Page, PageRequest};
pub use principal::ThingPrincipal;
pub use records::{
    AccessKeyStatus, AccessKeyUse, ApplicationProtocol, Attributes, AuthenticationType, AuthorizerConfig,
    AuthorizerRecord, AuthorizerStatus, CaCertificateRecord, DeviceCertificateRecord, DomainConfigurationRecord,
    DomainConfigurationStatus, DomainType, EventConfigurationsRecord, EventType, GenerationId, IdentityDetail,
    IdentityRecord, ManagedPolicyRecord, NoPolicyVersionId, PolicyRecord, PolicyVersionId, PropagatingAttribute,
    RegistrationConfig, Rejection, ResourceId, SecurityPolicy, Tag, ThingGroupRecord, ThingPrincipalType, ThingRecord,
    ThingTypeProperties, ThingTypeRecord, Transfer, TransferNoticeRecord, TransferStep, Validity, is_issued_for_domain,
};
pub use registry::{Parts, Registry, Settings};
pub use status::{
    AutoRegistrationStatus, CaStatus, CertificateMode, CertificateStatus, StatusChangeRefused, UnknownWord,
};
pub use tags::{TAGS_MAX, TaggedResource};
pub use target::PolicyTarget;
pub use tidegate_pki::PrivateKey;

/// Most CA certificates of one subject in one account and region. AWS: quota, 10.
pub const SAME_SUBJECT_CAS_MAX: usize = 10;
/// Most versions of a policy at one time. AWS: quota, 5.
pub const POLICY_VERSIONS_MAX: usize = 5;
/// Most policies attached to one certificate. AWS: quota, 10.
pub const POLICIES_PER_TARGET_MAX: usize = 10;
/// Most policies attached to one thing group. AWS: quota, 2.
pub const POLICIES_PER_THING_GROUP_MAX: usize = 2;
/// Most attributes of a thing with a type. AWS: quota, 50.
pub const THING_ATTRIBUTES_MAX: usize = 50;
/// Most attributes of a thing without a type. AWS: quota, 3.
pub const UNTYPED_THING_ATTRIBUTES_MAX: usize = 3;
/// Most attributes by which things of one type are found. AWS: quota, 3.
pub const SEARCHABLE_ATTRIBUTES_MAX: usize = 3;
/// Most attributes of a thing group. AWS: quota, 50.
pub const THING_GROUP_ATTRIBUTES_MAX: usize = 50;
/// Most child groups right below a thing group. AWS: quota, 100.
pub const THING_GROUP_CHILDREN_MAX: usize = 100;
/// Most thing groups from a root down to the deepest. AWS: quota, 7.
pub const THING_GROUP_DEPTH_MAX: usize = 7;
/// Most user properties that things of one type add to messages. Unverified.
pub const PROPAGATING_ATTRIBUTES_MAX: usize = 20;
/// Most thing groups that a thing is in itself. AWS: quota, 10.
pub const THING_GROUPS_OF_THING_MAX: usize = 10;
/// Most custom authorizers of an account in a region. AWS: quota, 100.
pub const AUTHORIZERS_MAX: usize = 100;
/// Most custom authorizers of an account in a region that are ACTIVE. AWS: quota, 32.
pub const ACTIVE_AUTHORIZERS_MAX: usize = 32;
/// Most keys that tokens for one authorizer are signed with. Unverified.
pub const TOKEN_SIGNING_KEYS_MAX: usize = 2;
/// Most domain configurations of an account in a region, beside that of its endpoint. AWS: quota, 10.
pub const DOMAIN_CONFIGURATIONS_MAX: usize = 10;
/// Most access keys of an account's root. AWS: 2. Decision: more, for who uses no users.
pub const ACCESS_KEYS_PER_ACCOUNT_MAX: usize = 100;

#[cfg(test)]
mod tests;
