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
        Self(registry.propagated().clone())
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

/// Leaves that a thread remembers: as many handshakes as may well be under way at a time. A power of two.
const PLACES: usize = 64;

thread_local! {
    /// Leaves that were read lately on this thread, each in the place that its last bytes name: a handshake asks about it three
    /// times, and CONNECT once more, while others do the same.
    static LATELY: RefCell<[Option<Arc<ClientLeaf>>; PLACES]> = const { RefCell::new([const { None }; PLACES]) };
}

/// Reads a leaf.
pub(crate) fn parse(der: &[u8]) -> Result<Arc<ClientLeaf>, Refusal> {
    let place = place(der);
    let known = LATELY.with_borrow(|lately| lately[place].as_ref().filter(|leaf| leaf.der() == der).cloned());
    if let Some(leaf) = known {
        return Ok(leaf);
    }
    let unacceptable = |error: PkiError| Refusal::Unacceptable(error.to_string());
    let leaf = Arc::new(ClientLeaf::parse(der).map_err(unacceptable)?);
    LATELY.with_borrow_mut(|lately| lately[place] = Some(leaf.clone()));
    Ok(leaf)
}

/// A certificate ends with its signature, whose last byte is as good as random.
fn place(der: &[u8]) -> usize {
    usize::from(der.last().copied().unwrap_or_default()) % PLACES
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
        EndpointRequired(_) | OtherAccount | OtherForm(_) | OnlyByMqtt | NotPropagated => Refusal::NotRegistered,
        Throttled => Refusal::Internal(refused.to_string()),
        Unavailable(why) => Refusal::Internal(why.clone()),
    }
}
