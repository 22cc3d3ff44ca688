//! The API alone, over plain HTTP on loopback, with nothing stored: to try a client against it.
//!
//! ```text
//! cargo run -p tidegate-api --example in_memory > /tmp/api.env &
//! . /tmp/api.env
//! aws iot get-registration-code
//! ```

use std::{
    sync::Arc,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use tidegate_api::{Api, Listener, Settings, serve};
use tidegate_ids::{Clock, Monotonic, Now, Timestamp};
use tidegate_kv::memory::MemoryStore;
use tidegate_pki::seal::MasterKey;
use tidegate_registry::{Chance, Parts, Registry};

#[derive(Debug)]
struct SystemClock(Instant);

impl Clock for SystemClock {
    fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is after 1970");
        Now {
            wall: Timestamp::from_millis(wall.as_millis() as u64),
            monotonic: Monotonic::from_millis(self.0.elapsed().as_millis() as u64),
        }
    }
}

/// Good enough to try things: 122 random bits of every 128.
struct Uuids;

impl Chance for Uuids {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(16) {
            chunk.copy_from_slice(&uuid::Uuid::new_v4().as_bytes()[..chunk.len()]);
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let clock = Arc::new(SystemClock(Instant::now()));
    let parts = Parts {
        store: Arc::new(MemoryStore::new()),
        master_key: MasterKey::from_bytes(&MasterKey::generate()),
        chance: Box::new(Uuids),
        settings: tidegate_registry::Settings::default(),
        faults: Box::new(()),
    };
    let registry = Registry::open(parts, clock.now()).await?;
    let account = registry.create_account(Some("123456789012".parse()?), clock.now()).await?;
    let key = registry.create_access_key(account, clock.now()).await?;
    let api = Api::new(registry, clock, Settings { host_name: "localhost".into() });
    let serving = serve(Arc::new(api), vec![Listener::Http { address: "127.0.0.1:0".parse()? }]).await?;
    println!("export AWS_ENDPOINT_URL=http://{}", serving.addresses()[0]);
    println!("export AWS_ACCESS_KEY_ID={} AWS_SECRET_ACCESS_KEY={}", key.id, *key.secret);
    println!("export AWS_DEFAULT_REGION=eu-central-1");
    std::future::pending().await
}
