//! `cargo xtask bench revocation`: how soon every live connection of a certificate ends once it is revoked.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tidegate_fleet::{Api, Connected, Device, FleetCa, FleetError, Identity, Launch, Outcome, OwnBroker, Running};
use tokio::task::JoinSet;

use super::{
    figures::{Figures, Series},
    place::{MachineClock, Place},
    rates::{POLICY, admitted},
};

/// The last of the connections is gone this long after UpdateCertificate was called, at most.
const LIMIT: Duration = Duration::from_millis(100);
/// How many devices connect at a time.
const CONNECTING: usize = 64;

/// Options of `bench revocation`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(super) place: Place,
    /// Rounds; each revokes one certificate.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Live connections of that certificate.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    connections: usize,
}

/// Fails when the median round takes longer than the limit.
pub(super) fn run(options: &Options) -> Result<()> {
    let cpu = options.place.take();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (from_call, from_answer) = runtime.block_on(rounds(options, cpu))?;
    let median = from_call.median();
    let mut figures = Figures::new("revocation");
    let connections = options.connections;
    figures.tell(format!("last of {connections} connections cut, after the call"), from_call, "ms");
    figures.tell(format!("last of {connections} connections cut, after the answer"), from_answer, "ms");
    figures.print();
    ensure!(median <= LIMIT.as_secs_f64() * 1e3, "revocation took {median:.0} ms, over {} ms", LIMIT.as_millis());
    Ok(())
}

async fn rounds(options: &Options, cpu: Option<usize>) -> Result<(Series, Series)> {
    let subject = Subject::start(options.place.launch(cpu)?).await?;
    let (mut from_call, mut from_answer) = (Series::default(), Series::default());
    // Round 0 warms up, and is not counted.
    for round in 0..=options.rounds {
        let identity = admitted(&subject.api, &subject.ca, &format!("revoked-{round}")).await?;
        let connected = connect(&subject.running, &identity, options.connections, round).await?;
        let (call, answer, last) = revoke(&subject.api, &identity, connected).await?;
        let millis = |since: Instant| last.saturating_duration_since(since).as_secs_f64() * 1e3;
        eprintln!(
            "round {round}: cut {:.1} ms after the call, {:.1} ms after its answer",
            millis(call),
            millis(answer)
        );
        if round > 0 {
            from_call.0.push(millis(call));
            from_answer.0.push(millis(answer));
        }
    }
    Ok((from_call, from_answer))
}

/// A broker with a CA and a policy.
struct Subject {
    _own: OwnBroker,
    running: Running,
    api: Api,
    ca: FleetCa,
}

impl Subject {
    async fn start(launch: Launch) -> Result<Self> {
        let (own, running) = launch.start()?;
        let api = Api::new(running.clone(), Arc::new(MachineClock::start()))?;
        let ca = FleetCa::new("bench CA")?;
        api.register_ca(&ca).await.context("registering a CA")?;
        api.create_open_policy(POLICY).await?;
        Ok(Self { _own: own, running, api, ca })
    }
}

/// Live connections, each with a client id of its own, all with one certificate.
async fn connect(running: &Running, identity: &Identity, count: usize, round: u32) -> Result<Vec<Connected>> {
    let mut connected = Vec::with_capacity(count);
    let mut arriving = JoinSet::new();
    for i in 0..count {
        if arriving.len() == CONNECTING {
            connected.extend(arrived(&mut arriving).await?);
        }
        let device = Device::new(running, identity)?;
        arriving.spawn(async move { device.connect(&format!("device-{round}-{i}")).await });
    }
    while let Some(one) = arrived(&mut arriving).await? {
        connected.push(one);
    }
    Ok(connected)
}

/// The next device that has connected; `None` when all have.
async fn arrived(arriving: &mut JoinSet<Result<Outcome, FleetError>>) -> Result<Option<Connected>> {
    match arriving.join_next().await.transpose()?.transpose()? {
        None => Ok(None),
        Some(Outcome::Connected(connected)) => Ok(Some(connected)),
        Some(Outcome::Refused(how)) => bail!("a device was refused: {how}"),
    }
}

/// When UpdateCertificate was called, when it answered, and when the last connection ended.
async fn revoke(api: &Api, identity: &Identity, connected: Vec<Connected>) -> Result<(Instant, Instant, Instant)> {
    let mut cut = JoinSet::new();
    for mut device in connected {
        cut.spawn(async move { device.closed().await.map(|()| Instant::now()) });
    }
    tokio::task::yield_now().await; // all of them listen before the call is made
    let call = Instant::now();
    api.call("PUT", &format!("/certificates/{}?newStatus=REVOKED", identity.certificate_id()), Value::Null).await?;
    let answer = Instant::now();
    let mut last = answer;
    for ended in cut.join_all().await {
        last = last.max(ended.context("a connection outlived its certificate")?);
    }
    Ok((call, answer, last))
}
