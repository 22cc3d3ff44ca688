//! Listeners and connections: TLS, bounds, deadlines, an orderly end.

use std::{convert::Infallible, fmt, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

use crate::{Api, dispatch};

/// Most connections at one time, over all listeners. When it is reached, listeners pause and others wait in the backlog.
pub const CONNECTIONS_MAX: usize = 512;

/// Longest TLS handshake.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Longest wait for a whole request head: also how long an idle connection is kept.
const HEAD_MAX: Duration = Duration::from_secs(30);
/// Longest life of a connection: who reads no answers does not hold one for ever. Clients open another.
const CONNECTION_MAX: Duration = Duration::from_secs(15 * 60);
/// How long a connection whose time is over may finish its last request.
const LAST_REQUEST_MAX: Duration = Duration::from_secs(60);
/// Largest request head.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Most header fields.
const HEADERS_MAX: usize = 100;
/// How long a listener rests when the system has no descriptor or memory for a connection.
const REST: Duration = Duration::from_millis(100);

/// Where the API is to be reached.
#[derive(Clone)]
pub enum Listener {
    /// HTTPS.
    Https {
        /// Port 0: any free one.
        address: SocketAddr,
        /// No client certificates; certificates are reloaded within its resolver.
        tls: Arc<rustls::ServerConfig>,
    },
    /// HTTP in the clear. The caller sees to it that the address is on loopback.
    Http {
        /// Port 0: any free one.
        address: SocketAddr,
    },
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Https { address, .. } => write!(f, "https://{address}"),
            Self::Http { address } => write!(f, "http://{address}"),
        }
    }
}

/// An API that is being served. Dropping it ends all connections at once.
#[derive(Debug)]
pub struct Serving {
    addresses: Vec<SocketAddr>,
    phase: watch::Sender<Phase>,
    connections: Arc<Semaphore>,
}

/// How far the end has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Phase {
    Serving,
    /// No new connection; those that are finish their request.
    Draining,
    Ended,
}

/// Binds all listeners, then serves them on the current runtime.
///
/// # Errors
/// When an address cannot be bound; none is then served.
pub async fn serve(api: Arc<Api>, listeners: Vec<Listener>) -> io::Result<Serving> {
    let (phase, watching) = watch::channel(Phase::Serving);
    let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut addresses = Vec::new();
    let mut doors = Vec::new();
    for listener in listeners {
        let (address, tls) = match listener {
            Listener::Https { address, tls } => (address, Some(TlsAcceptor::from(tls))),
            Listener::Http { address } => (address, None),
        };
        let socket = TcpListener::bind(address)
            .await
            .map_err(|error| io::Error::new(error.kind(), format!("the API cannot listen on {address}: {error}")))?;
        addresses.push(socket.local_addr()?);
        doors.push(Door {
            api: Arc::clone(&api),
            socket,
            tls,
            connections: Arc::clone(&connections),
            phase: watching.clone(),
        });
    }
    for door in doors {
        tokio::spawn(door.accept());
    }
    Ok(Serving { addresses, phase, connections })
}

impl Serving {
    /// The bound addresses, in the order of the listeners.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Stops accepting, lets requests finish for at most `grace`, then ends what is left.
    pub async fn shutdown(self, grace: Duration) {
        self.phase.send_replace(Phase::Draining);
        let _ = timeout(grace, self.connections.acquire_many(CONNECTIONS_MAX as u32)).await;
        self.phase.send_replace(Phase::Ended);
    }
}

/// One listening socket.
struct Door {
    api: Arc<Api>,
    socket: TcpListener,
    tls: Option<TlsAcceptor>,
    connections: Arc<Semaphore>,
    phase: watch::Receiver<Phase>,
}

impl Door {
    async fn accept(mut self) {
        loop {
            let accepted = tokio::select! {
                accepted = accept_one(&self.socket, &self.connections) => accepted,
                () = reached(&mut self.phase, Phase::Draining) => return,
            };
            match accepted {
                Ok((permit, stream, peer)) => {
                    let connection =
                        connection(Arc::clone(&self.api), stream, peer, self.tls.clone(), self.phase.clone());
                    tokio::spawn(async move {
                        connection.await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    tracing::warn!(event_type = "Api", %error, "a connection could not be accepted");
                    sleep(REST).await;
                }
            }
        }
    }
}

/// The next connection, once there is room for it.
async fn accept_one(
    socket: &TcpListener,
    connections: &Arc<Semaphore>,
) -> io::Result<(OwnedSemaphorePermit, TcpStream, SocketAddr)> {
    let permit = Arc::clone(connections).acquire_owned().await.expect("the semaphore is never closed");
    let (stream, peer) = socket.accept().await?;
    Ok((permit, stream, peer))
}

/// Returns once the end has come as far as `phase`, or the [`Serving`] is gone.
async fn reached(watching: &mut watch::Receiver<Phase>, phase: Phase) {
    // An error means that the sender was dropped: everything ends.
    let _ = watching.wait_for(|now| *now >= phase).await;
}

async fn connection(
    api: Arc<Api>,
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    phase: watch::Receiver<Phase>,
) {
    let _ = stream.set_nodelay(true);
    match tls {
        None => requests(api, stream, peer, phase).await,
        Some(tls) => match timeout(HANDSHAKE_MAX, tls.accept(stream)).await {
            Ok(Ok(stream)) => requests(api, stream, peer, phase).await,
            Ok(Err(error)) => {
                tracing::debug!(event_type = "Api", source_ip = %peer.ip(), %error, "a TLS handshake failed");
            }
            Err(_) => tracing::debug!(event_type = "Api", source_ip = %peer.ip(), "a TLS handshake took too long"),
        },
    }
}

async fn requests(
    api: Arc<Api>,
    stream: impl AsyncRead + AsyncWrite + Unpin,
    peer: SocketAddr,
    mut phase: watch::Receiver<Phase>,
) {
    let service = service_fn(|request| {
        let api = Arc::clone(&api);
        async move { Ok::<_, Infallible>(dispatch::respond(&api, peer, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return log_end(peer, ended),
        () = reached(&mut phase, Phase::Draining) => {}
        () = sleep(CONNECTION_MAX) => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        ended = connection.as_mut() => log_end(peer, ended),
        () = reached(&mut phase, Phase::Ended) => {}
        () = sleep(LAST_REQUEST_MAX) => {}
    }
}

fn log_end(peer: SocketAddr, ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(event_type = "Api", source_ip = %peer.ip(), %error, "a connection broke");
    }
}
