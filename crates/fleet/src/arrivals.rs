//! Devices that come in numbers: how fast a server takes them.

use std::{
    collections::BTreeMap,
    fmt, io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use rustls::{
    ClientConfig, SupportedCipherSuite,
    client::Resumption,
    crypto::aws_lc_rs::{self, cipher_suite},
    pki_types::ServerName,
    version::TLS13,
};
use tidegate_mqtt::{Connect, Disconnect, Packet, Peer, ReasonCode, Version, decode, frame};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{FleetError, Identity, any_server::AnyServer};

/// How long one arrival may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longest answer to CONNECT that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// The cipher suite of whatever is measured: clients that offer no other compare servers over the same one, whatever these prefer.
pub fn measured_suite() -> SupportedCipherSuite {
    cipher_suite::TLS13_AES_128_GCM_SHA256
}

/// A device ready to connect: whatever takes time has been made before. Cheap to clone.
///
/// It offers TLS 1.3 with X25519 and the [`measured_suite`], and never resumes. It looks at no server certificate: a load generator's own checks would
/// slow down what is measured.
#[derive(Clone)]
pub struct Caller {
    tls: TlsConnector,
    connect: Arc<[u8]>,
}

/// Which answer an arrival waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// The server closes after it has got CONNECT.
    Closed,
    /// CONNACK 0; the device then sends DISCONNECT and leaves.
    Connected,
    /// CONNACK with a failure, or the end of the connection: what a first CONNECT comes to.
    Refused,
}

/// Many devices, each of which connects once.
#[derive(Debug, Clone)]
pub struct Arrivals {
    /// Where to.
    pub address: SocketAddr,
    /// The name in SNI.
    pub server_name: ServerName<'static>,
    /// How many at a time.
    pub parallel: usize,
    /// What completes each.
    pub until: Until,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Arrived {
    /// How many got the answer that was waited for.
    pub count: usize,
    /// From the first connection attempt to the last answer.
    pub took: Duration,
    /// How many did not, by what they met.
    pub failed: BTreeMap<String, usize>,
}

impl Caller {
    /// The device with this identity and client id.
    pub fn new(identity: &Identity, client_id: &str) -> Result<Self, FleetError> {
        let mut provider = aws_lc_rs::default_provider();
        provider.kx_groups = vec![aws_lc_rs::kx_group::X25519];
        provider.cipher_suites = vec![measured_suite()];
        let provider = Arc::new(provider);
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyServer::new(provider)))
            .with_client_auth_cert(vec![identity.certificate.clone()], identity.key())?;
        config.resumption = Resumption::disabled();
        let mut connect = Vec::new();
        let packet = Connect { keep_alive_seconds: 60, ..Connect::new(Version::V5, client_id) };
        Packet::Connect(Box::new(packet)).encode(Version::V5, &mut connect)?;
        Ok(Self { tls: TlsConnector::from(Arc::new(config)), connect: connect.into() })
    }

    /// Its TLS configuration, for a handshake without sockets.
    pub fn tls(&self) -> Arc<ClientConfig> {
        Arc::clone(self.tls.config())
    }
}

impl Arrivals {
    /// Lets every caller arrive once.
    ///
    /// Caller `i` goes to worker `i` modulo `parallel`: callers who repeat in that period never meet themselves.
    pub async fn run(&self, callers: &[Caller]) -> Arrived {
        let mut workers = JoinSet::new();
        let since = Instant::now();
        for worker in 0..self.parallel.min(callers.len()) {
            let callers: Vec<Caller> = callers.iter().skip(worker).step_by(self.parallel).cloned().collect();
            let arrivals = self.clone();
            workers.spawn(async move {
                let mut outcomes = Vec::with_capacity(callers.len());
                for caller in callers {
                    outcomes.push(match timeout(PATIENCE, arrivals.one(&caller)).await {
                        Ok(outcome) => outcome,
                        Err(_) => Err(Failure("nothing came in time".into())),
                    });
                }
                outcomes
            });
        }
        let mut arrived = Arrived { count: 0, took: Duration::ZERO, failed: BTreeMap::new() };
        for outcome in workers.join_all().await.into_iter().flatten() {
            match outcome {
                Ok(()) => arrived.count += 1,
                Err(Failure(what)) => *arrived.failed.entry(what).or_default() += 1,
            }
        }
        arrived.took = since.elapsed();
        arrived
    }

    async fn one(&self, caller: &Caller) -> Result<(), Failure> {
        let tcp = TcpStream::connect(self.address).await.map_err(|error| Failure(format!("TCP: {error}")))?;
        tcp.set_nodelay(true)?;
        let mut stream = caller
            .tls
            .connect(self.server_name.clone(), tcp)
            .await
            .map_err(|error| Failure(format!("TLS handshake: {error}")))?;
        stream.write_all(&caller.connect).await?;
        match (self.until, answer(&mut stream).await?) {
            (Until::Closed, Answer::End) => Ok(()),
            (Until::Connected, Answer::ConnAck(ReasonCode::Success)) => leave(&mut stream).await,
            (Until::Refused, Answer::End) => Ok(()),
            (Until::Refused, Answer::ConnAck(code)) if code != ReasonCode::Success => Ok(()),
            (_, other) => Err(Failure(format!("CONNECT: {other}"))),
        }
    }
}

/// What an arrival met instead of what it waited for.
struct Failure(String);

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

/// What comes after CONNECT.
enum Answer {
    ConnAck(ReasonCode),
    Other,
    End,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConnAck(code) => write!(f, "CONNACK 0x{:02x}", *code as u8),
            Self::Other => write!(f, "not a CONNACK"),
            Self::End => write!(f, "the connection was closed"),
        }
    }
}

async fn answer(stream: &mut TlsStream<TcpStream>) -> Result<Answer, Failure> {
    let mut buffer = Vec::with_capacity(512);
    loop {
        match frame(&buffer, ANSWER_BYTES_MAX) {
            Ok(Some(length)) if length.packet_bytes <= buffer.len() => {
                return Ok(match decode(&buffer[..length.packet_bytes], Version::V5, Peer::Server) {
                    Ok(Packet::ConnAck(ack)) => Answer::ConnAck(ack.reason_code),
                    Ok(_) | Err(_) => Answer::Other,
                });
            }
            Ok(_) if stream.read_buf(&mut buffer).await? == 0 => return Ok(Answer::End),
            Ok(_) => {}
            Err(_) => return Ok(Answer::Other),
        }
    }
}

async fn leave(stream: &mut TlsStream<TcpStream>) -> Result<(), Failure> {
    let mut bytes = Vec::new();
    let disconnect = Packet::Disconnect(Disconnect::new(ReasonCode::Success));
    disconnect.encode(Version::V5, &mut bytes).map_err(|error| Failure(error.to_string()))?;
    stream.write_all(&bytes).await?;
    Ok(stream.shutdown().await?)
}

#[cfg(test)]
mod tests;
