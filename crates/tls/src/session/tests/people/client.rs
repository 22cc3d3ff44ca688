//! rustls's own client, as the tests want it.

use std::sync::Arc;

use rustls::{
    CipherSuite, ClientConfig, RootCertStore, SignatureScheme, SupportedProtocolVersion,
    client::ResolvesClientCert,
    crypto::{
        CryptoProvider,
        aws_lc_rs::{ALL_CIPHER_SUITES, default_provider, sign::any_supported_type},
    },
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName},
    sign::CertifiedKey,
};

use super::{Broker, Leaf, Server};

/// Shows one certificate whatever it is asked for, without looking at it.
#[derive(Debug)]
struct Shows(Arc<CertifiedKey>);

impl ResolvesClientCert for Shows {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

pub(in crate::session::tests) struct Client {
    roots: RootCertStore,
    provider: CryptoProvider,
    version: Option<&'static SupportedProtocolVersion>,
    leaf: Option<Leaf>,
    name: String,
    alpn: Vec<Vec<u8>>,
}

/// A client that trusts the broker's server certificate.
pub(in crate::session::tests) fn client(broker: &Broker) -> Client {
    let client = Client {
        roots: RootCertStore::empty(),
        provider: default_provider(),
        version: None,
        leaf: None,
        name: "localhost".into(),
        alpn: Vec::new(),
    };
    client.trusts(&broker.server)
}

impl Client {
    pub(in crate::session::tests) fn trusts(mut self, server: &Server) -> Self {
        self.roots.add(server.der.clone().into()).unwrap();
        self
    }

    /// Its cipher suites, best first.
    pub(in crate::session::tests) fn prefers(mut self, suites: &[CipherSuite]) -> Self {
        let known = |name: &CipherSuite| *ALL_CIPHER_SUITES.iter().find(|suite| suite.suite() == *name).unwrap();
        self.provider.cipher_suites = suites.iter().map(known).collect();
        self
    }

    pub(in crate::session::tests) fn version(mut self, version: &'static SupportedProtocolVersion) -> Self {
        self.version = Some(version);
        self
    }

    pub(in crate::session::tests) fn shows(mut self, leaf: &Leaf) -> Self {
        self.leaf = Some(leaf.clone());
        self
    }

    pub(in crate::session::tests) fn named(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    pub(in crate::session::tests) fn offers(mut self, alpn: &[&str]) -> Self {
        self.alpn = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        self
    }

    pub(in crate::session::tests) fn build(self) -> (Arc<ClientConfig>, ServerName<'static>) {
        let builder = ClientConfig::builder_with_provider(Arc::new(self.provider));
        let builder = match self.version {
            Some(version) => builder.with_protocol_versions(&[version]).unwrap(),
            None => builder.with_safe_default_protocol_versions().unwrap(),
        };
        let builder = builder.with_root_certificates(self.roots);
        let mut config = match self.leaf {
            Some(leaf) => {
                let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf.pkcs8));
                let key = CertifiedKey::new(vec![leaf.der.into()], any_supported_type(&key).unwrap());
                builder.with_client_cert_resolver(Arc::new(Shows(Arc::new(key))))
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = self.alpn;
        (Arc::new(config), ServerName::try_from(self.name).unwrap())
    }
}
