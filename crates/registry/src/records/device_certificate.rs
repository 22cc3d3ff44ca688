//! Device certificates.

use serde::{Deserialize, Serialize};
use tidegate_ids::{AccountId, CaCertificateId, Timestamp};

use super::{GenerationId, Transfer, Validity};
use crate::{CertificateMode, CertificateStatus};

/// A device certificate that an account owns. AWS: `CertificateDescription`; `ownedBy` is the account of the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceCertificateRecord {
    /// See [`CertificateStatus`].
    pub status: CertificateStatus,
    /// How its account is found.
    pub mode: CertificateMode,
    /// The CA that signed it, if it was registered by one. The CA may have been deleted since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_certificate_id: Option<CaCertificateId>,
    /// The account that it was transferred from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_owned_by: Option<AccountId>,
    /// Its last transfer, unless that was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer: Option<Box<Transfer>>,
    /// The certificate.
    pub pem: String,
    /// The certificate's own dates.
    pub validity: Validity,
    /// When it was registered.
    pub created: Timestamp,
    /// When it was last changed.
    pub modified: Timestamp,
    /// 1 at first, one more with each update. AWS: `customerVersion`.
    pub customer_version: u32,
    /// Changes with each update.
    pub generation_id: GenerationId,
}

impl DeviceCertificateRecord {
    /// Gives it another status, which counts as an update.
    pub(crate) fn update(&mut self, status: CertificateStatus, generation_id: GenerationId, now: Timestamp) {
        self.status = status;
        self.modified = now;
        self.customer_version = self.customer_version.saturating_add(1);
        self.generation_id = generation_id;
    }

    /// The transfer that nobody has ended yet.
    pub(crate) fn pending_transfer(&self) -> Option<&Transfer> {
        self.transfer.as_deref().filter(|_| self.status == CertificateStatus::PendingTransfer)
    }

    /// Its owner, when `account` has this row: the other account while a transfer to `account` is pending.
    pub fn owned_by(&self, account: AccountId) -> AccountId {
        self.pending_transfer().map_or(account, |transfer| transfer.from)
    }
}
