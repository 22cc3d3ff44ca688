//! Thing groups.

use serde::{Deserialize, Serialize};
use tidegate_ids::{ThingGroupName, Timestamp};

use super::{Attributes, ResourceId, Tag};

/// A static thing group: things, or further groups, that an account handles alike. AWS: `DescribeThingGroupResponse`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThingGroupRecord {
    /// Never changed. AWS: `thingGroupId`.
    pub id: ResourceId,
    /// The groups above it, the root first and its parent last: at most [`crate::THING_GROUP_DEPTH_MAX`] less one. Never
    /// changed, and none of them is deleted while this one is there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub above: Vec<ThingGroupName>,
    /// For people, up to 2 028 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// At most [`crate::THING_GROUP_ATTRIBUTES_MAX`].
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// 1 at first, one more with each update. AWS: `version`.
    pub version: u64,
    /// When it was made.
    pub created: Timestamp,
    /// Labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
}

impl ThingGroupRecord {
    /// The group right above it; none above a root.
    pub fn parent(&self) -> Option<&ThingGroupName> {
        self.above.last()
    }

    /// The first group of its hierarchy: `name`, its own, when it is a root.
    pub fn root<'a>(&'a self, name: &'a ThingGroupName) -> &'a ThingGroupName {
        self.above.first().unwrap_or(name)
    }
}
