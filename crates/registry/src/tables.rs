//! The tables. Every index is written in the transaction that writes the row it points to.
//!
//! Keys begin with account and region, except in the tables that answer whose something is.

use tidegate_ids::{
    AccessKeyId, AccountId, AuthorizerName, CaCertificateId, CertificateId, DomainConfigurationName, PolicyName,
    Region, ShadowName, Tenant, ThingGroupName, ThingName, ThingTypeName, Timestamp,
};
use tidegate_kv::{Key, Table};

use crate::{
    AuthorizerRecord, DomainConfigurationRecord, IdentityKind, IdentityRecord, ManagedPolicyRecord, PolicyTarget,
    PolicyVersionId, ThingPrincipal,
    records::{
        AccessKeyRecord, AccessKeyUse, AccountRecord, AttachmentRecord, CaCertificateRecord, DefaultAuthorizerRecord,
        DeviceCertificateRecord, DomainNameRecord, EventConfigurationsRecord, ExclusiveThingRecord, IssuerRecord,
        OwnerRecord, PolicyRecord, PolicyVersionRecord, RegistrationCodeRecord, ServerCertificateRecord, SettingRecord,
        ShadowRecord, ThingGroupRecord, ThingRecord, ThingTypeRecord, TransferNoticeRecord,
    },
};

pub(crate) static ACCOUNTS: Table<AccountId, AccountRecord> = Table::new("accounts");
/// Access key → account, and its user.
pub(crate) static ACCESS_KEYS: Table<AccessKeyId, AccessKeyRecord> = Table::new("access-keys");
/// When each was used last, as far as that was written.
pub(crate) static ACCESS_KEY_USES: Table<AccessKeyId, AccessKeyUse> = Table::new("access-key-uses");
/// Those of the account's root.
pub(crate) static ACCESS_KEYS_OF_ACCOUNT: Table<(AccountId, AccessKeyId), ()> = Table::new("access-keys-of-account");

/// Users and roles, by name in small letters.
pub(crate) static IAM_IDENTITIES: Table<(AccountId, IdentityKind, String), IdentityRecord> =
    Table::new("iam-identities");
/// Managed policies, by name in small letters.
pub(crate) static IAM_POLICIES: Table<(AccountId, String), ManagedPolicyRecord> = Table::new("iam-policies");

pub(crate) static REGISTRATION_CODES: Table<Tenant, RegistrationCodeRecord> = Table::new("registration-codes");

pub(crate) static CA_CERTIFICATES: Table<(Tenant, CaCertificateId), CaCertificateRecord> =
    Table::new("ca-certificates");
pub(crate) static CAS_BY_CREATION: Table<(Tenant, Timestamp, CaCertificateId), ()> =
    Table::new("ca-certificates-by-creation");
/// By SHA-256 of the raw subject, to count the CAs of one subject.
pub(crate) static CAS_BY_SUBJECT: Table<(Tenant, [u8; 32], CaCertificateId), ()> =
    Table::new("ca-certificates-by-subject");
/// CA certificate → accounts.
pub(crate) static CA_OWNERS: Table<(CaCertificateId, Region, AccountId), OwnerRecord> =
    Table::new("ca-certificate-owners");

pub(crate) static CERTIFICATES: Table<(Tenant, CertificateId), DeviceCertificateRecord> = Table::new("certificates");
pub(crate) static CERTIFICATES_BY_CREATION: Table<(Tenant, Timestamp, CertificateId), ()> =
    Table::new("certificates-by-creation");
pub(crate) static CERTIFICATES_BY_CA: Table<(Tenant, CaCertificateId, Timestamp, CertificateId), ()> =
    Table::new("certificates-by-ca");
/// Certificates whose transfer to another account is pending, by the account that gives.
pub(crate) static CERTIFICATES_OUTGOING: Table<(Tenant, Timestamp, CertificateId), ()> =
    Table::new("certificates-outgoing");
/// What receivers with a webhook have not been told yet: one row for each certificate, its newest step.
pub(crate) static TRANSFER_NOTICES: Table<(AccountId, Region, CertificateId), TransferNoticeRecord> =
    Table::new("transfer-notices");
/// Device certificate → accounts, the one that a transfer is offered to as well.
pub(crate) static CERTIFICATE_OWNERS: Table<(CertificateId, Region, AccountId), OwnerRecord> =
    Table::new("certificate-owners");

/// SHA-256 of what a certificate's issuer signed → device certificates: an ECDSA signature can be rewritten by anybody, which
/// makes another certificate id of the same certificate. Only certificates with such a signature are here.
pub(crate) static CERTIFICATES_BY_SIGNED_PART: Table<([u8; 32], Region, AccountId, CertificateId), OwnerRecord> =
    Table::new("certificates-by-signed-part");

pub(crate) static POLICIES: Table<(Tenant, PolicyName), PolicyRecord> = Table::new("policies");
pub(crate) static POLICIES_BY_CREATION: Table<(Tenant, Timestamp, PolicyName), ()> = Table::new("policies-by-creation");
pub(crate) static POLICY_VERSIONS: Table<(Tenant, PolicyName, PolicyVersionId), PolicyVersionRecord> =
    Table::new("policy-versions");
pub(crate) static POLICIES_OF_TARGET: Table<(Tenant, PolicyTarget, PolicyName), ()> = Table::new("policies-of-target");
pub(crate) static TARGETS_OF_POLICY: Table<(Tenant, PolicyName, PolicyTarget), ()> = Table::new("targets-of-policy");

