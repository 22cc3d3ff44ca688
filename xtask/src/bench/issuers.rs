//! What a handshake costs the server by the number of registered CAs, without sockets and without a disk.
//!
//! Many handshakes go in step on one thread: first all ClientHellos, then all of the server's answers, and so on. So the
//! server's steps can be timed alone, by the thread's CPU time, which neighbours on the machine hardly change.

use std::{cell::RefCell, fmt, sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use rustls::{ClientConnection, pki_types::ServerName};
use tidegate_fleet::{Caller, FleetCa, usage};
use tidegate_ids::{Clock, Tenant, Timestamp};
use tidegate_kv::memory::MemoryStore;
use tidegate_pki::{ClientLeaf, seal::MasterKey};
use tidegate_registry::{CertificateMode, Directory, Parts, RegisterCaCertificate, Registry, Settings};
use tidegate_tls::{
    ClientCertificates, NameTable, Progress, Refusal, ServerCertificate, ServerConfigs, ServerNames, Session,
    Settings as TlsSettings, Tickets, Versions,
};

use super::{
    figures::{Figures, Series},
    place::{Counter, MachineClock},
};

/// Times that every number of CAs has its turn.
const TURNS: usize = 40;
/// Handshakes of one turn; each shows a leaf that nobody has seen.
const HANDSHAKES: usize = 150;
/// CAs whose keys are kept, spread over all: leaves are signed by each in turn.
const SIGNERS: usize = 150;

/// Registers as many CAs as each of `numbers` says, then compares.
pub(super) async fn measure(numbers: &[usize], figures: &mut Figures) -> Result<()> {
    let mut worlds = Vec::new();
    for number in numbers {
        eprintln!("registering {number} CAs");
        worlds.push((World::new(*number).await?, Series::default()));
    }
    for turn in 0..=TURNS {
        for (world, series) in &mut worlds {
            let cpu = world.handshakes()?;
            if turn > 0 {
                series.0.push(cpu.as_secs_f64() * 1e6 / HANDSHAKES as f64); // turn 0 warms up
            }
        }
    }
    for (number, (_, series)) in numbers.iter().zip(&worlds) {
        eprintln!("{number} CAs: {:.1} µs a handshake", series.median());
        figures.tell(format!("handshake with {number} CAs: server CPU"), series.clone(), "µs");
    }
    if let Some((few, _)) = worlds.split_first() {
        for (number, (_, series)) in numbers.iter().zip(&worlds).skip(1) {
            figures.tell(
                format!("{number} CAs / {}, CPU", numbers[0]),
                Series(vec![series.median() / few.1.median()]),
                "",
            );
        }
    }
    Ok(())
}

/// A registry with so many CAs, and a TLS server over it.
struct World {
    configs: ServerConfigs,
    signers: Vec<FleetCa>,
    directory: Arc<Directory>,
    number: usize,
}

impl World {
    async fn new(number: usize) -> Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(MachineClock::start());
        let parts = Parts {
            store: Arc::new(MemoryStore::new()),
            master_key: MasterKey::from_bytes(&[7; 32]),
            chance: Box::new(Counter::default()),
            settings: Settings::default(),
            faults: Box::new(()),
        };
        let registry = Registry::open(parts, clock.now()).await?;
        let account = registry.create_account(None, clock.now()).await?;
        let tenant = Tenant { account, region: "us-east-1".parse()? };
        let mut signers = Vec::new();
        for i in 0..number {
            let ca = FleetCa::new(&format!("bench CA {i}"))?;
            let input = RegisterCaCertificate {
                ca_certificate_pem: ca.pem.clone(),
                mode: Some(CertificateMode::SniOnly), // which needs no verification certificate
                set_as_active: true,
                allow_auto_registration: true,
                ..RegisterCaCertificate::default()
            };
            registry.register_ca_certificate(tenant, input, clock.now()).await?;
            if signers.len() * number <= i * SIGNERS.min(number) {
                signers.push(ca);
            }
        }
        let directory = Arc::clone(registry.directory());
        ensure!(directory.counts().ca_certificates == number, "not every CA is in the directory");
        let shown = FleetCa::new("bench server CA")?.sign_server("localhost")?;
        let certificate = ServerCertificate::from_der(vec![shown.certificate.to_vec()], shown.key().secret_der())?;
        let configs = ServerConfigs::new(TlsSettings {
            names: Arc::new(ServerNames::new(NameTable::new(certificate))),
            client_certificates: Some(Arc::new(Clients(Arc::clone(&directory)))),
            optional_without_alpn: false,
            custom_authentication: false,
            alpn: Vec::new(),
            tickets: Tickets::Issued,
            versions: Versions::Tls12AndTls13,
            clock,
        })?;
        Ok(Self { configs, signers, directory, number })
    }

    /// CPU time of the server's side of [`HANDSHAKES`] handshakes with new leaves.
    fn handshakes(&self) -> Result<Duration> {
        let signers = self.signers.iter().cycle().take(HANDSHAKES);
        let mut pairs = signers.map(Pair::new).collect::<Result<Vec<_>>>()?;
        let mut cpu = Duration::ZERO;
        let mut open = 0;
        while open < pairs.len() {
            pairs.iter_mut().try_for_each(Pair::client_turn)?;
            let before = usage::of_this_thread()?;
            for pair in &mut pairs {
                pair.server_turn(&self.configs)?;
            }
            cpu += usage::of_this_thread()? - before;
            let progressed = pairs.iter().filter(|pair| pair.progress == Progress::Open).count();
            ensure!(progressed > 0 || open == 0, "handshakes do not come to an end");
            open = progressed;
        }
        ensure!(self.directory.counts().ca_certificates == self.number, "a handshake changed the directory");
        Ok(cpu)
    }
}

