//! Why a client certificate is refused, so that one log line explains it.

use std::fmt;

use tidegate_ids::{CaCertificateId, CertificateId, Tenant, Timestamp};
use tidegate_pki::{CANDIDATES_MAX, PkiError};

/// A refused client: the reason, whom it concerns, and a sentence for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub reason: Refusal,
    /// The presented certificate.
    pub certificate_id: CertificateId,
    /// The account whose registry refused, when one was found. Its log gets the line.
    pub tenant: Option<Tenant>,
}

impl Refused {
    /// The reason code of AWS's `Connection.AuthNError` log event. `Display` gives the `details`.
    pub fn authn_error(&self) -> &'static str {
        self.reason.authn_error()
    }

    /// The CA whose state is the reason, if it is.
    pub fn ca_certificate_id(&self) -> Option<CaCertificateId> {
        match &self.reason {
            Refusal::CaInactive(id) | Refusal::AutoRegistrationDisabled(id) => Some(*id),
            Refusal::NoIssuer { .. }
            | Refusal::NotSignedByIssuer { .. }
            | Refusal::Expired(_)
            | Refusal::NotYetValid(_)
            | Refusal::Algorithm(_)
            | Refusal::Inactive
            | Refusal::Revoked
            | Refusal::InTransfer
            | Refusal::EndpointRequired(_)
            | Refusal::OtherAccount
            | Refusal::OtherForm(_)
            | Refusal::OnlyByMqtt
            | Refusal::NotPropagated
            | Refusal::Throttled
            | Refusal::Unavailable(_) => None,
        }
    }
}

/// Why a client certificate is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// No registered CA has the issuer's name (and, where there are several, its key).
    NoIssuer {
        /// The issuer's name as text.
        issuer: String,
    },
    /// A registered CA has the issuer's name, but did not sign the certificate.
    NotSignedByIssuer {
        /// The issuer's name as text.
        issuer: String,
    },
    /// Signed by a registered CA that is INACTIVE; the certificate is unknown.
    CaInactive(CaCertificateId),
    /// Signed by a registered CA without auto-registration; the certificate is unknown.
    AutoRegistrationDisabled(CaCertificateId),
    /// `notAfter` has passed.
    Expired(Timestamp),
    /// `notBefore` is still to come.
    NotYetValid(Timestamp),
    /// The key or signature algorithm is not one that AWS takes.
    Algorithm(String),
    /// Registered, but INACTIVE.
    Inactive,
    /// Registered, but REVOKED.
    Revoked,
    /// Registered, but on its way to another account.
    InTransfer,
    /// The client named no account in SNI, and the account cannot be found without.
    EndpointRequired(EndpointRequired),
    /// The certificate is another account's, and the one named in SNI cannot register it.
    OtherAccount,
    /// The certificate is this registered one with its ECDSA signature rewritten, which anybody can do: were it taken for another
    /// certificate, a revoked device would come back with it.
    OtherForm(CertificateId),
    /// Not registered, and presented where certificates do not register themselves: by HTTPS.
    OnlyByMqtt,
    /// The account admits the certificate, and the devices' edge does not know yet: see
    /// [`propagation_delay`](crate::Settings::propagation_delay).
    NotPropagated,
    /// More certificates registered themselves in this account and region than [`Limits`](super::Limits) allow: the same
    /// client may be registered a second later.
    Throttled,
    /// The store failed or others kept changing the same rows.
    Unavailable(String),
}

/// Why only an account's endpoint in SNI helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointRequired {
    /// The certificate, or the CA that would register it, is SNI_ONLY.
    SniOnly,
    /// It is registered in more than one region (or account) of this broker.
    SeveralOwners,
    /// This listener registers no certificates without SNI.
    ToRegister,
}

impl Refusal {
    /// The reason code of AWS's `Connection.AuthNError` log event.
    ///
    /// AWS: developer guide, "Connection.AuthNError", `reason`. Unverified: AWS's list has no word for an expired
    /// certificate or an unacceptable key; we say NOT_AUTHENTICATED.
    pub const fn authn_error(&self) -> &'static str {
        match self {
            Self::NoIssuer { .. }
            | Self::NotSignedByIssuer { .. }
            | Self::CaInactive(_)
            | Self::AutoRegistrationDisabled(_)
            | Self::OtherAccount
            | Self::OnlyByMqtt
            | Self::NotPropagated
            | Self::OtherForm(_) => "DEVICE_CERTIFICATE_NOT_REGISTERED",
            Self::Expired(_) | Self::NotYetValid(_) | Self::Algorithm(_) => "NOT_AUTHENTICATED",
            Self::Inactive | Self::InTransfer => "DEVICE_CERTIFICATE_INACTIVE",
            Self::Revoked => "DEVICE_CERTIFICATE_REVOKED",
            Self::EndpointRequired(_) => "SNI_MISUSED",
            Self::Throttled => "THROTTLED",
            Self::Unavailable(_) => "INTERNAL_SERVER_ERROR",
        }
    }
}