pub(crate) static THINGS: Table<(Tenant, ThingName), ThingRecord> = Table::new("things");
/// By type, for all things that have one.
pub(crate) static THINGS_BY_TYPE: Table<(Tenant, ThingTypeName, ThingName), ()> = Table::new("things-by-type");
/// By name and value of an attribute: those that the thing's type makes searchable, all of a thing without a type.
pub(crate) static THINGS_BY_ATTRIBUTE: Table<(Tenant, String, String, ThingName), ()> =
    Table::new("things-by-attribute");
pub(crate) static THING_TYPES: Table<(Tenant, ThingTypeName), ThingTypeRecord> = Table::new("thing-types");
pub(crate) static PRINCIPALS_OF_THING: Table<(Tenant, ThingName, ThingPrincipal), AttachmentRecord> =
    Table::new("principals-of-thing");
/// A principal with an exclusive thing has this one row.
pub(crate) static THINGS_OF_PRINCIPAL: Table<(Tenant, ThingPrincipal, ThingName), AttachmentRecord> =
    Table::new("things-of-principal");
/// Principals with an exclusive thing: one key to look at, so that attachments that are not exclusive do not meet each other.
pub(crate) static EXCLUSIVE_THINGS: Table<(Tenant, ThingPrincipal), ExclusiveThingRecord> =
    Table::new("exclusive-things");

pub(crate) static THING_GROUPS: Table<(Tenant, ThingGroupName), ThingGroupRecord> = Table::new("thing-groups");
/// Thing groups without a parent.
pub(crate) static ROOT_THING_GROUPS: Table<(Tenant, ThingGroupName), ()> = Table::new("thing-groups-root");
/// Parent → children.
pub(crate) static THING_GROUPS_OF_PARENT: Table<(Tenant, ThingGroupName, ThingGroupName), ()> =
    Table::new("thing-groups-of-parent");
/// Each group above another → the other: children, their children, and so on.
pub(crate) static THING_GROUPS_BELOW: Table<(Tenant, ThingGroupName, ThingGroupName), ()> =
    Table::new("thing-groups-below");

/// A thing → the groups it is in itself, at most [`crate::THING_GROUPS_OF_THING_MAX`].
pub(crate) static GROUPS_OF_THING: Table<(Tenant, ThingName, ThingGroupName), ()> = Table::new("thing-groups-of-thing");
/// A group → the things in it itself.
pub(crate) static THINGS_OF_GROUP: Table<(Tenant, ThingGroupName, ThingName), ()> = Table::new("things-of-group");
/// A group → the things in it and in all groups below it.
pub(crate) static THINGS_WITHIN_GROUP: Table<(Tenant, ThingGroupName, ThingName), ()> =
    Table::new("things-within-group");

/// A thing's name, which need not be registered, and a shadow's, which is empty for the classic one.
pub(crate) static SHADOWS: Table<(Tenant, ThingName, String), ShadowRecord> = Table::new("shadows");
/// The named shadows that are not deleted.
pub(crate) static NAMED_SHADOWS: Table<(Tenant, ThingName, ShadowName), ()> = Table::new("shadows-named");

/// Which registry events an account hears.
pub(crate) static EVENT_CONFIGURATIONS: Table<Tenant, EventConfigurationsRecord> = Table::new("event-configurations");

pub(crate) static AUTHORIZERS: Table<(Tenant, AuthorizerName), AuthorizerRecord> = Table::new("authorizers");
/// The authorizer that is asked when a client names none.
pub(crate) static DEFAULT_AUTHORIZERS: Table<Tenant, DefaultAuthorizerRecord> = Table::new("authorizers-default");

/// That of an account's endpoint is there once it was changed.
pub(crate) static DOMAIN_CONFIGURATIONS: Table<(Tenant, DomainConfigurationName), DomainConfigurationRecord> =
    Table::new("domain-configurations");
/// Server name → account, region and configuration.
pub(crate) static DOMAIN_NAMES: Table<String, DomainNameRecord> = Table::new("domain-names");

/// Our own CAs, by purpose.
pub(crate) static ISSUERS: Table<String, IssuerRecord> = Table::new("issuers");
/// What the listeners show, by name.
pub(crate) static SERVER_CERTIFICATES: Table<String, ServerCertificateRecord> = Table::new("server-certificates");
pub(crate) static SETTINGS: Table<String, SettingRecord> = Table::new("settings");

impl Key for PolicyVersionId {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
    fn decode(bytes: &mut &[u8]) -> Option<Self> {
        u32::decode(bytes).map(Self)
    }
}

/// One byte for the kind, then the id.
impl Key for PolicyTarget {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Certificate(id) => {
                out.push(1);
                id.encode(out);
            }
            Self::ThingGroup(name) => {
                out.push(2);
                name.encode(out);
            }
        }
    }
    fn decode(bytes: &mut &[u8]) -> Option<Self> {
        match u8::decode(bytes)? {
            1 => CertificateId::decode(bytes).map(Self::Certificate),
            2 => ThingGroupName::decode(bytes).map(Self::ThingGroup),
            _ => None,
        }
    }
}

/// One byte for the kind, then the id.
impl Key for ThingPrincipal {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Certificate(id) => {
                out.push(1);
                id.encode(out);
            }
        }
    }
    fn decode(bytes: &mut &[u8]) -> Option<Self> {
        match u8::decode(bytes)? {
            1 => CertificateId::decode(bytes).map(Self::Certificate),
            _ => None,
        }
    }
}
