// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! Shapes that operations of logs share.

#[allow(unused_imports, reason = "the same head in every file")]
use {
    crate::{
        constraint::*,
        wire::{EpochSeconds, Iso8601},
    },
    serde::{Deserialize, Serialize},
};

pub(crate) static ACCOUNT_ID: Shape =
    Shape::Text(Text::ANY.length(12, 12).pattern(r#"^\d{12}$"#, &Repeat(&Class(false, &[Range('0', '9')]), 12, 12)));

pub(crate) static ACCOUNT_IDS: Shape = Shape::List(List::of(&ACCOUNT_ID).length(0, 20));

pub(crate) static DESCRIBE_LIMIT: Shape = Shape::Integer { min: 1, max: 50 };

pub(crate) static DESCRIBE_LOG_GROUPS_LOG_GROUP_IDENTIFIERS: Shape =
    Shape::List(List::of(&LOG_GROUP_IDENTIFIER).length(1, 50));

pub(crate) static EVENTS_LIMIT: Shape = Shape::Integer { min: 1, max: 10000 };

pub(crate) static FILTER_PATTERN: Shape = Shape::Text(Text::ANY.length(0, 1024));

pub(crate) static INPUT_LOG_STREAM_NAMES: Shape = Shape::List(List::of(&LOG_STREAM_NAME).length(1, 100));

pub(crate) static LOG_GROUP_CLASS: Shape = Shape::OneOf(&["STANDARD", "INFREQUENT_ACCESS", "DELIVERY", "ESSENTIALS"]);

pub(crate) static LOG_GROUP_IDENTIFIER: Shape = Shape::Text(
    Text::ANY
        .length(1, 2048)
        .pattern(r#"[\w#+=/:,.@-]*"#, &Repeat(&Class(false, &[Word, AnyOf("#+=/:,.@-")]), 0, u32::MAX)),
);

pub(crate) static LOG_GROUP_NAME: Shape = Shape::Text(Text::ANY.length(1, 512).pattern(
    r#"[\.\-_/#A-Za-z0-9]+"#,
    &Repeat(&Class(false, &[Range('A', 'Z'), Range('a', 'z'), Range('0', '9'), AnyOf(".-_/#")]), 1, u32::MAX),
));

pub(crate) static LOG_GROUP_NAME_PATTERN: Shape = Shape::Text(Text::ANY.length(0, 512).pattern(
    r#"[\.\-_/#A-Za-z0-9]*"#,
    &Repeat(&Class(false, &[Range('A', 'Z'), Range('a', 'z'), Range('0', '9'), AnyOf(".-_/#")]), 0, u32::MAX),
));

pub(crate) static LOG_STREAM_NAME: Shape =
    Shape::Text(Text::ANY.length(1, 512).pattern(r#"[^:*]*"#, &Repeat(&Class(true, &[AnyOf(":*")]), 0, u32::MAX)));

pub(crate) static NEXT_TOKEN: Shape = Shape::Text(Text::ANY.length(1, u64::MAX));

pub(crate) static ORDER_BY: Shape = Shape::OneOf(&["LogStreamName", "LastEventTime"]);

pub(crate) static TIMESTAMP_SHAPE: Shape = Shape::Integer { min: 0, max: i64::MAX };

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum DataProtectionStatus {
    #[serde(rename = "ACTIVATED")]
    Activated,
    #[serde(rename = "DELETED")]
    Deleted,
    #[serde(rename = "ARCHIVED")]
    Archived,
    #[serde(rename = "DISABLED")]
    Disabled,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FilteredLogEvent {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) event_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ingestion_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log_stream_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timestamp: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum InheritedProperty {
    #[serde(rename = "ACCOUNT_DATA_PROTECTION")]
    AccountDataProtection,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LogGroup {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bearer_token_authentication_enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) creation_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data_protection_status: Option<DataProtectionStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deletion_protection_enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) inherited_properties: Option<Vec<InheritedProperty>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) kms_key_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log_group_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log_group_class: Option<LogGroupClass>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log_group_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metric_filter_count: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retention_in_days: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retention_policy_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stored_bytes: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum LogGroupClass {
    #[serde(rename = "STANDARD")]
    Standard,
    #[serde(rename = "INFREQUENT_ACCESS")]
    InfrequentAccess,
    #[serde(rename = "DELIVERY")]
    Delivery,
    #[serde(rename = "ESSENTIALS")]
    Essentials,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LogStream {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) creation_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first_event_timestamp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_event_timestamp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_ingestion_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log_stream_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stored_bytes: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) upload_sequence_token: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum OrderBy {
    #[serde(rename = "LogStreamName")]
    Logstreamname,
    #[serde(rename = "LastEventTime")]
    Lasteventtime,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OutputLogEvent {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ingestion_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timestamp: Option<i64>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SearchedLogStream {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log_stream_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) searched_completely: Option<bool>,
}
