use x509_parser::asn1_rs::Tag;

use super::*;
use crate::{ClientLeaf, testing::*};

#[test]
fn every_attribute_of_the_subject_is_a_variable() {
    let attributes = ClientLeaf::from_pem(golden!("leaf_v1_by_ca")).unwrap().attributes();
    for (attribute, expected) in [
        (Country, &["DE"][..]),
        (State, &["Berlin"]),
        (Organization, &["Example"]),
        (OrganizationalUnit, &["Fleet", "Lab"]), // one of them in a set with the organization
        (CommonName, &["device-7"]),
        (SerialNumber, &["SN-42"]),
        (Title, &["Sensor"]),
        (Surname, &["Doe"]),
        (GivenName, &["Jo"]),
        (Initials, &["JD"]),
        (DistinguishedNameQualifier, &["q1"]),
        (Pseudonym, &["p1"]),
        (GenerationQualifier, &["III"]),
    ] {
        assert_eq!(attributes.subject(attribute), expected, "{attribute:?}");
        assert_eq!(attributes.get(&format!("iot:Certificate.Subject.{attribute:?}")), expected);
    }
    assert_eq!(attributes.issuer(CommonName), ["ca"]);
    assert_eq!(attributes.get("iot:Certificate.Issuer.Organization"), ["Example"]);
    assert_eq!(attributes.get("iot:Certificate.SerialNumber"), ["fe01"]);
    assert!(attributes.issuer(Country).is_empty());
    assert!(attributes.get("iot:Certificate.Subject.Shoe").is_empty());
}

#[test]
fn alternative_names_are_variables() {
    let attributes = ClientLeaf::from_pem(golden!("leaf_v3")).unwrap().attributes();
    for (name, expected) in [
        ("Subject.AlternativeName.RFC822Name", &["a@example.com"][..]),
        ("Subject.AlternativeName.DNSName", &["one.example.com", "two.example.com"]),
        ("Subject.AlternativeName.UniformResourceIdentifier", &["urn:device:7"]),
        ("Subject.AlternativeName.IPAddress", &["192.0.2.1", "2001:db8::1"]),
        ("Subject.AlternativeName.DirectoryName", &["CN=inside"]),
        ("Issuer.AlternativeName.DNSName", &["issuer.example.com"]),
    ] {
        assert_eq!(attributes.get(&format!("iot:Certificate.{name}")), expected, "{name}");
    }
    assert_eq!(attributes.iter().filter(|(name, _)| name.contains("AlternativeName")).count(), 6);
}

#[test]
fn five_values_of_an_attribute_are_kept() {
    let mut attributes = Attributes::default();
    (0..8).for_each(|n| attributes.add(SUBJECT.dns_name, n.to_string()));
    assert_eq!(attributes.get(SUBJECT.dns_name), ["0", "1", "2", "3", "4"]);
}

#[test]
fn every_kind_of_string_is_read() {
    for (tag, bytes, expected) in [
        (Tag::Utf8String, &b"Gr\xc3\xbc\xc3\x9fe"[..], Some("Grüße")),
        (Tag::Utf8String, b"\xff", None),
        (Tag::PrintableString, b"plain", Some("plain")),
        (Tag::Ia5String, b"a@b", Some("a@b")),
        (Tag::TeletexString, b"Gr\xfc\xdfe", Some("Grüße")),
        (Tag::BmpString, b"\x00G\x00\xfc", Some("Gü")),
        (Tag::BmpString, b"\xd8\x3d\xde\x00", Some("😀")),
        (Tag::BmpString, b"\xd8\x3d", None),
        (Tag::BmpString, b"\x00", None),
        (Tag::UniversalString, b"\x00\x01\xf6\x00", Some("😀")),
        (Tag::UniversalString, b"\x00\x11\x00\x00", None),
        (Tag::Integer, b"\x01", None),
    ] {
        assert_eq!(text(&Any::from_tag_and_data(tag, bytes)).as_deref(), expected, "{tag:?} {bytes:?}");
    }
}

#[test]
fn a_name_writes_no_lines_of_its_own_into_a_log() {
    let name = crate::der::name(&[(3, "a\n2026-11-25 INFO all is well\u{1b}[2J")]);
    let text = super::name_text(&name);
    assert!(!text.chars().any(char::is_control) && text.contains("all is well"), "{text:?}");
}
