//! Who takes part in the tests: a broker with its book of certificates, clients, and the line between them.

mod client;
mod leaf;
mod link;

use std::{
    collections::HashMap,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use aws_lc_rs::signature::{self as aws, UnparsedPublicKey};
pub(super) use client::{Client, client};
pub(super) use leaf::{Kind, Leaf};
pub(super) use link::Link;
use rcgen::CertificateParams;
use tidegate_ids::{Clock, Monotonic, Now, Timestamp};

use crate::{
    ALPN_MQTT, ALPN_MQTT_CLIENT_CERTIFICATE, ClientCertificates, NameTable, Refusal, ServerCertificate, ServerConfigs,
    ServerNames, Session, Settings, Tickets, Versions,
};

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub(super) struct TestClock(AtomicU64);

impl TestClock {
    pub(super) fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_millis() as u64, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Now {
        let millis = self.0.load(Ordering::Relaxed);
        Now { wall: Timestamp::from_millis(1_764_000_000_000 + millis), monotonic: Monotonic::from_millis(millis) }
    }
}

/// What the broker knows about client certificates.
#[derive(Debug, Default)]
pub(super) struct Book {
    entries: Mutex<HashMap<Vec<u8>, Entry>>,
    status_asked: AtomicUsize,
}

#[derive(Debug, Clone, Default)]
struct Entry {
    public: Vec<u8>,
    leaf: Option<Refusal>,
    status: Option<Refusal>,
}

impl Book {
    pub(super) fn knows(&self, leaf: &Leaf) {
        let entry = Entry { public: leaf.public.clone(), ..Entry::default() };
        self.entries.lock().unwrap().insert(leaf.der.clone(), entry);
    }

    pub(super) fn refuses(&self, leaf: &Leaf, at_status: bool, refusal: Refusal) {
        let mut entries = self.entries.lock().unwrap();
        let entry = entries.get_mut(&leaf.der).unwrap();
        *(if at_status { &mut entry.status } else { &mut entry.leaf }) = Some(refusal);
    }

    pub(super) fn status_asked(&self) -> usize {
        self.status_asked.load(Ordering::Relaxed)
    }

    fn entry(&self, leaf: &[u8]) -> Result<Entry, Refusal> {
        self.entries.lock().unwrap().get(leaf).cloned().ok_or(Refusal::NoIssuer)
    }
}

impl ClientCertificates for Book {
    fn check_leaf(&self, leaf: &[u8], now: Timestamp) -> Result<(), Refusal> {
        assert_eq!(now.seconds() / 1_000_000, 1764, "our clock, not the machine's");
        self.entry(leaf)?.leaf.map_or(Ok(()), Err)
    }

    fn check_possession(
        &self,
        leaf: &[u8],
        scheme: u16,
        message: &[u8],
        signature: &[u8],
        tls13: bool,
    ) -> Result<(), Refusal> {
        let algorithm: &'static dyn aws::VerificationAlgorithm = match scheme {
            0x0403 => &aws::ECDSA_P256_SHA256_ASN1,
            0x0503 => &aws::ECDSA_P384_SHA384_ASN1,
            0x0603 => &aws::ECDSA_P521_SHA512_ASN1,
            0x0804 => &aws::RSA_PSS_2048_8192_SHA256,
            0x0805 => &aws::RSA_PSS_2048_8192_SHA384,
            0x0806 => &aws::RSA_PSS_2048_8192_SHA512,
            other => panic!("scheme {other:04x}, TLS 1.3: {tls13}"),
        };
        UnparsedPublicKey::new(algorithm, self.entry(leaf)?.public)
            .verify(message, signature)
            .map_err(|_| Refusal::NotPossessed)
    }

    fn check_status(&self, leaf: &[u8], _now: Timestamp) -> Result<(), Refusal> {
        self.status_asked.fetch_add(1, Ordering::Relaxed);
        self.entry(leaf)?.status.map_or(Ok(()), Err)
    }
}

/// A self-signed server certificate.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) der: Vec<u8>,
    pub(super) pkcs8: Vec<u8>,
}

impl Server {
    pub(super) fn new(name: &str, kind: Kind) -> Self {
        let key = kind.generate();
        let der = CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap().der().to_vec();
        Self { der, pkcs8: key.serialize_der() }
    }

    pub(super) fn certificate(&self) -> ServerCertificate {
        ServerCertificate::from_der(vec![self.der.clone()], &self.pkcs8).unwrap()
    }
}

pub(super) struct Broker {
    pub(super) book: Arc<Book>,
    pub(super) clock: Arc<TestClock>,
    pub(super) server: Server,
    pub(super) names: Arc<ServerNames>,
    pub(super) configs: ServerConfigs,
    settings: Settings,
}

impl Broker {
    pub(super) fn new() -> Self {
        let server = Server::new("localhost", Kind::P256);
        let names = Arc::new(ServerNames::new(NameTable::new(server.certificate())));
        let (book, clock) = (Arc::new(Book::default()), Arc::new(TestClock(AtomicU64::new(0))));
        let settings = Settings {
            names: names.clone(),
            client_certificates: Some(book.clone()),
            optional_without_alpn: false,
            custom_authentication: false,
            alpn: vec![ALPN_MQTT_CLIENT_CERTIFICATE.to_vec(), ALPN_MQTT.to_vec()],
            tickets: Tickets::Issued,
            versions: Versions::Tls12AndTls13,
            clock: clock.clone(),
        };
        let configs = ServerConfigs::new(settings.clone()).unwrap();
        Self { book, clock, server, names, configs, settings }
    }

    fn with(self, settings: Settings) -> Self {
        Self { configs: ServerConfigs::new(settings.clone()).unwrap(), settings, ..self }
    }

    pub(super) fn without_client_certificates(self) -> Self {
        let settings = Settings { client_certificates: None, ..self.settings.clone() };
        self.with(settings)
    }

    pub(super) fn tickets(self, tickets: Tickets) -> Self {
        let settings = Settings { tickets, ..self.settings.clone() };
        self.with(settings)
    }

    pub(super) fn speaks(self, versions: Versions) -> Self {
        let settings = Settings { versions, ..self.settings.clone() };
        self.with(settings)
    }

    pub(super) fn with_another_set(self) -> Self {
        let settings = self.settings.clone();
        self.with(settings)
    }
}

/// One broker for the tests that need no other.
pub(super) fn open_broker() -> &'static Broker {
    static BROKER: LazyLock<Broker> = LazyLock::new(|| Broker::new().without_client_certificates());
    &BROKER
}

pub(super) fn hello_bytes() -> &'static [u8] {
    static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let broker = open_broker();
        Link::new(broker, client(broker).offers(&["mqtt"])).client_bytes()
    });
    &BYTES
}

pub(super) fn noise_into_session(bytes: &[u8], step: usize) {
    let mut session = Session::new(open_broker().configs.strict()).unwrap();
    let (mut bytes, mut plain, mut out) = (bytes.to_vec(), Vec::new(), Vec::new());
    for chunk in bytes.chunks_mut(step) {
        if session.feed(chunk, &mut plain, &mut out).is_err() {
            break;
        }
    }
    assert!(plain.is_empty());
}
