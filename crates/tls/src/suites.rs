//! Which cipher suite is agreed on.

use std::sync::Arc;

use rustls::{
    CipherSuite, ServerConfig, SupportedCipherSuite,
    crypto::{
        CryptoProvider,
        aws_lc_rs::{cipher_suite as suites, default_provider},
    },
};

use crate::{ClientHello, Versions};

/// All that are spoken, best first: AES-128 before AES-256, because SHA-256 has instructions in processors where SHA-384 has none.
///
/// AWS: developer guide, "Transport security", lists them in this order.
static SUITES: [SupportedCipherSuite; 9] = [
    suites::TLS13_AES_128_GCM_SHA256,
    suites::TLS13_AES_256_GCM_SHA384,
    suites::TLS13_CHACHA20_POLY1305_SHA256,
    suites::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    suites::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    suites::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    suites::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    suites::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    suites::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
];

/// The cryptography of a configuration that speaks these versions.
pub(crate) fn provider(versions: Versions) -> Arc<CryptoProvider> {
    let spoken = |suite: &&SupportedCipherSuite| versions.supported().contains(&suite.version());
    Arc::new(CryptoProvider { cipher_suites: SUITES.iter().filter(spoken).copied().collect(), ..default_provider() })
}

/// One configuration, in which our order of cipher suites counts, or the client's. Decision 0017.
#[derive(Debug, Clone)]
pub(crate) struct ByOrder {
    ours: Arc<ServerConfig>,
    theirs: Arc<ServerConfig>,
}

impl ByOrder {
    pub(crate) fn new(config: ServerConfig) -> Self {
        let mut ours = config.clone();
        ours.ignore_client_order = true;
        Self { ours: Arc::new(ours), theirs: Arc::new(config) }
    }

    /// The one for clients of whom nothing is known.
    pub(crate) fn ours(&self) -> &Arc<ServerConfig> {
        &self.ours
    }

    /// The one for this client. A device without instructions for AES puts ChaCha20 first, and gets what it asks for.
    pub(crate) fn of(&self, hello: &ClientHello) -> &Arc<ServerConfig> {
        if self.first_of(hello).is_some_and(is_chacha20) { &self.theirs } else { &self.ours }
    }

    /// The client's first among those that this configuration has.
    fn first_of(&self, hello: &ClientHello) -> Option<CipherSuite> {
        let ours = &self.ours.crypto_provider().cipher_suites;
        hello.cipher_suites().iter().copied().find(|theirs| ours.iter().any(|ours| ours.suite() == *theirs))
    }
}

fn is_chacha20(suite: CipherSuite) -> bool {
    matches!(
        suite,
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256
            | CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
            | CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
    )
}
