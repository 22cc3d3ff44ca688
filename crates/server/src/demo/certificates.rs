//! Keys and certificates of the demonstration, made as a factory would make them.

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A CA of the fleet's owner, who holds its key.
pub struct FleetCa {
    issuer: Issuer<'static, KeyPair>,
    /// The certificate to register.
    pub pem: String,
}

/// A device: a certificate and its key.
pub struct Identity {
    /// What it shows.
    pub certificate: CertificateDer<'static>,
    /// The same as PEM.
    pub pem: String,
    key: PrivateKeyDer<'static>,
}

impl FleetCa {
    /// A new self-signed CA.
    pub fn new(common_name: &str) -> Result<Self> {
        let key = KeyPair::generate()?;
        let mut params = params(common_name)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key)?;
        Ok(Self { pem: certificate.pem(), issuer: Issuer::new(params, key) })
    }

    /// A certificate with this common name, signed by the CA: a device's, or the verification certificate.
    pub fn sign(&self, common_name: &str) -> Result<Identity> {
        let key = KeyPair::generate()?;
        let mut params = params(common_name)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Identity { pem: certificate.pem(), certificate: certificate.der().clone(), key: key.into() })
    }
}

impl Identity {
    /// From the PEM texts that CreateKeysAndCertificate answers with.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self> {
        use rustls::pki_types::pem::PemObject;
        Ok(Self {
            certificate: CertificateDer::from_pem_slice(certificate.as_bytes())?,
            pem: certificate.to_owned(),
            key: PrivateKeyDer::from_pem_slice(key.as_bytes())?,
        })
    }

    /// A copy of the key, for a TLS configuration.
    pub fn key(&self) -> PrivateKeyDer<'static> {
        self.key.clone_key()
    }
}

fn params(common_name: &str) -> Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::<String>::new())?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    Ok(params)
}
