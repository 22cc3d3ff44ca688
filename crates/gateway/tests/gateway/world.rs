//! A running gateway, and an operator's hands on its registry.

use std::{
    net::SocketAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tidegate_broker::{Broker, CloseReason, Effects, Fabric, Principal, Profile, Selector, Settings};
use tidegate_gateway::{
    Cores, Gateway, GatewayConfig, GatewayParts, Journal, ListenerConfig, Refusals, TlsSettings, Transport,
};
use tidegate_ids::{CaCertificateId, CertificateId, Clock, Monotonic, Now, Tenant, Timestamp};
use tidegate_kv::{Store, memory::MemoryStore};
use tidegate_pki::{
    PrivateKey,
    issue::{IssuingCa, Validity},
    seal::MasterKey,
};
use tidegate_registry::{
    CertificateStatus, Chance, Parts, PolicyTarget, RegisterCaCertificate, RegisterCertificate, Registry,
};
use tidegate_tls::{NameTable, ServerCertificate, ServerNames};
use tokio::runtime::Runtime;

/// What a policy needs to say for a device to do everything.
pub(crate) const ALLOW_ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}"#;

/// A gateway with a TLS listener for each profile and a plain one.
pub(crate) struct World {
    pub(crate) gateway: Option<Gateway>,
    pub(crate) broker: Arc<Broker>,
    pub(crate) registry: Registry,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) tenant: Tenant,
    pub(crate) interests: Arc<Interests>,
    /// Whether changes of certificates end sessions, as they should.
    pub(crate) changes_end_sessions: Arc<AtomicBool>,
    /// The CA of the server's certificate, in DER.
    pub(crate) root: Vec<u8>,
    _journal: Option<Journal>,
    runtime: Runtime,
}

/// A certification authority as a customer has one.
pub(crate) struct Ca {
    pub(crate) issuer: Issuer<'static, KeyPair>,
    pub(crate) pem: String,
    pub(crate) id: CaCertificateId,
}

/// A device's certificate and key.
#[derive(Clone)]
pub(crate) struct Device {
    pub(crate) chain: Vec<Vec<u8>>,
    pub(crate) key: Vec<u8>,
    pub(crate) id: CertificateId,
}

/// The real time, and what a test adds to it.
#[derive(Debug)]
pub(crate) struct TestClock {
    start: Instant,
    added_millis: AtomicU64,
}

impl Clock for TestClock {
    fn now(&self) -> Now {
        let added = Duration::from_millis(self.added_millis.load(Ordering::SeqCst));
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap() + added;
        Now {
            wall: Timestamp::from_millis(wall.as_millis() as u64),
            monotonic: Monotonic::from_millis((self.start.elapsed() + added).as_millis() as u64),
        }
    }
}

/// Calls what a test wants to happen in the middle of a subscription's beginning or end, on the core's thread.
#[derive(Default)]
pub(crate) struct Interests(OnceLock<Box<dyn Fn(bool) + Send + Sync>>);

impl Interests {
    pub(crate) fn on_change(&self, call: impl Fn(bool) + Send + Sync + 'static) {
        assert!(self.0.set(Box::new(call)).is_ok());
    }
}

impl Fabric for Interests {
    fn interest(&self, _: Tenant, _: &str, wanted: bool) {
        if let Some(call) = self.0.get() {
            call(wanted);
        }
    }
}

struct Random;

