//! Clients that prove who they are by the signature of the request that begins their WebSocket.
//!
//! AWS: developer guide, "MQTT over WebSockets with AWS Signature Version 4".

use std::{collections::HashMap, fmt, sync::Arc};

use parking_lot::Mutex;
use tidegate_broker::{Broker, CloseReason, Effects, Principal, Selector};
use tidegate_ids::{AccountId, Now, Tenant, Timestamp};
use tidegate_registry::{Credential, CredentialRefused, Directory, Registry, ServerName};
use tidegate_sigv4::{Credentials, EMPTY_PAYLOAD, RequestParts, SigV4Error};
use tokio::sync::Notify;

/// The services that the request may be signed for. AWS: the guide says `iotdevicegateway`; its Android SDK signs for `iotdata`.
const SERVICES: [&str; 2] = ["iotdevicegateway", "iotdata"];

/// Who signed.
#[derive(Debug, Clone)]
pub(crate) struct Signer {
    pub(crate) credential: Credential,
    /// Their account, in the region of the signature's scope.
    pub(crate) tenant: Tenant,
}

impl Signer {
    pub(crate) fn principal(&self) -> Principal {
        let Credential { account, access_key_id, .. } = &self.credential;
        Principal::Iam {
            account: *account,
            arn: self.credential.arn().to_string().into(),
            access_key_id: access_key_id.as_str().into(),
        }
    }
}

/// Why a signed request is refused. The text is for the client.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignatureRefused {
    #[error("{}", .0.aws_message())]
    Signature(#[from] SigV4Error),
    #[error("The security token included in the request is invalid.")]
    Unknown,
    #[error("The security token included in the request is expired")]
    Expired,
    #[error("the server name is the endpoint of another account or region than the signature's")]
    Endpoint,
}

/// Who signed `request`; `None` when nobody did.
///
/// # Errors
/// It is signed, and not as it must be.
pub(crate) fn signer(
    request: &RequestParts<'_>,
    server_name: &ServerName,
    registry: &Registry,
    now: Timestamp,
) -> Result<Option<Signer>, SignatureRefused> {
    let is_sigv4 = |value: &[u8]| value.starts_with(b"AWS4-");
    let foreign =
        request.headers.iter().any(|(name, value)| name.eq_ignore_ascii_case("authorization") && !is_sigv4(value));
    let claimed = match Credentials::parse(request) {
        Err(SigV4Error::MissingToken) => return Ok(None),
        Err(_) if foreign => return Ok(None),
        claimed => claimed?,
    };
    claimed.require_service(&SERVICES)?;
    let found = registry.propagated().credential(&claimed.access_key_id, claimed.session_token.as_deref(), now);
    let (credential, secret) = found.map_err(|refused| match refused {
        CredentialRefused::Unknown => SignatureRefused::Unknown,
        CredentialRefused::Expired => SignatureRefused::Expired,
    })?;
    let key = claimed.signing_key(secret.as_bytes());
    claimed.check(request, EMPTY_PAYLOAD, &key, now, Credentials::SKEW)?;
    let region = claimed.region.parse().map_err(|_| SigV4Error::ScopeRegion(claimed.region.to_string()))?;
    registry.note_access_key_use(&credential, &claimed.service, region, now);
    let tenant = Tenant { account: credential.account, region };
    match server_name {
        ServerName::Endpoint(endpoint) if *endpoint != tenant => Err(SignatureRefused::Endpoint),
        ServerName::Endpoint(_) | ServerName::Host | ServerName::Absent => Ok(Some(Signer { credential, tenant })),
    }
}

/// The credentials of all signed connections: those that end take their connections with them.
///
/// One entry for each credential and tenant, however many connections it has.
#[derive(Default)]
pub struct SignedIn {
    entries: Mutex<HashMap<(Tenant, Principal), Entry>>,
    changed: Notify,
}

struct Entry {
    credential: Credential,
    connections: usize,
}

impl SignedIn {
    /// Notes a connection, until what is answered is dropped.
    pub(crate) fn enter(self: &Arc<Self>, signer: &Signer) -> Entered {
        let key = (signer.tenant, signer.principal());
        let new = || Entry { credential: signer.credential.clone(), connections: 0 };
        self.entries.lock().entry(key.clone()).or_insert_with(new).connections += 1;
        self.changed.notify_one();
        Entered { all: Arc::clone(self), key }
    }

    /// Closes the connections of credentials that count no longer: in this account, or everywhere.
    pub fn end(&self, account: Option<AccountId>, directory: &Directory, broker: &Broker, now: Now) {
        let over = |entry: &Entry| !entry.credential.is_in_force(directory, now.wall);
        let within = |tenant: &Tenant| account.is_none_or(|account| account == tenant.account);
        let ended: Vec<(Tenant, Principal)> = {
            let entries = self.entries.lock();
            let ended = entries.iter().filter(|((tenant, _), entry)| within(tenant) && over(entry));
            ended.map(|(key, _)| key.clone()).collect()
        };
        if ended.is_empty() {
            return;
        }
        let mut effects = Effects::outside();
        for (tenant, principal) in ended {
            broker.kick(&Selector::Principal { tenant, principal }, CloseReason::PrincipalRefused, now, &mut effects);
        }
        broker.hand_over(&mut effects);
    }

    /// When the next session ends by itself.
    pub fn next_expiry(&self) -> Option<Timestamp> {
        self.entries.lock().values().filter_map(|entry| entry.credential.expires()).min()
    }

    /// Returns once somebody has signed in since the last call.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedIn").field("credentials", &self.entries.lock().len()).finish()
    }
}

/// One connection's mention.
pub(crate) struct Entered {
    all: Arc<SignedIn>,
    key: (Tenant, Principal),
}

impl Drop for Entered {
    fn drop(&mut self) {
        let mut entries = self.all.entries.lock();
        if let Some(entry) = entries.get_mut(&self.key) {
            entry.connections -= 1;
            if entry.connections == 0 {
                entries.remove(&self.key);
            }
        }
    }
}
