//! What changed, in the registry's words: for live effects.

use tidegate_ids::{AccountId, CaCertificateId, CertificateId, PolicyName, Tenant, ThingGroupName};

use crate::{AutoRegistrationStatus, CaStatus, CertificateStatus, TransferStep};

/// A change that is durable and visible in the [`Directory`](crate::Directory). On each node, whoever made it.
///
/// One thing's changes come in order. After the feed was lost, differences are told as if they had just happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistryChange {
    /// A device certificate was registered, or has another status.
    CertificateStatus {
        /// Whose.
        tenant: Tenant,
        /// Which.
        certificate_id: CertificateId,
        /// Now.
        status: CertificateStatus,
    },
    /// A device certificate is no longer this account's.
    CertificateDeleted {
        /// Whose it was.
        tenant: Tenant,
        /// Which.
        certificate_id: CertificateId,
    },
    /// A CA certificate was registered or changed.
    CaCertificate {
        /// Whose.
        tenant: Tenant,
        /// Which.
        ca_certificate_id: CaCertificateId,
        /// Now.
        status: CaStatus,
        /// Now.
        auto_registration: AutoRegistrationStatus,
    },
    /// A CA certificate is no longer this account's.
    CaCertificateDeleted {
        /// Whose it was.
        tenant: Tenant,
        /// Which.
        ca_certificate_id: CaCertificateId,
    },
    /// The document in force of a policy is another one, or the policy is gone.
    PolicyChanged {
        /// Whose.
        tenant: Tenant,
        /// Which.
        name: PolicyName,
    },
    /// Other policies are attached to a device certificate.
    PoliciesOfCertificate {
        /// Whose.
        tenant: Tenant,
        /// Which.
        certificate_id: CertificateId,
    },
    /// Other policies are attached to a thing group.
    PoliciesOfThingGroup {
        /// Whose.
        tenant: Tenant,
        /// Which.
        name: ThingGroupName,
    },
    /// A certificate was offered to an account, or the offer was taken back. Not told of what happened while the feed was lost.
    Transfer {
        /// The account that receives.
        receiver: Tenant,
        /// Which.
        certificate_id: CertificateId,
        /// What happened.
        step: TransferStep,
        /// The account that gives.
        from: AccountId,
        /// What it says about the offer.
        message: Option<String>,
    },
    /// Access keys, users or roles of an account changed: what was signed before may no longer count.
    Credentials {
        /// Whose.
        account: AccountId,
    },
    /// A server certificate was stored under this name.
    ServerCertificate {
        /// Its name.
        name: String,
    },
}

impl RegistryChange {
    /// The device certificate whose live sessions must end because of this change, if any.
    ///
    /// AWS: developer guide, "Revoke a client certificate": INACTIVE and REVOKED disconnect; policy and CA changes do not.
    pub fn ends_sessions_of(&self) -> Option<(Tenant, CertificateId)> {
        match *self {
            Self::CertificateStatus { tenant, certificate_id, status } => match status {
                CertificateStatus::Active => None,
                CertificateStatus::Inactive
                | CertificateStatus::Revoked
                | CertificateStatus::PendingTransfer
                | CertificateStatus::RegisterInactive
                | CertificateStatus::PendingActivation => Some((tenant, certificate_id)),
            },
            Self::CertificateDeleted { tenant, certificate_id } => Some((tenant, certificate_id)),
            Self::CaCertificate { .. }
            | Self::CaCertificateDeleted { .. }
            | Self::PolicyChanged { .. }
            | Self::PoliciesOfCertificate { .. }
            | Self::PoliciesOfThingGroup { .. }
            | Self::Transfer { .. }
            | Self::Credentials { .. }
            | Self::ServerCertificate { .. } => None,
        }
    }
}
