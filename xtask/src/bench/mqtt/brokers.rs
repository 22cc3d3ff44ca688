//! The servers that are measured: Tidegate, the null broker, Mosquitto.

use std::{
    fmt, fs,
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tidegate_fleet::{Api, FleetCa, Identity, OwnBroker};

use super::super::place::{MachineClock, Place};
use crate::load::{Offer, Server, Tls};

/// Who is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Floor,
    Tidegate,
    Mosquitto,
}

/// What a group of rows needs beside the plain listeners.
#[derive(Debug, Clone, Copy)]
pub(super) struct Needs {
    pub(super) tls: bool,
    /// A Tidegate that keeps nothing on disk.
    pub(super) in_memory: bool,
    /// A Tidegate with two cores.
    pub(super) two_cores: bool,
}

/// All that were started; they end with this value.
pub(super) struct Brokers {
    tidegate: Tidegate,
    pub(super) in_memory: Option<Tidegate>,
    pub(super) two_cores: Option<Tidegate>,
    floor: Null,
    floor_tls: Option<Null>,
    mosquitto: Option<Mosquitto>,
    clients: Option<Clients>,
}

/// What clients show on the listeners with TLS; distinct certificates, each for several connections.
struct Clients {
    ca: FleetCa,
    identities: Vec<Identity>,
}

/// How many there are.
const IDENTITIES: usize = 256;
/// How long a server may take to listen.
const PATIENCE: Duration = Duration::from_secs(10);

/// A usual policy: four statements, one with a variable, one that denies. Client ids and topics of the generator begin with `bench`.
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[
{"Effect":"Allow","Action":"iot:Connect","Resource":"arn:aws:iot:*:*:client/bench*"},
{"Effect":"Allow","Action":["iot:Publish","iot:Receive","iot:RetainPublish"],"Resource":["arn:aws:iot:*:*:topic/${iot:ClientId}/*","arn:aws:iot:*:*:topic/bench*"]},
{"Effect":"Allow","Action":"iot:Subscribe","Resource":"arn:aws:iot:*:*:topicfilter/*"},
{"Effect":"Deny","Action":"iot:Publish","Resource":"arn:aws:iot:*:*:topic/bench/forbidden/*"}]}"#;

impl Brokers {
    pub(super) fn start(place: &Place, cpu: Option<usize>, mosquitto: &Path, needs: Needs) -> Result<Self> {
        let clients = needs.tls.then(Clients::make).transpose()?;
        let tidegate = |persistence, cores, cpu| Tidegate::start(place, cpu, persistence, cores);
        let brokers = Self {
            tidegate: tidegate(true, 1, cpu)?,
            in_memory: needs.in_memory.then(|| tidegate(false, 1, cpu)).transpose()?,
            two_cores: needs.two_cores.then(|| tidegate(true, 2, None)).transpose()?,
            floor: Null::start(cpu, None)?,
            floor_tls: clients.as_ref().map(|clients| Null::start(cpu, Some(&clients.ca))).transpose()?,
            mosquitto: Mosquitto::start(mosquitto, cpu, clients.as_ref().map(|clients| &clients.ca))?,
            clients,
        };
        if let Some(Clients { ca, identities }) = &brokers.clients {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(admit(&brokers.tidegate, ca, identities))?;
        }
        Ok(brokers)
    }

    /// Ends them; Tidegate as it ends in production.
    pub(super) fn stop(self) -> Result<()> {
        [Some(self.tidegate), self.in_memory, self.two_cores].into_iter().flatten().try_for_each(Tidegate::stop)
    }

    pub(super) fn has(&self, who: Who) -> bool {
        who != Who::Mosquitto || self.mosquitto.is_some()
    }

    /// Its plain listener.
    pub(super) fn plain(&self, who: Who) -> Result<Server> {
        match who {
            Who::Floor => Ok(server(self.floor.address, self.floor.child.id())),
            Who::Tidegate => self.tidegate.plain(),
            Who::Mosquitto => {
                let mosquitto = self.mosquitto.as_ref().context("there is no Mosquitto")?;
                Ok(server(mosquitto.plain, mosquitto.child.id()))
            }
        }
    }

    /// Its listener with mutual TLS; with `resume`, clients keep tickets.
    pub(super) fn tls(&self, who: Who, resume: bool, offer: Offer) -> Result<Server> {
        let clients = self.clients.as_ref().context("no certificates were made")?;
        let plain = match who {
            Who::Floor => {
                let floor = self.floor_tls.as_ref().context("the null broker has no TLS")?;
                server(floor.address, floor.child.id())
            }
            Who::Tidegate => server(local(self.tidegate.running.mqtt_port), self.tidegate.running.pid),
            Who::Mosquitto => {
                let mosquitto = self.mosquitto.as_ref().context("there is no Mosquitto")?;
                server(mosquitto.tls.context("Mosquitto has no TLS")?, mosquitto.child.id())
            }
        };
        Ok(Server { tls: Some(Tls::new(&clients.identities, resume, offer)?), ..plain })
    }
}

fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

fn server(address: SocketAddr, pid: u32) -> Server {
    Server { address, tls: None, pid }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Floor => "floor",
            Self::Tidegate => "Tidegate",
            Self::Mosquitto => "Mosquitto",
        })
    }
}

impl Clients {
    fn make() -> Result<Self> {
        let ca = FleetCa::new("bench CA")?;
        let identities = (0..IDENTITIES).map(|number| ca.sign(&format!("bench-{number}"))).collect::<Result<_, _>>()?;
        Ok(Self { ca, identities })
    }
}

