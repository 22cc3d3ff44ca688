//! `[log]` and `[logs]`: what is logged, and what is kept of what happened.

use serde::Deserialize;

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Log {
    /// `error`, `warn`, `info`, `debug`, or directives such as `info,tidegate::connections=debug`.
    pub level: String,
    /// Text on a terminal and JSON lines elsewhere, unless said.
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".into(), format: LogFormat::Auto }
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What is kept of what happened: the log groups of `aws logs`, and refusals for `tidegate why`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Logs {
    /// Days that entries are kept.
    pub retention_days: u32,
    /// Mebibytes of each log group of an account in a region, and of its refusals; the oldest go first.
    pub mib_max: u64,
    /// Days that records of the audit trail are kept.
    pub audit_retention_days: u32,
}

impl Default for Logs {
    fn default() -> Self {
        Self { retention_days: 30, mib_max: 64, audit_retention_days: 365 }
    }
}
