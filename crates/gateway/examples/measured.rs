//! A broker whose registry is in memory, for measuring: what a message costs on a plain listener, and, with a directory
//! made by `mqload certs`, on one with mutual TLS, where each of those clients is registered with a policy.
//!
//! `cargo run --release -p tidegate-gateway --example measured -- CORES 127.0.0.1:1883 [127.0.0.1:8883 CERTS_DIRECTORY]`

use std::{
    env, fs,
    path::Path,
    sync::Arc,
    time::{Instant, SystemTime},
};

use rcgen::{CertificateParams, DnType, KeyPair};
use tidegate_broker::{Alone, Broker, Profile, Settings};
use tidegate_gateway::{Cores, Gateway, GatewayConfig, GatewayParts, ListenerConfig, Refusals, TlsSettings, Transport};
use tidegate_ids::{Clock, Monotonic, Now, PolicyName, Tenant, Timestamp};
use tidegate_kv::memory::MemoryStore;
use tidegate_pki::{
    CaCertificate, Csr, PrivateKey,
    issue::{IssuingCa, Validity},
    seal::MasterKey,
};
use tidegate_registry::{Chance, Parts, PolicyTarget, RegisterCaCertificate, RegisterCertificate, Registry};
use tidegate_tls::{NameTable, ServerCertificate, ServerNames};

type Done<T> = Result<T, Box<dyn std::error::Error>>;

#[derive(Debug)]
struct SystemClock(Instant);

impl Clock for SystemClock {
    fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Now {
            wall: Timestamp::from_millis(wall.as_millis() as u64),
            monotonic: Monotonic::from_millis(self.0.elapsed().as_millis() as u64),
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

fn main() -> Done<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let argument = |index: usize, default: &str| arguments.get(index).cloned().unwrap_or(default.into());
    let clock = Arc::new(SystemClock(Instant::now()));
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let parts = Parts {
        store: Arc::new(MemoryStore::new()),
        master_key: MasterKey::from_bytes(&[7; MasterKey::BYTES]),
        chance: Box::new(Random),
        settings: tidegate_registry::Settings::default(),
        faults: Box::new(()),
    };
    let registry = runtime.block_on(Registry::open(parts, clock.now()))?;
    let account = runtime.block_on(registry.create_account(None, clock.now()))?;
    let tenant = Tenant { account, region: "local-1".parse()? };
    let cores = Cores::new(argument(0, "1").parse()?)?;
    let settings = Settings { cores: cores.count(), ..Settings::default() };
    let broker = Arc::new(Broker::new(settings, cores.wake(), Arc::new(Alone)));
    let listener = |name: &str, address: String, transport| -> Done<ListenerConfig> {
        Ok(ListenerConfig {
            name: name.into(),
            address: address.parse()?,
            transport,
            websocket: false,
            https: false,
            profile: Arc::new(Profile::standard()),
            refusals: Refusals::Explained,
        })
    };
    let mut listeners =
        vec![listener("plain", argument(1, "127.0.0.1:1883"), Transport::Plain { tenant, policies: None })?];
    if let Some(directory) = arguments.get(3) {
        runtime.block_on(register(&registry, tenant, Path::new(directory), clock.now()))?;
        listeners.push(listener("tls", argument(2, ""), Transport::Tls(TlsSettings::standard()))?);
    }
    let parts = GatewayParts {
        book: tidegate_logs::LogBook::closed(),
        broker,
        registry,
        signed_in: Arc::default(),
        server_names: Arc::new(server_names(clock.now().wall)?),
        clock,
        journal: None,
        shadows: None,
        custom_authentication: None,
    };
    let gateway = Gateway::start(GatewayConfig { listeners, ..GatewayConfig::default() }, cores, parts)?;
    for local in gateway.local_addresses() {
        println!("{} {}", local.listener, local.address);
    }
    loop {
        std::thread::park();
    }
}

/// Registers the CA of a directory and all its clients, and lets them do everything.
async fn register(registry: &Registry, tenant: Tenant, directory: &Path, now: Now) -> Done<()> {
    let ca = fs::read_to_string(directory.join("ca.crt"))?;
    let key = PrivateKey::from_pem(&fs::read_to_string(directory.join("ca.key"))?)?;
    let issuer = IssuingCa::new(CaCertificate::from_pem(&ca)?, key)?;
    let mut request = CertificateParams::default();
    let code = registry.get_registration_code(tenant, now).await?;
    request.distinguished_name.push(DnType::CommonName, code.to_string());
    let request = Csr::from_pem(&request.serialize_request(&KeyPair::generate()?)?.pem()?)?;
    let verification = issuer.device_certificate_from_csr(&request, now.wall)?.pem();
    let input = RegisterCaCertificate {
        ca_certificate_pem: ca,
        verification_certificate_pem: Some(verification),
        set_as_active: true,
        allow_auto_registration: true,
        ..RegisterCaCertificate::default()
    };
    registry.register_ca_certificate(tenant, input, now).await?;
    let policy: PolicyName = "everything".parse()?;
    let document = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}"#;
    registry.create_policy(tenant, policy.clone(), document.into(), vec![], now).await?;
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("client-") && name.ends_with(".crt") {
            let certificate_pem = fs::read_to_string(&path)?;
            let input = RegisterCertificate { certificate_pem, set_as_active: true, ..RegisterCertificate::default() };
            let id = registry.register_certificate(tenant, input, now).await?;
            registry.attach_policy(tenant, &policy, PolicyTarget::Certificate(id)).await?;
        }
    }
    Ok(())
}

fn server_names(now: Timestamp) -> Done<ServerNames> {
    let validity = Validity { not_before: now, not_after: tidegate_pki::issue::DEVICE_NOT_AFTER };
    let ca = IssuingCa::self_signed("example", "example", PrivateKey::generate_p256()?, validity)?;
    let key = PrivateKey::generate_p256()?;
    let leaf = ca.server_certificate(&["localhost"], key.public_key(), validity)?;
    let certificate = ServerCertificate::from_der(vec![leaf.der().to_vec()], key.pkcs8_der())?;
    Ok(ServerNames::new(NameTable::new(certificate.clone()).with("localhost", certificate)))
}
