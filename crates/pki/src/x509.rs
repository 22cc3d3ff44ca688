//! One certificate, owned, with the parts that registration and handshakes ask for already found.

use std::{fmt, ops::Range};

use tidegate_ids::Timestamp;
use x509_parser::{
    certificate::X509Certificate,
    extensions::{GeneralName, ParsedExtension},
    prelude::FromDer,
    time::ASN1Time,
};

use crate::{Attributes, PkiError, PublicKey, SignatureAlgorithm, der, hex, sha256};

/// Longest certificate that is read, in bytes of DER or characters of PEM.
///
/// AWS: the model's bound on `certificatePem` is 65 536 characters.
pub const CERTIFICATE_BYTES_MAX: usize = 65_536;

/// Most names that [`X509::dns_names`] tells.
pub const DNS_NAMES_MAX: usize = 1_000;

/// A parsed certificate of any X.509 version; [`ClientLeaf`](crate::ClientLeaf) and
/// [`CaCertificate`](crate::CaCertificate) say which role it plays.
///
/// Parsing checks the form only: no dates, no algorithms, no signature. Unknown extensions, critical ones too, are
/// left alone, as AWS does.
#[derive(Clone, PartialEq, Eq)]
pub struct X509 {
    der: Box<[u8]>,
    version: u8,
    serial: Range<usize>,
    tbs: Range<usize>,
    issuer: Range<usize>,
    subject: Range<usize>,
    signature: Range<usize>,
    signature_algorithm: SignatureAlgorithm,
    not_before: Timestamp,
    not_after: Timestamp,
    public_key: PublicKey,
    subject_key_id: Option<Range<usize>>,
    authority_key_id: Option<Range<usize>>,
    /// `None` without the extension.
    basic_constraints_ca: Option<bool>,
}

impl X509 {
    /// Reads exactly one certificate of at most [`CERTIFICATE_BYTES_MAX`] bytes.
    pub fn parse(der: &[u8]) -> Result<Self, PkiError> {
        let invalid = |reason: &str| PkiError::der("certificate", reason);
        if der.len() > CERTIFICATE_BYTES_MAX {
            return Err(PkiError::TooLong { max: CERTIFICATE_BYTES_MAX });
        }
        let (rest, parsed) = X509Certificate::from_der(der).map_err(|e| PkiError::der("certificate", short(&e)))?;
        if !rest.is_empty() {
            return Err(invalid("bytes after its end"));
        }
        let tbs = &parsed.tbs_certificate;
        let version = match tbs.version.0 {
            version @ 0..=2 => version as u8 + 1,
            _ => return Err(invalid("unknown X.509 version")),
        };
        // Spec: RFC 5280, 4.1.1.2: both fields name the same algorithm, parameters included.
        if tbs.signature != parsed.signature_algorithm {
            return Err(invalid("its two signature algorithm fields differ"));
        }
        if parsed.signature_value.unused_bits != 0 {
            return Err(invalid("its signature is not whole bytes"));
        }
        let mut certificate = Self {
            version,
            serial: part(der, tbs.raw_serial())?,
            tbs: part(der, tbs.as_ref())?,
            issuer: part(der, tbs.issuer.as_raw())?,
            subject: part(der, tbs.subject.as_raw())?,
            signature: part(der, &parsed.signature_value.data)?,
            signature_algorithm: SignatureAlgorithm::of(&parsed.signature_algorithm),
            not_before: timestamp(tbs.validity.not_before),
            not_after: timestamp(tbs.validity.not_after),
            public_key: PublicKey::from_spki(tbs.subject_pki.raw)?,
            subject_key_id: None,
            authority_key_id: None,
            basic_constraints_ca: None,
            der: der.into(),
        };
        if !certificate.is_canonical() {
            return Err(invalid("not DER outside the signed part"));
        }
        for extension in tbs.iter_extensions() {
            match extension.parsed_extension() {
                ParsedExtension::SubjectKeyIdentifier(id) => certificate.subject_key_id = Some(part(der, id.0)?),
                ParsedExtension::AuthorityKeyIdentifier(id) => {
                    certificate.authority_key_id = id.key_identifier.as_ref().map(|id| part(der, id.0)).transpose()?;
                }
                ParsedExtension::BasicConstraints(constraints) => {
                    certificate.basic_constraints_ca = Some(constraints.ca);
                }
                _ => {}
            }
        }
        Ok(certificate)
    }

    /// Whether the bytes that no signature covers are the only ones they can be, given the signed part and the signature.
    ///
    /// Otherwise a client could write its own certificate in many ways, each with another certificate id.
    fn is_canonical(&self) -> bool {
        let signature = der::bit_string(&self.der[self.signature.clone()]);
        let tbs = &self.der[self.tbs.clone()];
        let Some(after_tbs) = self.der.get(self.tbs.end..) else { return false };
        let Some(algorithm) = after_tbs.strip_suffix(signature.as_slice()) else { return false };
        // The same algorithm stands behind the serial number, signed.
        self.der[self.serial.end..self.tbs.end].starts_with(algorithm)
            && der::constructed(der::SEQUENCE, &[tbs, after_tbs]) == *self.der
    }

