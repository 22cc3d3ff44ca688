//! The `tidegate` program: reads the configuration, builds the parts, wires them, stops them in order.

mod admin;
mod cli;
mod clock;
mod commands;
mod config;
mod data_dir;
mod demo;
mod env_file;
mod explain;
mod fleet;
mod logging;
mod memory;
mod serve;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use cli::{Cli, Command};
use tikv_jemallocator::Jemalloc;

/// Messages are freed in another order than they were made, and after others: the short cuts of glibc's allocator are not for
/// those. Decision 0018.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tidegate: {}", told(&error));
            ExitCode::FAILURE
        }
    }
}

/// The error and its causes in one sentence, without saying twice what a cause repeats.
fn told(error: &anyhow::Error) -> String {
    let mut sentence = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !sentence.contains(&cause) {
            sentence = format!("{sentence}: {cause}");
        }
    }
    sentence
}

#[tokio::main]
async fn run(cli: Cli) -> Result<()> {
    match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(options) => serve::run(options).await,
        Command::Demo(options) => demo::run(options).await,
        Command::Fleet(command) => fleet::fleet(command).await,
        Command::Account(command) => commands::account(command).await,
        Command::Key(command) => commands::key(command).await,
        Command::Explain(options) => explain::explain(options).await,
        Command::Why(options) => commands::why::why(options).await,
        Command::Refusals(options) => commands::why::refusals(options).await,
        Command::Audit(command) => commands::audit::audit(command).await,
        Command::LintPolicy(options) => explain::lint_policy(&options),
        Command::Connections(command) => commands::clients::connections(command).await,
        Command::Session(command) => commands::clients::session(command).await,
        Command::Retained(command) => commands::clients::retained(command).await,
        Command::CheckConfig(options) => commands::check_config(&options),
    }
}
