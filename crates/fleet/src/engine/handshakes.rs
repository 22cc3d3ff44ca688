//! TLS for thousands of devices: one configuration for a group and thread, whose certificate is looked up when the broker
//! asks for it.

use std::{
    fmt, fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use parking_lot::Mutex;
use rustls::{
    ClientConfig, RootCertStore, SignatureScheme,
    client::{ResolvesClientCert, Resumption, WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, pem::PemObject},
    sign::CertifiedKey,
};

use crate::{FleetError, Identities, any_server::AnyServer, plan::Broker};

/// Whom devices trust, and how they talk: made once, shared by all.
pub(crate) struct Trust {
    provider: Arc<CryptoProvider>,
    verifier: Arc<dyn ServerCertVerifier>,
    alpn: Vec<Vec<u8>>,
}

/// The configuration of a group in one thread.
///
/// Its certificate is that of the device whose number was set last: rustls asks within one call, and forgets certificate
/// and key when the handshake is over. So a connected device holds neither.
pub(super) struct Handshakes {
    pub(super) config: Arc<ClientConfig>,
    shown: Arc<ShownOnDemand>,
}

struct ShownOnDemand {
    identities: Option<Arc<Identities>>,
    provider: Arc<CryptoProvider>,
    index: AtomicU32,
    problem: Mutex<Option<String>>,
}

impl Trust {
    pub(crate) fn new(broker: &Broker) -> Result<Self, FleetError> {
        let mut provider = aws_lc_rs::default_provider();
        // The exchange that every broker has; the post-quantum one costs a generator more than it tells.
        provider.kx_groups =
            vec![aws_lc_rs::kx_group::X25519, aws_lc_rs::kx_group::SECP256R1, aws_lc_rs::kx_group::SECP384R1];
        let provider = Arc::new(provider);
        let verifier: Arc<dyn ServerCertVerifier> = match &broker.ca {
            None => Arc::new(AnyServer::new(Arc::clone(&provider))),
            Some(path) => {
                let roots = Arc::new(roots(path)?);
                WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider))
                    .build()
                    .map_err(|problem| FleetError::Certificate(format!("{}: {problem}", path.display())))?
            }
        };
        Ok(Self { provider, verifier, alpn: broker.alpn.iter().map(|name| name.clone().into_bytes()).collect() })
    }

    pub(super) fn handshakes(&self, identities: Option<Arc<Identities>>) -> Result<Handshakes, FleetError> {
        let shown = Arc::new(ShownOnDemand {
            identities,
            provider: Arc::clone(&self.provider),
            index: AtomicU32::new(0),
            problem: Mutex::new(None),
        });
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&self.verifier))
            .with_client_cert_resolver(Arc::clone(&shown) as Arc<dyn ResolvesClientCert>);
        config.resumption = Resumption::disabled();
        config.alpn_protocols = self.alpn.clone();
        Ok(Handshakes { config: Arc::new(config), shown })
    }
}

impl Handshakes {
    /// From now on the certificate of this device is shown.
    pub(super) fn show(&self, index: u32) {
        self.shown.index.store(index, Ordering::Relaxed);
    }

    /// Why it could not be shown, if so.
    pub(super) fn problem(&self) -> Option<String> {
        self.shown.problem.lock().take()
    }
}

impl ResolvesClientCert for ShownOnDemand {
    fn resolve(&self, _issuers: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let index = self.index.load(Ordering::Relaxed) as usize;
        let shown = self.identities.as_ref()?.shown(index).map_err(|error| error.to_string());
        let certified = shown.and_then(|shown| {
            let key = self.provider.key_provider.load_private_key(shown.key).map_err(|error| error.to_string())?;
            Ok(Arc::new(CertifiedKey::new(shown.chain, key)))
        });
        certified.map_err(|problem| *self.problem.lock() = Some(problem)).ok()
    }

    fn has_certs(&self) -> bool {
        self.identities.is_some()
    }
}

impl fmt::Debug for ShownOnDemand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShownOnDemand").field("index", &self.index).finish_non_exhaustive()
    }
}

fn roots(path: &Path) -> Result<RootCertStore, FleetError> {
    let text =
        fs::read(path).map_err(|source| FleetError::File { what: "cannot read", path: path.to_owned(), source })?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate =
            certificate.map_err(|problem| FleetError::Certificate(format!("{}: {problem}", path.display())))?;
        roots.add(certificate).map_err(|problem| FleetError::Certificate(format!("{}: {problem}", path.display())))?;
    }
    if roots.is_empty() {
        return Err(FleetError::Certificate(format!("there is no certificate in {}", path.display())));
    }
    Ok(roots)
}
