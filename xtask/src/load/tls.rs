//! Both sides' TLS: mutual, TLS 1.3 with X25519.

use std::sync::Arc;

use anyhow::Result;
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    client::Resumption,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
    version::TLS13,
};
use tidegate_fleet::{AnyServer, Identity, measured_suite};

/// Which cipher suites clients offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offer {
    /// One, so that all servers are compared over the same.
    One,
    /// All, AES-256 first, as rustls and OpenSSL do: each server chooses. The null broker, like any rustls server, takes the first.
    All,
}

/// What clients show: client k has configuration k, from the first again when there are more clients.
#[derive(Clone)]
pub(crate) struct Tls(Arc<[Arc<ClientConfig>]>);

impl Tls {
    /// For clients with these certificates; with `resume` each keeps its tickets.
    pub(crate) fn new(identities: &[Identity], resume: bool, offer: Offer) -> Result<Self> {
        let mut provider = provider();
        if offer == Offer::One {
            provider.cipher_suites = vec![measured_suite()];
        }
        let provider = Arc::new(provider);
        let config = |identity: &Identity| -> Result<_> {
            let mut config = ClientConfig::builder_with_provider(provider.clone())
                .with_protocol_versions(&[&TLS13])?
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AnyServer::new(provider.clone())))
                .with_client_auth_cert(vec![identity.certificate.clone()], identity.key())?;
            config.resumption = if resume { Resumption::in_memory_sessions(2) } else { Resumption::disabled() };
            Ok(Arc::new(config))
        };
        Ok(Self(identities.iter().map(config).collect::<Result<_>>()?))
    }

    pub(super) fn of(&self, client: usize) -> Arc<ClientConfig> {
        self.0[client % self.0.len()].clone()
    }
}

/// The null broker's side: PEM of its certificate and key, and of the CA whose clients it takes.
pub(super) fn server(certificate: &str, key: &str, ca: &str) -> Result<Arc<ServerConfig>> {
    let provider = Arc::new(provider());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca.as_bytes())?)?;
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build()?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(clients)
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(certificate.as_bytes())?],
            PrivateKeyDer::from_pem_slice(key.as_bytes())?,
        )?;
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    config.send_tls13_tickets = 1;
    Ok(Arc::new(config))
}

fn provider() -> CryptoProvider {
    let kx_groups = vec![aws_lc_rs::kx_group::X25519, aws_lc_rs::kx_group::SECP256R1];
    CryptoProvider { kx_groups, ..aws_lc_rs::default_provider() }
}
