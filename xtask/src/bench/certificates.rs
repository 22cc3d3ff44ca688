//! `cargo xtask bench certificates`: what connects, registrations, reads and a start cost with few and with very many
//! registered certificates.
//!
//! Each broker is killed, its store is filled through `registry` in this process, and it is started again: the rows are the
//! ones that RegisterCertificate writes.

use std::{fs, path::Path, sync::Arc, thread, time::Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tidegate_fleet::{Api, Arrivals, Caller, FleetCa, Running, Until, usage};
use tidegate_ids::{Clock, Tenant};
use tidegate_kv::Store;
use tidegate_pki::seal::MasterKey;
use tidegate_registry::{CertificateStatus, Parts, RegisterCertificate, Registry, Settings};
use tidegate_standalone::{Options as StoreOptions, StandaloneStore};
use tokio::{sync::mpsc, task::JoinSet};

use super::{
    figures::{Figures, Series},
    place::{Counter, MachineClock, Place},
    rates::{Leaves, Subject, Window, escaped, events},
};

/// Certificates that are registered at a time: they share group commits.
const FILLING: usize = 256;
/// Certificates that wait to be registered, at most.
const MADE_AHEAD: usize = 4096;
/// Reads of each kind in a round.
const READS: usize = 200;

/// Options of `bench certificates`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(super) place: Place,
    /// Numbers of registered certificates to compare.
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_values_t = [1000, 1_000_000])]
    counts: Vec<usize>,
    /// Rounds; in each, every number has its turn.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Connects, and registrations, per round.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    devices: usize,
    /// Devices that connect at the same time.
    #[arg(long, value_name = "N", default_value_t = 64)]
    parallel: usize,
}

/// Measures; with several numbers, tells each beside the first.
pub(super) fn run(options: &Options) -> Result<()> {
    let cpu = options.place.take();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut figures = Figures::new("certificates");
    let worlds = runtime.block_on(measure(options, cpu))?;
    for world in &worlds {
        world.tell(&worlds[0], &mut figures);
    }
    figures.print();
    Ok(())
}

async fn measure(options: &Options, cpu: Option<usize>) -> Result<Vec<World>> {
    let mut worlds = Vec::new();
    for count in &options.counts {
        worlds.push(World::new(options, cpu, *count).await?);
    }
    // Round 0 warms up, and is not counted.
    for round in 0..=options.rounds {
        for world in &mut worlds {
            let seen = world.round(options, round).await?;
            eprintln!("round {round}, {} certificates: server CPU µs {seen:.0?}", world.count);
            if round > 0 {
                for (series, value) in world.series.iter_mut().zip(seen) {
                    series.0.push(value);
                }
            }
        }
    }
    Ok(worlds)
}

/// What is measured in each round, in this order.
const KINDS: [&str; 4] =
    ["connect of a known certificate", "just-in-time registration", "DescribeCertificate", "page of ListCertificates"];

/// A broker with so many certificates.
struct World {
    count: usize,
    subject: Subject,
    start_ms: f64,
    resident_mib: f64,
    series: [Series; KINDS.len()],
}

impl World {
    async fn new(options: &Options, cpu: Option<usize>, count: usize) -> Result<Self> {
        let mut subject = Subject::start(options.place.launch(cpu)?, options.parallel).await?;
        let since = Instant::now();
        let took = subject
            .restart_after(async |at| fill(&at.own.data(), &at.running, Arc::clone(&at.ca), count).await)
            .await?;
        let start_ms = took.as_secs_f64() * 1e3;
        let resident_mib = usage::of(subject.running.pid)?.resident_bytes as f64 / (1024.0 * 1024.0);
        let filled = since.elapsed().saturating_sub(took).as_secs_f64();
        eprintln!("{count} certificates in {filled:.0} s; then started in {start_ms:.0} ms, {resident_mib:.0} MiB");
        Ok(Self { count, subject, start_ms, resident_mib, series: Default::default() })
    }

