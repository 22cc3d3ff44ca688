//! `cargo xtask bench endurance`: whether the broker's memory stays where it is over an hour of load, and comes back when the clients
//! have left.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use tidegate_fleet::{
    Activation, Activator, Api, DeviceKey, Enrolment, Identities, Make, OnRefused, Report, Run, Running, Scenario,
    Settings, Template, fit, scenario::Period, usage,
};
use tidegate_ids::Clock;
use tokio::sync::mpsc;

use super::{
    figures::{Figures, Series},
    machine,
    place::{MachineClock, Place},
    rates::POLICY,
};

/// The load, one file for this and for `tidegate fleet run`.
const SCENARIO: &str = include_str!("../../../config/fleet/endurance.toml");
/// How much more than before memory may be.
const GROWTH_MAX: f64 = 0.10;
/// How long after the last client has left memory is read: kept sessions end after half a minute.
const LEFT: Duration = Duration::from_secs(60);
/// How often memory is read.
const LOOK: Duration = Duration::from_secs(10);

/// Options of `bench endurance`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  cargo xtask bench endurance --record epyc-2        an hour, kept in bench/results/epyc-2-endurance.md
  cargo xtask bench endurance --warm-up 1 --minutes 2     a quick look; memory still grows then")]
pub(crate) struct Options {
    #[command(flatten)]
    pub(super) place: Place,
    /// Minutes of load.
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    minutes: u32,
    /// Minutes of the same load before: what a process takes once and for good, the store's tables in memory above all, is no growth.
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    warm_up: u32,
    /// Keep the table and the machine's description in bench/results/NAME-endurance.md.
    #[arg(long, value_name = "NAME")]
    record: Option<String>,
}

/// Fails when memory grows under load, does not come back, or a message is lost, duplicated or reordered.
pub(super) fn run(options: &Options) -> Result<()> {
    let cpu = options.place.take();
    let (own, running) = options.place.launch(cpu)?.start()?;
    let field = Field { directory: own.data().with_file_name("fleet"), running };
    field.make()?;
    eprintln!("start: {:.1} MiB", field.resident()?);
    let minutes_of = |minutes: u32| Duration::from_secs(60 * u64::from(minutes));
    let warm_up = field.load(minutes_of(options.warm_up), |_| ())?;
    let before = field.when_all_have_left()?;
    eprintln!("warm: {before:.1} MiB\n{}", warm_up.table());

    let began = Instant::now();
    let mut minutes: Vec<Series> = Vec::new();
    let report = field.load(minutes_of(options.minutes), |resident| {
        let minute = (began.elapsed().as_secs() / 60) as usize;
        minutes.resize(minutes.len().max(minute + 1), Series::default());
        minutes[minute].0.push(resident);
    })?;
    // The last one is cut short by the end.
    minutes.truncate(options.minutes as usize);
    let after = field.when_all_have_left()?;
    eprintln!("{}", report.table());
    let told = Told { before, minutes: minutes.iter().map(Series::median).collect(), after };
    told.figures().print();
    if let Some(name) = options.record.as_ref().filter(|name| !name.is_empty()) {
        let file = crate::workspace().join("bench/results").join(format!("{name}-endurance.md"));
        told.record(&file, options, &report)?;
        eprintln!("kept in {}", file.display());
    }
    let faults = [warm_up.faults(), report.faults()].concat();
    ensure!(faults.is_empty(), "verification failed: {}", faults.join(", "));
    told.judge()
}

/// A broker, and devices of a CA that it gets to know when they come first.
struct Field {
    directory: PathBuf,
    running: Running,
}

impl Field {
    fn make(&self) -> Result<()> {
        let make = Make {
            directory: self.directory.clone(),
            count: Scenario::parse(SCENARIO)?.devices(),
            name: Template::of_device("device-{{index 5}}")?,
            key: DeviceKey::P256,
            ca: None,
            ca_name: "endurance CA".into(),
        };
        make.run(|_| ())?;
        Ok(())
    }

    fn api(&self) -> Result<Api> {
        let clock: Arc<dyn Clock> = Arc::new(MachineClock::start());
        Ok(Api::new(self.running.clone(), clock)?)
    }

    /// In MiB.
    fn resident(&self) -> Result<f64> {
        Ok(usage::of(self.running.pid)?.resident_bytes as f64 / (1024.0 * 1024.0))
    }

    fn when_all_have_left(&self) -> Result<f64> {
        thread::sleep(LEFT);
        self.resident()
    }