    /// The DNS names it is for, in small letters: of its subject alternative name, up to [`DNS_NAMES_MAX`] of them.
    ///
    /// Spec: RFC 6125, 6.4.4: the common name is not one of them.
    pub fn dns_names(&self) -> Vec<String> {
        let Ok((_, parsed)) = X509Certificate::from_der(&self.der) else { return Vec::new() };
        let Ok(Some(extension)) = parsed.subject_alternative_name() else { return Vec::new() };
        let names = extension.value.general_names.iter().filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
            _ => None,
        });
        names.take(DNS_NAMES_MAX).collect()
    }

    /// SHA-256 of what the issuer signed: the same for all certificates that differ in their signature only.
    ///
    /// An ECDSA signature can be rewritten by anybody into a second valid one, which makes a second certificate id for
    /// the same certificate; this digest tells that it is the same.
    pub fn signed_part_sha256(&self) -> [u8; 32] {
        sha256(&self.der[self.tbs.clone()])
    }

    /// The whole certificate's DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate as one PEM block, ending in a line feed.
    pub fn pem(&self) -> String {
        crate::pem::encode("CERTIFICATE", &self.der)
    }

    /// X.509 version as printed: 1, 2 or 3.
    pub fn version(&self) -> u8 {
        self.version
    }

    /// The serial number's bytes, big-endian, as they stand in the DER (a leading 0 byte keeps it positive).
    pub fn serial(&self) -> &[u8] {
        &self.der[self.serial.clone()]
    }

    /// The serial number in lower-case hexadecimal, without leading zero bytes.
    ///
    /// Unverified: the form of `${iot:Certificate.SerialNumber}`; AWS documents none.
    pub fn serial_text(&self) -> String {
        let serial = self.serial();
        let start = serial.iter().position(|byte| *byte != 0).unwrap_or(serial.len().saturating_sub(1));
        hex(&serial[start..])
    }

    /// The issuer's name, raw DER. What the issuer index is keyed by.
    pub fn issuer(&self) -> &[u8] {
        &self.der[self.issuer.clone()]
    }

    /// The subject's name, raw DER.
    pub fn subject(&self) -> &[u8] {
        &self.der[self.subject.clone()]
    }

    /// The issuer's name for people: `C=US, O=Example, CN=Factory 1`.
    pub fn issuer_text(&self) -> String {
        crate::attributes::name_text(self.issuer())
    }

    /// The subject's name for people.
    pub fn subject_text(&self) -> String {
        crate::attributes::name_text(self.subject())
    }

    /// SubjectKeyIdentifier, if there is one.
    pub fn subject_key_id(&self) -> Option<&[u8]> {
        self.subject_key_id.clone().map(|part| &self.der[part])
    }

    /// Key identifier out of AuthorityKeyIdentifier, if there is one.
    pub fn authority_key_id(&self) -> Option<&[u8]> {
        self.authority_key_id.clone().map(|part| &self.der[part])
    }

    /// What basicConstraints says about being a CA; `None` without the extension.
    pub fn basic_constraints_ca(&self) -> Option<bool> {
        self.basic_constraints_ca
    }

    /// First moment of validity. Dates before 1970 read as 1970.
    pub fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// Last moment of validity: that whole second still counts.
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// The certified key.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// How the issuer signed.
    pub fn signature_algorithm(&self) -> &SignatureAlgorithm {
        &self.signature_algorithm
    }

    /// Whether the issuer's name equals the subject's.
    pub fn is_self_issued(&self) -> bool {
        self.issuer() == self.subject()
    }

    /// Names and alternative names for policy variables and provisioning. Parses again: for CONNECT, not for each message.
    pub fn attributes(&self) -> Attributes {
        Attributes::of(self)
    }

    /// Whether `now` lies within the dates. Spec: RFC 5280, 4.1.2.5: both ends count.
    pub fn check_dates(&self, now: Timestamp) -> Result<(), PkiError> {
        if now < self.not_before {
            Err(PkiError::NotYetValid(self.not_before))
        } else if now.seconds() > self.not_after.seconds() {
            Err(PkiError::Expired(self.not_after))
        } else {
            Ok(())
        }
    }

    /// Whether the signature algorithm and the key are of the accepted kinds. AWS: facts 1.9.
    pub fn check_algorithms(&self) -> Result<(), PkiError> {
        self.signature_algorithm.accepted()?;
        self.public_key.algorithm().accepted()
    }

    /// Whether `issuer` is named as the issuer, byte for byte, and its key signed this certificate.
    pub fn check_issued_by(&self, issuer: &X509) -> Result<(), PkiError> {
        if self.issuer() != issuer.subject() {
            return Err(PkiError::OtherIssuer { issuer: self.issuer_text(), ca: issuer.subject_text() });
        }
        self.check_signed_by(issuer.public_key())
    }

    /// Whether `key` signed this certificate; names are not compared. 15-120 µs.
    pub fn check_signed_by(&self, key: &PublicKey) -> Result<(), PkiError> {
        self.signature_algorithm.accepted()?;
        let (tbs, signature) = (&self.der[self.tbs.clone()], &self.der[self.signature.clone()]);
        if key.verifies(&self.signature_algorithm, tbs, signature) { Ok(()) } else { Err(PkiError::BadIssuerSignature) }
    }
}

impl fmt::Debug for X509 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("X509")
            .field("version", &self.version)
            .field("serial", &self.serial_text())
            .field("issuer", &self.issuer_text())
            .field("subject", &self.subject_text())
            .field("public_key", &self.public_key)
            .finish_non_exhaustive()
    }
}

/// Where `part`, which the parser cut out of `whole`, lies in it.
fn part(whole: &[u8], part: &[u8]) -> Result<Range<usize>, PkiError> {
    let start = (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
    if start <= whole.len() && part.len() <= whole.len() - start {
        Ok(start..start + part.len())
    } else {
        Err(PkiError::der("certificate", "its parts are not where they should be"))
    }
}

fn timestamp(time: ASN1Time) -> Timestamp {
    Timestamp::from_seconds(u64::try_from(time.timestamp()).unwrap_or(0))
}

/// The parser's complaint without the bytes it prints along.
fn short(error: &impl fmt::Display) -> String {
    error.to_string().chars().take(200).collect()
}

#[cfg(test)]
mod tests;
