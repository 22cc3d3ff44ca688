//! `cargo xtask check`: `./test`, which is the one place that knows what is checked and counts it.

use std::process::Command;

use anyhow::Result;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cargo xtask check          formatting, lints, Rust tests, fuzz targets, licences: `./test --quick`
  cargo xtask check --all    what CI runs, with the end-to-end tests and the demonstration: `./test`

The last line is `N passed, N failed`.")]
pub(crate) struct Arguments {
    /// The end-to-end tests and the demonstration too; first installs what they need.
    #[arg(long)]
    all: bool,
}

/// Checks; an error when anything failed.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let mut test = Command::new(crate::workspace().join("test"));
    if !arguments.all {
        test.arg("--quick");
    }
    crate::finish(&mut test)
}
