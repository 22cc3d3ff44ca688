//! `cargo xtask bench …`: what the broker costs, beside what the machine allows. `docs/performance.md` says how and why.

mod bare;
mod certificates;
mod endurance;
mod fairness;
mod figures;
mod issuers;
mod logging;
mod machine;
mod memory;
mod mqtt;
mod place;
mod rates;
mod registry;
mod restart;
mod revocation;

use std::{env, path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use clap::Subcommand;

/// What can be measured.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Just-in-time registrations and mTLS connects per second beside bare rustls handshakes; what a handshake costs with
    /// 1, 10 000 and 50 000 registered CAs.
    Registry(registry::Options),
    /// Resident memory after each of 10 rounds of 10 000 connects and disconnects; fails when it grows by over 10 %.
    Memory(memory::Options),
    /// Resident memory over an hour of mixed load, and when the clients have left; fails when it grows by over 10 %.
    Endurance(endurance::Options),
    /// What messages, connects, idle connections, filters and retained messages cost beside the null broker, which only relays,
    /// and an installed Mosquitto: the whole table, with its targets.
    Mqtt(mqtt::Options),
    /// What connects, registrations, reads and a start cost with 1 000 and with 1 000 000 registered certificates.
    Certificates(certificates::Options),
    /// How soon 1 000 live connections of one certificate end once it is revoked; fails over 100 ms.
    Revocation(revocation::Options),
    /// How long a start takes that finds a million messages of kept sessions and retained ones.
    Restart(restart::Options),
    /// How long ten slow publishers wait for their PUBACKs beside one that floods; fails when that doubles it.
    Fairness(fairness::Options),
    /// What log entries of messages cost the server, by the level that the account asks for.
    Logging(logging::Options),
    /// The bare rustls server of `registry`, as a process of its own.
    #[command(hide = true)]
    BareServer,
    /// The null broker of `mqtt`, as a process of its own.
    #[command(hide = true)]
    NullBroker {
        /// Whether it speaks mutual TLS.
        #[arg(long)]
        tls: bool,
    },
}

/// Measures; an error when something cannot be measured, or a limit does not hold.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    if cfg!(debug_assertions) {
        return in_release(&arguments.what);
    }
    match &arguments.what {
        What::Registry(options) => registry::run(options),
        What::Memory(options) => memory::run(options),
        What::Endurance(options) => endurance::run(options),
        What::Mqtt(options) => mqtt::run(options),
        What::Certificates(options) => certificates::run(options),
        What::Revocation(options) => revocation::run(options),
        What::Fairness(options) => fairness::run(options),
        What::Restart(options) => restart::run(options),
        What::Logging(options) => logging::run(options),
        What::BareServer => bare::serve(),
        What::NullBroker { tls } => crate::load::null::serve(*tls),
    }
}

/// Builds the release of this program, and of the broker unless one is given, and does there what was asked here.
fn in_release(what: &What) -> Result<()> {
    let given = match what {
        What::Registry(options) => options.place.broker.as_ref(),
        What::Memory(options) => options.place.broker.as_ref(),
        What::Endurance(options) => options.place.broker.as_ref(),
        What::Mqtt(options) => options.place.broker.as_ref(),
        What::Certificates(options) => options.place.broker.as_ref(),
        What::Revocation(options) => options.place.broker.as_ref(),
        What::Fairness(options) => options.place.broker.as_ref(),
        What::Restart(options) => options.place.broker.as_ref(),
        What::Logging(options) => options.place.broker.as_ref(),
        What::BareServer | What::NullBroker { .. } => None,
    };
    let mut build = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    build.current_dir(crate::workspace()).args(["build", "--release", "--package", "xtask"]);
    if given.is_none() {
        build.args(["--package", "tidegate"]);
    }
    eprintln!("building the release");
    ensure!(build.status().context("cannot run cargo")?.success(), "the release does not build");
    let here = env::current_exe()?;
    let profile = here.parent().context("this program lies in no directory")?;
    let release = profile.with_file_name("release").join(here.file_name().unwrap_or_else(|| "xtask".as_ref()));
    let status = Command::new(&release).args(env::args_os().skip(1)).status();
    let status = status.with_context(|| format!("cannot run {}", release.display()))?;
    ensure!(status.success(), "{status}");
    Ok(())
}

/// The broker beside this program.
fn own_release(program: &str) -> Result<std::path::PathBuf> {
    let here = env::current_exe()?;
    let there = here.with_file_name(program);
    ensure!(Path::exists(&there), "there is no {}: build it, or name one with --broker", there.display());
    Ok(there)
}
