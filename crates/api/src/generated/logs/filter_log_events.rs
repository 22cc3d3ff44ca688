// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `FilterLogEvents` of logs.

#[allow(unused_imports, reason = "the same head in every file")]
use {
    super::shapes::*,
    crate::{
        constraint::*,
        wire::{EpochSeconds, Iso8601},
    },
    serde::{Deserialize, Serialize},
    tidegate_ids::{
        AuthorizerName, CaCertificateId, CertificateId, PolicyName, ThingGroupName, ThingName, ThingTypeName,
    },
};

/// Where each member of the input travels, and what it must satisfy.
pub(crate) static INPUT: &[Member] = &[
    body("endTime", &TIMESTAMP_SHAPE),
    body("filterPattern", &FILTER_PATTERN),
    body("interleaved", &BOOLEAN),
    body("limit", &EVENTS_LIMIT),
    body("logGroupIdentifier", &LOG_GROUP_IDENTIFIER),
    body("logGroupName", &LOG_GROUP_NAME),
    body("logStreamNamePrefix", &LOG_STREAM_NAME),
    body("logStreamNames", &INPUT_LOG_STREAM_NAMES),
    body("nextToken", &NEXT_TOKEN),
    body("startFromHead", &BOOLEAN),
    body("startTime", &TIMESTAMP_SHAPE),
    body("unmask", &BOOLEAN),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    pub(crate) end_time: Option<i64>,
    pub(crate) filter_pattern: Option<String>,
    pub(crate) interleaved: Option<bool>,
    pub(crate) limit: Option<i32>,
    pub(crate) log_group_identifier: Option<String>,
    pub(crate) log_group_name: Option<String>,
    pub(crate) log_stream_name_prefix: Option<String>,
    pub(crate) log_stream_names: Option<Vec<String>>,
    pub(crate) next_token: Option<String>,
    pub(crate) start_from_head: Option<bool>,
    pub(crate) start_time: Option<i64>,
    pub(crate) unmask: Option<bool>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) events: Option<Vec<FilteredLogEvent>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) searched_log_streams: Option<Vec<SearchedLogStream>>,
}
