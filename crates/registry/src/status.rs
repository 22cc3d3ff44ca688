//! The states of CA certificates and device certificates, and what may follow what.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Status of a device certificate, in AWS's words.
///
/// ```text
///   first CONNECT ─▶ PendingActivation ─▶ Active ◀─▶ Inactive ◀── RegisterInactive (deprecated, never stored)
///                            └──────────────┴───────────┴────▶ Revoked (final)
///   Inactive ─▶ PendingTransfer ─▶ Inactive | Active, in the other account
/// ```
///
/// AWS: developer guide, "CertificateDescription", member `status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CertificateStatus {
    /// May connect, as far as its policies go.
    Active,
    /// May not connect.
    Inactive,
    /// May never connect again.
    Revoked,
    /// On its way to another account; may not connect.
    PendingTransfer,
    /// Deprecated by AWS and never stored: read as a request for `Inactive` where AWS still takes it.
    RegisterInactive,
    /// Registered by its own first CONNECT; each CONNECT announces it again until somebody activates it.
    PendingActivation,
}

/// Why a certificate's status stays as it is. AWS: CertificateStateException, InvalidRequestException for the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StatusChangeRefused {
    /// PENDING_TRANSFER and PENDING_ACTIVATION are set by the service alone.
    #[error("a caller cannot set the status {}: the service alone sets it", .0.as_str())]
    ServiceOnly(CertificateStatus),
    /// A revoked certificate stays revoked.
    #[error("the certificate is REVOKED, which is final: delete it, or register another one")]
    RevokedIsFinal,
    /// The certificate is being transferred.
    #[error("the certificate is PENDING_TRANSFER: accept, reject or cancel the transfer first")]
    InTransfer,
    /// REGISTER_INACTIVE is a deprecated value for new certificates. AWS: InvalidRequestException.
    #[error("REGISTER_INACTIVE is deprecated and cannot be set: use INACTIVE")]
    Deprecated,
}

impl CertificateStatus {
    /// All of them, in the order of AWS's model.
    pub const ALL: [Self; 6] = [
        Self::Active,
        Self::Inactive,
        Self::Revoked,
        Self::PendingTransfer,
        Self::RegisterInactive,
        Self::PendingActivation,
    ];

    /// AWS's word, such as `PENDING_ACTIVATION`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Inactive => "INACTIVE",
            Self::Revoked => "REVOKED",
            Self::PendingTransfer => "PENDING_TRANSFER",
            Self::RegisterInactive => "REGISTER_INACTIVE",
            Self::PendingActivation => "PENDING_ACTIVATION",
        }
    }

    /// The status after `UpdateCertificate` asks for `requested`; repeating a request changes nothing.
    ///
    /// AWS: API_UpdateCertificate; developer guide, "Revoke a client certificate". The whole table is
    /// `facts/aws-iot.md`, section 2.2.
    /// Unverified: what AWS answers while a transfer is pending, and to REGISTER_INACTIVE; we refuse.
    pub fn update(self, requested: Self) -> Result<Self, StatusChangeRefused> {
        use CertificateStatus::*;
        match (self, requested) {
            (_, PendingActivation | PendingTransfer) => Err(StatusChangeRefused::ServiceOnly(requested)),
            (Revoked, Active | Inactive | RegisterInactive) => Err(StatusChangeRefused::RevokedIsFinal),
            (PendingTransfer, Active | Inactive | Revoked | RegisterInactive) => Err(StatusChangeRefused::InTransfer),
            (Active | Inactive | PendingActivation, RegisterInactive) => Err(StatusChangeRefused::Deprecated),
            (Active | Inactive | PendingActivation | RegisterInactive, Active | Inactive | Revoked) => Ok(requested),
            (Revoked, Revoked) | (RegisterInactive, RegisterInactive) => Ok(self),
        }
    }

    /// The status of a certificate that is registered through the API with `status`, or with the older flag
    /// `set_as_active`; the refused status otherwise.
    ///
    /// AWS: API_RegisterCertificate: without both it is INACTIVE; REGISTER_INACTIVE is deprecated and means INACTIVE.
    /// Unverified: that `status` wins over the flag; that REVOKED is refused.
    pub fn at_registration(status: Option<Self>, set_as_active: bool) -> Result<Self, Self> {
        use CertificateStatus::*;
        match status {
            None if set_as_active => Ok(Active),
            None => Ok(Inactive),
            Some(Active) => Ok(Active),
            Some(Inactive | RegisterInactive) => Ok(Inactive),
            Some(refused @ (PendingActivation | PendingTransfer | Revoked)) => Err(refused),
        }
    }
}

/// Whether a CA certificate registers anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CaStatus {
    /// Device certificates that it signed can be registered.
    Active,
    /// Nothing new is registered; certificates already registered go on.
    Inactive,
}

