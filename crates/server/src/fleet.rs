//! `tidegate fleet …`: what it asks of `tidegate-fleet`, and how it prints.

mod screen;

use std::{
    env, fs,
    path::Path,
    process,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tidegate_fleet::{
    Activation, Activator, Api, DeviceKey, Enrolment, Identities, Make, OnRefused, Report, Run, Running, Scenario,
    Settings, fit, readable, scenario::Period,
};
use tidegate_ids::Clock;
use tokio::sync::mpsc;

use crate::{
    cli::fleet::{self, Common, Fleet, Key},
    clock::SystemClock,
};
use screen::Screen;

/// The scenario of `fleet jitr` when none is given.
const JITR: &str = include_str!("../../../config/fleet/jitr.toml");

/// `tidegate fleet …`
pub(crate) async fn fleet(command: Fleet) -> Result<()> {
    match command {
        Fleet::Make(options) => make(options),
        Fleet::Show(options) => show(&options),
        Fleet::Check(options) => check(&options.scenario),
        Fleet::Run(options) => run(options).await,
        Fleet::Jitr(options) => jitr(options).await,
    }
}

fn make(options: fleet::Make) -> Result<()> {
    let count = options.count as usize;
    let make = Make {
        directory: options.directory,
        count,
        name: options.name,
        key: match options.key {
            Key::P256 => DeviceKey::P256,
            Key::Rsa2048 => DeviceKey::Rsa2048,
        },
        ca: options.ca_cert.zip(options.ca_key),
        ca_name: options.ca_name,
    };
    let mut screen = Screen::new(None);
    let made = make.run(|there| screen.bar(there, count))?;
    screen.clear();
    let directory = make.directory.display();
    match made.made {
        0 => println!("{directory}: {} devices are there already; nothing was made", made.found),
        new => println!("{directory}: {} devices, {new} of them new", made.found + new),
    }
    Ok(())
}

fn show(options: &fleet::Show) -> Result<()> {
    let identities = Identities::open(&options.directory)?;
    let index = identities
        .find(&options.name)
        .with_context(|| format!("there is no device {:?} in {}", options.name, options.directory.display()))?;
    print!("{}", identities.pem(index)?);
    Ok(())
}

fn check(path: &Path) -> Result<()> {
    let scenario = read(path)?;
    println!(
        "{}: the scenario is good: {} devices in {} groups",
        path.display(),
        scenario.devices(),
        scenario.groups.len()
    );
    Ok(())
}

/// Reads a scenario; an error is `FILE: line L, column C: what is wrong`.
fn read(path: &Path) -> Result<Scenario> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read the scenario {}", path.display()))?;
    Scenario::parse(&text).map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))
}

async fn run(options: fleet::Run) -> Result<()> {
    let mut scenario = read(&options.scenario)?;
    apply(&mut scenario, &options.common)?;
    let report = conduct(scenario, &options.common, None).await?;
    finish(&report, &options.common, Value::Null)
}

/// What the command line says wins over the scenario.
fn apply(scenario: &mut Scenario, common: &Common) -> Result<()> {
    let place = &mut scenario.broker;
    place.host = common.host.clone().or(place.host.take());
    place.port = common.port.or(place.port);
    place.ca = common.ca.clone().or(place.ca.take());
    place.server_name = common.server_name.clone().or(place.server_name.take());
    scenario.duration = common.duration.unwrap_or(scenario.duration);
    scenario.seed = common.seed.map_or(scenario.seed, u64::from);
    if let Some(count) = common.count {
        ensure!(
            scenario.groups.len() == 1,
            "--count is for scenarios with one group; this one has {}",
            scenario.groups.len()
        );
        ensure!(count > 0, "--count is at least 1");
        scenario.groups[0].count = count;
    }
    for group in &mut scenario.groups {
        if let Some(directory) = common.identities.as_ref().filter(|_| group.identities.is_some()) {
            group.identities = Some(directory.clone());
        }
        group.connect = common.connect.unwrap_or(group.connect);
    }
    Ok(())
}

/// Runs it to the end, in a thread of its own: it waits without being asked to.
async fn conduct(scenario: Scenario, common: &Common, on_refused: Option<OnRefused>) -> Result<Report> {
    let mut screen = Screen::new(common.every);
    let fit = fit(0)?;
    screen.say(&format!("{} devices; {fit} fit into the descriptors of this process", scenario.devices()));
    let mut run = [0; 4];
    aws_lc_rs::rand::fill(&mut run).context("drawing a number for the run")?;
    let stop = Arc::new(AtomicBool::new(false));
    let signals = tokio::spawn(stop_on_interrupt(Arc::clone(&stop)));
    let conducted = tokio::task::spawn_blocking(move || {
        let environment = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let now = SystemClock::start().now().wall;
        let settings = Settings { now, run: u32::from_be_bytes(run), environment: &environment, on_refused };
        let interval = screen.interval();
        let report = Run::start(scenario, settings)?.conduct(&stop, interval, |figures| screen.figures(figures));
        screen.clear();
        report
    });
    let report = conducted.await.context("the run has died")?;
    signals.abort();
    Ok(report?)
}

