//! What TLS asks about client certificates, answered by the registry's memory.

use std::{cell::RefCell, fmt, sync::Arc};

use tidegate_ids::Timestamp;
use tidegate_pki::{ClientLeaf, PkiError};
use tidegate_registry::{Directory, Refused, Registry};
use tidegate_tls::{ClientCertificates, Refusal};

/// The certificates that the registry knows, or would register.
pub(crate) struct RegisteredClients(Arc<Directory>);

impl RegisteredClients {
    pub(crate) fn new(registry: &Registry) -> Self {
        Self(registry.directory().clone())
    }
}

impl ClientCertificates for RegisteredClients {
    fn check_leaf(&self, leaf: &[u8], now: Timestamp) -> Result<(), Refusal> {
        self.0.check_leaf(&*parse(leaf)?, now).map_err(|refused| in_words_of_tls(&refused))
    }

    fn check_possession(
        &self,
        leaf: &[u8],
        scheme: u16,
        message: &[u8],
        signature: &[u8],
        tls13: bool,
    ) -> Result<(), Refusal> {
        parse(leaf)?.check_possession(scheme, tls13, message, signature).map_err(|_| Refusal::NotPossessed)
    }

    fn check_status(&self, leaf: &[u8], now: Timestamp) -> Result<(), Refusal> {
        self.0.check_status(&*parse(leaf)?, now).map_err(|refused| in_words_of_tls(&refused))
    }
}

impl fmt::Debug for RegisteredClients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RegisteredClients")
    }
}

thread_local! {
    /// The leaf that was read last on this thread: a handshake asks about it three times, and CONNECT once more.
    static LAST: RefCell<Option<Arc<ClientLeaf>>> = const { RefCell::new(None) };
}

/// Reads a leaf.
pub(crate) fn parse(der: &[u8]) -> Result<Arc<ClientLeaf>, Refusal> {
    let last = LAST.with_borrow(|last| last.as_ref().filter(|last| last.der() == der).cloned());
    if let Some(leaf) = last {
        return Ok(leaf);
    }
    let unacceptable = |error: PkiError| Refusal::Unacceptable(error.to_string());
    let leaf = Arc::new(ClientLeaf::parse(der).map_err(unacceptable)?);
    LAST.set(Some(leaf.clone()));
    Ok(leaf)
}

/// The refusal as far as TLS tells refusals apart, which decides the alert. The log asks the registry for its own words.
fn in_words_of_tls(refused: &Refused) -> Refusal {
    use tidegate_registry::Refusal::*;
    match &refused.reason {
        NoIssuer { .. } => Refusal::NoIssuer,
        NotSignedByIssuer { .. } => Refusal::BadSignature,
        CaInactive(_) => Refusal::CaInactive,
        AutoRegistrationDisabled(_) => Refusal::AutoRegistrationOff,
        Expired(_) => Refusal::Expired,
        NotYetValid(_) => Refusal::NotYetValid,
        Algorithm(why) => Refusal::Unacceptable(why.clone()),
        Inactive => Refusal::Inactive,
        Revoked => Refusal::Revoked,
        InTransfer => Refusal::PendingTransfer,
        EndpointRequired(_) | OtherAccount | OtherForm(_) => Refusal::NotRegistered,
        Throttled => Refusal::Internal(refused.to_string()),
        Unavailable(why) => Refusal::Internal(why.clone()),
    }
}