    /// Server CPU per operation of each kind, in µs.
    async fn round(&mut self, options: &Options, round: u32) -> Result<[f64; KINDS.len()]> {
        self.subject.watch_again().await?;
        let known: Vec<Caller> = self.subject.known.iter().cycle().take(options.devices).cloned().collect();
        let leaves = Leaves::make(&self.subject.ca, round, options.devices)?;
        let arrivals = |until| Arrivals {
            address: self.subject.address(),
            server_name: "localhost".try_into().expect("a host name"),
            parallel: options.parallel,
            until,
        };
        let (connects, registrations) = (arrivals(Until::Connected), arrivals(Until::Refused));
        let window = Window::open(self.subject.running.pid)?;
        let connect = window.close(connects.run(&known).await)?.cpu_us;
        let window = Window::open(self.subject.running.pid)?;
        let watcher = &mut self.subject.watcher;
        let (arrived, seen) = tokio::join!(registrations.run(&leaves.callers), events(watcher, &leaves.ids));
        seen?;
        let registration = window.close(arrived)?.cpu_us;
        let api = Api::new(self.subject.running.clone(), Arc::new(MachineClock::start()))?;
        let describe = self.reads(async || {
            for id in leaves.ids.iter().take(READS) {
                api.call("GET", &format!("/certificates/{id}"), Value::Null).await?;
            }
            Ok(leaves.ids.len().min(READS))
        });
        let describe = describe.await?;
        let list = self.reads(async || pages(&api).await).await?;
        Ok([connect, registration, describe, list])
    }

    /// Server CPU of one of the calls that `calls` makes, and counts.
    async fn reads(&self, calls: impl AsyncFnOnce() -> Result<usize>) -> Result<f64> {
        let before = usage::of(self.subject.running.pid)?.cpu;
        let count = calls().await?;
        let cpu = usage::of(self.subject.running.pid)?.cpu.saturating_sub(before);
        Ok(cpu.as_secs_f64() * 1e6 / count as f64)
    }

    fn tell(&self, few: &Self, figures: &mut Figures) {
        let count = self.count;
        figures.tell(format!("start with {count} certificates"), Series(vec![self.start_ms]), "ms");
        figures.tell(format!("resident after it, {count} certificates"), Series(vec![self.resident_mib]), "MiB");
        for ((kind, series), first) in KINDS.iter().zip(&self.series).zip(&few.series) {
            figures.tell(format!("{kind}, {count} certificates: server CPU"), series.clone(), "µs");
            if count != few.count {
                figures.tell(format!("{kind}: {count} / {}", few.count), series.ratio(first), "");
            }
        }
    }
}

/// Reads pages of 100 certificates one after the other, up to [`READS`] of them; how many there were.
async fn pages(api: &Api) -> Result<usize> {
    let mut marker = String::new();
    for page in 1..=READS {
        let answer = api.call("GET", &format!("/certificates?pageSize=100{marker}"), Value::Null).await?;
        match answer["nextMarker"].as_str() {
            Some(next) => marker = format!("&marker={}", escaped(next)),
            None => return Ok(page),
        }
    }
    Ok(READS)
}

/// Registers `count` certificates of `ca` in the store of a broker that does not run.
async fn fill(data: &Path, account: &Running, ca: Arc<FleetCa>, count: usize) -> Result<()> {
    let clock = MachineClock::start();
    let key: [u8; 32] = fs::read(data.join("master.key"))?.try_into().ok().context("the master key has no 32 bytes")?;
    let store = StandaloneStore::open(StoreOptions::new(data.join("store")))?;
    let parts = Parts {
        store: Arc::new(store) as Arc<dyn Store>,
        master_key: MasterKey::from_bytes(&key),
        chance: Box::new(Counter::default()),
        settings: Settings::default(),
        faults: Box::new(()),
    };
    let registry = Registry::open(parts, clock.now()).await?;
    let tenant = Tenant { account: account.account_id.parse()?, region: account.region.parse()? };
    let (made, mut waiting) = mpsc::channel(MADE_AHEAD);
    let maker = thread::spawn(move || make(&ca, count, &made));
    let mut registering = JoinSet::new();
    while let Some(certificate_pem) = waiting.recv().await {
        if registering.len() == FILLING {
            registering.join_next().await.transpose()?.transpose()?;
        }
        let (registry, now) = (registry.clone(), clock.now());
        let status = Some(CertificateStatus::Active);
        let input = RegisterCertificate { certificate_pem, status, ..RegisterCertificate::default() };
        registering.spawn(async move { registry.register_certificate(tenant, input, now).await });
    }
    for registered in registering.join_all().await {
        registered?;
    }
    ensure!(maker.join().is_ok_and(|made| made.is_ok()), "not every certificate could be made");
    Ok(())
}

/// Makes certificates until all are made, or nobody wants them any more.
fn make(ca: &FleetCa, count: usize, made: &mpsc::Sender<String>) -> Result<()> {
    for i in 0..count {
        made.blocking_send(ca.sign(&format!("stored-{i}"))?.pem)?;
    }
    Ok(())
}
