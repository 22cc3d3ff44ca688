//! Keys and certificates, made as a factory makes them.

use std::fmt;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tidegate_ids::CertificateId;

use crate::FleetError;

/// A CA of the fleet's owner, who holds its key. P-256.
pub struct FleetCa {
    issuer: Issuer<'static, KeyPair>,
    /// The certificate to register.
    pub pem: String,
}

/// A certificate and its key: a device's, or any other's. `Debug` hides the key.
pub struct Identity {
    /// What it shows.
    pub certificate: CertificateDer<'static>,
    /// The same as PEM.
    pub pem: String,
    key: PrivateKeyDer<'static>,
}

impl FleetCa {
    /// A new self-signed CA.
    pub fn new(common_name: &str) -> Result<Self, FleetError> {
        let key = KeyPair::generate()?;
        let mut params = params(common_name, &[])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key)?;
        Ok(Self { pem: certificate.pem(), issuer: Issuer::new(params, key) })
    }

    /// A certificate with this common name and a new P-256 key: a device's, or the verification certificate.
    pub fn sign(&self, common_name: &str) -> Result<Identity, FleetError> {
        self.issue(params(common_name, &[])?, ExtendedKeyUsagePurpose::ClientAuth)
    }

    /// A TLS server certificate for one host name.
    pub fn sign_server(&self, host_name: &str) -> Result<Identity, FleetError> {
        self.issue(params(host_name, &[host_name])?, ExtendedKeyUsagePurpose::ServerAuth)
    }

    fn issue(&self, mut params: CertificateParams, purpose: ExtendedKeyUsagePurpose) -> Result<Identity, FleetError> {
        let key = KeyPair::generate()?;
        params.extended_key_usages = vec![purpose];
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Identity { pem: certificate.pem(), certificate: certificate.der().clone(), key: key.into() })
    }
}

impl Identity {
    /// From the PEM texts that CreateKeysAndCertificate answers with.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, FleetError> {
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

    /// The id that the registry will know the certificate by.
    pub fn certificate_id(&self) -> CertificateId {
        tidegate_pki::certificate_id(&self.certificate)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("certificate_id", &self.certificate_id()).finish_non_exhaustive()
    }
}

fn params(common_name: &str, host_names: &[&str]) -> Result<CertificateParams, FleetError> {
    let names: Vec<String> = host_names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    Ok(params)
}

#[cfg(test)]
mod tests {
    use tidegate_ids::Timestamp;
    use tidegate_pki::{CaCertificate, ClientLeaf, NameAttribute, PrivateKey};

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_764_000_000);

    #[test]
    fn a_device_certificate_verifies_against_its_ca_and_no_other() {
        let (ca, other) = (FleetCa::new("fleet CA").unwrap(), FleetCa::new("fleet CA").unwrap());
        let device = ca.sign("thermometer-1").unwrap();
        let leaf = ClientLeaf::from_pem(&device.pem).unwrap();
        assert_eq!(leaf.der(), device.certificate.as_ref());
        assert_eq!(leaf.certificate_id(), device.certificate_id());
        assert_eq!(leaf.attributes().subject(NameAttribute::CommonName), ["thermometer-1"]);
        let registered = CaCertificate::from_pem(&ca.pem).unwrap();
        registered.check_registrable(NOW).unwrap();
        leaf.check_issued_by(&registered).unwrap();
        leaf.check_dates(NOW).unwrap();
        assert!(leaf.check_issued_by(&CaCertificate::from_pem(&other.pem).unwrap()).is_err());
    }

    #[test]
    fn a_key_belongs_to_its_certificate_and_two_devices_share_nothing() {
        let ca = FleetCa::new("fleet CA").unwrap();
        let (one, two) = (ca.sign("same name").unwrap(), ca.sign("same name").unwrap());
        assert_ne!(one.certificate_id(), two.certificate_id());
        let key = PrivateKey::from_pkcs8_der(one.key().secret_der()).unwrap();
        assert_eq!(key.public_key(), ClientLeaf::from_pem(&one.pem).unwrap().public_key());
    }

    #[test]
    fn pem_from_the_api_is_read() {
        let key = KeyPair::generate().unwrap();
        let certificate = params("made elsewhere", &[]).unwrap().self_signed(&key).unwrap();
        let identity = Identity::from_pem(&certificate.pem(), &key.serialize_pem()).unwrap();
        assert_eq!(identity.certificate, *certificate.der());
        assert_eq!(identity.key().secret_der(), key.serialize_der());
        assert!(Identity::from_pem("no certificate", &key.serialize_pem()).is_err());
    }
}
