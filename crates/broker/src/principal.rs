//! Who a connection acts for.

use std::{
    fmt,
    sync::{Arc, LazyLock},
};

use tidegate_ids::{AccountId, CertificateId, Tenant};

/// Who a connection acts for. Kicks select by it, events name it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Principal {
    /// A device with a client certificate.
    Certificate {
        /// Owner of the certificate.
        tenant: Tenant,
        /// SHA-256 of its DER.
        certificate_id: CertificateId,
    },
    /// An IAM identity that signed its request.
    Iam {
        /// Owner of the access key.
        account: AccountId,
        /// ARN of the user, session or root.
        arn: Box<str>,
        /// The key it signed with: what ends with a key ends for that key's connections alone.
        access_key_id: Box<str>,
    },
    /// Somebody whom a custom authorizer knows.
    Custom {
        /// Owner of the authorizer.
        tenant: Tenant,
        /// The authorizer's name.
        authorizer: Box<str>,
        /// As its function answered.
        principal_id: Box<str>,
    },
    /// A listener without authentication.
    Anonymous,
    /// The broker itself: events, services, rules.
    System,
}

impl Principal {
    /// [`Anonymous`](Self::Anonymous), which is the same for all who are.
    pub fn anonymous() -> Arc<Self> {
        static ANONYMOUS: LazyLock<Arc<Principal>> = LazyLock::new(|| Arc::new(Principal::Anonymous));
        ANONYMOUS.clone()
    }

    /// The certificate, if it is one.
    pub fn certificate_id(&self) -> Option<CertificateId> {
        match self {
            Self::Certificate { certificate_id, .. } => Some(*certificate_id),
            Self::Iam { .. } | Self::Custom { .. } | Self::Anonymous | Self::System => None,
        }
    }
}

/// As `principalIdentifier` of an event: the certificate id for X.509, the ARN for IAM, the `principalId` that a custom
/// authorizer's function answered.
///
/// AWS: developer guide, "Lifecycle events".
impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate { certificate_id, .. } => write!(f, "{certificate_id}"),
            Self::Iam { arn, .. } => f.write_str(arn),
            Self::Custom { principal_id, .. } => f.write_str(principal_id),
            Self::Anonymous => f.write_str("anonymous"),
            Self::System => f.write_str("system"),
        }
    }
}
