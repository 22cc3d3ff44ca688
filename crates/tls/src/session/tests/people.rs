//! Who takes part in the tests: a broker with its book of certificates, clients, and the line between them.

use std::{
    collections::HashMap,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use aws_lc_rs::signature::{self as aws, UnparsedPublicKey};
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData, SigningKey};
use rustls::{
    CipherSuite, ClientConfig, ClientConnection, Error, RootCertStore, SignatureScheme, SupportedProtocolVersion,
    client::ResolvesClientCert,
    crypto::{
        CryptoProvider,
        aws_lc_rs::{ALL_CIPHER_SUITES, default_provider, sign::any_supported_type},
    },
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName},
    sign::CertifiedKey,
};
use tidegate_ids::{Clock, Monotonic, Now, Timestamp};

use crate::{
    ALPN_MQTT, ALPN_MQTT_CLIENT_CERTIFICATE, ClientCertificates, ClientHello, NameTable, Progress, Refusal,
    ServerCertificate, ServerConfigs, ServerNames, Session, Settings, Tickets, TlsError, Versions,
};

#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    P256,
    P384,
    P521,
    Rsa2048,
}

impl Kind {
    fn generate(self) -> KeyPair {
        /// RSA keys take long: one is enough for all tests.
        static RSA: LazyLock<Vec<u8>> =
            LazyLock::new(|| KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap().serialize_der());
        match self {
            Self::P256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap(),
            Self::P384 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap(),
            Self::P521 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512).unwrap(),
            Self::Rsa2048 => KeyPair::try_from(RSA.as_slice()).unwrap(),
        }
    }
}

/// A client certificate and its key.
#[derive(Clone)]
pub(super) struct Leaf {
    pub(super) der: Vec<u8>,
    pub(super) pkcs8: Vec<u8>,
    pub(super) public: Vec<u8>,
}

impl Leaf {
    pub(super) fn v3(kind: Kind) -> Self {
        let key = kind.generate();
        let der = CertificateParams::new(vec!["device".to_owned()]).unwrap().self_signed(&key).unwrap().der().to_vec();
        Self { der, pkcs8: key.serialize_der(), public: key.der_bytes().to_vec() }
    }

    /// What `openssl x509 -req` without an extension file makes, and what rustls's own verifier refuses.
    pub(super) fn v1(kind: Kind) -> Self {
        let key = kind.generate();
        let element = |tag: u8, contents: &[u8]| {
            let length = contents.len() as u16;
            [&[tag, 0x82, (length >> 8) as u8, length as u8], contents].concat()
        };
        // ecdsa-with-SHA256; nobody here looks at the issuer's signature.
        let algorithm = [0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
        let name = element(0x30, &[]);
        let dates = element(0x30, b"\x17\x0d250101000000Z\x17\x0d491231235959Z");
        let spki = key.subject_public_key_info();
        let tbs = element(0x30, &[&[0x02, 1, 7], &algorithm[..], &name, &dates, &name, &spki].concat());
        let signature = element(0x03, &[&[0], key.sign(&tbs).unwrap().as_slice()].concat());
        let der = element(0x30, &[&tbs, &algorithm[..], &signature].concat());
        Self { der, pkcs8: key.serialize_der(), public: key.der_bytes().to_vec() }
    }
}

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

/// Shows one certificate whatever it is asked for, without looking at it.
#[derive(Debug)]
struct Shows(Arc<CertifiedKey>);

impl ResolvesClientCert for Shows {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

pub(super) struct Client {
    roots: RootCertStore,
    provider: CryptoProvider,
    version: Option<&'static SupportedProtocolVersion>,
    leaf: Option<Leaf>,
    name: String,
    alpn: Vec<Vec<u8>>,
}

/// A client that trusts the broker's server certificate.
pub(super) fn client(broker: &Broker) -> Client {
    let client = Client {
        roots: RootCertStore::empty(),
        provider: default_provider(),
        version: None,
        leaf: None,
        name: "localhost".into(),
        alpn: Vec::new(),
    };
    client.trusts(&broker.server)
}

impl Client {
    pub(super) fn trusts(mut self, server: &Server) -> Self {
        self.roots.add(server.der.clone().into()).unwrap();
        self
    }

    /// Its cipher suites, best first.
    pub(super) fn prefers(mut self, suites: &[CipherSuite]) -> Self {
        let known = |name: &CipherSuite| *ALL_CIPHER_SUITES.iter().find(|suite| suite.suite() == *name).unwrap();
        self.provider.cipher_suites = suites.iter().map(known).collect();
        self
    }

    pub(super) fn version(mut self, version: &'static SupportedProtocolVersion) -> Self {
        self.version = Some(version);
        self
    }

    pub(super) fn shows(mut self, leaf: &Leaf) -> Self {
        self.leaf = Some(leaf.clone());
        self
    }

