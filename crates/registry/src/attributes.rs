//! Attributes of things and thing groups: what is legal, and what an update makes of them.

use crate::{Attributes, RegistryError};

/// Longest name of an attribute, in characters. AWS: `AttributeName`.
pub const ATTRIBUTE_NAME_CHARS_MAX: usize = 128;
/// Longest value of an attribute, in characters. AWS: `AttributeValue`.
pub const ATTRIBUTE_VALUE_CHARS_MAX: usize = 800;

/// Attributes that a caller sends. AWS: `AttributePayload`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttributePayload {
    /// The attributes; one with an empty value is taken away. `None` leaves all as they are.
    pub attributes: Option<Attributes>,
    /// Whether attributes that are not named stay. Otherwise the payload replaces all there are.
    pub merge: bool,
}

impl AttributePayload {
    /// What `former` becomes.
    ///
    /// AWS: "To remove an attribute, call UpdateThing with an empty attribute value"; `merge` means nothing to a new thing.
    /// Unverified: that a payload without `attributes` changes nothing, and that an empty value is dropped without `merge` too.
    ///
    /// # Errors
    /// `InvalidRequest` when a name or value is too long or has other characters than AWS takes.
    pub(crate) fn applied_to(&self, former: &Attributes) -> Result<Attributes, RegistryError> {
        let Some(sent) = &self.attributes else { return Ok(former.clone()) };
        let mut attributes = if self.merge { former.clone() } else { Attributes::new() };
        for (name, value) in sent {
            check_name(name)?;
            check_value(value)?;
            if value.is_empty() {
                attributes.remove(name);
            } else {
                attributes.insert(name.clone(), value.clone());
            }
        }
        Ok(attributes)
    }
}

/// Refuses a name that no attribute may have.
pub(crate) fn check_name(name: &str) -> Result<(), RegistryError> {
    if !(1..=ATTRIBUTE_NAME_CHARS_MAX).contains(&name.len()) || !name.bytes().all(is_legal) {
        return Err(RegistryError::InvalidRequest(
            "An attribute's name has 1 to 128 characters out of letters, digits and _.,@/:#-".into(),
        ));
    }
    Ok(())
}

/// Refuses a value that no attribute may have.
pub(crate) fn check_value(value: &str) -> Result<(), RegistryError> {
    if value.len() > ATTRIBUTE_VALUE_CHARS_MAX || !value.bytes().all(|b| is_legal(b) || b"=[]".contains(&b)) {
        return Err(RegistryError::InvalidRequest(
            "An attribute's value has up to 800 characters out of letters, digits and _.,@/:#=[]-".into(),
        ));
    }
    Ok(())
}

fn is_legal(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_.,@/:#-".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(pairs: &[(&str, &str)]) -> Attributes {
        pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    #[test]
    fn a_payload_replaces_or_merges() {
        let former = attributes(&[("a", "1"), ("b", "2")]);
        for (sent, merge, expected) in [
            (None, false, &[("a", "1"), ("b", "2")][..]),
            (Some(&[][..]), false, &[]),
            (Some(&[][..]), true, &[("a", "1"), ("b", "2")]),
            (Some(&[("a", "9")][..]), false, &[("a", "9")]),
            (Some(&[("a", "9"), ("c", "3")][..]), true, &[("a", "9"), ("b", "2"), ("c", "3")]),
            (Some(&[("a", ""), ("x", "")][..]), true, &[("b", "2")]),
            (Some(&[("a", ""), ("c", "3")][..]), false, &[("c", "3")]),
        ] {
            let payload = AttributePayload { attributes: sent.map(attributes), merge };
            assert_eq!(payload.applied_to(&former).unwrap(), attributes(expected), "{sent:?} {merge}");
        }
    }

    #[test]
    fn names_and_values_have_bounds() {
        let long = |n| "x".repeat(n);
        for (name, value, valid) in [
            ("a", "v", true),
            ("A_.,@/:#-9", "A_.,@/:#=[]-9", true),
            ("", "v", false),
            ("a b", "v", false),
            ("a=", "v", false),
            ("a", "v w", false),
            ("a", "\u{e9}", false),
            (&long(128), &long(800), true),
            (&long(129), "v", false),
            ("a", &long(801), false),
        ] {
            let payload = AttributePayload { attributes: Some(attributes(&[(name, value)])), merge: false };
            assert_eq!(payload.applied_to(&Attributes::new()).is_ok(), valid, "{name} {value}");
        }
    }
}
