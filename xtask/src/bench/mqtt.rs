//! `cargo xtask bench mqtt`: what messages, connects, idle connections, filters and retained messages cost, beside the null broker and an
//! installed Mosquitto.
//!
//! Servers take turns on one core: floor, Tidegate, Mosquitto, floor again. A figure is the median over the rounds, a ratio the median of
//! the rounds' ratios. What is lost, duplicated or reordered ends the benchmark.

mod brokers;
mod calls;
mod measure;
mod rows;
mod table;

use std::path::PathBuf;

use anyhow::{Result, bail, ensure};
use tidegate_fleet::measured_suite;

use self::{
    brokers::{Brokers, Who},
    rows::{GROUPS, Group, What},
    table::{Seen, Table},
};
use super::place::Place;

/// Options of `bench mqtt`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  cargo xtask bench mqtt                                     the whole table: about an hour
  cargo xtask bench mqtt --pairs 3 --seconds 1 --record \"\"   a quick look
  cargo xtask bench mqtt --rows sparse-q1,calls              two groups of rows
  cargo xtask bench mqtt --record epyc-2                     …, kept in bench/results/epyc-2.md")]
pub(crate) struct Options {
    #[command(flatten)]
    pub(super) place: Place,
    /// Rounds of each group of rows. Those that measure memory, or millions of something, have at most 3.
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..))]
    pairs: u32,
    /// Seconds that are measured of each run.
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0)]
    seconds: f64,
    /// Groups of rows; all, when there is none.
    #[arg(long, value_name = "GROUP,…", value_delimiter = ',')]
    rows: Vec<String>,
    /// Keep the table and the machine's description in bench/results/NAME.md.
    #[arg(long, value_name = "NAME")]
    record: Option<String>,
    /// Mosquitto's program; left out where there is none.
    #[arg(long, value_name = "PATH", default_value = "mosquitto")]
    mosquitto: PathBuf,
    /// Divides the numbers of idle connections, filters and retained messages: for a quick look.
    #[arg(long, value_name = "N", default_value_t = 1)]
    divide: usize,
}

/// Measures the groups, one after the other.
pub(super) fn run(options: &Options) -> Result<()> {
    let groups = chosen(&options.rows)?;
    let cpu = options.place.take();
    eprintln!("TLS is {:?} for everybody, where a row does not say that servers choose", measured_suite().suite());
    let mut table = Table::default();
    for group in groups {
        match measure_group(options, cpu, group) {
            Ok(seen) => table.add(group, seen),
            Err(error) => bail!(error.context(format!("measuring {}", group.name))),
        }
    }
    table.print();
    if let Some(name) = options.record.as_ref().filter(|name| !name.is_empty()) {
        let file = crate::workspace().join("bench/results").join(format!("{name}.md"));
        table.record(&file, options.pairs, options.seconds, &options.place.program_described()?)?;
        eprintln!("kept in {}", file.display());
    }
    Ok(())
}

fn chosen(names: &[String]) -> Result<Vec<&'static Group>> {
    if names.is_empty() {
        return Ok(GROUPS.iter().collect());
    }
    let named = |name: &String| GROUPS.iter().find(|group| group.name == name);
    let unknown: Vec<_> = names.iter().filter(|name| named(name).is_none()).map(String::as_str).collect();
    let known: Vec<_> = GROUPS.iter().map(|group| group.name).collect();
    ensure!(unknown.is_empty(), "there are no rows {}; there are {}", unknown.join(", "), known.join(", "));
    Ok(names.iter().filter_map(named).collect())
}

/// Each group of rows once, at Tidegate alone; not those that only look at it from outside.
pub(super) fn profile_load(place: &Place, cpu: Option<usize>) -> Result<()> {
    let none = PathBuf::from("/nonexistent");
    let options = Options {
        place: place.clone(),
        pairs: 1,
        seconds: 1.5,
        rows: Vec::new(),
        record: None,
        mosquitto: none,
        divide: 20,
    };
    for group in GROUPS.iter().filter(|group| !matches!(group.what, What::Calls | What::Cores | What::Latency)) {
        eprintln!("{}", group.name);
        let brokers = Brokers::start(place, cpu, &options.mosquitto, group.needs)?;
        measure::run(group.what, Who::Tidegate, &brokers, &options)?;
        brokers.stop()?;
    }
    Ok(())
}

/// All rounds of one group.
fn measure_group(options: &Options, cpu: Option<usize>, group: &'static Group) -> Result<Seen> {
    let mut brokers = Brokers::start(&options.place, cpu, &options.mosquitto, group.needs)?;
    let mut seen = Seen::new(group.rows.len());
    let rounds = if group.fresh { options.pairs.min(3) } else { options.pairs };
    for round in 1..=rounds {
        if group.fresh && round > 1 {
            brokers = Brokers::start(&options.place, cpu, &options.mosquitto, group.needs)?;
        }
        let mut figures = Vec::new();
        for &who in group.turns {
            if !brokers.has(who) {
                continue;
            }
            let measured = measure::run(group.what, who, &brokers, options)?;
            figures.push(format!("{who} {}", table::list(&measured)));
            seen.note(who, measured);
        }
        eprintln!("{}, round {round} of {rounds}: {}", group.name, figures.join("; "));
    }
    Ok(seen)
}