impl Chance for Random {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(16) {
            chunk.copy_from_slice(&uuid::Uuid::new_v4().as_bytes()[..chunk.len()]);
        }
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(1, |_| {})
    }

    pub(crate) fn with(cores: u16, adapt: impl FnOnce(&mut GatewayConfig)) -> Self {
        Self::build(cores, adapt, None)
    }

    /// A world whose broker keeps in `store` what must be durable.
    pub(crate) fn durable(store: Arc<dyn Store>) -> Self {
        Self::build(1, |_| {}, Some(store))
    }

    fn build(cores: u16, adapt: impl FnOnce(&mut GatewayConfig), durable: Option<Arc<dyn Store>>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let clock = Arc::new(TestClock { start: Instant::now(), added_millis: AtomicU64::new(0) });
        let parts = Parts {
            store: Arc::new(MemoryStore::new()),
            master_key: MasterKey::from_bytes(&[7; MasterKey::BYTES]),
            chance: Box::new(Random),
            settings: tidegate_registry::Settings { endpoint_domain: Some("test".into()), ..Default::default() },
            faults: Box::new(()),
        };
        let registry = runtime.block_on(Registry::open(parts, clock.now())).unwrap();
        let following = registry.clone();
        runtime.spawn(async move { following.run_directory().await });
        let account = runtime.block_on(registry.create_account(None, clock.now())).unwrap();
        let tenant = Tenant { account, region: "eu-central-1".parse().unwrap() };
        let cores = Cores::new(cores).unwrap();
        let interests = Arc::new(Interests::default());
        let settings = Settings { cores: cores.count(), persist: durable.is_some(), ..Settings::default() };
        let broker = Arc::new(Broker::new(settings, cores.wake(), interests.clone()));
        let journal = durable.map(|store| {
            let profile = |_: &str| Arc::new(Profile::standard());
            runtime.block_on(Journal::open(store, broker.clone(), clock.clone(), profile)).unwrap().0
        });
        let changes_end_sessions = Arc::new(AtomicBool::new(true));
        end_sessions_on_change(&registry, &broker, &clock, changes_end_sessions.clone());
        let (server_names, root) = server_names(&[&registry.endpoint(tenant).unwrap(), "localhost"], clock.now().wall);
        let listener = |name: &str, transport, profile, refusals| ListenerConfig {
            name: name.into(),
            address: "127.0.0.1:0".parse().unwrap(),
            transport,
            websocket: false,
            https: false,
            profile: Arc::new(profile),
            refusals,
        };
        let mut config = GatewayConfig {
            listeners: vec![
                listener("standard", Transport::Tls(TlsSettings::standard()), Profile::standard(), Refusals::Explained),
                listener("aws", Transport::Tls(TlsSettings::aws()), Profile::aws(), Refusals::Silent),
                listener(
                    "plain",
                    Transport::Plain { tenant, policies: None },
                    Profile::standard(),
                    Refusals::Explained,
                ),
            ],
            connections_max: 10_000,
            ..GatewayConfig::default()
        };
        adapt(&mut config);
        let parts = GatewayParts {
            book: tidegate_logs::LogBook::closed(),
            journal: journal.as_ref().map(Journal::tray),
            shadows: None,
            custom_authentication: None,
            broker: broker.clone(),
            registry: registry.clone(),
            clock: clock.clone(),
            signed_in: Arc::default(),
            server_names: Arc::new(server_names),
        };
        let gateway = Some(Gateway::start(config, cores, parts).unwrap());
        Self {
            gateway,
            broker,
            registry,
            clock,
            tenant,
            interests,
            changes_end_sessions,
            root,
            _journal: journal,
            runtime,
        }
    }

    pub(crate) fn gateway(&self) -> &Gateway {
        self.gateway.as_ref().unwrap()
    }

    /// Where a listener listens.
    pub(crate) fn address(&self, listener: &str) -> SocketAddr {
        self.gateway().local_addresses().iter().find(|local| *local.listener == *listener).unwrap().address
    }

    /// The account's own endpoint, for SNI.
    pub(crate) fn endpoint(&self) -> String {
        self.registry.endpoint(self.tenant).unwrap()
    }

    pub(crate) fn move_clock(&self, by: Duration) {
        self.clock.added_millis.fetch_add(by.as_millis() as u64, Ordering::SeqCst);
        self.gateway().clock_moved();
    }

    pub(crate) fn now(&self) -> Now {
        self.clock.now()
    }

    /// A CA that is registered, active, and registers devices by itself.
    pub(crate) fn ca(&self, name: &str) -> Ca {
        let ca = Ca::new(name);
        let code = self.runtime.block_on(self.registry.get_registration_code(self.tenant, self.now())).unwrap();
        let verification = ca.sign(&code.to_string());
        let input = RegisterCaCertificate {
            ca_certificate_pem: ca.pem.clone(),
            verification_certificate_pem: Some(tidegate_pki::pem::encode("CERTIFICATE", &verification.chain[0])),
            set_as_active: true,
            allow_auto_registration: true,
            ..RegisterCaCertificate::default()
        };
        self.runtime.block_on(self.registry.register_ca_certificate(self.tenant, input, self.now())).unwrap();
        ca
    }

    /// A device whose certificate is registered, active, and may do everything.
    pub(crate) fn device(&self, ca: &Ca, name: &str) -> Device {
        self.device_with(ca, name, ALLOW_ALL)
    }

    pub(crate) fn device_with(&self, ca: &Ca, name: &str, policy: &str) -> Device {
        let device = ca.sign(name);
        let input = RegisterCertificate {
            certificate_pem: tidegate_pki::pem::encode("CERTIFICATE", &device.chain[0]),
            set_as_active: true,
            ..RegisterCertificate::default()
        };
        self.runtime.block_on(self.registry.register_certificate(self.tenant, input, self.now())).unwrap();
        self.attach(&device, name, policy);
        device
    }

    pub(crate) fn attach(&self, device: &Device, name: &str, document: &str) {
        let name: tidegate_ids::PolicyName = format!("policy-of-{name}").parse().unwrap();
        let target = PolicyTarget::Certificate(device.id);
        self.runtime.block_on(async {
            let created = self.registry.create_policy(self.tenant, name.clone(), document.into(), vec![], self.now());
            created.await.unwrap();
            self.registry.attach_policy(self.tenant, &name, target).await.unwrap();
        });
    }

    pub(crate) fn set_status(&self, device: &Device, status: CertificateStatus) {
        let update = self.registry.update_certificate(self.tenant, device.id, status, self.now());
        self.runtime.block_on(update).unwrap();
    }

    /// As `set_status`, for the thread of a core: it cannot run the runtime, and waits for it instead.
    pub(crate) fn status_setter(&self, device: &Device, status: CertificateStatus) -> impl Fn() + use<> {
        let (handle, registry, clock) = (self.runtime.handle().clone(), self.registry.clone(), self.clock.clone());
        let (tenant, id) = (self.tenant, device.id);
        move || {
            let (registry, now) = (registry.clone(), clock.now());
            let (done, wait) = std::sync::mpsc::sync_channel(1);
            handle.spawn(async move {
                registry.update_certificate(tenant, id, status, now).await.unwrap();
                done.send(()).unwrap();
            });
            wait.recv().unwrap();
        }
    }

    pub(crate) fn status(&self, device: &Device) -> Option<CertificateStatus> {
        self.registry.directory().certificate_status(self.tenant, device.id)
    }

    /// Closes connections as an operator does.
    pub(crate) fn kick(&self, selector: Selector, reason: CloseReason) -> usize {
        let mut effects = Effects::outside();
        let kicked = self.broker.kick(&selector, reason, self.now(), &mut effects);
        self.broker.hand_over(&mut effects);
        kicked
    }

    pub(crate) fn stop(&mut self, limit: Duration) {
        self.gateway.take().unwrap().shutdown(limit);
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(gateway) = self.gateway.take() {
            gateway.shutdown(Duration::ZERO);
        }
    }
}

