//! Things, thing types, and what ties a thing to a certificate.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use tidegate_ids::{ThingName, ThingTypeName, Timestamp};

use super::{Tag, uuid};
use crate::UnknownWord;

/// Id that a thing, a thing type or a thing group keeps for its life: a version 4 UUID. AWS: `thingId`, `thingTypeId`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ResourceId(String);

impl ResourceId {
    /// The id made of 16 random bytes.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(uuid(bytes))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names and values that describe a thing or a thing group. No value is empty.
pub type Attributes = BTreeMap<String, String>;

/// A thing: what an account knows of a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThingRecord {
    /// Never changed. AWS: `thingId`.
    pub id: ResourceId,
    /// Its type, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thing_type: Option<ThingTypeName>,
    /// At most [`crate::UNTYPED_THING_ATTRIBUTES_MAX`], or [`crate::THING_ATTRIBUTES_MAX`] with a type.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: Attributes,
    /// 1 at first, one more with each update. AWS: `version`.
    pub version: u64,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last updated.
    pub modified: Timestamp,
}

/// A thing type: what things of one kind have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThingTypeRecord {
    /// Never changed. AWS: `thingTypeId`.
    pub id: ResourceId,
    /// What it says of its things.
    pub properties: ThingTypeProperties,
    /// When it was made.
    pub created: Timestamp,
    /// When it was deprecated: no thing is given this type any more. AWS: `deprecationDate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<Timestamp>,
    /// Labels given at creation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
}

/// AWS: `ThingTypeProperties`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThingTypeProperties {
    /// For people. Up to 2 028 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The attributes by which things of the type are found, at most [`crate::SEARCHABLE_ATTRIBUTES_MAX`]. Never changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub searchable_attributes: Vec<String>,
    /// What MQTT 5 messages of its things are enriched with; `None` without a configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub propagating_attributes: Option<Vec<PropagatingAttribute>>,
}

/// A user property of MQTT 5 messages that come from things of a type. AWS: `PropagatingAttribute`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PropagatingAttribute {
    /// The property's name.
    pub user_property_key: Option<String>,
    /// The attribute of the thing whose value it has.
    pub thing_attribute: Option<String>,
    /// The attribute of the connection whose value it has.
    pub connection_attribute: Option<String>,
}

/// How a certificate is attached to a thing.
///
/// AWS: developer guide, "Associating an AWS IoT thing to an MQTT client connection".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ThingPrincipalType {
    /// The certificate has no other thing: its connections are the thing's, whatever their client id.
    ExclusiveThing,
    /// The certificate may have other things; a connection is the thing's when its client id is the thing's name.
    NonExclusiveThing,
}

impl ThingPrincipalType {
    /// AWS's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ExclusiveThing => "EXCLUSIVE_THING",
            Self::NonExclusiveThing => "NON_EXCLUSIVE_THING",
        }
    }
}

impl fmt::Display for ThingPrincipalType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ThingPrincipalType {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        match text {
            "EXCLUSIVE_THING" => Ok(Self::ExclusiveThing),
            "NON_EXCLUSIVE_THING" => Ok(Self::NonExclusiveThing),
            _ => Err(UnknownWord { expected: "EXCLUSIVE_THING, NON_EXCLUSIVE_THING" }),
        }
    }
}

/// An attachment: the value of both of its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AttachmentRecord {
    pub(crate) kind: ThingPrincipalType,
}

/// The only thing of a principal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExclusiveThingRecord {
    pub(crate) thing: ThingName,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        for kind in [ThingPrincipalType::ExclusiveThing, ThingPrincipalType::NonExclusiveThing] {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert!("exclusive_thing".parse::<ThingPrincipalType>().is_err());
    }
}
