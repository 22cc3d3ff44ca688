//! `cargo xtask certs`: certificates for development, by the recipe in `certs/make.sh`.

use std::{path::PathBuf, process::Command};

use anyhow::Result;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cargo xtask certs out                                  out/ca.pem, out/device.pem and their keys; what exists is kept
  cargo xtask certs out \"$(aws iot get-registration-code --output text)\"
                                                         also out/verify.pem, to register the CA with")]
pub(crate) struct Arguments {
    /// Where to put them.
    directory: PathBuf,
    /// The account's registration code, for a verification certificate.
    registration_code: Option<String>,
}

/// Makes them, with `openssl`.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let mut make = Command::new(crate::workspace().join("certs/make.sh"));
    make.arg(&arguments.directory).args(&arguments.registration_code);
    crate::finish(&mut make)
}
