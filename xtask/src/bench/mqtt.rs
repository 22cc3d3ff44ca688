//! `cargo xtask bench mqtt`: messages beside a broker that only relays, driven by the load generator mqload.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{
    figures::{Figures, Series},
    place::Place,
};

/// How long the null broker may take to listen.
const PATIENCE: Duration = Duration::from_secs(10);

/// One thread, as the null broker has one, and a listener without TLS.
const CONFIG: &str = r#"
[mqtt]
cores = 1

[[mqtt.listener]]
name = "bench"
address = "127.0.0.1"
port = 0
transport = "plain"
"#;

/// Options of `bench mqtt`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(super) place: Place,
    /// The load generator's program.
    #[arg(long, value_name = "PATH")]
    mqload: PathBuf,
    /// Rounds of each scenario; each runs both brokers.
    #[arg(long, value_name = "N", default_value_t = 5)]
    rounds: u32,
    /// Seconds that are measured of each run.
    #[arg(long, value_name = "SECONDS", default_value_t = 3)]
    seconds: u32,
    /// Which scenarios: p2p_qN (20 pairs, 50 messages unfinished each), sparse_qN (500 pairs, 1 each); N is the QoS.
    #[arg(value_name = "SCENARIO", default_values = ["p2p_q0", "p2p_q1", "sparse_q0", "sparse_q1"])]
    scenarios: Vec<String>,
}

/// Runs every scenario, alternating.
pub(super) fn run(options: &Options) -> Result<()> {
    ensure!(options.mqload.exists(), "there is no {}", options.mqload.display());
    let cpu = options.place.take();
    let (_own, running) = options.place.launch(cpu)?.config(CONFIG).start()?;
    let null = NullBroker::start(&options.mqload, cpu)?;
    let ours = (running.listener_port("bench")?, running.pid);
    let floor = (null.port, null.child.id());
    let mut figures = Figures::new("mqtt");
    for scenario in &options.scenarios {
        let arguments = arguments(scenario, options.seconds)?;
        let mut seen: [Kind; 2] = Default::default();
        for round in 1..=options.rounds {
            for (kind, (port, pid)) in seen.iter_mut().zip([ours, floor]) {
                kind.note(&load(&options.mqload, &arguments, port, pid)?).with_context(|| {
                    format!("{scenario}, {}", if port == ours.0 { "tidegate" } else { "null broker" })
                })?;
            }
            let [a, b] = &seen;
            let newest = |series: &Series| series.0.last().copied().unwrap_or(f64::NAN);
            eprintln!(
                "{scenario} {round}: per second {:.0} and {:.0}, server CPU µs {:.2} and {:.2}",
                newest(&a.per_second),
                newest(&b.per_second),
                newest(&a.cpu_us),
                newest(&b.cpu_us)
            );
        }
        let [tidegate, null] = seen;
        figures.tell(format!("{scenario}: tidegate / null, server CPU"), tidegate.cpu_us.ratio(&null.cpu_us), "");
        figures.tell(format!("{scenario}: tidegate / null, rate"), tidegate.per_second.ratio(&null.per_second), "");
        for (name, kind) in [("tidegate", tidegate), ("null", null)] {
            figures.tell(format!("{scenario}: {name}, server CPU"), kind.cpu_us, "µs");
            figures.tell(format!("{scenario}: {name}, rate"), kind.per_second, "1/s");
        }
    }
    figures.print();
    Ok(())
}

#[derive(Default)]
struct Kind {
    per_second: Series,
    cpu_us: Series,
}

impl Kind {
    /// Takes the figures of a run in which nothing was lost, doubled or reordered.
    fn note(&mut self, line: &Value) -> Result<()> {
        ensure!(line["correct"] == true, "not correct: {line}");
        let number = |member: &str| line[member].as_f64().with_context(|| format!("no {member} in {line}"));
        self.per_second.0.push(number("msgs_per_s")?);
        self.cpu_us.0.push(number("server_cpu_us_per_op")?);
        Ok(())
    }
}

/// mqload's arguments for a scenario.
fn arguments(scenario: &str, seconds: u32) -> Result<Vec<String>> {
    let shape = match scenario.split_once("_q") {
        Some(("p2p", "0" | "1" | "2")) => ["-n", "20", "--inflight", "50"],
        Some(("sparse", "0" | "1" | "2")) => ["-n", "500", "--inflight", "1"],
        _ => anyhow::bail!("there is no scenario {scenario}"),
    };
    let qos = &scenario[scenario.len() - 1..];
    let seconds = seconds.to_string();
    let rest = ["--qos", qos, "--secs", &seconds, "--warmup", "0.5"];
    Ok(std::iter::once("p2p").chain(shape).chain(rest).map(str::to_owned).collect())
}

/// One run; its result line. The generator is on our core: it inherits it.
fn load(mqload: &Path, arguments: &[String], port: u16, pid: u32) -> Result<Value> {
    let output = Command::new(mqload)
        .args(arguments)
        .args(["--host", "127.0.0.1", "--port", &port.to_string(), "--server-pid", &pid.to_string()])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {}", mqload.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().rfind(|line| line.starts_with('{'));
    Ok(serde_json::from_str(line.with_context(|| format!("mqload says nothing ({})", output.status))?)?)
}

/// A broker that only relays; it ends with this value.
struct NullBroker {
    child: Child,
    port: u16,
}

impl NullBroker {
    fn start(mqload: &Path, cpu: Option<usize>) -> Result<Self> {
        // It cannot choose a port by itself.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut command = match cpu {
            None => Command::new(mqload),
            Some(cpu) => {
                let mut command = Command::new("taskset");
                command.args(["--cpu-list", &cpu.to_string()]).arg(mqload);
                command
            }
        };
        let child =
            command.args(["null-broker", "--bind", &format!("127.0.0.1:{port}")]).stdin(Stdio::null()).spawn()?;
        let own = Self { child, port };
        let (since, address) = (Instant::now(), SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        while TcpStream::connect(address).is_err() {
            ensure!(since.elapsed() < PATIENCE, "the null broker does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        Ok(own)
    }
}

impl Drop for NullBroker {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have ended
        let _ = self.child.wait();
    }
}
