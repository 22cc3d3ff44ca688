//! Server certificates by the name that the client asks for; replaced while connections come in.

use std::{collections::HashMap, fmt, sync::Arc};

use arc_swap::ArcSwap;
use rustls::{
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use crate::TlsError;

/// A server certificate with its chain and key, ready to serve. Cheap to clone.
#[derive(Clone)]
pub struct ServerCertificate(Arc<CertifiedKey>);

impl ServerCertificate {
    /// From the chain's DER, the server's own certificate first, and its key in PKCS #8 DER.
    ///
    /// Refused when the key does not belong to the first certificate.
    pub fn from_der(chain: Vec<Vec<u8>>, pkcs8: &[u8]) -> Result<Self, TlsError> {
        let chain = chain.into_iter().map(CertificateDer::from).collect();
        Self::new(chain, PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pkcs8.to_vec())))
    }

    /// From PEM texts: the chain, the server's own certificate first; the key as PKCS #8, PKCS #1 or SEC 1.
    pub fn from_pem(chain: &str, key: &str) -> Result<Self, TlsError> {
        let unreadable = |error: rustls::pki_types::pem::Error| TlsError::ServerCertificate(error.to_string());
        let chain =
            CertificateDer::pem_slice_iter(chain.as_bytes()).collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
        Self::new(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(unreadable)?)
    }

    fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, TlsError> {
        if chain.is_empty() {
            return Err(TlsError::ServerCertificate("no certificate in the chain".into()));
        }
        CertifiedKey::from_der(chain, key, &default_provider())
            .map(|key| Self(Arc::new(key)))
            .map_err(|error| TlsError::ServerCertificate(error.to_string()))
    }

    /// The DER of the server's own certificate.
    pub fn leaf(&self) -> &[u8] {
        self.0.cert.first().map_or(&[], |leaf| leaf)
    }
}

impl fmt::Debug for ServerCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerCertificate({} in chain)", self.0.cert.len())
    }
}

/// Which certificates serve which name. Built whole, then handed to [`ServerNames::replace`].
///
/// A name may have several certificates (P-256 first, RSA behind it for old clients): the first whose key the client can
/// verify is served.
#[derive(Debug, Clone, Default)]
pub struct NameTable {
    by_name: HashMap<String, Vec<ServerCertificate>>,
    fallback: Vec<ServerCertificate>,
}

impl NameTable {
    /// A table whose every name is served by `fallback`.
    pub fn new(fallback: ServerCertificate) -> Self {
        Self { by_name: HashMap::new(), fallback: vec![fallback] }
    }

    /// Adds another certificate behind the fallback.
    #[must_use]
    pub fn with_fallback(mut self, certificate: ServerCertificate) -> Self {
        self.fallback.push(certificate);
        self
    }

    /// Adds a certificate for a DNS name, or for all names one label below it (`*.example.com`). Case does not matter.
    #[must_use]
    pub fn with(mut self, name: &str, certificate: ServerCertificate) -> Self {
        self.by_name.entry(name.to_ascii_lowercase()).or_default().push(certificate);
        self
    }

    /// The certificates for a lower-case name: its own, its wildcard's, the fallback.
    fn certificates(&self, name: Option<&str>) -> &[ServerCertificate] {
        name.and_then(|name| self.named(name)).map_or(&self.fallback, Vec::as_slice)
    }

    fn named(&self, name: &str) -> Option<&Vec<ServerCertificate>> {
        self.by_name.get(name).or_else(|| {
            let (_, parent) = name.split_once('.')?;
            self.by_name.get(&format!("*.{parent}"))
        })
    }
}

/// The server certificates of the running broker: one for all configurations, replaced as a whole while it runs.
///
/// Handshakes that have begun keep the certificate they began with.
#[derive(Debug)]
pub struct ServerNames(ArcSwap<NameTable>);

impl ServerNames {
    /// Serves `table`.
    pub fn new(table: NameTable) -> Self {
        Self(ArcSwap::from_pointee(table))
    }

    /// Serves `table` from the next ClientHello on.
    pub fn replace(&self, table: NameTable) {
        self.0.store(Arc::new(table));
    }

    /// Whether `name` has a certificate of its own, or one by wildcard.
    pub fn knows(&self, name: &str) -> bool {
        self.0.load().named(&name.to_ascii_lowercase()).is_some()
    }
}

impl ResolvesServerCert for ServerNames {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let table = self.0.load();
        let name = hello.server_name().map(str::to_ascii_lowercase);
        table
            .certificates(name.as_deref())
            .iter()
            .find(|certificate| certificate.0.key.choose_scheme(hello.signature_schemes()).is_some())
            .map(|certificate| Arc::clone(&certificate.0))
    }
}