/// As the server does it.
fn end_sessions_on_change(registry: &Registry, broker: &Arc<Broker>, clock: &Arc<TestClock>, enabled: Arc<AtomicBool>) {
    let (broker, clock) = (broker.clone(), clock.clone());
    registry.on_propagated(move |change| {
        if !enabled.load(Ordering::SeqCst) {
            return;
        }
        let Some((tenant, certificate_id)) = change.ends_sessions_of() else { return };
        let principal = Principal::Certificate { tenant, certificate_id };
        let mut effects = Effects::outside();
        let selector = Selector::Principal { tenant, principal };
        broker.kick(&selector, CloseReason::PrincipalRefused, clock.now(), &mut effects);
        broker.hand_over(&mut effects);
    });
}

fn server_names(names: &[&str], now: Timestamp) -> (ServerNames, Vec<u8>) {
    let validity = Validity { not_before: now, not_after: tidegate_pki::issue::DEVICE_NOT_AFTER };
    let key = PrivateKey::generate_p256().unwrap();
    let ca = IssuingCa::self_signed("servers", "Tidegate", key, validity).unwrap();
    let key = PrivateKey::generate_p256().unwrap();
    let leaf = ca.server_certificate(names, key.public_key(), validity).unwrap();
    let certificate = ServerCertificate::from_der(vec![leaf.der().to_vec()], key.pkcs8_der()).unwrap();
    let table = NameTable::new(certificate.clone()).with("localhost", certificate);
    (ServerNames::new(table), ca.certificate().der().to_vec())
}

impl Ca {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let id = tidegate_pki::ca_certificate_id(certificate.der());
        Self { pem: certificate.pem(), id, issuer: Issuer::new(params, key) }
    }

    /// A certificate for a device of this name.
    pub(crate) fn sign(&self, name: &str) -> Device {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let id = tidegate_pki::certificate_id(certificate.der());
        Device { chain: vec![certificate.der().to_vec()], key: key.serialize_der(), id }
    }
}
