//! Connects per second, alternating: bare rustls, known certificates, first connections that register themselves.

use std::{
    collections::HashSet,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tidegate_fleet::{
    Api, Arrivals, Arrived, Caller, Connected, Device, FleetCa, Identity, Launch, Outcome, OwnBroker, Running, Until,
    measured_suite, usage,
};
use tidegate_ids::CertificateId;

use super::{
    bare::BareServer,
    figures::{Figures, Series},
    place::MachineClock,
    registry::Options,
};

/// Allows everything.
pub(super) const POLICY: &str = "bench";

/// A broker with a registered CA, certificates it knows, and somebody who listens for registrations.
pub(super) struct Subject {
    pub(super) own: OwnBroker,
    pub(super) running: Running,
    pub(super) ca: Arc<FleetCa>,
    ca_id: String,
    pub(super) known: Vec<Caller>,
    watcher_identity: Identity,
    pub(super) watcher: Connected,
}

/// What was seen of one kind, round by round.
#[derive(Default)]
struct Kind {
    per_second: Series,
    cpu_us: Series,
    generator_busy: Series,
}

/// Rates of all three kinds, and that what was registered outlives a kill.
pub(super) async fn measure(options: &Options, cpu: Option<usize>, figures: &mut Figures) -> Result<()> {
    let bare_server = BareServer::start(cpu)?;
    eprintln!("every handshake is one of {:?}", measured_suite().suite());
    let mut subject = Subject::start(options.place.launch(cpu)?, options.parallel).await?;
    let (mut bare, mut known, mut registered) = (Kind::default(), Kind::default(), Kind::default());
    let mut all = HashSet::new();
    // Round 0 warms up, and is not counted.
    for round in 0..=options.rounds {
        let devices = if round == 0 { options.devices.min(2 * options.parallel) } else { options.devices };
        let known_devices: Vec<Caller> = subject.known.iter().cycle().take(devices).cloned().collect();
        let leaves = Leaves::make(&subject.ca, round, devices)?;
        let arrivals = |address, until| arrivals(address, options.parallel, until);
        let at = subject.address();
        let window = Window::open(bare_server.pid())?;
        let a = window.close(arrivals(bare_server.address, Until::Closed).run(&known_devices).await)?;
        let window = Window::open(subject.running.pid)?;
        let b = window.close(arrivals(at, Until::Connected).run(&known_devices).await)?;
        let window = Window::open(subject.running.pid)?;
        let first = arrivals(at, Until::Refused);
        let (arrived, events) = tokio::join!(first.run(&leaves.callers), events(&mut subject.watcher, &leaves.ids));
        events?;
        let c = window.close(arrived)?;
        all.extend(leaves.ids);
        eprintln!(
            "round {round}: per second: bare {:.0}, known {:.0}, registered {:.0}; server CPU µs: {:.0}, {:.0}, {:.0}",
            a.per_second, b.per_second, c.per_second, a.cpu_us, b.cpu_us, c.cpu_us
        );
        if round > 0 {
            bare.note(a);
            known.note(b);
            registered.note(c);
        }
    }
    drop(bare_server);
    subject.survives_a_kill(&all).await?;
    tell(figures, &bare, &known, &registered);
    Ok(())
}

/// A round of known certificates and one of registrations, at a broker that ends as it does in production.
pub(super) async fn profile_load(launch: Launch) -> Result<()> {
    const PARALLEL: usize = 64;
    const DEVICES: usize = 600;
    let mut subject = Subject::start(launch, PARALLEL).await?;
    let known: Vec<Caller> = subject.known.iter().cycle().take(DEVICES).cloned().collect();
    let leaves = Leaves::make(&subject.ca, 1, DEVICES)?;
    let arrivals = |until| arrivals(subject.address(), PARALLEL, until);
    let connected = arrivals(Until::Connected).run(&known).await;
    let first = arrivals(Until::Refused);
    let (refused, events) = tokio::join!(first.run(&leaves.callers), events(&mut subject.watcher, &leaves.ids));
    events?;
    for arrived in [connected, refused] {
        ensure!(arrived.failed.is_empty(), "not every device got the answer it should: {:?}", arrived.failed);
    }
    Ok(subject.own.stop()?)
}

fn arrivals(address: SocketAddr, parallel: usize, until: Until) -> Arrivals {
    Arrivals { address, server_name: "localhost".try_into().expect("a host name"), parallel, until }
}

fn tell(figures: &mut Figures, bare: &Kind, known: &Kind, registered: &Kind) {
    for (name, kind) in [
        ("bare rustls handshakes", bare),
        ("connects of known certificates", known),
        ("just-in-time registrations", registered),
    ] {
        figures.tell(name, kind.per_second.clone(), "1/s");
        figures.tell(format!("{name}: server CPU"), kind.cpu_us.clone(), "µs");
        figures.tell(format!("{name}: generator busy"), kind.generator_busy.clone(), "of a core");
    }
    figures.tell("known / bare, rate", known.per_second.ratio(&bare.per_second), "");
    figures.tell("registrations / bare, rate", registered.per_second.ratio(&bare.per_second), "");
    figures.tell("bare / known, server CPU", bare.cpu_us.ratio(&known.cpu_us), "");
    figures.tell("bare / registrations, server CPU", bare.cpu_us.ratio(&registered.cpu_us), "");
}

impl Subject {
    /// Starts it, registers a CA with auto-registration and `known` certificates of it that may do everything.
    pub(super) async fn start(launch: Launch, known: usize) -> Result<Self> {
        let (own, running) = launch.start()?;
        let api = Api::new(running.clone(), Arc::new(MachineClock::start()))?;
        let ca = Arc::new(FleetCa::new("bench CA")?);
        let ca_id = api.register_ca(&ca).await.context("registering a CA")?;
        api.create_open_policy(POLICY).await?;
        let mut callers = Vec::with_capacity(known);
        for i in 0..known {
            let device = admitted(&api, &ca, &format!("known-{i}")).await?;
            callers.push(Caller::new(&device, &format!("known-{i}"))?);
        }
        let watcher_identity = admitted(&api, &ca, "watcher").await?;
        let watcher = watch(&running, &watcher_identity).await?;
        Ok(Self { own, running, ca, ca_id, known: callers, watcher_identity, watcher })
    }

    /// Kills it, lets `change` do something to its data, and starts it again. How long the start took.
    pub(super) async fn restart_after(&mut self, change: impl AsyncFnOnce(&Self) -> Result<()>) -> Result<Duration> {
        self.own.kill()?;
        change(self).await?;
        let since = Instant::now();
        self.running = self.own.restart()?;
        let took = since.elapsed();
        self.watch_again().await?;
        Ok(took)
    }

    /// A new connection for the watcher: the one it has may have been idle for too long.
    pub(super) async fn watch_again(&mut self) -> Result<()> {
        self.watcher = watch(&self.running, &self.watcher_identity).await?;
        Ok(())
    }

    /// Where devices connect: the broker listens on loopback.
    pub(super) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.running.mqtt_port).into()
    }

    /// Kills the broker, starts it again, and looks for every certificate whose event was seen.
    async fn survives_a_kill(mut self, all: &HashSet<CertificateId>) -> Result<()> {
        self.running = self.own.kill_and_restart()?;
        let api = Api::new(self.running.clone(), Arc::new(MachineClock::start()))?;
        let mut missing = all.clone();
        let mut marker = None;
        loop {
            let from = marker.map_or(String::new(), |marker: String| format!("&marker={}", escaped(&marker)));
            let path = format!("/certificates-by-ca/{}?pageSize=250{from}", self.ca_id);
            let page = api.call("GET", &path, Value::Null).await?;
            for certificate in page["certificates"].as_array().into_iter().flatten() {
                if let Some(id) = certificate["certificateId"].as_str() {
                    missing.remove(&id.parse()?);
                }
            }
            match page["nextMarker"].as_str() {
                Some(next) => marker = Some(next.to_owned()),
                None => break,
            }
        }
        ensure!(missing.is_empty(), "{} of {} certificates are lost by a kill", missing.len(), all.len());
        eprintln!("killed and started again: all {} registered certificates are there", all.len());
        Ok(())
    }
}

