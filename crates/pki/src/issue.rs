//! Certificates that the broker makes itself: its private CA, its server certificate, the CA and the certificates of
//! CreateKeysAndCertificate and CreateCertificateFromCsr.

use std::net::IpAddr;

use tidegate_ids::Timestamp;

use crate::{CaCertificate, ClientLeaf, Csr, PkiError, PrivateKey, PublicKey, X509, der, sha256};

/// 2049-12-31T23:59:59Z: the end of every certificate that AWS IoT makes for a device.
pub const DEVICE_NOT_AFTER: Timestamp = Timestamp::from_seconds(2_524_607_999);

/// Common name of a device certificate made by CreateKeysAndCertificate. AWS: a certificate of a real account.
pub const DEVICE_COMMON_NAME: &str = "AWS IoT Certificate";

/// From when to when a certificate is valid; both ends count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// First moment.
    pub not_before: Timestamp,
    /// Last moment, to the second.
    pub not_after: Timestamp,
}

/// A CA that can sign: certificate and key.
#[derive(Debug)]
pub struct IssuingCa {
    certificate: CaCertificate,
    key: PrivateKey,
}

impl IssuingCa {
    /// Puts a stored certificate and its key together; refused if they do not belong to each other.
    pub fn new(certificate: CaCertificate, key: PrivateKey) -> Result<Self, PkiError> {
        if certificate.public_key() != key.public_key() {
            return Err(PkiError::PrivateKey("it does not belong to the CA certificate".into()));
        }
        Ok(Self { certificate, key })
    }

    /// A new self-signed CA with `common_name` and `organization`, version 3, CA:TRUE with no CA below it, for signing
    /// certificates and revocation lists only.
    pub fn self_signed(
        common_name: &str,
        organization: &str,
        key: PrivateKey,
        validity: Validity,
    ) -> Result<Self, PkiError> {
        let subject = der::name(&[(10, organization), (3, common_name)]);
        let key_id = key_id(key.public_key());
        let extensions = [
            subject_key_id(&key_id),
            // BasicConstraints { cA TRUE, pathLenConstraint 0 }
            der::extension(19, true, &[0x30, 0x06, 0x01, 0x01, 0xff, 0x02, 0x01, 0x00]),
            // KeyUsage { keyCertSign (5), cRLSign (6) }
            der::extension(15, true, &[0x03, 0x02, 0x01, 0x06]),
        ];
        let der = certificate(&subject, &key, validity, &subject, key.public_key(), &extensions)?;
        Self::new(CaCertificate::parse(&der)?, key)
    }

    /// The CA's certificate.
    pub fn certificate(&self) -> &CaCertificate {
        &self.certificate
    }

    /// The CA's key.
    pub fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// A TLS server certificate for `names`: DNS names (a leading `*.` is allowed) and IP addresses, at least one.
    ///
    /// Dates beyond the CA's own are cut to it, so that no client meets a chain that is half expired.
    pub fn server_certificate(&self, names: &[&str], key: &PublicKey, validity: Validity) -> Result<X509, PkiError> {
        let Some(first) = names.first() else { return Err(PkiError::ServerName(String::new())) };
        let alternatives = names.iter().map(|name| general_name(name)).collect::<Result<Vec<_>, _>>()?.concat();
        // Spec: X.520: at most 64 characters.
        let common_name: String = first.chars().take(64).collect();
        let extensions = [
            der::extension(17, false, &der::element(der::SEQUENCE, &alternatives)),
            // ExtKeyUsage { serverAuth 1.3.6.1.5.5.7.3.1 }
            der::extension(37, false, &[0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01]),
            not_a_ca(),
            digital_signature(),
            subject_key_id(&key_id(key)),
            self.authority_key_id(),
        ];
        X509::parse(&self.sign(&der::name(&[(3, &common_name)]), key, self.within(validity), &extensions)?)
    }

    /// A device certificate in AWS's shape: version 3, valid until [`DEVICE_NOT_AFTER`], critical basicConstraints
    /// CA:FALSE, critical keyUsage digitalSignature. `subject` is a name's raw DER.
    ///
    /// AWS: a certificate of a real account, printed.
    fn device(&self, subject: &[u8], key: &PublicKey, now: Timestamp) -> Result<ClientLeaf, PkiError> {
        let validity = Validity { not_before: now, not_after: DEVICE_NOT_AFTER };
        let extensions = [self.authority_key_id(), subject_key_id(&key_id(key)), not_a_ca(), digital_signature()];
        ClientLeaf::parse(&self.sign(subject, key, validity, &extensions)?)
    }