/// Registers the CA and the certificates, each with the policy.
async fn admit(tidegate: &Tidegate, ca: &FleetCa, identities: &[Identity]) -> Result<()> {
    const NAME: &str = "bench";
    let api = Api::new(tidegate.running.clone(), Arc::new(MachineClock::start()))?;
    api.register_ca(ca).await.context("registering a CA")?;
    api.call("POST", &format!("/policies/{NAME}"), json!({ "policyDocument": POLICY })).await?;
    for identity in identities {
        let arn = api.register_certificate(ca, identity).await.context("registering a certificate")?;
        api.attach_policy(NAME, &arn).await?;
    }
    Ok(())
}

/// Tidegate as it is delivered, but for its number of cores, with a plain listener beside.
pub(super) struct Tidegate {
    running: tidegate_fleet::Running,
    own: OwnBroker,
}

impl Tidegate {
    fn start(place: &Place, cpu: Option<usize>, persistence: bool, cores: u16) -> Result<Self> {
        let config = format!(
            "[mqtt]\ncores = {cores}\npersistence = {persistence}\n\n[[mqtt.listener]]\nname = \"bench\"\n\
             address = \"127.0.0.1\"\nport = 0\ntransport = \"plain\"\nanonymous_policy = '''{POLICY}'''\n"
        );
        let (own, running) = place.launch(cpu)?.config(config).start()?;
        Ok(Self { running, own })
    }

    fn stop(self) -> Result<()> {
        Ok(self.own.stop()?)
    }

    pub(super) fn plain(&self) -> Result<Server> {
        Ok(server(local(self.running.listener_port("bench")?), self.running.pid))
    }
}

/// A command, on a core.
fn on_cpu(program: &Path, cpu: Option<usize>) -> Command {
    let Some(cpu) = cpu else { return Command::new(program) };
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", &cpu.to_string()]).arg(program);
    command
}

/// The null broker.
struct Null {
    child: Child,
    address: SocketAddr,
    /// It ends when its standard input does, even if this program is killed.
    _input: ChildStdin,
}

impl Null {
    fn start(cpu: Option<usize>, ca: Option<&FleetCa>) -> Result<Self> {
        let mut command = on_cpu(&std::env::current_exe()?, cpu);
        command.args(["bench", "null-broker"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        if ca.is_some() {
            command.arg("--tls");
        }
        let mut child = command.spawn()?;
        let mut input = child.stdin.take().expect("it is piped");
        if let Some(ca) = ca {
            let shown = ca.sign_server("localhost")?;
            for pem in [&shown.pem, &key_pem(&shown), &ca.pem] {
                input.write_all(pem.as_bytes())?;
                input.write_all(&[0])?;
            }
            input.flush()?;
        }
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut line)?;
        let address = line.trim().parse().context("the null broker does not say where it listens")?;
        Ok(Self { child, address, _input: input })
    }
}

impl Drop for Null {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have ended
        let _ = self.child.wait();
    }
}

/// Mosquitto without access control, persistence, log and limits.
struct Mosquitto {
    child: Child,
    plain: SocketAddr,
    tls: Option<SocketAddr>,
    directory: PathBuf,
}

impl Mosquitto {
    /// `None` where it is not installed.
    fn start(program: &Path, cpu: Option<usize>, ca: Option<&FleetCa>) -> Result<Option<Self>> {
        let Some(program) = installed(program) else { return Ok(None) };
        let directory = std::env::temp_dir().join(format!("mosquitto-{}-{}", std::process::id(), free_port()?));
        fs::create_dir_all(&directory)?;
        let plain = local(free_port()?);
        let mut config = format!(
            "user root\nallow_anonymous true\npersistence false\nlog_dest none\nset_tcp_nodelay true\n\
             max_inflight_messages 0\nmax_queued_messages 0\nlistener {} 127.0.0.1\n",
            plain.port()
        );
        let mut tls = None;
        if let Some(ca) = ca {
            let shown = ca.sign_server("localhost")?;
            let files = [("ca.pem", &ca.pem), ("server.pem", &shown.pem), ("server.key", &key_pem(&shown))];
            for (name, text) in files {
                fs::write(directory.join(name), text)?;
            }
            let address = local(free_port()?);
            let at = directory.display();
            config += &format!(
                "listener {} 127.0.0.1\ncafile {at}/ca.pem\ncertfile {at}/server.pem\nkeyfile {at}/server.key\n\
                 require_certificate true\n",
                address.port()
            );
            tls = Some(address);
        }
        let file = directory.join("mosquitto.conf");
        fs::write(&file, config)?;
        let mut command = on_cpu(&program, cpu);
        command.arg("-c").arg(&file).stdin(Stdio::null()).stderr(Stdio::null());
        let own = Self { child: command.spawn()?, plain, tls, directory };
        let since = Instant::now();
        while TcpStream::connect(plain).is_err() {
            ensure!(since.elapsed() < PATIENCE, "Mosquitto does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        Ok(Some(own))
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have ended
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.directory); // nothing of it is kept
    }
}

/// The key as PEM.
fn key_pem(identity: &Identity) -> String {
    tidegate_pki::pem::encode("PRIVATE KEY", identity.key().secret_der())
}

/// The program, if it is there; by its name, where packages put it.
fn installed(program: &Path) -> Option<PathBuf> {
    let folders = ["", "/usr/sbin", "/usr/local/sbin", "/usr/bin", "/usr/local/bin", "/opt/homebrew/sbin"];
    folders.iter().map(|folder| Path::new(folder).join(program)).find(|path| path.is_file())
}

/// A port that was free a moment ago: Mosquitto cannot choose one by itself.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
