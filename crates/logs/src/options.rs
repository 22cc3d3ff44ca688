//! Logging options of an account in a region, as they are stored: one row.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tidegate_ids::Tenant;
use tidegate_kv::{Record, Table};

use crate::LogLevel;

/// What an account wants to have logged.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggingOptions {
    /// SetLoggingOptions: the group `AWSIotLogs`.
    #[serde(default)]
    pub v1: Option<V1Options>,
    /// SetV2LoggingOptions: the group `AWSIotLogsV2`.
    #[serde(default)]
    pub v2: Option<V2Options>,
    /// SetV2LoggingLevel, but for DEFAULT.
    #[serde(default)]
    pub targets: BTreeMap<TargetType, BTreeMap<String, LogLevel>>,
}

impl Record for LoggingOptions {
    const SCHEMA: u8 = 1;
}

pub(crate) static OPTIONS: Table<Tenant, LoggingOptions> = Table::new("logging-options");

/// What SetLoggingOptions set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct V1Options {
    /// Kept and shown; nothing is done with it.
    pub role_arn: String,
    /// How much.
    pub level: LogLevel,
}

/// What SetV2LoggingOptions set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct V2Options {
    /// Kept and shown; nothing is done with it.
    pub role_arn: Option<String>,
    /// For clients that no target names.
    pub default_level: LogLevel,
    /// Nothing at all.
    pub disabled: bool,
    /// Levels by type of event.
    #[serde(default)]
    pub events: Vec<EventConfiguration>,
}

/// The level of one type of event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventConfiguration {
    /// Such as `Publish-In`.
    pub event_type: String,
    /// How much; the account's default when absent.
    pub level: Option<LogLevel>,
    /// The log group.
    pub destination: Option<String>,
}

/// By what a target names clients. AWS: `LogTargetType`, but for DEFAULT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TargetType {
    /// All clients that no other target names.
    Default,
    /// Those whose thing is in this group, or in one below it.
    ThingGroup,
    /// The one with this client id.
    ClientId,
    /// Those who come from this address.
    SourceIp,
    /// Those with this certificate.
    PrincipalId,
}

/// Clients with a level of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// By what.
    pub kind: TargetType,
    /// Which; none for DEFAULT.
    pub name: Option<String>,
    /// How much.
    pub level: LogLevel,
}
