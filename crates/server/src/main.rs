//! The `tidegate` program: reads the configuration, builds the parts, wires them, stops them in order.

mod admin;
mod cli;
mod clock;
mod config;
mod data_dir;
mod demo;
mod env_file;
mod logging;

use clap::Parser;

fn main() {
    let _ = cli::Cli::parse();
}