/// A registered, ACTIVE certificate with a policy that allows everything.
pub(super) async fn admitted(api: &Api, ca: &FleetCa, common_name: &str) -> Result<Identity> {
    let identity = ca.sign(common_name)?;
    let arn = api.register_certificate(ca, &identity).await.context("registering a certificate")?;
    api.attach_policy(POLICY, &arn).await?;
    Ok(identity)
}

/// Somebody who sees every registration.
async fn watch(running: &Running, identity: &Identity) -> Result<Connected> {
    let mut watcher = match Device::new(running, identity)?.connect("watcher").await? {
        Outcome::Connected(connected) => connected,
        Outcome::Refused(how) => bail!("the watcher was refused: {how}"),
    };
    watcher.subscribe("$aws/events/certificates/registered/+").await?;
    Ok(watcher)
}

/// Devices that nobody has seen.
pub(super) struct Leaves {
    pub(super) callers: Vec<Caller>,
    pub(super) ids: HashSet<CertificateId>,
}

impl Leaves {
    pub(super) fn make(ca: &FleetCa, round: u32, count: usize) -> Result<Self> {
        let mut leaves = Self { callers: Vec::with_capacity(count), ids: HashSet::with_capacity(count) };
        for i in 0..count {
            let name = format!("new-{round}-{i}");
            let identity = ca.sign(&name)?;
            leaves.ids.insert(identity.certificate_id());
            leaves.callers.push(Caller::new(&identity, &name)?);
        }
        Ok(leaves)
    }
}