/// The sentence for the operator: what is wrong, and the command that changes it.
impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.certificate_id;
        match &self.reason {
            Refusal::NoIssuer { issuer } => write!(
                f,
                "the certificate is not registered and no registered CA has the subject of its issuer ({issuer}): \
                 aws iot register-ca-certificate"
            ),
            Refusal::NotSignedByIssuer { issuer } => write!(
                f,
                "the certificate is not registered and no registered CA with the subject of its issuer ({issuer}) \
                 that was tried has signed it: another CA key, a forged certificate, or one of more than {CANDIDATES_MAX} \
                 CAs of that name (then connect with the account's endpoint as server name, or use a name of your own)"
            ),
            Refusal::CaInactive(ca) => write!(
                f,
                "the certificate is not registered; its CA {ca} is registered but INACTIVE: \
                 aws iot update-ca-certificate --certificate-id {ca} --new-status ACTIVE"
            ),
            Refusal::AutoRegistrationDisabled(ca) => write!(
                f,
                "the certificate is not registered; its CA {ca} does not register automatically: \
                 aws iot update-ca-certificate --certificate-id {ca} --new-auto-registration-status ENABLE"
            ),
            Refusal::Expired(end) => write!(f, "{}: issue another one", PkiError::Expired(*end)),
            Refusal::NotYetValid(start) => {
                write!(f, "{}: check the clocks of issuer and broker", PkiError::NotYetValid(*start))
            }
            Refusal::Algorithm(why) => write!(f, "the certificate is not acceptable: {why}"),
            Refusal::Inactive => write!(
                f,
                "the certificate is registered but INACTIVE: \
                 aws iot update-certificate --certificate-id {id} --new-status ACTIVE"
            ),
            Refusal::Revoked => f.write_str("the certificate is REVOKED, which is final: issue another one"),
            Refusal::InTransfer => write!(
                f,
                "the certificate is PENDING_TRANSFER: accept the transfer in the other account, or \
                 aws iot cancel-certificate-transfer --certificate-id {id}"
            ),
            Refusal::EndpointRequired(EndpointRequired::SniOnly) => f.write_str(
                "the certificate is SNI_ONLY: the client must name its account's endpoint in SNI (aws iot describe-endpoint \
                 --endpoint-type iot:Data-ATS)",
            ),
            Refusal::EndpointRequired(EndpointRequired::SeveralOwners) => f.write_str(
                "the certificate or its CA is registered in several regions: the client must name the endpoint of one in \
                 SNI (aws iot describe-endpoint --endpoint-type iot:Data-ATS)",
            ),
            Refusal::EndpointRequired(EndpointRequired::ToRegister) => f.write_str(
                "the certificate is not registered, and this listener registers only clients that send SNI",
            ),
            Refusal::OtherAccount => f.write_str(
                "the certificate is not registered in the account that the client named in SNI",
            ),
            Refusal::OnlyByMqtt => f.write_str(
                "the certificate is not registered, and registers itself by an MQTT CONNECT only, not by HTTPS: connect once \
                 by MQTT, or aws iot register-certificate",
            ),
            Refusal::OtherForm(registered) => write!(
                f,
                "the certificate is the registered certificate {registered} with its signature rewritten: the client must \
                 present that one; see aws iot describe-certificate --certificate-id {registered}"
            ),
            Refusal::NotPropagated => f.write_str(
                "the certificate is registered and ACTIVE, which has not reached the devices' edge yet \
                 (mqtt.propagation_delay_s in the configuration): the client must try again later",
            ),
            Refusal::Throttled => f.write_str(
                "the certificate is not registered, and too many certificates register themselves in this account and \
                 region at this moment: the client must try again later",
            ),
            Refusal::Unavailable(why) => write!(f, "the certificate could not be looked up or registered: {why}"),
        }
    }
}

impl std::error::Error for Refused {}
