//! `cargo xtask bench logging`: what log entries of messages cost, by the level that the account asks for.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tidegate_fleet::{Api, Connected, Device, FleetCa, Identity, Launch, Outcome, OwnBroker, Running, usage};

use super::{
    figures::{Figures, Series},
    place::{MachineClock, Place},
    rates::{POLICY, admitted},
};

/// Payload of every message, in bytes.
const PAYLOAD: [u8; 64] = [b'x'; 64];
/// Messages of QoS 0 in one write; one of QoS 1 behind them, to nobody, says when they are through.
const POURED: usize = 100;
/// What was logged is on disk once the broker has used no more than `IDLE` in so long: a batch lingers for a tenth of a second.
const SETTLED: Duration = Duration::from_millis(400);
const IDLE: Duration = Duration::from_millis(2);

/// Options of `bench logging`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(super) place: Place,
    /// Rounds; each measures all levels.
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Writes of 100 messages for each level of a round; two entries a message have to fit the broker's queue of 32 768.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=150))]
    writes: u32,
}

/// What the account asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// Nothing.
    Disabled,
    /// Only what one client does, and that is another one: entries are put together, and thrown away.
    OfAnother,
    /// What succeeds.
    Info,
    /// Everything.
    Debug,
}

impl Asked {
    const ALL: [Self; 4] = [Self::Disabled, Self::OfAnother, Self::Info, Self::Debug];

    fn name(self) -> &'static str {
        match self {
            Self::Disabled => "DISABLED",
            Self::OfAnother => "INFO for another client",
            Self::Info => "INFO",
            Self::Debug => "DEBUG",
        }
    }

    fn default_level(self) -> &'static str {
        match self {
            Self::Disabled | Self::OfAnother => "DISABLED",
            Self::Info => "INFO",
            Self::Debug => "DEBUG",
        }
    }
}

/// Measures and tells.
pub(super) fn run(options: &Options) -> Result<()> {
    let cpu = options.place.take();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let seen = runtime.block_on(rounds(options, cpu))?;
    let mut figures = Figures::new("logging");
    for (asked, series) in &seen {
        figures.tell(format!("{}: server CPU of a message to one subscriber", asked.name()), series.clone(), "µs");
    }
    let disabled = &seen[0].1;
    for (asked, series) in &seen[1..] {
        figures.tell(format!("{} / DISABLED", asked.name()), series.ratio(disabled), "");
    }
    figures.print();
    Ok(())
}

async fn rounds(options: &Options, cpu: Option<usize>) -> Result<Vec<(Asked, Series)>> {
    let mut subject = Subject::start(options.place.launch(cpu)?).await?;
    let mut seen: Vec<(Asked, Series)> = Asked::ALL.map(|asked| (asked, Series::default())).into();
    // Round 0 warms up, and is not counted.
    for round in 0..=options.rounds {
        for (asked, series) in &mut seen {
            subject.ask(*asked).await?;
            let each = subject.cpu_of_a_message(options.writes).await?;
            eprintln!("round {round}, {}: {each:.2} µs", asked.name());
            if round > 0 {
                series.0.push(each);
            }
        }
    }
    Ok(seen)
}

/// A broker, a publisher, and a subscriber that takes all.
struct Subject {
    _own: OwnBroker,
    running: Running,
    api: Api,
    publisher: Connected,
    subscriber: tokio::task::JoinHandle<()>,
}

impl Drop for Subject {
    fn drop(&mut self) {
        self.subscriber.abort();
    }
}

impl Subject {
    async fn start(launch: Launch) -> Result<Self> {
        let (own, running) = launch.start()?;
        let api = Api::new(running.clone(), Arc::new(MachineClock::start()))?;
        let ca = FleetCa::new("bench CA")?;
        api.register_ca(&ca).await.context("registering a CA")?;
        api.create_open_policy(POLICY).await?;
        let identity = admitted(&api, &ca, "logged").await?;
        let mut subscriber = connected(&running, &identity, "takes").await?;
        subscriber.subscribe("logged/#").await?;
        let publisher = connected(&running, &identity, "sends").await?;
        let subscriber = tokio::spawn(async move { drop(subscriber.swallow().await) });
        Ok(Self { _own: own, running, api, publisher, subscriber })
    }

    async fn ask(&self, asked: Asked) -> Result<()> {
        let role = "arn:aws:iam::123456789012:role/any";
        let options = json!({ "defaultLogLevel": asked.default_level(), "roleArn": role });
        self.api.call("POST", "/v2LoggingOptions", options).await.context("the logging options")?;
        let target = json!({ "targetType": "CLIENT_ID", "targetName": "another" });
        if asked == Asked::OfAnother {
            let level = json!({ "logTarget": target, "logLevel": "INFO" });
            self.api.call("POST", "/v2LoggingLevel", level).await.context("a logging level")?;
        } else {
            let level = "/v2LoggingLevel?targetType=CLIENT_ID&targetName=another";
            self.api.call("DELETE", level, Value::Null).await.context("no logging level")?;
        }
        Ok(())
    }

    /// In µs; what is logged is on disk by then.
    async fn cpu_of_a_message(&mut self, writes: u32) -> Result<f64> {
        let pid = self.running.pid;
        let before = usage::of(pid)?.cpu;
        for _ in 0..writes {
            self.publisher.pour("logged/topic", &PAYLOAD, POURED).await.context("the publisher")?;
            self.publisher.publish("through", &[]).await.context("the publisher")?;
        }
        let mut after = usage::of(pid)?.cpu;
        loop {
            tokio::time::sleep(SETTLED).await;
            let before = std::mem::replace(&mut after, usage::of(pid)?.cpu);
            if after.saturating_sub(before) <= IDLE {
                break;
            }
        }
        let cpu = after.saturating_sub(before);
        if self.subscriber.is_finished() {
            bail!("the subscriber lost its connection");
        }
        Ok(cpu.as_secs_f64() * 1e6 / (f64::from(writes) * POURED as f64))
    }
}

async fn connected(running: &Running, identity: &Identity, client_id: &str) -> Result<Connected> {
    match Device::new(running, identity)?.connect(client_id).await? {
        Outcome::Connected(connected) => Ok(connected),
        Outcome::Refused(how) => bail!("{client_id} was refused: {how}"),
    }
}
