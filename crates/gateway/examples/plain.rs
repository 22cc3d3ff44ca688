//! A broker on a plain loopback listener, with an empty registry in memory: for measuring what a message costs.
//!
//! `cargo run --release -p tidegate-gateway --example plain -- 127.0.0.1:1883 [CORES]`

use std::{
    env,
    num::NonZeroU16,
    sync::Arc,
    time::{Instant, SystemTime},
};

use tidegate_broker::{Alone, Broker, Profile, Settings};
use tidegate_gateway::{Cores, Gateway, GatewayConfig, GatewayParts, ListenerConfig, Refusals, Transport};
use tidegate_ids::{Clock, Monotonic, Now, Tenant, Timestamp};
use tidegate_kv::memory::MemoryStore;
use tidegate_pki::{
    PrivateKey,
    issue::{IssuingCa, Validity},
    seal::MasterKey,
};
use tidegate_registry::{Chance, Parts, Registry};
use tidegate_tls::{NameTable, ServerCertificate, ServerNames};

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

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = env::args().nth(1).unwrap_or("127.0.0.1:1883".into()).parse()?;
    let count: NonZeroU16 = env::args().nth(2).unwrap_or("1".into()).parse()?;
    let clock = Arc::new(SystemClock(Instant::now()));
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let registry = runtime.block_on(Registry::open(
        Parts {
            store: Arc::new(MemoryStore::new()),
            master_key: MasterKey::from_bytes(&[7; MasterKey::BYTES]),
            chance: Box::new(Random),
            settings: tidegate_registry::Settings::default(),
            faults: Box::new(()),
        },
        clock.now(),
    ))?;
    let cores = Cores::new(count.get())?;
    let settings = Settings { cores: count.get(), ..Settings::default() };
    let broker = Arc::new(Broker::new(settings, cores.wake(), Arc::new(Alone)));
    let parts = GatewayParts { broker, registry, server_names: Arc::new(server_names(clock.now().wall)?), clock };
    let tenant = Tenant { account: "000000000000".parse()?, region: "local-1".parse()? };
    let listener = ListenerConfig {
        name: "plain".into(),
        address,
        transport: Transport::Plain { tenant },
        profile: Arc::new(Profile::standard()),
        refusals: Refusals::Explained,
    };
    let gateway = Gateway::start(GatewayConfig { listeners: vec![listener], ..Default::default() }, cores, parts)?;
    println!("{} pid {}", gateway.local_addresses()[0].address, std::process::id());
    loop {
        std::thread::park();
    }
}

fn server_names(now: Timestamp) -> Result<ServerNames, Box<dyn std::error::Error>> {
    let validity = Validity { not_before: now, not_after: tidegate_pki::issue::DEVICE_NOT_AFTER };
    let ca = IssuingCa::self_signed("example", "example", PrivateKey::generate_p256()?, validity)?;
    let key = PrivateKey::generate_p256()?;
    let leaf = ca.server_certificate(&["localhost"], key.public_key(), validity)?;
    let certificate = ServerCertificate::from_der(vec![leaf.der().to_vec()], key.pkcs8_der())?;
    Ok(ServerNames::new(NameTable::new(certificate)))
}
