//! `cargo xtask bench fairness`: how long slow publishers wait for their PUBACKs beside one that floods.
//!
//! The flood comes from a thread of the least priority: it shares a core with the clients that measure, and what these wait for
//! that core is not the broker's doing.

use std::{
    fs,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use tidegate_fleet::{Api, Connected, Device, FleetCa, Identity, Launch, Outcome, OwnBroker, Running};
use tokio::{task::JoinSet, time::MissedTickBehavior};

use super::{
    figures::{Figures, Series},
    place::{MachineClock, Place},
    rates::{POLICY, admitted},
};

/// The flood may make the 99th percentile this many times as long.
const RATIO_MAX: f64 = 2.0;
/// One slow publisher's messages are so far apart.
const PACE: Duration = Duration::from_millis(10);
/// Payload of every message, in bytes.
const PAYLOAD: [u8; 64] = [b'x'; 64];
/// Messages of the flood in one write.
const POURED: usize = 200;

/// Options of `bench fairness`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(super) place: Place,
    /// Rounds; each measures without and with the flood.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Slow publishers, 100 messages a second each, QoS 1.
    #[arg(long, value_name = "N", default_value_t = 10)]
    publishers: usize,
    /// Messages of each slow publisher in a round's half.
    #[arg(long, value_name = "N", default_value_t = 300)]
    messages: usize,
}

/// Fails when the flood more than doubles the 99th percentile in the median round.
pub(super) fn run(options: &Options) -> Result<()> {
    let cpu = options.place.take();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let seen = runtime.block_on(rounds(options, cpu))?;
    let ratio = seen.flooded.ratio(&seen.quiet);
    let median = ratio.median();
    let mut figures = Figures::new("fairness");
    figures.tell("PUBACK after, 99th percentile, no flood", seen.quiet, "µs");
    figures.tell("PUBACK after, 99th percentile, beside a flood", seen.flooded, "µs");
    figures.tell("beside a flood / no flood", ratio, "");
    figures.tell("messages of the flood", seen.flood, "1/s");
    figures.print();
    ensure!(median <= RATIO_MAX, "beside a flood, slow publishers waited {median:.1} times as long");
    Ok(())
}

#[derive(Default)]
struct Seen {
    quiet: Series,
    flooded: Series,
    flood: Series,
}

async fn rounds(options: &Options, cpu: Option<usize>) -> Result<Seen> {
    let mut subject = Subject::start(options.place.launch(cpu)?, options.publishers).await?;
    let mut seen = Seen::default();
    // Round 0 warms up, and is not counted.
    for round in 0..=options.rounds {
        let quiet = subject.percentile_99(options.messages).await?;
        let flood = Flood::start(&subject).await?;
        let flooded = subject.percentile_99(options.messages).await?;
        let per_second = flood.stop()?;
        eprintln!("round {round}: {quiet:.0} µs; {flooded:.0} µs beside {per_second:.0} messages a second");
        if round > 0 {
            seen.quiet.0.push(quiet);
            seen.flooded.0.push(flooded);
            seen.flood.0.push(per_second);
        }
    }
    Ok(seen)
}

/// A broker, its slow publishers, and who may flood it.
struct Subject {
    _own: OwnBroker,
    running: Running,
    slow: Vec<Connected>,
    flooding: Arc<Identity>,
}

impl Subject {
    async fn start(launch: Launch, publishers: usize) -> Result<Self> {
        let (own, running) = launch.start()?;
        let api = Api::new(running.clone(), Arc::new(MachineClock::start()))?;
        let ca = FleetCa::new("bench CA")?;
        api.register_ca(&ca).await.context("registering a CA")?;
        api.create_open_policy(POLICY).await?;
        let identity = admitted(&api, &ca, "slow").await?;
        let mut slow = Vec::with_capacity(publishers);
        for i in 0..publishers {
            slow.push(connected(&running, &identity, &format!("slow-{i}")).await?);
        }
        let flooding = Arc::new(admitted(&api, &ca, "flooding").await?);
        Ok(Self { _own: own, running, slow, flooding })
    }

