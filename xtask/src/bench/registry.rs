//! `cargo xtask bench registry`: rates with a broker, then the cost of a handshake by number of CAs.

use anyhow::{Result, ensure};

use super::{figures::Figures, issuers, place::Place, rates};

/// Options of `bench registry`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(super) place: Place,
    /// Rounds; each runs all three kinds.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) rounds: u32,
    /// Devices per kind and round.
    #[arg(long, value_name = "N", default_value_t = 2000)]
    pub(super) devices: usize,
    /// Devices that connect at the same time.
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub(super) parallel: usize,
    /// Numbers of registered CAs to compare; none: leave that part out.
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_values_t = [1, 10_000, 50_000])]
    pub(super) cas: Vec<usize>,
    /// Leave out the part with a broker.
    #[arg(long)]
    only_cas: bool,
    /// Leave out the part with many CAs.
    #[arg(long, conflicts_with = "only_cas")]
    only_rates: bool,
}

/// Measures both parts.
pub(super) fn run(options: &Options) -> Result<()> {
    ensure!(options.parallel > 0 && options.devices >= options.parallel, "more devices than are parallel are needed");
    let cpu = options.place.take();
    let mut figures = Figures::new("registry");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if !options.only_cas {
        runtime.block_on(rates::measure(options, cpu, &mut figures))?;
    }
    if !options.only_rates {
        runtime.block_on(issuers::measure(&options.cas, &mut figures))?;
    }
    figures.print();
    Ok(())
}