/// Waits for one event for each of `ids`, and none for another or twice.
pub(super) async fn events(watcher: &mut Connected, ids: &HashSet<CertificateId>) -> Result<()> {
    let mut waiting = ids.clone();
    while !waiting.is_empty() {
        let message = watcher.message().await.with_context(|| format!("{} events are missing", waiting.len()))?;
        let event: Value = serde_json::from_slice(&message.payload)?;
        let id = event["certificateId"].as_str().context("the event has no certificateId")?.parse()?;
        ensure!(waiting.remove(&id), "an event came twice, or for a certificate of nobody: {event}");
    }
    ensure!(watcher.waiting().is_none(), "more events came than devices");
    Ok(())
}

/// What a server and the generator use while something is measured.
pub(super) struct Window {
    pid: u32,
    since: Instant,
    server: Duration,
    generator: Duration,
}

/// One kind in one round.
pub(super) struct Measured {
    per_second: f64,
    pub(super) cpu_us: f64,
    generator_busy: f64,
}

impl Window {
    pub(super) fn open(pid: u32) -> Result<Self> {
        let generator = usage::of(std::process::id())?.cpu;
        Ok(Self { pid, generator, server: usage::of(pid)?.cpu, since: Instant::now() })
    }

    pub(super) fn close(self, arrived: Arrived) -> Result<Measured> {
        let took = self.since.elapsed();
        let server = usage::of(self.pid)?.cpu.saturating_sub(self.server);
        let generator = usage::of(std::process::id())?.cpu.saturating_sub(self.generator);
        ensure!(arrived.failed.is_empty(), "not every device got the answer it should: {:?}", arrived.failed);
        let count = arrived.count as f64;
        Ok(Measured {
            per_second: count / took.as_secs_f64(),
            cpu_us: server.as_secs_f64() * 1e6 / count,
            generator_busy: generator.as_secs_f64() / took.as_secs_f64(),
        })
    }
}

impl Kind {
    fn note(&mut self, measured: Measured) {
        self.per_second.0.push(measured.per_second);
        self.cpu_us.0.push(measured.cpu_us);
        self.generator_busy.0.push(measured.generator_busy);
    }
}

/// As a value in a query.
pub(super) fn escaped(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}