    /// All slow publishers send so many messages each; the 99th percentile of the time to PUBACK, in µs.
    async fn percentile_99(&mut self, messages: usize) -> Result<f64> {
        let mut publishing = JoinSet::new();
        for (i, device) in self.slow.drain(..).enumerate() {
            publishing.spawn(publish(device, format!("slow/{i}"), messages));
        }
        let mut waits = Vec::new();
        for published in publishing.join_all().await {
            let (device, waited) = published?;
            self.slow.push(device);
            waits.extend(waited);
        }
        waits.sort_unstable();
        let at = (waits.len() * 99).div_ceil(100).saturating_sub(1);
        Ok(waits.get(at).context("nothing was published")?.as_secs_f64() * 1e6)
    }
}

async fn connected(running: &Running, identity: &Identity, client_id: &str) -> Result<Connected> {
    match Device::new(running, identity)?.connect(client_id).await? {
        Outcome::Connected(connected) => Ok(connected),
        Outcome::Refused(how) => bail!("{client_id} was refused: {how}"),
    }
}

/// One slow publisher's messages; how long each waited for its PUBACK.
async fn publish(mut device: Connected, topic_name: String, count: usize) -> Result<(Connected, Vec<Duration>)> {
    let mut pace = tokio::time::interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut waits = Vec::with_capacity(count);
    for _ in 0..count {
        pace.tick().await;
        let since = Instant::now();
        device.publish(&topic_name, &PAYLOAD).await.context("a slow publisher")?;
        waits.push(since.elapsed());
    }
    Ok((device, waits))
}

/// A publisher that sends as fast as the broker takes it, and a subscriber of that; on a thread of their own.
struct Flood {
    ends: Arc<AtomicBool>,
    poured: Arc<AtomicU64>,
    since: Instant,
    thread: thread::JoinHandle<Result<()>>,
}

impl Flood {
    async fn start(subject: &Subject) -> Result<Self> {
        let (ends, poured) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (running, identity) = (subject.running.clone(), Arc::clone(&subject.flooding));
        let (until, count) = (Arc::clone(&ends), Arc::clone(&poured));
        let thread = thread::spawn(move || {
            stand_back()?;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(pour(&running, &identity, &until, &count))
        });
        while poured.load(Ordering::Relaxed) == 0 && !thread.is_finished() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(Self { ends, poured, since: Instant::now(), thread })
    }

    /// Ends it; how many messages it sent per second.
    fn stop(self) -> Result<f64> {
        let per_second = self.poured.load(Ordering::Relaxed) as f64 / self.since.elapsed().as_secs_f64();
        self.ends.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow::anyhow!("the flood panicked"))??;
        Ok(per_second)
    }
}

/// Gives the calling thread the least priority.
fn stand_back() -> Result<()> {
    let thread = fs::read_link("/proc/thread-self")?;
    let id = thread.file_name().context("/proc/thread-self names a thread")?;
    let output = Command::new("renice").args(["-n", "19", "-p"]).arg(id).output().context("cannot run renice")?;
    ensure!(output.status.success(), "renice: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

async fn pour(running: &Running, identity: &Identity, ends: &AtomicBool, poured: &AtomicU64) -> Result<()> {
    let mut subscriber = connected(running, identity, "swallows").await?;
    subscriber.subscribe("flood").await?;
    let mut publisher = connected(running, identity, "floods").await?;
    let swallowing = tokio::spawn(async move { subscriber.swallow().await });
    while !ends.load(Ordering::Relaxed) && !swallowing.is_finished() {
        publisher.pour("flood", &PAYLOAD, POURED).await.context("the flooding publisher")?;
        poured.fetch_add(POURED as u64, Ordering::Relaxed);
    }
    swallowing.abort();
    match swallowing.await {
        Ok(ended) => bail!("the flood's subscriber lost its connection: {ended:?}"),
        Err(_) => Ok(()), // it listened until it was told to stop
    }
}
