//! The transfer of a device certificate to another account.

use serde::{Deserialize, Serialize};
use tidegate_ids::{AccountId, Timestamp};

/// The last transfer of a certificate. AWS: `TransferData`; cancelling a transfer removes it.
///
/// While it is pending both accounts have a row of the certificate, each with the status PENDING_TRANSFER and this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// The account that gives. The owner until the other accepts.
    pub from: AccountId,
    /// The account that receives.
    pub to: AccountId,
    /// What the giver says about it, up to 128 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When it was offered.
    pub transferred: Timestamp,
    /// When the receiver took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Timestamp>,
    /// When the receiver refused it, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected: Option<Rejection>,
}

/// A receiver's refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// When.
    pub at: Timestamp,
    /// Why, in the receiver's words, up to 128 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
