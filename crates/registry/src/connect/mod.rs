//! A device's CONNECT: known, registered now, or refused.

mod decide;
mod evidence;
mod identify;
mod limits;
mod propagation;
mod refusal;
mod register;
mod tls;

pub use evidence::{Evidence, IssuerEvidence};
pub(crate) use limits::Registrations;
pub use limits::{AUTO_REGISTRATIONS_PER_SECOND_AWS, Limits};
pub use refusal::{EndpointRequired, Refusal, Refused};

use std::sync::Arc;

use tidegate_ids::{CaCertificateId, CertificateId, Tenant, Timestamp};
use tidegate_pki::ClientLeaf;

use crate::{CertificateStatus, Grants};

/// What a client presented with its CONNECT.
#[derive(Debug, Clone, Copy)]
pub struct Presented<'a> {
    /// The leaf of the TLS handshake, or of the session that was resumed.
    pub leaf: &'a ClientLeaf,
    /// What the client named in SNI.
    pub server_name: ServerName,
    /// Whether an unknown leaf is registered without SNI, the account found by its issuer: `standard` does, `aws` not.
    ///
    /// AWS: developer guide, "Just-in-time registration": SNI is required for the first connection.
    pub registers_without_sni: bool,
    /// The CONNECT's client id, for the event.
    pub client_id: &'a str,
}

/// What the client named in SNI. A name that is none of ours never gets here: the handshake ends with `unrecognized_name`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerName {
    /// An account's endpoint; see [`Directory::tenant_of_endpoint`](crate::Directory::tenant_of_endpoint).
    Endpoint(Tenant),
    /// A configured host name, which belongs to no account.
    Host,
    /// No SNI.
    Absent,
}

/// What becomes of a CONNECT that is not refused.
#[derive(Debug)]
pub enum Admission {
    /// The certificate is ACTIVE: its policies decide from here on.
    Active(Admitted),
    /// The certificate waits for activation: publish the event again, then close.
    PendingActivation(CertificateRegistered),
    /// The certificate is registered now, and durable: publish the event, then close (or hold).
    Registered(CertificateRegistered),
}

/// Who a client is.
#[derive(Debug, Clone)]
pub struct Admitted {
    /// Its account and region.
    pub tenant: Tenant,
    /// Its certificate.
    pub certificate_id: CertificateId,
    /// What its certificate may do, now and after each change.
    pub grants: Arc<Grants>,
}

/// A certificate was registered by its own CONNECT, or has presented itself again while it waits for activation.
///
/// [`events::wire`](crate::events::wire) has its topic and JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateRegistered {
    /// Whose topic the event is published on.
    pub tenant: Tenant,
    /// The device certificate.
    pub certificate_id: CertificateId,
    /// The CA certificate that signed it.
    pub ca_certificate_id: CaCertificateId,
    /// The CONNECT's client id. Not in the JSON; rules see it as `clientid()`.
    pub client_id: Box<str>,
    /// When the event happened.
    pub timestamp: Timestamp,
    /// PENDING_ACTIVATION.
    pub status: CertificateStatus,
    /// When the certificate was registered; `None` in the event of that very moment.
    pub registered: Option<Timestamp>,
}
