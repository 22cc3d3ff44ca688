//! The topics of shadows.
//!
//! AWS: developer guide, "Device Shadow MQTT topics".

use tidegate_ids::{ShadowName, ThingName};

/// Which shadow: the classic one of a thing, or a named one. The thing need not be in the registry.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// Of this thing.
    pub thing: ThingName,
    /// `None`: the classic shadow.
    pub shadow: Option<ShadowName>,
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// The document.
    Get,
    /// A change.
    Update,
    /// That it be deleted.
    Delete,
}

impl Operation {
    /// Last level of the topic.
    pub fn word(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }

    /// The action of policies that HTTP asks for. MQTT asks for `iot:Publish`.
    pub fn action(self) -> &'static str {
        match self {
            Self::Get => "iot:GetThingShadow",
            Self::Update => "iot:UpdateThingShadow",
            Self::Delete => "iot:DeleteThingShadow",
        }
    }
}

impl Place {
    /// What a topic name asks of which shadow; `None` when it is no request to the shadow service, or names nothing that can
    /// have a shadow.
    pub fn parse(topic_name: &str) -> Option<(Self, Operation)> {
        let (thing, rest) = topic_name.strip_prefix("$aws/things/")?.split_once("/shadow/")?;
        let (shadow, word) = match rest.strip_prefix("name/").and_then(|named| named.split_once('/')) {
            Some((shadow, word)) => (Some(shadow.parse().ok()?), word),
            None => (None, rest),
        };
        let operation =
            [Operation::Get, Operation::Update, Operation::Delete].into_iter().find(|o| o.word() == word)?;
        Some((Self { thing: thing.parse().ok()?, shadow }, operation))
    }

    /// The topic of an operation, or below it: `update/accepted`.
    pub fn topic(&self, below: &str) -> String {
        match &self.shadow {
            None => format!("$aws/things/{}/shadow/{below}", self.thing),
            Some(shadow) => format!("$aws/things/{}/shadow/name/{shadow}/{below}", self.thing),
        }
    }

    /// The resource of policies: `thing/NAME`, `thing/NAME/SHADOW`.
    pub fn resource(&self) -> String {
        match &self.shadow {
            None => format!("thing/{}", self.thing),
            Some(shadow) => format!("thing/{}/{shadow}", self.thing),
        }
    }
}
