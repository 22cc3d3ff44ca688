// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! Shapes that operations of cloudtrail share.

#[allow(unused_imports, reason = "the same head in every file")]
use {
    crate::{
        constraint::*,
        wire::{EpochSeconds, Iso8601},
    },
    serde::{Deserialize, Serialize},
};

pub(crate) static EVENT_CATEGORY: Shape = Shape::OneOf(&["insight"]);

pub(crate) static LOOKUP_ATTRIBUTE: Shape = Shape::Structure(&[
    body("AttributeKey", &LOOKUP_ATTRIBUTE_KEY).required(),
    body("AttributeValue", &LOOKUP_ATTRIBUTE_VALUE).required(),
]);

pub(crate) static LOOKUP_ATTRIBUTES_LIST: Shape = Shape::List(List::of(&LOOKUP_ATTRIBUTE));

pub(crate) static LOOKUP_ATTRIBUTE_KEY: Shape = Shape::OneOf(&[
    "EventId",
    "EventName",
    "ReadOnly",
    "Username",
    "ResourceType",
    "ResourceName",
    "EventSource",
    "AccessKeyId",
]);

pub(crate) static LOOKUP_ATTRIBUTE_VALUE: Shape = Shape::Text(Text::ANY.length(1, 2000));

pub(crate) static MAX_RESULTS: Shape = Shape::Integer { min: 1, max: 50 };

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Event {
    #[serde(rename = "AccessKeyId", skip_serializing_if = "Option::is_none")]
    pub(crate) access_key_id: Option<String>,
    #[serde(rename = "CloudTrailEvent", skip_serializing_if = "Option::is_none")]
    pub(crate) cloud_trail_event: Option<String>,
    #[serde(rename = "EventId", skip_serializing_if = "Option::is_none")]
    pub(crate) event_id: Option<String>,
    #[serde(rename = "EventName", skip_serializing_if = "Option::is_none")]
    pub(crate) event_name: Option<String>,
    #[serde(rename = "EventSource", skip_serializing_if = "Option::is_none")]
    pub(crate) event_source: Option<String>,
    #[serde(rename = "EventTime", skip_serializing_if = "Option::is_none")]
    pub(crate) event_time: Option<EpochSeconds>,
    #[serde(rename = "ReadOnly", skip_serializing_if = "Option::is_none")]
    pub(crate) read_only: Option<String>,
    #[serde(rename = "Resources", skip_serializing_if = "Option::is_none")]
    pub(crate) resources: Option<Vec<Resource>>,
    #[serde(rename = "Username", skip_serializing_if = "Option::is_none")]
    pub(crate) username: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum EventCategory {
    #[serde(rename = "insight")]
    Insight,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LookupAttribute {
    #[serde(rename = "AttributeKey", skip_serializing_if = "Option::is_none")]
    pub(crate) attribute_key: Option<LookupAttributeKey>,
    #[serde(rename = "AttributeValue", skip_serializing_if = "Option::is_none")]
    pub(crate) attribute_value: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum LookupAttributeKey {
    #[serde(rename = "EventId")]
    Eventid,
    #[serde(rename = "EventName")]
    Eventname,
    #[serde(rename = "ReadOnly")]
    Readonly,
    Username,
    #[serde(rename = "ResourceType")]
    Resourcetype,
    #[serde(rename = "ResourceName")]
    Resourcename,
    #[serde(rename = "EventSource")]
    Eventsource,
    #[serde(rename = "AccessKeyId")]
    Accesskeyid,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Resource {
    #[serde(rename = "ResourceName", skip_serializing_if = "Option::is_none")]
    pub(crate) resource_name: Option<String>,
    #[serde(rename = "ResourceType", skip_serializing_if = "Option::is_none")]
    pub(crate) resource_type: Option<String>,
}
