// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `DescribeLogStreams` of logs.

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
    body("descending", &BOOLEAN),
    body("limit", &DESCRIBE_LIMIT),
    body("logGroupIdentifier", &LOG_GROUP_IDENTIFIER),
    body("logGroupName", &LOG_GROUP_NAME),
    body("logStreamNamePrefix", &LOG_STREAM_NAME),
    body("nextToken", &NEXT_TOKEN),
    body("orderBy", &ORDER_BY),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    pub(crate) descending: Option<bool>,
    pub(crate) limit: Option<i32>,
    pub(crate) log_group_identifier: Option<String>,
    pub(crate) log_group_name: Option<String>,
    pub(crate) log_stream_name_prefix: Option<String>,
    pub(crate) next_token: Option<String>,
    pub(crate) order_by: Option<OrderBy>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log_streams: Option<Vec<LogStream>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_token: Option<String>,
}