/// The first Ctrl-C ends the run, the second the process.
async fn stop_on_interrupt(stop: Arc<AtomicBool>) {
    while tokio::signal::ctrl_c().await.is_ok() {
        if stop.swap(true, Ordering::Relaxed) {
            process::exit(130);
        }
        eprintln!("\nending; once more to end at once");
    }
}

/// Prints and writes what came of it; an error when something is wrong.
fn finish(report: &Report, common: &Common, jitr: Value) -> Result<()> {
    let mut json = report.json();
    if !jitr.is_null() {
        json["jitr"] = jitr;
    }
    match &common.json {
        Some(path) if path == Path::new("-") => println!("{json:#}"),
        Some(path) => {
            fs::write(path, format!("{json:#}\n")).with_context(|| format!("cannot write {}", path.display()))?;
            print!("{}", report.table());
        }
        None => print!("{}", report.table()),
    }
    if let Some(directory) = &common.histograms {
        report.write_histograms(directory)?;
    }
    let faults = report.faults();
    ensure!(faults.is_empty(), "verification failed: {}", faults.join(", "));
    Ok(())
}

async fn jitr(options: fleet::Jitr) -> Result<()> {
    let identities = Arc::new(Identities::open(&options.directory)?);
    let mut scenario = match &options.scenario {
        Some(path) => read(path)?,
        None => Scenario::parse(JITR).expect("a test reads it"),
    };
    let [group] = &mut scenario.groups[..] else { bail!("a scenario for `fleet jitr` has one group of devices") };
    group.identities = Some(options.directory.clone());
    // A directory has at most a million devices.
    group.count = (identities.len() as u32).saturating_sub(group.first);
    let first = group.first;
    apply(&mut scenario, &options.common)?;
    scenario.groups[0].identities = Some(options.directory.clone());

    let mut screen = Screen::new(options.common.every);
    let mut operator = None;
    let how = match &options.activate_with {
        Some(program) => {
            Activation::Script(program.canonicalize().with_context(|| format!("cannot find {}", program.display()))?)
        }
        None if options.no_activate => Activation::Nobody,
        None => {
            let environment = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
            let running = Running::from_environment(environment)?;
            let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
            let api = Api::new(running.clone(), Arc::clone(&clock))?;
            let enrolment = Enrolment { api: &api, directory: &options.directory, policy: &options.policy };
            let enrolled = enrolment.run().await?;
            let how = if enrolled.registered_now { "registered now" } else { "registered already" };
            screen.say(&format!("CA {} ({how}); policy {}", enrolled.ca_id, options.policy));
            operator = Some((api, enrolled.ca_id));
            Activation::Api(Box::new(Api::new(running, clock)?), options.policy.clone())
        }
    };
    let activator = Activator::new(how, identities);
    let (refused, to_activate) = mpsc::unbounded_channel();
    let activating = tokio::spawn(Arc::clone(&activator).run(to_activate));
    // The channel holds one number for each refusal of a device that waits for seconds after each: never many.
    let on_refused: OnRefused = Arc::new(move |device| _ = refused.send(first + device));
    let conducted = conduct(scenario, &options.common, Some(on_refused)).await;
    activator.wind_up();
    if conducted.is_ok() {
        tokio::select! {
            _ = activating => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    }
    let (activated, failed) = activator.counts();
    let report = match (conducted, activator.problem()) {
        (Ok(report), _) => report,
        (Err(error), Some(problem)) => return Err(error.context(format!("activation failed: {problem}"))),
        (Err(error), None) => return Err(error),
    };
    let registered = match &operator {
        Some((api, ca_id)) => {
            let enrolment = Enrolment { api, directory: &options.directory, policy: &options.policy };
            Some(enrolment.registered(ca_id).await?)
        }
        None => None,
    };
    let working = report.working();
    let at = |quantile| working.quantile(quantile).map_or_else(|| "-".into(), readable);
    if options.common.json.as_deref() != Some(Path::new("-")) {
        let registered = registered.map_or_else(String::new, |count| format!("{count} registered, "));
        println!("just in time: {registered}{activated} activated, {} working", report.arrived());
        println!("from the first CONNECT to working: p50 {}, p99 {}, last {}\n", at(0.5), at(0.99), at(1.0));
        if let Some(problem) = activator.problem() {
            println!("{failed} activations failed and were tried again, the first with: {problem}\n");
        }
    }
    let summary = json!({ "registered": registered, "activated": activated, "failedActivations": failed,
        "working": report.arrived() });
    finish(&report, &options.common, summary)
}

/// What is told how often when nobody says.
const ON_A_TERMINAL: Period = Period::seconds(1);
const ELSEWHERE: Period = Period::seconds(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_scenario_and_the_examples_are_good() {
        Scenario::parse(JITR).unwrap();
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/fleet");
        let mut seen = 0;
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            read(&path).unwrap();
            seen += 1;
        }
        assert!(seen >= 4, "{seen} examples");
    }
}
