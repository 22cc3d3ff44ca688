//! `tidegate audit …`

use clap::Subcommand;

use super::Running;

/// `tidegate audit …`
#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Look whether every record is the one that was written, and none is missing: in the running broker, or in the data
    /// directory when none runs on it.
    #[command(after_help = "\
Examples:
  tidegate audit verify
  tidegate audit verify --data /var/lib/tidegate --json

It exits 0 when all is well, else 1. The last hash stands for the whole trail: noted elsewhere, it tells later whether records were
taken off the end.")]
    Verify {
        #[command(flatten)]
        running: Running,
    },
}
