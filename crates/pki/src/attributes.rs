//! What names say: the attributes that policy variables, provisioning templates and verification certificates read.

use std::net::{Ipv4Addr, Ipv6Addr};

use x509_parser::{
    asn1_rs::{Any, Tag},
    certificate::X509Certificate,
    extensions::{GeneralName, ParsedExtension},
    prelude::FromDer,
    x509::X509Name,
};

use crate::X509;

/// How many values of one attribute are kept.
///
/// AWS: developer guide, "X.509 certificate policy variables": of a list only the first five take part.
pub const ATTRIBUTE_VALUES_MAX: usize = 5;

/// Longest text that a name is written as for people, in characters.
const NAME_TEXT_MAX: usize = 1024;

/// An attribute of a distinguished name, in AWS's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the names say it all
pub enum NameAttribute {
    DistinguishedNameQualifier,
    Country,
    Organization,
    OrganizationalUnit,
    State,
    CommonName,
    SerialNumber,
    Title,
    Surname,
    GivenName,
    Initials,
    Pseudonym,
    GenerationQualifier,
}

use NameAttribute::*;

/// Attribute, last arc of its object identifier 2.5.4.x, policy variable for the subject and for the issuer.
const NAME_ATTRIBUTES: [(NameAttribute, u8, &str, &str); 13] = {
    macro_rules! row {
        ($attribute:ident, $arc:literal) => {
            (
                $attribute,
                $arc,
                concat!("iot:Certificate.Subject.", stringify!($attribute)),
                concat!("iot:Certificate.Issuer.", stringify!($attribute)),
            )
        };
    }
    [
        row!(DistinguishedNameQualifier, 46),
        row!(Country, 6),
        row!(Organization, 10),
        row!(OrganizationalUnit, 11),
        row!(State, 8),
        row!(CommonName, 3),
        row!(SerialNumber, 5),
        row!(Title, 12),
        row!(Surname, 4),
        row!(GivenName, 42),
        row!(Initials, 43),
        row!(Pseudonym, 65),
        row!(GenerationQualifier, 44),
    ]
};

/// The variable that carries the certificate's own serial number.
const SERIAL_NUMBER: &str = "iot:Certificate.SerialNumber";

/// The values of a certificate's policy variables, each up to [`ATTRIBUTE_VALUES_MAX`] of them in the certificate's order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    variables: Vec<(&'static str, Vec<String>)>,
}

impl Attributes {
    pub(crate) fn of(certificate: &X509) -> Self {
        let mut attributes = Self::default();
        attributes.add(SERIAL_NUMBER, certificate.serial_text());
        let Ok((_, parsed)) = X509Certificate::from_der(certificate.der()) else { return attributes };
        attributes.add_name(&parsed.tbs_certificate.subject, |(_, _, subject, _)| subject);
        attributes.add_name(&parsed.tbs_certificate.issuer, |(_, _, _, issuer)| issuer);
        for extension in parsed.iter_extensions() {
            match extension.parsed_extension() {
                ParsedExtension::SubjectAlternativeName(names) => attributes.add_names(&names.general_names, &SUBJECT),
                ParsedExtension::IssuerAlternativeName(names) => attributes.add_names(&names.general_names, &ISSUER),
                _ => {}
            }
        }
        attributes
    }

    /// The values of a policy variable, named in full without `.List` or index: `iot:Certificate.Subject.Country`.
    pub fn get(&self, variable: &str) -> &[String] {
        self.variables.iter().find(|(name, _)| *name == variable).map_or(&[], |(_, values)| values)
    }

    /// The values of an attribute of the subject.
    pub fn subject(&self, attribute: NameAttribute) -> &[String] {
        NAME_ATTRIBUTES.iter().find(|row| row.0 == attribute).map_or(&[], |row| self.get(row.2))
    }

    /// The values of an attribute of the issuer.
    pub fn issuer(&self, attribute: NameAttribute) -> &[String] {
        NAME_ATTRIBUTES.iter().find(|row| row.0 == attribute).map_or(&[], |row| self.get(row.3))
    }

