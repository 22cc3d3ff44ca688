//! Listeners and connections: TLS, bounds, deadlines, an orderly end.
//!
//! Nobody waits behind a silent peer: a new connection always gets a seat, from whoever has shown least
//! ([`seats`](crate::seats)). A head that breaks HTTP's own rules is answered by hyper, with 400, 414 or 431, no body
//! and no AWS error name; the connection is then closed. hyper offers no way to say more.

use std::{
    convert::Infallible,
    fmt, io,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::{Instant, sleep, sleep_until, timeout, timeout_at},
};
use tokio_rustls::TlsAcceptor;

use crate::{
    Api, dispatch,
    impatient::Impatient,
    seats::{Limits, Seat, Seats},
};

/// Most connections at one time, over all listeners. When it is reached, the oldest one that has sent no request with
/// a good signature makes room.
pub const CONNECTIONS_MAX: usize = 512;
/// Most connections from one address; its own make room.
pub const CONNECTIONS_PER_ADDRESS_MAX: usize = 256;

/// Longest wait, from the first packet on, for the TLS handshake and the head of the first request.
const FIRST_HEAD_MAX: Duration = Duration::from_secs(10);
/// Longest wait for a further head: also how long an idle connection is kept.
const HEAD_MAX: Duration = Duration::from_secs(30);
/// Longest wait for a peer that takes nothing of an answer.
const STALLED_MAX: Duration = Duration::from_secs(10);
/// Longest life of a connection: who reads answers slowly does not hold one for ever. Clients open another.
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
    /// Every listener and connection holds a receiver until it has ended.
    phase: watch::Sender<Phase>,
}

/// What differs in tests.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) connections: Limits,
    pub(crate) first_head: Duration,
    pub(crate) stalled: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: Limits { total: CONNECTIONS_MAX, per_address: CONNECTIONS_PER_ADDRESS_MAX },
            first_head: FIRST_HEAD_MAX,
            stalled: STALLED_MAX,
        }
    }
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
    serve_within(api, listeners, Bounds::default()).await
}

pub(crate) async fn serve_within(api: Arc<Api>, listeners: Vec<Listener>, bounds: Bounds) -> io::Result<Serving> {
    let (phase, watching) = watch::channel(Phase::Serving);
    let seats = Seats::new(bounds.connections);
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
            seats: Arc::clone(&seats),
            bounds,
            phase: watching.clone(),
        });
    }
    for door in doors {
        tokio::spawn(door.accept());
    }
    Ok(Serving { addresses, phase })
}

impl Serving {
    /// The bound addresses, in the order of the listeners.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Stops accepting, lets requests finish for at most `grace`, then ends what is left.
    pub async fn shutdown(self, grace: Duration) {
        self.phase.send_replace(Phase::Draining);
        let _ = timeout(grace, self.phase.closed()).await;
        self.phase.send_replace(Phase::Ended);
    }
}

/// One listening socket.
struct Door {
    api: Arc<Api>,
    socket: TcpListener,
    tls: Option<TlsAcceptor>,
    seats: Arc<Seats>,
    bounds: Bounds,
    phase: watch::Receiver<Phase>,
}

impl Door {
    async fn accept(mut self) {
        loop {
            let accepted = tokio::select! {
                accepted = self.socket.accept() => accepted,
                () = reached(&mut self.phase, Phase::Draining) => return,
            };
            match accepted {
                Ok((stream, peer)) => self.seat(stream, peer),
                Err(error) => {
                    tracing::warn!(event_type = "Api", %error, "a connection could not be accepted");
                    self.seats.make_room();
                    sleep(REST).await;
                }
            }
        }
    }

    fn seat(&self, stream: TcpStream, peer: SocketAddr) {
        let Some(seat) = self.seats.take(peer.ip()) else {
            tracing::debug!(event_type = "Api", source_ip = %peer.ip(), "a connection was refused: all are at work");
            return;
        };
        let connection = Connection {
            api: Arc::clone(&self.api),
            peer,
            seat,
            first_head_by: Instant::now() + self.bounds.first_head,
            phase: self.phase.clone(),
        };
        let (tls, stalled) = (self.tls.clone(), self.bounds.stalled);
        tokio::spawn(connection.run(stream, tls, stalled));
    }
}

/// Returns once the end has come as far as `phase`, or the [`Serving`] is gone.
async fn reached(watching: &mut watch::Receiver<Phase>, phase: Phase) {
    // An error means that the sender was dropped: everything ends.
    let _ = watching.wait_for(|now| *now >= phase).await;
}

struct Connection {
    api: Arc<Api>,
    peer: SocketAddr,
    seat: Seat,
    first_head_by: Instant,
    phase: watch::Receiver<Phase>,
}

impl Connection {
    /// From the first byte to the end, or until another needs the seat.
    async fn run(self, stream: TcpStream, tls: Option<TlsAcceptor>, stalled: Duration) {
        let _ = stream.set_nodelay(true);
        let stream = Impatient::new(stream, stalled);
        let served = async {
            match tls {
                None => self.requests(stream, false).await,
                Some(tls) => match timeout_at(self.first_head_by, tls.accept(stream)).await {
                    Ok(Ok(stream)) => self.requests(stream, true).await,
                    Ok(Err(error)) => self.log_end(&error),
                    Err(_) => self.log_end(&"the TLS handshake took too long"),
                },
            }
        };
        tokio::select! {
            () = served => {}
            () = self.seat.lost() => self.log_end(&"a newer connection needed its place"),
        }
    }

    async fn requests(&self, stream: impl AsyncRead + AsyncWrite + Unpin, secure: bool) {
        let heard = AtomicBool::new(false);
        let service = service_fn(|request| {
            heard.store(true, Ordering::Relaxed);
            async { Ok::<_, Infallible>(dispatch::respond(&self.api, self.peer, secure, &self.seat, request).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_MAX)
            .max_buf_size(HEAD_BYTES_MAX)
            .max_headers(HEADERS_MAX)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        let mut phase = self.phase.clone();
        tokio::select! {
            ended = connection.as_mut() => return self.log_result(ended),
            () = silence(&heard, self.first_head_by) => return self.log_end(&"no request came in time"),
            () = reached(&mut phase, Phase::Draining) => {}
            () = sleep(CONNECTION_MAX) => {}
        }
        connection.as_mut().graceful_shutdown();
        tokio::select! {
            ended = connection.as_mut() => self.log_result(ended),
            () = reached(&mut phase, Phase::Ended) => {}
            () = sleep(LAST_REQUEST_MAX) => {}
        }
    }

    fn log_result(&self, ended: hyper::Result<()>) {
        if let Err(error) = ended {
            self.log_end(&error);
        }
    }

    fn log_end(&self, why: &dyn fmt::Display) {
        tracing::debug!(event_type = "Api", source_ip = %self.peer.ip(), %why, "a connection was given up");
    }
}

/// Returns at `by` when nothing was heard until then, otherwise never.
async fn silence(heard: &AtomicBool, by: Instant) {
    sleep_until(by).await;
    if heard.load(Ordering::Relaxed) {
        std::future::pending().await
    }
}
