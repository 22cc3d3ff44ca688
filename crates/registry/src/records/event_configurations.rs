//! Which events an account has switched on.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tidegate_ids::Timestamp;

macro_rules! event_types {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// AWS: `EventType`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum EventType {
            $($(#[$doc])* #[serde(rename = $word)] $name,)*
        }

        impl EventType {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// As AWS writes it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

event_types! {
    /// A thing is made, changed, deleted.
    Thing = "THING",
    /// A thing group is.
    ThingGroup = "THING_GROUP",
    /// A thing type is.
    ThingType = "THING_TYPE",
    /// A thing joins or leaves a group.
    ThingGroupMembership = "THING_GROUP_MEMBERSHIP",
    /// A group is made in or taken out of another.
    ThingGroupHierarchy = "THING_GROUP_HIERARCHY",
    /// A thing is given a type, or loses it.
    ThingTypeAssociation = "THING_TYPE_ASSOCIATION",
    /// Causes none here.
    Job = "JOB",
    /// Causes none here.
    JobExecution = "JOB_EXECUTION",
    /// Causes none here.
    Policy = "POLICY",
    /// Causes none here.
    Certificate = "CERTIFICATE",
    /// Causes none here.
    CaCertificate = "CA_CERTIFICATE",
}

/// The switches of one account in one region. None is on before they are first set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventConfigurationsRecord {
    /// Those that are on.
    pub enabled: BTreeSet<EventType>,
    /// When they were first set.
    pub created: Timestamp,
    /// When they were last set.
    pub modified: Timestamp,
}