/// A client and the server's side of its connection.
struct Pair {
    client: ClientConnection,
    session: Option<Session>,
    to_server: Vec<u8>,
    to_client: Vec<u8>,
    plain: Vec<u8>,
    progress: Progress,
}

impl Pair {
    /// The client shows a new leaf of this CA.
    fn new(ca: &FleetCa) -> Result<Self> {
        let device = Caller::new(&ca.sign("device")?, "device")?;
        let client = ClientConnection::new(device.tls(), ServerName::try_from("localhost")?)?;
        Ok(Self {
            client,
            session: None,
            to_server: Vec::with_capacity(4096),
            to_client: Vec::with_capacity(4096),
            plain: Vec::new(),
            progress: Progress::Handshaking,
        })
    }

    fn client_turn(&mut self) -> Result<()> {
        let mut received = self.to_client.as_slice();
        while !received.is_empty() {
            self.client.read_tls(&mut received)?;
            self.client.process_new_packets().context("the client does not like the handshake")?;
        }
        self.to_client.clear();
        while self.client.wants_write() {
            self.client.write_tls(&mut self.to_server)?;
        }
        Ok(())
    }

    fn server_turn(&mut self, configs: &ServerConfigs) -> Result<()> {
        let session = match &mut self.session {
            Some(session) => session,
            none => none.insert(Session::new(configs.strict())?),
        };
        self.progress = session.feed(&mut self.to_server, &mut self.plain, &mut self.to_client)?;
        self.to_server.clear();
        Ok(())
    }
}

/// The registry's answers for TLS, as the gateway gives them.
struct Clients(Arc<Directory>);

thread_local! {
    /// The leaf that was read last: a handshake asks about it three times.
    static LAST: RefCell<Option<Arc<ClientLeaf>>> = const { RefCell::new(None) };
}

impl Clients {
    fn leaf(der: &[u8]) -> Result<Arc<ClientLeaf>, Refusal> {
        let last = LAST.with_borrow(|last| last.as_ref().filter(|last| last.der() == der).cloned());
        if let Some(leaf) = last {
            return Ok(leaf);
        }
        let leaf = ClientLeaf::parse(der).map_err(|error| Refusal::Unacceptable(error.to_string()))?;
        let leaf = Arc::new(leaf);
        LAST.set(Some(Arc::clone(&leaf)));
        Ok(leaf)
    }
}

impl ClientCertificates for Clients {
    fn check_leaf(&self, leaf: &[u8], now: Timestamp) -> Result<(), Refusal> {
        self.0.check_leaf(&*Self::leaf(leaf)?, now).map_err(|_| Refusal::NoIssuer)
    }

    fn check_possession(
        &self,
        leaf: &[u8],
        scheme: u16,
        message: &[u8],
        signature: &[u8],
        tls13: bool,
    ) -> Result<(), Refusal> {
        Self::leaf(leaf)?.check_possession(scheme, tls13, message, signature).map_err(|_| Refusal::NotPossessed)
    }

    fn check_status(&self, leaf: &[u8], now: Timestamp) -> Result<(), Refusal> {
        self.0.check_status(&*Self::leaf(leaf)?, now).map_err(|_| Refusal::NotRegistered)
    }
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clients")
    }
}
