//! What the receiver of a transfer has not been told yet.

use serde::{Deserialize, Serialize};
use tidegate_ids::{AccountId, Timestamp};

use super::GenerationId;

/// What happened to a certificate that is offered to an account. Ours: AWS tells nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TransferStep {
    /// TransferCertificate: the account may accept or reject it.
    Offered,
    /// CancelCertificateTransfer: the account no longer sees it.
    Cancelled,
}

impl TransferStep {
    /// Its word in topics and payloads.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Cancelled => "cancelled",
        }
    }
}

/// The newest step of one certificate's transfer that its receiver's webhook has not taken yet. The key says whose and which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferNoticeRecord {
    /// What happened.
    pub step: TransferStep,
    /// The account that gives.
    pub from: AccountId,
    /// What it says about it, up to 128 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When it happened.
    pub at: Timestamp,
    /// The same in each attempt to tell it, so that the receiver knows what it has heard already.
    pub delivery_id: GenerationId,
}