    /// The certificate of CreateKeysAndCertificate: subject `CN=AWS IoT Certificate`.
    pub fn device_certificate(&self, key: &PublicKey, now: Timestamp) -> Result<ClientLeaf, PkiError> {
        self.device(&der::name(&[(3, DEVICE_COMMON_NAME)]), key, now)
    }

    /// A certificate as a factory makes them, for a device of this name.
    pub fn device_certificate_named(
        &self,
        common_name: &str,
        key: &PublicKey,
        now: Timestamp,
    ) -> Result<ClientLeaf, PkiError> {
        self.device(&der::name(&[(3, common_name)]), key, now)
    }

    /// The certificate of CreateCertificateFromCsr: the request's subject, byte for byte, and its key.
    pub fn device_certificate_from_csr(&self, csr: &Csr, now: Timestamp) -> Result<ClientLeaf, PkiError> {
        self.device(csr.subject(), csr.public_key(), now)
    }

    fn sign(
        &self,
        subject: &[u8],
        key: &PublicKey,
        validity: Validity,
        extensions: &[Vec<u8>],
    ) -> Result<Vec<u8>, PkiError> {
        certificate(self.certificate.subject(), &self.key, validity, subject, key, extensions)
    }

    fn within(&self, validity: Validity) -> Validity {
        Validity {
            not_before: validity.not_before.max(self.certificate.not_before()),
            not_after: validity.not_after.min(self.certificate.not_after()),
        }
    }

    /// AuthorityKeyIdentifier with the CA's SubjectKeyIdentifier.
    fn authority_key_id(&self) -> Vec<u8> {
        let derived = key_id(self.key.public_key());
        let id = self.certificate.subject_key_id().unwrap_or(&derived);
        der::extension(35, false, &der::element(der::SEQUENCE, &der::element(der::context(0), id)))
    }
}

/// Critical BasicConstraints {}: not a CA.
fn not_a_ca() -> Vec<u8> {
    der::extension(19, true, &[0x30, 0x00])
}

/// Critical KeyUsage { digitalSignature (0) }.
fn digital_signature() -> Vec<u8> {
    der::extension(15, true, &[0x03, 0x02, 0x07, 0x80])
}

fn subject_key_id(id: &[u8]) -> Vec<u8> {
    der::extension(14, false, &der::element(der::OCTET_STRING, id))
}

/// Spec: RFC 7093, method 1: the first 160 bits of SHA-256 over the key's BIT STRING.
fn key_id(key: &PublicKey) -> [u8; 20] {
    sha256(key.bits()).first_chunk().copied().expect("a digest is longer")
}

/// A GeneralName: IP address where the text is one, DNS name else.
fn general_name(name: &str) -> Result<Vec<u8>, PkiError> {
    match name.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => Ok(der::element(der::context(7), &address.octets())),
        Ok(IpAddr::V6(address)) => Ok(der::element(der::context(7), &address.octets())),
        Err(_) if is_dns_name(name) => Ok(der::element(der::context(2), name.as_bytes())),
        Err(_) => Err(PkiError::ServerName(name.chars().take(64).collect())),
    }
}

/// Letters, digits, hyphens and underscores in labels of 1-63, 253 in all; the first label may be `*`.
fn is_dns_name(name: &str) -> bool {
    let rest = name.strip_prefix("*.").unwrap_or(name);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    name.len() <= 253 && rest.split('.').all(label)
}

/// One version 3 certificate. Spec: RFC 5280, 4.1.
fn certificate(
    issuer: &[u8],
    issuer_key: &PrivateKey,
    validity: Validity,
    subject: &[u8],
    key: &PublicKey,
    extensions: &[Vec<u8>],
) -> Result<Vec<u8>, PkiError> {
    let algorithm = issuer_key.signature_algorithm();
    let tbs = der::constructed(
        der::SEQUENCE,
        &[
            &der::constructed(der::context_constructed(0), &[&[der::INTEGER, 1, 2]]),
            &der::positive_integer(&serial_number()),
            &algorithm,
            issuer,
            &der::constructed(der::SEQUENCE, &[&der::date(validity.not_before), &der::date(validity.not_after)]),
            subject,
            key.spki(),
            &der::constructed(der::context_constructed(3), &[&der::element(der::SEQUENCE, &extensions.concat())]),
        ],
    );
    let signature = issuer_key.sign(&tbs)?;
    Ok(der::constructed(der::SEQUENCE, &[&tbs, &algorithm, &der::bit_string(&signature)]))
}

/// 159 random bits, positive. Spec: RFC 5280, 4.1.2.2: at most 20 bytes.
fn serial_number() -> [u8; 20] {
    let mut serial = [0; 20];
    aws_lc_rs::rand::fill(&mut serial).expect("the system's random source works");
    serial[0] = serial[0] & 0x7f | 0x40;
    serial
}

#[cfg(test)]
mod tests;
