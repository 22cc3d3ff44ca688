//! `cargo xtask bench memory`: whether connects and disconnects leave memory behind.

use std::time::Duration;

use anyhow::{Result, ensure};
use tidegate_fleet::{Arrivals, Caller, Until, usage};

use super::{
    figures::{Figures, Series},
    place::Place,
    rates::Subject,
};

/// How much larger than after the first round memory may be after any other.
const GROWTH_MAX: f64 = 0.10;
/// How long after a round memory is read: closing takes a moment.
const SETTLE: Duration = Duration::from_secs(1);

/// Options of `bench memory`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(super) place: Place,
    /// Rounds.
    #[arg(long, value_name = "N", default_value_t = 10)]
    rounds: usize,
    /// Connects and disconnects of one round.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    connects: usize,
    /// Devices that are connected at the same time.
    #[arg(long, value_name = "N", default_value_t = 64)]
    parallel: usize,
}

/// Fails when memory has grown too much.
pub(super) fn run(options: &Options) -> Result<()> {
    let cpu = options.place.take();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let resident = runtime.block_on(rounds(options, cpu))?;
    let first = resident.0.first().copied().unwrap_or(f64::NAN);
    let largest = resident.0.iter().copied().fold(f64::NAN, f64::max);
    let mut figures = Figures::new("memory");
    figures.tell("largest round / first round", Series(vec![largest / first]), "");
    figures.tell("resident after each round", resident, "MiB");
    figures.print();
    ensure!(largest / first <= 1.0 + GROWTH_MAX, "resident memory grew from {first:.1} to {largest:.1} MiB");
    Ok(())
}

async fn rounds(options: &Options, cpu: Option<usize>) -> Result<Series> {
    let subject = Subject::start(options.place.launch(cpu)?, options.parallel).await?;
    let arrivals = Arrivals {
        address: subject.address(),
        server_name: "localhost".try_into()?,
        parallel: options.parallel,
        until: Until::Connected,
    };
    let devices: Vec<Caller> = subject.known.iter().cycle().take(options.connects).cloned().collect();
    let mut resident = Series::default();
    eprintln!("start: {:.1} MiB", mebibytes(subject.running.pid)?);
    for round in 1..=options.rounds {
        let arrived = arrivals.run(&devices).await;
        ensure!(arrived.failed.is_empty(), "not every device was let in: {:?}", arrived.failed);
        tokio::time::sleep(SETTLE).await;
        let now = mebibytes(subject.running.pid)?;
        eprintln!("round {round}: {} connects in {:.1} s, {now:.1} MiB", arrived.count, arrived.took.as_secs_f64());
        resident.0.push(now);
    }
    Ok(resident)
}

fn mebibytes(pid: u32) -> Result<f64> {
    Ok(usage::of(pid)?.resident_bytes as f64 / (1024.0 * 1024.0))
}
