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

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use clap::Subcommand;

use self::place::Place;
use crate::release;

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
    /// The load that a release is laid out by: `cargo xtask release` counts what it takes.
    #[command(hide = true)]
    ProfileLoad(Place),
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
        What::ProfileLoad(place) => profile_load(place),
        What::BareServer => bare::serve(),
        What::NullBroker { tls } => crate::load::null::serve(*tls),
    }
}

/// Builds the release of this program, and of the broker unless one is given, and does there what was asked here.
fn in_release(what: &What) -> Result<()> {
    let generator = release::generator()?;
    let mut command = Command::new(&generator);
    command.args(env::args_os().skip(1));
    if what.place().is_some_and(|place| place.broker.is_none()) {
        command.arg("--broker").arg(broker(&generator)?);
    }
    let status = command.status().with_context(|| format!("cannot run {}", generator.display()))?;
    ensure!(status.success(), "{status}");
    Ok(())
}

/// The release, as it is delivered where that can be made.
fn broker(generator: &Path) -> Result<PathBuf> {
    release::build(generator).or_else(|error| {
        eprintln!("measuring a release without a profile, which is slower: {error:#}");
        release::build_without_profile()
    })
}

impl What {
    /// Where it runs a broker, if it does.
    fn place(&self) -> Option<&Place> {
        match self {
            Self::Registry(options) => Some(&options.place),
            Self::Memory(options) => Some(&options.place),
            Self::Endurance(options) => Some(&options.place),
            Self::Mqtt(options) => Some(&options.place),
            Self::Certificates(options) => Some(&options.place),
            Self::Revocation(options) => Some(&options.place),
            Self::Fairness(options) => Some(&options.place),
            Self::Restart(options) => Some(&options.place),
            Self::Logging(options) => Some(&options.place),
            Self::ProfileLoad(place) => Some(place),
            Self::BareServer | Self::NullBroker { .. } => None,
        }
    }
}

/// Messages and connects of every kind, and registrations; the brokers end as they do in production, so that they write what they counted.
fn profile_load(place: &Place) -> Result<()> {
    let cpu = place.take();
    mqtt::profile_load(place, cpu)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(rates::profile_load(place.launch(cpu)?))
}

/// The broker beside this program.
fn own_release(program: &str) -> Result<PathBuf> {
    let here = env::current_exe()?;
    let there = here.with_file_name(program);
    ensure!(Path::exists(&there), "there is no {}: build it, or name one with --broker", there.display());
    Ok(there)
}
