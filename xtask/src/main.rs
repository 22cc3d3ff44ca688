//! Commands for people who work on Tidegate: `cargo xtask <command>`. One file per command.

mod bench;
mod codegen;

use clap::{Parser, Subcommand};

/// Everything a person types beyond `cargo run`.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure the running broker beside what the machine allows.
    Bench(bench::Arguments),
    /// Generate the API's routes, types and constraints from the AWS service models.
    Codegen(codegen::Arguments),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Codegen(arguments) => codegen::run(&arguments),
    }
}

/// The root of the workspace, wherever the command was typed.
fn workspace() -> &'static std::path::Path {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace")
}
