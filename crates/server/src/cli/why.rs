//! `tidegate why …`, `tidegate refusals`

use clap::Args;

use super::Running;

/// Options of `why`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidegate why press-7                         the last refusals of this client
  tidegate why 1b2c…64 digits…                 of this certificate
  tidegate why 0d9f2c3e-…                      what a reason string's trace id stands for
  tidegate why press-7 --limit 1 --json | jq -r '.[0].case.remedy[]'     the commands that would mend it

It knows refusals of the last days (logs.retention_days), whatever the accounts' logging options are. It exits 1 when it finds none.")]
pub(crate) struct Why {
    /// A client id, a certificate's id or ARN, a trace id, or the server name (SNI) that was asked for.
    #[arg(value_name = "CLIENT_ID|CERTIFICATE_ID|TRACE_ID|SERVER_NAME")]
    pub whom: String,
    /// At most so many refusals, the newest first.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: u32,
    #[command(flatten)]
    pub running: Running,
}

/// Options of `refusals`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidegate refusals                            one line each, the oldest first
  tidegate refusals --follow
  tidegate refusals --limit 1000 --json        one JSON object a line")]
pub(crate) struct Refusals {
    /// Go on with those to come, until interrupted.
    #[arg(long, short)]
    pub follow: bool,
    /// At most so many of those that there are.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub limit: u32,
    #[command(flatten)]
    pub running: Running,
}
