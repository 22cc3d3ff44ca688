//! Where log lines go: standard error, as text on a terminal and as JSON lines elsewhere.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// Installs the subscriber of the process. An error is the sentence that tells what is wrong with `log.level`.
pub(crate) fn install(log: &Log) -> Result<(), String> {
    let filter = EnvFilter::try_new(&log.level).map_err(|error| format!("log.level {:?}: {error}", log.level))?;
    let json = match log.format {
        LogFormat::Auto => !stderr().is_terminal(),
        LogFormat::Text => false,
        LogFormat::Json => true,
    };
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    let installed = if json {
        lines.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
    } else {
        lines.with_ansi(stderr().is_terminal()).try_init()
    };
    installed.map_err(|error| error.to_string())
}