    /// Every variable that has a value, with its values.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &[String])> {
        self.variables.iter().map(|(name, values)| (*name, values.as_slice()))
    }

    fn add(&mut self, variable: &'static str, value: String) {
        match self.variables.iter_mut().find(|(name, _)| *name == variable) {
            Some((_, values)) if values.len() < ATTRIBUTE_VALUES_MAX => values.push(value),
            Some(_) => {}
            None => self.variables.push((variable, vec![value])),
        }
    }

    fn add_name(
        &mut self,
        name: &X509Name<'_>,
        variable: impl Fn(&'static (NameAttribute, u8, &'static str, &'static str)) -> &'static str,
    ) {
        for attribute in name.iter_attributes() {
            let &[0x55, 0x04, arc] = attribute.attr_type().as_bytes() else { continue };
            let Some(row) = NAME_ATTRIBUTES.iter().find(|row| row.1 == arc) else { continue };
            if let Some(value) = text(attribute.attr_value()) {
                self.add(variable(row), value);
            }
        }
    }

    fn add_names(&mut self, names: &[GeneralName<'_>], variables: &AlternativeNames) {
        for name in names {
            match name {
                GeneralName::RFC822Name(address) => self.add(variables.rfc822_name, (*address).to_owned()),
                GeneralName::DNSName(name) => self.add(variables.dns_name, (*name).to_owned()),
                GeneralName::DirectoryName(name) => self.add(variables.directory_name, printed(name)),
                GeneralName::URI(uri) => self.add(variables.uniform_resource_identifier, (*uri).to_owned()),
                GeneralName::IPAddress(bytes) => {
                    if let Some(address) = address(bytes) {
                        self.add(variables.ip_address, address);
                    }
                }
                GeneralName::OtherName(..)
                | GeneralName::X400Address(_)
                | GeneralName::EDIPartyName(_)
                | GeneralName::RegisteredID(_)
                | GeneralName::Invalid(..) => {}
            }
        }
    }
}

/// The variables that one alternative-name extension feeds.
struct AlternativeNames {
    rfc822_name: &'static str,
    dns_name: &'static str,
    directory_name: &'static str,
    uniform_resource_identifier: &'static str,
    ip_address: &'static str,
}

const SUBJECT: AlternativeNames = AlternativeNames {
    rfc822_name: "iot:Certificate.Subject.AlternativeName.RFC822Name",
    dns_name: "iot:Certificate.Subject.AlternativeName.DNSName",
    directory_name: "iot:Certificate.Subject.AlternativeName.DirectoryName",
    uniform_resource_identifier: "iot:Certificate.Subject.AlternativeName.UniformResourceIdentifier",
    ip_address: "iot:Certificate.Subject.AlternativeName.IPAddress",
};

const ISSUER: AlternativeNames = AlternativeNames {
    rfc822_name: "iot:Certificate.Issuer.AlternativeName.RFC822Name",
    dns_name: "iot:Certificate.Issuer.AlternativeName.DNSName",
    directory_name: "iot:Certificate.Issuer.AlternativeName.DirectoryName",
    uniform_resource_identifier: "iot:Certificate.Issuer.AlternativeName.UniformResourceIdentifier",
    ip_address: "iot:Certificate.Issuer.AlternativeName.IPAddress",
};

/// A name for people, from its raw DER: `C=US, O=Example, CN=Factory 1`, cut at 1 024 characters.
pub(crate) fn name_text(der: &[u8]) -> String {
    match X509Name::from_der(der) {
        // A name is its maker's: a line feed or an escape sequence in it must not write lines of its own into a log.
        Ok((_, name)) => printed(&name).replace(char::is_control, "\u{fffd}"),
        Err(_) => "(unreadable name)".to_owned(),
    }
}

fn printed(name: &X509Name<'_>) -> String {
    name.to_string().chars().take(NAME_TEXT_MAX).collect()
}

/// A value of one of the directory string types. Spec: X.520; RFC 5280, 4.1.2.4 and appendix B (T.61 read as Latin-1).
fn text(value: &Any<'_>) -> Option<String> {
    match value.tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String | Tag::NumericString | Tag::VisibleString => {
            std::str::from_utf8(value.data).ok().map(str::to_owned)
        }
        Tag::TeletexString => Some(value.data.iter().map(|byte| char::from(*byte)).collect()),
        Tag::BmpString => {
            let (units, []) = value.data.as_chunks::<2>() else { return None };
            char::decode_utf16(units.iter().map(|unit| u16::from_be_bytes(*unit))).collect::<Result<_, _>>().ok()
        }
        Tag::UniversalString => {
            let (points, []) = value.data.as_chunks::<4>() else { return None };
            points.iter().map(|point| char::from_u32(u32::from_be_bytes(*point))).collect()
        }
        _ => None,
    }
}

fn address(bytes: &[u8]) -> Option<String> {
    if let Ok(octets) = <[u8; 4]>::try_from(bytes) {
        Some(Ipv4Addr::from(octets).to_string())
    } else {
        <[u8; 16]>::try_from(bytes).ok().map(|octets| Ipv6Addr::from(octets).to_string())
    }
}

#[cfg(test)]
mod tests;
