//! Whose certificates are believed.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, pem::PemObject};

/// The authorities that a called server's certificate must come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Roots<'a> {
    /// Those that the system trusts.
    System,
    /// Those of this PEM text, and no others.
    Pem(&'a str),
}

impl Roots<'_> {
    /// The TLS configuration, or why there is none.
    pub(crate) fn config(self) -> Result<Arc<ClientConfig>, String> {
        let mut store = RootCertStore::empty();
        match self {
            // What cannot be read among the system's is left out, as everywhere.
            Self::System => {
                store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
            Self::Pem(text) => {
                for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
                    let certificate = certificate.map_err(|error| format!("no certificate: {error}"))?;
                    store.add(certificate).map_err(|error| format!("no certificate authority: {error}"))?;
                }
                if store.is_empty() {
                    return Err("there is no certificate in it".into());
                }
            }
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(|error| error.to_string())?;
        Ok(Arc::new(config.with_root_certificates(store).with_no_client_auth()))
    }
}