/// Whether an active CA certificate registers unknown leaves at their first CONNECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AutoRegistrationStatus {
    /// It does.
    Enable,
    /// It does not.
    Disable,
}

/// How the account of a certificate is found.
///
/// AWS: developer guide, "Manage your CA certificates" and "multi-account registration".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CertificateMode {
    /// By the certificate: one account of a region owns it.
    Default,
    /// By the endpoint that the client names in SNI: any number of accounts may own it.
    SniOnly,
}

/// A word that names no state of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected one of {expected}")]
pub struct UnknownWord {
    pub(crate) expected: &'static str,
}

macro_rules! words {
    ($type:ident, $expected:literal, $($variant:ident = $word:literal),+) => {
        impl FromStr for $type {
            type Err = UnknownWord;
            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(UnknownWord { expected: $expected }),
                }
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

macro_rules! as_str {
    ($type:ident, $($variant:ident = $word:literal),+) => {
        impl $type {
            /// AWS's word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}

words!(
    CertificateStatus,
    "ACTIVE, INACTIVE, REVOKED, PENDING_TRANSFER, REGISTER_INACTIVE, PENDING_ACTIVATION",
    Active = "ACTIVE",
    Inactive = "INACTIVE",
    Revoked = "REVOKED",
    PendingTransfer = "PENDING_TRANSFER",
    RegisterInactive = "REGISTER_INACTIVE",
    PendingActivation = "PENDING_ACTIVATION"
);
as_str!(CaStatus, Active = "ACTIVE", Inactive = "INACTIVE");
words!(CaStatus, "ACTIVE, INACTIVE", Active = "ACTIVE", Inactive = "INACTIVE");
as_str!(AutoRegistrationStatus, Enable = "ENABLE", Disable = "DISABLE");
words!(AutoRegistrationStatus, "ENABLE, DISABLE", Enable = "ENABLE", Disable = "DISABLE");
as_str!(CertificateMode, Default = "DEFAULT", SniOnly = "SNI_ONLY");
words!(CertificateMode, "DEFAULT, SNI_ONLY", Default = "DEFAULT", SniOnly = "SNI_ONLY");

#[cfg(test)]
mod tests {
    use super::{CertificateStatus::*, StatusChangeRefused::*, *};

    #[test]
    fn update_certificate_follows_the_status_table() {
        // Columns: ACTIVE, INACTIVE, REVOKED, PENDING_TRANSFER, REGISTER_INACTIVE, PENDING_ACTIVATION.
        let transfer = Err(ServiceOnly(PendingTransfer));
        let activation = Err(ServiceOnly(PendingActivation));
        let changeable = [Ok(Active), Ok(Inactive), Ok(Revoked), transfer, Err(Deprecated), activation];
        let revoked = Err(RevokedIsFinal);
        let moving = Err(InTransfer);
        for (from, expected) in [
            (Active, changeable),
            (Inactive, changeable),
            (PendingActivation, changeable),
            (RegisterInactive, [Ok(Active), Ok(Inactive), Ok(Revoked), transfer, Ok(RegisterInactive), activation]),
            (Revoked, [revoked, revoked, Ok(Revoked), transfer, revoked, activation]),
            (PendingTransfer, [moving, moving, moving, transfer, moving, activation]),
        ] {
            for (requested, expected) in CertificateStatus::ALL.into_iter().zip(expected) {
                assert_eq!(from.update(requested), expected, "{from:?} -> {requested:?}");
            }
        }
    }

    #[test]
    fn a_new_certificate_is_inactive_unless_asked() {
        for (status, flag, expected) in [
            (None, false, Ok(Inactive)),
            (None, true, Ok(Active)),
            (Some(Active), false, Ok(Active)),
            (Some(Inactive), true, Ok(Inactive)), // the status wins
            (Some(RegisterInactive), false, Ok(Inactive)),
            (Some(PendingActivation), false, Err(PendingActivation)),
            (Some(PendingTransfer), false, Err(PendingTransfer)),
            (Some(Revoked), true, Err(Revoked)),
        ] {
            assert_eq!(CertificateStatus::at_registration(status, flag), expected, "{status:?} {flag}");
        }
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for status in CertificateStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
        assert!("active".parse::<CertificateStatus>().is_err());
        assert_eq!("ENABLE".parse(), Ok(AutoRegistrationStatus::Enable));
        assert_eq!("SNI_ONLY".parse(), Ok(CertificateMode::SniOnly));
        assert_eq!(serde_json::to_value(CertificateMode::SniOnly).unwrap(), "SNI_ONLY");
        assert_eq!("INACTIVE".parse(), Ok(CaStatus::Inactive));
    }
}
