//! The crate from outside: operations and CONNECTs against a store in memory.

mod accounts;
mod agreement;
mod authorization;
mod authorizers;
mod ca_certificates;
mod certificates;
mod connect;
mod directory;
mod domains;
mod group_agreement;
mod hostile;
mod iam;
mod interleaved;
mod isolation;
mod material;
mod memberships;
mod policies;
mod propagation;
mod races;
mod tags;
mod thing_agreement;
mod thing_groups;
mod thing_types;
mod things;
mod transfers;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tidegate_ids::{Monotonic, Now, Tenant, Timestamp};
use tidegate_kv::{Store, memory::MemoryStore};
use tidegate_pki::seal::MasterKey;

use crate::{Chance, FaultPoints, PageRequest, Parts, Registry, RegistryChange, Settings};

/// Bytes that never repeat.
struct Counting(Mutex<u64>);

impl Chance for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let mut counter = self.0.lock().unwrap();
            *counter += 1;
            let block = tidegate_pki::sha256(&counter.to_be_bytes());
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }
}

/// 2026-01-01 and so many seconds.
fn at(seconds: u64) -> Now {
    Now { wall: Timestamp::from_seconds(1_767_225_600 + seconds), monotonic: Monotonic::from_millis(seconds * 1000) }
}

fn tenant(account: &str) -> Tenant {
    Tenant { account: account.parse().unwrap(), region: "eu-central-1".parse().unwrap() }
}

const A: &str = "111111111111";
const B: &str = "222222222222";

async fn open(store: Arc<dyn Store>, faults: Box<dyn FaultPoints>) -> Registry {
    open_with(store, faults, Duration::ZERO).await
}

async fn open_with(store: Arc<dyn Store>, faults: Box<dyn FaultPoints>, propagation_delay: Duration) -> Registry {
    let parts = Parts {
        store,
        master_key: MasterKey::from_bytes(&[7; 32]),
        chance: Box::new(Counting(Mutex::new(0))),
        settings: Settings {
            endpoint_domain: Some("iot.example".into()),
            host_names: vec!["localhost".into(), "broker.example".into()],
            transfer_notices_for: [B.parse().unwrap()].into(),
            propagation_delay,
        },
        faults,
    };
    Registry::open(parts, at(0)).await.unwrap()
}

async fn registry() -> Registry {
    open(Arc::new(MemoryStore::new()), Box::new(())).await
}

/// What the registry tells, gathered.
fn told(registry: &Registry) -> Arc<Mutex<Vec<RegistryChange>>> {
    let told = Arc::new(Mutex::new(Vec::new()));
    let gather = Arc::clone(&told);
    registry.on_change(move |change| gather.lock().unwrap().push(change.clone()));
    told
}

fn first_page() -> PageRequest {
    PageRequest::default()
}
