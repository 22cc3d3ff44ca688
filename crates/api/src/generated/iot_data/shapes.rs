// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! Shapes that operations of iot-data share.

#[allow(unused_imports, reason = "the same head in every file")]
use {
    crate::{
        constraint::*,
        wire::{EpochSeconds, Iso8601},
    },
    serde::{Deserialize, Serialize},
};

pub(crate) static CLIENT_ID: Shape = Shape::Text(Text::ANY.length(1, 128).pattern(
    r#"^[^$].*"#,
    &Sequence(&[Class(true, &[AnyOf("$")]), Repeat(&Class(false, &[NotLineEnd]), 0, u32::MAX)]),
));

pub(crate) static MAX_RESULTS: Shape = Shape::Integer { min: 1, max: 200 };

pub(crate) static MESSAGE_EXPIRY: Shape = Shape::Integer { min: i64::MIN, max: i64::MAX };

pub(crate) static PAGE_SIZE: Shape = Shape::Integer { min: 1, max: 100 };

pub(crate) static PAYLOAD_FORMAT_INDICATOR: Shape = Shape::OneOf(&["UNSPECIFIED_BYTES", "UTF8_DATA"]);

pub(crate) static QOS: Shape = Shape::Integer { min: 0, max: 1 };

pub(crate) static SHADOW_NAME: Shape = Shape::Text(Text::ANY.length(1, 64).pattern(
    r#"[$a-zA-Z0-9:_-]+"#,
    &Repeat(&Class(false, &[Range('a', 'z'), Range('A', 'Z'), Range('0', '9'), AnyOf("$:_-")]), 1, u32::MAX),
));

pub(crate) static THING_NAME: Shape = Shape::Text(Text::ANY.length(1, 128).pattern(
    r#"[a-zA-Z0-9:_-]+"#,
    &Repeat(&Class(false, &[Range('a', 'z'), Range('A', 'Z'), Range('0', '9'), AnyOf(":_-")]), 1, u32::MAX),
));

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum PayloadFormatIndicator {
    #[serde(rename = "UNSPECIFIED_BYTES")]
    UnspecifiedBytes,
    #[serde(rename = "UTF8_DATA")]
    Utf8Data,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RetainedMessageSummary {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_modified_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payload_size: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) qos: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) topic: Option<String>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubscriptionSummary {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) qos: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) topic_filter: Option<String>,
}
