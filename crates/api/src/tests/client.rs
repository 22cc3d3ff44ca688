//! A server, an administrator, and signed requests.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use serde_json::Value;
use tidegate_ids::{AccountId, Clock, Now, Timestamp};
use tidegate_kv::memory::MemoryStore;
use tidegate_pki::seal::MasterKey;
use tidegate_registry::{Chance, CreatedAccessKey, Parts, Registry};
use tidegate_sigv4::{PayloadHash, RequestParts, Signer, sign};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    Api, Listener, Serving, Settings,
    serve::{Bounds, serve_within},
};

/// A moment that stands still.
#[derive(Debug)]
struct Still;

pub(super) const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

impl Clock for Still {
    fn now(&self) -> Now {
        Now { wall: NOW, ..Now::default() }
    }
}

/// Bytes that repeat themselves in every run, and not soon within one.
#[derive(Default)]
struct Counting(AtomicU64);

impl Chance for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let next = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            chunk.copy_from_slice(&next.to_le_bytes()[..chunk.len()]);
        }
    }
}

/// A running API and the key of its only account.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) key: CreatedAccessKey,
    pub(super) api: Arc<Api>,
    pub(super) serving: Serving,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    head: String,
    pub(super) body: String,
}

/// What to send; the rest is made up.
#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    pub(super) service: &'a str,
    pub(super) method: &'a str,
    /// Path and query, as they are sent.
    pub(super) target: &'a str,
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) body: &'a str,
    /// When it was signed.
    pub(super) at: Timestamp,
}

impl Default for Ask<'_> {
    fn default() -> Self {
        Self { service: "iot", method: "GET", target: "/", headers: &[], body: "", at: NOW }
    }
}

impl Server {
    pub(super) async fn start() -> Self {
        Self::start_with(|api| api).await
    }

    pub(super) async fn start_with(change: impl FnOnce(Api) -> Api) -> Self {
        Self::start_at(change, vec![Listener::Http { address: "127.0.0.1:0".parse().unwrap() }]).await
    }

    /// The first listener is the one that is asked.
    pub(super) async fn start_at(change: impl FnOnce(Api) -> Api, listeners: Vec<Listener>) -> Self {
        Self::start_within(change, listeners, Bounds::default()).await
    }

    pub(super) async fn start_within(
        change: impl FnOnce(Api) -> Api,
        listeners: Vec<Listener>,
        bounds: Bounds,
    ) -> Self {
        let parts = Parts {
            store: Arc::new(MemoryStore::new()),
            master_key: MasterKey::from_bytes(&[7; MasterKey::BYTES]),
            chance: Box::new(Counting::default()),
            settings: tidegate_registry::Settings::default(),
            faults: Box::new(()),
        };
        let now = Still.now();
        let registry = Registry::open(parts, now).await.unwrap();
        let account: AccountId = "123456789012".parse().unwrap();
        registry.create_account(Some(account), now).await.unwrap();
        let key = registry.create_access_key(account, now).await.unwrap();
        let api = change(Api::new(registry, Arc::new(Still), Settings { host_name: "broker.example".into() }));
        let api = Arc::new(api);
        let serving = serve_within(Arc::clone(&api), listeners, bounds).await.unwrap();
        Self { address: serving.addresses()[0], key, api, serving }
    }

    /// Signs `ask` and sends it.
    pub(super) async fn ask(&self, ask: Ask<'_>) -> Answer {
        let signed = self.sign(&ask);
        let headers = signed.iter().map(|(name, value)| (*name, value.as_str()));
        self.send(&ask, &headers.collect::<Vec<_>>()).await
    }

    /// The headers that a signing client adds.
    pub(super) fn sign(&self, ask: &Ask<'_>) -> Vec<(&'static str, String)> {
        let (raw_path, raw_query) = ask.target.split_once('?').unwrap_or((ask.target, ""));
        let host = self.address.to_string();
        let mut headers: Vec<(&str, &[u8])> = vec![("host", host.as_bytes())];
        headers.extend(ask.headers.iter().map(|(name, value)| (*name, value.as_bytes())));
        let parts = RequestParts { method: ask.method, raw_path, raw_query, headers: &headers };
        let signer = Signer {
            access_key_id: self.key.id.as_str(),
            secret_access_key: self.key.secret.as_bytes(),
            session_token: None,
            region: "eu-central-1",
            service: ask.service,
        };
        sign(&parts, PayloadHash::of(ask.body.as_bytes()), &signer, ask.at)
    }

    /// Sends `ask` with `more` headers, unsigned unless they sign it.
    pub(super) async fn send(&self, ask: &Ask<'_>, more: &[(&str, &str)]) -> Answer {
        let mut request =
            format!("{} {} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", ask.method, ask.target, self.address);
        for (name, value) in ask.headers.iter().chain(more) {
            request += &format!("{name}: {value}\r\n");
        }
        request += &format!("content-length: {}\r\n\r\n{}", ask.body.len(), ask.body);
        self.raw(request.as_bytes()).await
    }

    /// Sends bytes and reads the answer to the end of the connection.
    pub(super) async fn raw(&self, request: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // A server may answer, and close, before it has read all.
        let _ = stream.write_all(request).await;
        let mut bytes = Vec::new();
        let mut chunk = [0; 4096];
        while let Ok(read @ 1..) = stream.read(&mut chunk).await {
            bytes.extend_from_slice(&chunk[..read]);
        }
        let text = String::from_utf8_lossy(&bytes); // CBOR is not UTF-8
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(n, _)| *n == name).map(|(_, value)| value)
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Status and error name of a rest-json error, in lower case.
    pub(super) fn error(&self) -> (u16, &str) {
        (self.status, self.header("x-amzn-errortype").unwrap_or_default())
    }
}