    pub(super) fn named(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    pub(super) fn offers(mut self, alpn: &[&str]) -> Self {
        self.alpn = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        self
    }

    pub(super) fn build(self) -> (Arc<ClientConfig>, ServerName<'static>) {
        let builder = ClientConfig::builder_with_provider(Arc::new(self.provider));
        let builder = match self.version {
            Some(version) => builder.with_protocol_versions(&[version]).unwrap(),
            None => builder.with_safe_default_protocol_versions().unwrap(),
        };
        let builder = builder.with_root_certificates(self.roots);
        let mut config = match self.leaf {
            Some(leaf) => {
                let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf.pkcs8));
                let key = CertifiedKey::new(vec![leaf.der.into()], any_supported_type(&key).unwrap());
                builder.with_client_cert_resolver(Arc::new(Shows(Arc::new(key))))
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = self.alpn;
        (Arc::new(config), ServerName::try_from(self.name).unwrap())
    }
}

/// The line between a client and a session of the broker.
pub(super) struct Link {
    pub(super) session: Session,
    /// How many bytes the session is fed at a time.
    pub(super) step: usize,
    client: ClientConnection,
    client_error: Option<Error>,
}

impl Link {
    pub(super) fn new(broker: &Broker, client: Client) -> Self {
        Self::of(broker, client.build())
    }

    pub(super) fn handshaken(broker: &Broker, client: Client) -> Self {
        let mut link = Self::new(broker, client);
        link.handshake().unwrap();
        link
    }

    /// As the gateway does it: peek, choose, feed the same bytes.
    pub(super) fn of(broker: &Broker, (config, name): (Arc<ClientConfig>, ServerName<'static>)) -> Self {
        let mut twin = ClientConfig::clone(&config);
        twin.resumption = rustls::client::Resumption::disabled(); // or it would take the ticket
        let mut twin = ClientConnection::new(Arc::new(twin), name.clone()).unwrap();
        let mut bytes = Vec::new();
        twin.write_tls(&mut bytes).unwrap();
        let hello = ClientHello::peek(&bytes).unwrap().unwrap();
        Self::with(broker.configs.tolerant(&hello), config, name)
    }

    pub(super) fn strict(broker: &Broker, client: Client) -> Self {
        let (config, name) = client.build();
        Self::with(broker.configs.strict(), config, name)
    }

    fn with(server: Arc<rustls::ServerConfig>, config: Arc<ClientConfig>, name: ServerName<'static>) -> Self {
        Self {
            session: Session::new(server).unwrap(),
            step: usize::MAX,
            client: ClientConnection::new(config, name).unwrap(),
            client_error: None,
        }
    }

    pub(super) fn client_bytes(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while self.client.wants_write() {
            self.client.write_tls(&mut bytes).unwrap();
        }
        bytes
    }

    pub(super) fn client_error(&self) -> Option<Error> {
        self.client_error.clone()
    }

    pub(super) fn server_leaf(&self) -> Vec<u8> {
        self.client.peer_certificates().unwrap()[0].to_vec()
    }

    fn client_reads(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            self.client.read_tls(&mut bytes).unwrap();
            if let Err(error) = self.client.process_new_packets() {
                self.client_error = Some(error);
                return;
            }
        }
    }

    /// Carries everything over, both ways, until nobody has more to say.
    fn carry(&mut self) -> Result<(Vec<u8>, Progress), TlsError> {
        let (mut plain, mut progress) = (Vec::new(), Progress::Handshaking);
        loop {
            let mut bytes = self.client_bytes();
            if bytes.is_empty() {
                return Ok((plain, progress));
            }
            let mut out = Vec::new();
            let step = self.step.min(bytes.len());
            let result: Result<(), TlsError> = bytes.chunks_mut(step).try_for_each(|chunk| {
                progress = self.session.feed(chunk, &mut plain, &mut out)?;
                Ok(())
            });
            self.client_reads(&out);
            result?;
        }
    }

    pub(super) fn handshake(&mut self) -> Result<(), TlsError> {
        let (_, progress) = self.carry()?;
        assert_eq!(progress, Progress::Open);
        Ok(())
    }

    /// Client to broker.
    pub(super) fn send(&mut self, data: &[u8]) -> Result<Vec<u8>, TlsError> {
        use std::io::Write;
        let mut received = Vec::new();
        for piece in data.chunks(30_000) {
            self.client.writer().write_all(piece).unwrap();
            received.extend(self.carry()?.0);
        }
        Ok(received)
    }

    /// Broker to client.
    pub(super) fn receive(&mut self, data: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        self.session.encrypt(data, &mut out).unwrap();
        self.read(&out)
    }

    fn read(&mut self, mut out: &[u8]) -> Vec<u8> {
        use std::io::Read;
        let mut received = Vec::new();
        while !out.is_empty() {
            self.client.read_tls(&mut out).unwrap();
            self.client.process_new_packets().unwrap();
            let _ = self.client.reader().read_to_end(&mut received); // WouldBlock at the end
        }
        received
    }

    /// The broker closes; whether the client has understood.
    pub(super) fn says_goodbye(&mut self) -> bool {
        let mut out = Vec::new();
        self.session.close_notify(&mut out);
        let mut bytes = out.as_slice();
        self.client.read_tls(&mut bytes).unwrap();
        self.client.process_new_packets().unwrap().peer_has_closed()
    }

    /// The client closes.
    pub(super) fn close(&mut self) -> Result<Progress, TlsError> {
        self.client.send_close_notify();
        Ok(self.carry()?.1)
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
