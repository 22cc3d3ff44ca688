//! Commands for people who work on Tidegate: `cargo xtask <command>`. One file per command.

mod bench;
mod certs;
mod check;
mod codegen;
mod conformance;
mod fuzz;
mod load;
mod operations;
mod release;
mod unverified;

use std::process::{Command as Process, ExitCode};

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};

/// Everything a person types beyond `cargo run`.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    after_help = "\
Examples:
  cargo xtask check                       before a commit
  cargo xtask codegen                     after a change to the models or to the served operations
  cargo xtask conformance                 after a change to the statements of MQTT and their tests
  cargo xtask operations                  after a change to the served operations
  cargo xtask release                     the program as it is delivered
  cargo xtask fuzz decode_v5 --seconds 600
  cargo xtask unverified registry"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure the running broker beside what the machine allows.
    Bench(bench::Arguments),
    /// Make certificates for development: a CA, a device's, and a verification certificate.
    Certs(certs::Arguments),
    /// Run the tests and all other checks.
    Check(check::Arguments),
    /// Generate the API's routes, types and constraints from the AWS service models.
    Codegen(codegen::Arguments),
    /// Make the page that says which test shows which statement of the MQTT specifications.
    Conformance(conformance::Arguments),
    /// Feed the parsers of untrusted bytes what nobody thought of.
    Fuzz(fuzz::Arguments),
    /// Make the page that says which operations of AWS are served, and what the others answer.
    Operations(operations::Arguments),
    /// Make the program as it is delivered, laid out by what a run of it showed.
    Release(release::Arguments),
    /// List the guesses about AWS that the sources admit to.
    Unverified(unverified::Arguments),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Certs(arguments) => certs::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Codegen(arguments) => codegen::run(&arguments),
        Command::Conformance(arguments) => conformance::run(&arguments),
        Command::Fuzz(arguments) => fuzz::run(&arguments),
        Command::Operations(arguments) => operations::run(&arguments),
        Command::Release(arguments) => release::run(&arguments),
        Command::Unverified(arguments) => unverified::run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The root of the workspace, wherever the command was typed.
fn workspace() -> &'static std::path::Path {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace")
}

/// Runs a program to its end, with our input and output; an error when it cannot start or fails.
fn finish(program: &mut Process) -> Result<()> {
    let name = program.get_program().to_owned();
    let status = program.status().with_context(|| format!("starting {}", name.display()))?;
    ensure!(status.success(), "{} failed: {status}", name.display());
    Ok(())
}
