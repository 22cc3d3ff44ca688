use std::{cell::RefCell, io, path::Path, sync::Once};

use tidegate_ids::{Monotonic, Timestamp};
use tidegate_kv::{StoreError, memory::MemoryStore};
use tidegate_pki::{pem, seal::MasterKey};
use tidegate_registry::{NewServerCertificate, Parts, Settings};
use tracing::subscriber::set_global_default;

use super::*;
use crate::serve::chance::SystemChance;

thread_local! {
    /// What this thread logged. A subscriber for each thread would not do: whether anybody listens is remembered for all of them.
    static LOGGED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct Lines;

impl Lines {
    /// Listens from now on, or has already.
    fn listen() -> Self {
        static LISTENING: Once = Once::new();
        LISTENING.call_once(|| {
            let subscriber = tracing_subscriber::fmt().json().flatten_event(true).with_writer(|| Self).finish();
            set_global_default(subscriber).expect("no other test listens");
        });
        Self
    }

    /// Level and certificate of each line of this thread since the last call.
    fn take(&self) -> Vec<(String, String)> {
        let bytes = LOGGED.take();
        let lines = serde_json::Deserializer::from_slice(&bytes).into_iter::<serde_json::Value>();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        lines.map(|line| line.unwrap()).map(|line| (text(&line["level"]), text(&line["certificate"]))).collect()
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOGGED.with_borrow_mut(|logged| logged.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

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
    let (lines, mut complaints) = (Lines::listen(), Complaints::default());
    for told in [vec![("ERROR".to_owned(), "domain/b".to_owned())], vec![]] {
        assert!(!renew_domains(&registry, at(102), &mut complaints).await);
        assert_eq!(lines.take(), told);
    }
    let dates = registry.server_certificate_dates().await.unwrap();
    let due: Vec<_> = dates.iter().filter(|(_, dates)| dates.is_due(at(102).wall)).map(|(name, _)| &**name).collect();
    assert_eq!(due, ["domain/b"]);
    registry.issue_server_certificate("domain/b", &names, short, at(100)).await.unwrap();
    assert!(renew_domains(&registry, at(102), &mut complaints).await);
    assert_eq!(lines.take(), [("INFO".to_owned(), "domain/b".to_owned())]);
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

#[tokio::test]
async fn the_log_is_told_of_a_bad_certificate_once_for_each_change() {
    let lines = Lines::listen();
    let (registry, folder) = (registry().await, tempfile::tempdir().unwrap());
    files(&registry, folder.path()).await;
    let mut brought = brought(folder.path(), &["bad", "good"]).unwrap();
    let line = |level: &str| vec![(level.to_owned(), "bad".to_owned())];
    let absent = folder.path().join("absent.pem");
    // The same fault, another one, no fault, and the first one again.
    let key = std::fs::read(folder.path().join("key.pem")).unwrap();
    for (what, text, expected) in [
        ("absent", None, line("ERROR")),
        ("absent still", None, vec![]),
        ("no key", Some(&b"x"[..]), line("ERROR")),
        ("no key still", Some(b"x"), vec![]),
        ("good", Some(&key), line("INFO")),
        ("good still", Some(&key), vec![]),
        ("absent again", None, line("ERROR")),
    ] {
        match text {
            Some(text) => std::fs::write(&absent, text).unwrap(),
            None => drop(std::fs::remove_file(&absent)),
        }
        assert_eq!(brought.take_again(&registry, at(100)).await, what.starts_with("good"), "{what}");
        assert_eq!(lines.take(), expected, "{what}");
    }
}

#[test]
fn a_full_disk_is_one_fault_however_much_is_free() {
    let (lines, mut complaints) = (Lines::listen(), Complaints::default());
    for free_bytes in [1, 2, 3] {
        let full = StoreError::Full { path: "disk".into(), free_bytes, bytes_min: 9 };
        complaints.failed("own", &anyhow::Error::from(RegistryError::from(full)).context("issuing"));
    }
    assert_eq!(lines.take(), [("ERROR".to_owned(), "own".to_owned())]);
}
