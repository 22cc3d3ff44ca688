//! Keys and certificates, made as a factory makes them.

use std::fmt;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tidegate_ids::{CertificateId, Timestamp};
use tidegate_pki::{
    CaCertificate, PkiError, PrivateKey,
    issue::{DEVICE_NOT_AFTER, IssuingCa, Validity},
};
use zeroize::Zeroizing;

use crate::FleetError;

/// 2020-01-01: from when on everything here is valid, so that nobody's slow clock matters.
const NOT_BEFORE: Timestamp = Timestamp::from_seconds(1_577_836_800);
const VALIDITY: Validity = Validity { not_before: NOT_BEFORE, not_after: DEVICE_NOT_AFTER };

/// Longest common name, in characters. Spec: X.520, ub-common-name.
pub(crate) const COMMON_NAME_CHARS_MAX: usize = 64;

/// A CA of the fleet's owner, who holds its key.
#[derive(Debug)]
pub struct FleetCa {
    issuer: IssuingCa,
    /// The certificate to register.
    pub pem: String,
}

/// What kind of key a device gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceKey {
    /// ECDSA on P-256.
    #[default]
    P256,
    /// RSA with 2048 bits: some hundred times as slow to make.
    Rsa2048,
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
    /// A new self-signed CA with a P-256 key.
    pub fn new(common_name: &str) -> Result<Self, FleetError> {
        let key = PrivateKey::generate_p256()?;
        Ok(Self::of(IssuingCa::self_signed(common_name, "Tidegate fleet", key, VALIDITY)?))
    }

    /// A CA that exists, and its key (P-256, P-384, P-521 or RSA), as PEM.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, FleetError> {
        let certificate = CaCertificate::from_pem(certificate)?;
        // It has to be a CA; whether it is valid today is the broker's business.
        certificate.check_registrable(certificate.not_before())?;
        Ok(Self::of(IssuingCa::new(certificate, PrivateKey::from_pem(key)?)?))
    }

    fn of(issuer: IssuingCa) -> Self {
        Self { pem: issuer.certificate().pem(), issuer }
    }

    /// Its key, as PEM.
    pub fn key_pem(&self) -> Zeroizing<String> {
        self.issuer.key().pem()
    }

    /// A certificate with this common name and a new P-256 key: a device's, or the verification certificate.
    pub fn sign(&self, common_name: &str) -> Result<Identity, FleetError> {
        self.issue(common_name, DeviceKey::P256)
    }

    /// A device's certificate with this common name and a new key.
    pub fn issue(&self, common_name: &str, kind: DeviceKey) -> Result<Identity, FleetError> {
        let key = match kind {
            DeviceKey::P256 => PrivateKey::generate_p256()?,
            DeviceKey::Rsa2048 => PrivateKey::generate_rsa_2048()?,
        };
        let leaf = self.issuer.device_certificate_named(common_name, key.public_key(), NOT_BEFORE)?;
        Identity::of(leaf.der(), leaf.pem(), &key)
    }

    /// A TLS server certificate for one host name.
    pub fn sign_server(&self, host_name: &str) -> Result<Identity, FleetError> {
        let key = PrivateKey::generate_p256()?;
        let made = self.issuer.server_certificate(&[host_name], key.public_key(), VALIDITY)?;
        Identity::of(made.der(), made.pem(), &key)
    }
}

impl Identity {
    fn of(der: &[u8], pem: String, key: &PrivateKey) -> Result<Self, FleetError> {
        let key = PrivateKeyDer::try_from(key.pkcs8_der().to_vec())
            .map_err(|problem| PkiError::PrivateKey(problem.to_owned()))?;
        Ok(Self { certificate: CertificateDer::from(der.to_vec()), pem, key })
    }

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

    /// The key as PEM.
    pub fn key_pem(&self) -> Result<Zeroizing<String>, FleetError> {
        Ok(PrivateKey::from_pkcs8_der(self.key.secret_der())?.pem())
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

#[cfg(test)]
mod tests {
    use tidegate_ids::Timestamp;
    use tidegate_pki::{ClientLeaf, NameAttribute};

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
        let made = FleetCa::new("fleet CA").unwrap().sign("made elsewhere").unwrap();
        let key = made.key_pem().unwrap();
        let identity = Identity::from_pem(&made.pem, &key).unwrap();
        assert_eq!(identity.certificate, made.certificate);
        assert_eq!(identity.key().secret_der(), made.key().secret_der());
        assert!(Identity::from_pem("no certificate", &key).is_err());
    }

    #[test]
    fn a_ca_that_exists_signs_when_its_key_is_its_own() {
        let (ca, other) = (FleetCa::new("fleet CA").unwrap(), FleetCa::new("fleet CA").unwrap());
        let again = FleetCa::from_pem(&ca.pem, &ca.key_pem()).unwrap();
        let device = again.issue("press-1", DeviceKey::Rsa2048).unwrap();
        let leaf = ClientLeaf::from_pem(&device.pem).unwrap();
        leaf.check_issued_by(&CaCertificate::from_pem(&ca.pem).unwrap()).unwrap();
        assert!(FleetCa::from_pem(&ca.pem, &other.key_pem()).is_err());
        assert!(FleetCa::from_pem(&device.pem, &device.key_pem().unwrap()).is_err());
    }
}
