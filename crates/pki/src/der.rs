//! The little of DER that issuing writes. Names and keys are copied raw, which is why no builder library does it:
//! each would take a name apart and write it anew, and a leaf whose issuer differs in one byte finds no CA.

use tidegate_ids::Timestamp;

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OID: u8 = 0x06;
pub(crate) const UTF8_STRING: u8 = 0x0c;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// Context-specific tags: `[n] IMPLICIT` of a primitive type, `[n] EXPLICIT`.
pub(crate) const fn context(n: u8) -> u8 {
    0x80 | n
}
pub(crate) const fn context_constructed(n: u8) -> u8 {
    0xa0 | n
}

/// One element: tag, length, contents.
pub(crate) fn element(tag: u8, contents: &[u8]) -> Vec<u8> {
    let mut der = Vec::with_capacity(contents.len() + 6);
    der.push(tag);
    let length = contents.len().to_be_bytes();
    let significant = &length[contents.len().leading_zeros() as usize / 8..];
    if contents.len() < 0x80 {
        der.push(contents.len() as u8);
    } else {
        der.push(0x80 | significant.len() as u8);
        der.extend_from_slice(significant);
    }
    der.extend_from_slice(contents);
    der
}

/// One constructed element out of whole elements.
pub(crate) fn constructed(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    element(tag, &parts.concat())
}

/// A BIT STRING of whole bytes.
pub(crate) fn bit_string(bytes: &[u8]) -> Vec<u8> {
    element(BIT_STRING, &[&[0], bytes].concat())
}

/// A positive INTEGER from big-endian bytes.
pub(crate) fn positive_integer(bytes: &[u8]) -> Vec<u8> {
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len().saturating_sub(1));
    let digits = &bytes[start..];
    if digits.first().is_none_or(|first| *first >= 0x80) {
        element(INTEGER, &[&[0], digits].concat())
    } else {
        element(INTEGER, digits)
    }
}

/// A certificate's date: UTCTime up to 2049, GeneralizedTime after. Spec: RFC 5280, 4.1.2.5.
pub(crate) fn date(at: Timestamp) -> Vec<u8> {
    /// 9999-12-31T23:59:59Z: "no well-defined expiration date".
    const LAST: u64 = 253_402_300_799;
    let seconds = at.seconds().min(LAST) as i64;
    let t = time::OffsetDateTime::from_unix_timestamp(seconds).expect("years 1970 to 9999");
    let rest = format!("{:02}{:02}{:02}{:02}{:02}Z", u8::from(t.month()), t.day(), t.hour(), t.minute(), t.second());
    if t.year() < 2050 {
        element(UTC_TIME, format!("{:02}{rest}", t.year() % 100).as_bytes())
    } else {
        element(GENERALIZED_TIME, format!("{:04}{rest}", t.year()).as_bytes())
    }
}

/// A name of single-attribute parts: (last arc of 2.5.4.x, text), as UTF8String.
pub(crate) fn name(attributes: &[(u8, &str)]) -> Vec<u8> {
    let parts: Vec<Vec<u8>> = attributes
        .iter()
        .map(|(arc, text)| {
            let kind = element(OID, &[0x55, 0x04, *arc]);
            // countryName is a PrintableString by definition.
            let tag = if *arc == 6 { 0x13 } else { UTF8_STRING };
            constructed(SET, &[&constructed(SEQUENCE, &[&kind, &element(tag, text.as_bytes())])])
        })
        .collect();
    element(SEQUENCE, &parts.concat())
}

/// One extension with `id-ce` arc: `SEQUENCE { 2.5.29.arc, critical?, OCTET STRING }`.
pub(crate) fn extension(arc: u8, critical: bool, value: &[u8]) -> Vec<u8> {
    let id = element(OID, &[0x55, 0x1d, arc]);
    let critical = if critical { element(BOOLEAN, &[0xff]) } else { Vec::new() };
    constructed(SEQUENCE, &[&id, &critical, &element(OCTET_STRING, value)])
}