    /// The scenario for `duration`; devices that are refused, which is what new ones are, are activated.
    fn load(&self, duration: Duration, mut watch: impl FnMut(f64)) -> Result<Report> {
        let mut scenario = Scenario::parse(SCENARIO)?;
        scenario.duration = Period(duration);
        for group in &mut scenario.groups {
            group.identities = Some(self.directory.clone());
        }
        fit(scenario.devices() as u64)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let identities = Arc::new(Identities::open(&self.directory)?);
        runtime.block_on(async {
            let api = self.api()?;
            match api.create_open_policy(POLICY).await {
                Err(tidegate_fleet::FleetError::Refused(refusal))
                    if refusal.name == "ResourceAlreadyExistsException" => {}
                made => made?,
            }
            Enrolment { api: &api, directory: &self.directory, policy: POLICY }.run().await?;
            anyhow::Ok(())
        })?;
        let activator = Activator::new(Activation::Api(Box::new(self.api()?), POLICY.into()), identities);
        let (refused, to_activate) = mpsc::unbounded_channel();
        let activating = runtime.spawn(Arc::clone(&activator).run(to_activate));
        // One number for each refusal of a device that waits for seconds after each: never many.
        let on_refused: OnRefused = Arc::new(move |device| _ = refused.send(device));
        let environment = |name: &str| match name {
            "TIDEGATE_MQTT_HOST" => Some(self.running.mqtt_host.clone()),
            "TIDEGATE_MQTT_PORT" => Some(self.running.mqtt_port.to_string()),
            "TIDEGATE_CA_FILE" => Some(self.running.ca_file.display().to_string()),
            _ => None,
        };
        let now = MachineClock::start().now().wall;
        let number = now.millis() as u32;
        let settings = Settings { now, run: number, environment: &environment, on_refused: Some(on_refused) };
        let report = Run::start(scenario, settings)?.conduct(&AtomicBool::new(false), LOOK, |figures| {
            let Ok(resident) = self.resident() else { return };
            eprintln!(
                "{:5.0} s  {:<6} {:4} connected, {} sent, {} received, {resident:.1} MiB",
                figures.elapsed.as_secs_f64(),
                figures.phase,
                figures.connected,
                figures.sent,
                figures.received,
            );
            if figures.phase == "steady" {
                watch(resident);
            }
        });
        activating.abort();
        match (report, activator.problem()) {
            (Err(error), Some(problem)) => Err(error).context(format!("activation failed: {problem}")),
            (report, _) => Ok(report?),
        }
    }
}

/// Resident memory, in MiB.
struct Told {
    /// After the warm-up, nobody connected.
    before: f64,
    /// The median of each minute of load.
    minutes: Vec<f64>,
    /// Nobody connected any more.
    after: f64,
}

impl Told {
    /// The median of the last sixth of the load by that of the first.
    fn growth(&self) -> f64 {
        let part = (self.minutes.len() / 6).max(1).min(self.minutes.len());
        let median = |minutes: &[f64]| Series(minutes.to_vec()).median();
        median(&self.minutes[self.minutes.len() - part..]) / median(&self.minutes[..part])
    }

    fn figures(&self) -> Figures {
        let mut figures = Figures::new("endurance");
        figures.tell("resident before, warm, nobody connected", Series(vec![self.before]), "MiB");
        figures.tell("resident under load, minute by minute", Series(self.minutes.clone()), "MiB");
        figures.tell("resident after, nobody connected", Series(vec![self.after]), "MiB");
        figures.tell("last minutes / first minutes", Series(vec![self.growth()]), "");
        figures.tell("after / before", Series(vec![self.after / self.before]), "");
        figures
    }

    fn judge(&self) -> Result<()> {
        let (growth, back) = (self.growth(), self.after / self.before);
        ensure!(growth <= 1.0 + GROWTH_MAX, "under load memory grew to {growth:.2} times what it was");
        ensure!(back <= 1.0 + GROWTH_MAX, "when all had left, memory was {back:.2} times what it had been before");
        Ok(())
    }

    /// Keeps it with the machine's description.
    fn record(&self, file: &Path, options: &Options, report: &Report) -> Result<()> {
        let Options { minutes, warm_up, .. } = options;
        let each: Vec<String> = self.minutes.iter().map(|resident| format!("{resident:.1}")).collect();
        let verdict = match &report.faults()[..] {
            [] => "no fault".to_owned(),
            faults => faults.join(", "),
        };
        let text = format!(
            "# Memory over {minutes} minutes of load\n\n`cargo xtask bench endurance --warm-up {warm_up} --minutes {minutes}` of {}\n\n\
             The load is `config/fleet/endurance.toml`. Resident memory of the broker, read every ten seconds:\n\n\
             | | MiB |\n| --- | --- |\n\
             | before: after {warm_up} minutes of the same load, nobody connected | {:.1} |\n\
             | under load, the median of each minute | {} |\n\
             | after: all have left, kept sessions are over | {:.1} |\n\n\
             Last minutes by first ones {:.3}, after by before {:.3}; at most 1.1 each. Verification: {verdict}.\n\n```text\n{}```\n",
            machine::described(&options.place.program_described()?),
            self.before,
            each.join(", "),
            self.after,
            self.growth(),
            self.after / self.before,
            report.table(),
        );
        fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_grows_or_stays_is_told() {
        let told = |before, minutes: &[f64], after| Told { before, minutes: minutes.to_vec(), after };
        let flat = vec![40.0; 60];
        let growing: Vec<f64> = (0..60).map(|minute| 40.0 + f64::from(minute) / 10.0).collect();
        for (told, word) in [
            (told(30.0, &flat, 31.0), None),
            (told(30.0, &growing, 31.0), Some("under load")),
            (told(30.0, &flat, 34.0), Some("had left")),
            (told(30.0, &[40.0], 30.0), None),
        ] {
            let judged = told.judge().err().map(|error| error.to_string());
            assert_eq!(judged.is_some(), word.is_some(), "{judged:?}");
            assert!(judged.unwrap_or_default().contains(word.unwrap_or_default()));
        }
    }
}
