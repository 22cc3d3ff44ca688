use std::path::Path;

use tidegate_ids::{Monotonic, Timestamp};
use tidegate_kv::memory::MemoryStore;
use tidegate_pki::{pem, seal::MasterKey};
use tidegate_registry::{NewServerCertificate, Parts, Settings};

use super::*;
use crate::serve::chance::SystemChance;

fn at(days: u64) -> Now {
    let seconds = days * 24 * 3600;
    Now { wall: Timestamp::from_seconds(seconds), monotonic: Monotonic::from_millis(seconds * 1000) }
}

async fn registry() -> Registry {
    let parts = Parts {
        store: Arc::new(MemoryStore::new()),
        master_key: MasterKey::from_bytes(&[7; 32]),
        chance: Box::new(SystemChance),
        settings: Settings::default(),
        faults: Box::new(()),
    };
    Registry::open(parts, at(100)).await.unwrap()
}

/// A certificate and its key in `folder`: `chain.pem` and `key.pem`.
async fn files(registry: &Registry, folder: &Path) -> ServerCertificate {
    let validity = Validity::of_server_certificate(at(100).wall);
    let made = registry.issue_server_certificate("x", &["a.example".to_owned()], validity, at(100)).await.unwrap();
    std::fs::write(folder.join("chain.pem"), &made.chain_pem).unwrap();
    std::fs::write(folder.join("key.pem"), pem::encode("PRIVATE KEY", &made.key_pkcs8)).unwrap();
    made
}

/// Certificates in these files; the key of `bad` is in `absent.pem`.
fn brought(folder: &Path, names: &[&str]) -> Result<Brought> {
    let certificate = |name: &&str| Certificate {
        name: (*name).into(),
        account_id: None,
        region: None,
        chain_file: "chain.pem".into(),
        key_file: if *name == "bad" { "absent.pem".into() } else { "key.pem".into() },
    };
    let first = Tenant { account: "111111111111".parse().unwrap(), region: "us-east-1".parse().unwrap() };
    Brought::new(names.iter().map(certificate).collect(), Some(folder.join("tidegate.toml")), first)
}

#[tokio::test]
async fn a_certificate_that_cannot_be_renewed_stops_no_other() {
    let registry = registry().await;
    let short = Validity { not_before: at(100).wall, not_after: at(101).wall };
    let names = ["a.example".to_owned()];
    for name in ["domain/a", "domain/b", "domain/c"] {
        let issued = registry.issue_server_certificate(name, &names, short, at(100)).await.unwrap();
        if name == "domain/b" {
            let ServerCertificate { chain_pem, key_pkcs8, .. } = issued;
            let names = vec!["no name".to_owned()];
            let bad = NewServerCertificate { name: name.to_owned(), names, chain_pem, key_pkcs8 };
            registry.put_server_certificate(bad, at(100)).await.unwrap();
        }
    }
    assert!(!renew_domains(&registry, at(102)).await);
    let dates = registry.server_certificate_dates().await.unwrap();
    let due: Vec<_> = dates.iter().filter(|(_, dates)| dates.is_due(at(102).wall)).map(|(name, _)| &**name).collect();
    assert_eq!(due, ["domain/b"]);
    registry.issue_server_certificate("domain/b", &names, short, at(100)).await.unwrap();
    assert!(renew_domains(&registry, at(102)).await);
}

#[tokio::test]
async fn a_file_that_cannot_be_served_stops_the_start_and_later_no_other() {
    let (registry, folder) = (registry().await, tempfile::tempdir().unwrap());
    let made = files(&registry, folder.path()).await;
    let brought = |names: &[&str]| brought(folder.path(), names);
    assert!(brought(&["bad", "good"]).unwrap().take(&registry, at(100)).await.is_err());
    let stored = async |name: &str| {
        registry.server_certificate(&format!("arn:aws:acm:us-east-1:111111111111:certificate/{name}")).await.unwrap()
    };
    assert!(stored("good").await.is_none());
    assert!(!brought(&["bad", "good"]).unwrap().take_again(&registry, at(100)).await);
    assert_eq!(stored("good").await.unwrap().chain_pem, made.chain_pem);
    assert!(stored("bad").await.is_none());
    assert!(brought(&["good", "better"]).unwrap().take(&registry, at(100)).await.unwrap());
    assert!(stored("better").await.is_some());
    assert!(brought(&["good", "good"]).is_err());
}
