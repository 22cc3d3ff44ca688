//! Where log lines go: standard error, as text on a terminal and as JSON lines elsewhere.

mod json;

use std::io::{IsTerminal, stderr};

use tracing_subscriber::{EnvFilter, layer::SubscriberExt, util::SubscriberInitExt};

use self::json::JsonLines;
use crate::config::{Log, LogFormat};

/// Installs the subscriber of the process. An error is the sentence that tells what is wrong with `log.level`.
pub(crate) fn install(log: &Log) -> Result<(), String> {
    let filter = EnvFilter::try_new(&log.level).map_err(|error| format!("log.level {:?}: {error}", log.level))?;
    let json = match log.format {
        LogFormat::Auto => !stderr().is_terminal(),
        LogFormat::Text => false,
        LogFormat::Json => true,
    };
    let installed = if json {
        tracing_subscriber::registry().with(JsonLines(stderr)).with(filter).try_init()
    } else {
        let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
        lines.with_ansi(stderr().is_terminal()).finish().try_init()
    };
    installed.map_err(|error| error.to_string())
}
