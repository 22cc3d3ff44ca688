// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `SetV2LoggingOptions` of iot.

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
    body("defaultLogLevel", &LOG_LEVEL),
    body("disableAllLogs", &BOOLEAN),
    body("eventConfigurations", &LOG_EVENT_CONFIGURATIONS),
    body("roleArn", &TEXT),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    pub(crate) default_log_level: Option<tidegate_logs::LogLevel>,
    pub(crate) disable_all_logs: Option<bool>,
    pub(crate) event_configurations: Option<Vec<LogEventConfiguration>>,
    pub(crate) role_arn: Option<String>,
}
