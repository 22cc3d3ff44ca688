//! One acceptor per listener: it takes sockets from the kernel and hands each to the core with the fewest connections.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use mio::net::{TcpListener, TcpStream};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    io::{Interest, unix::AsyncFd},
    sync::{oneshot, watch},
    time::Instant,
};
use tracing::{debug, warn};

use crate::{
    descriptor::watch,
    half_open::{GivenUp, HalfOpen, Place},
    mailbox::Mailbox,
};

/// Connections that the kernel completes and keeps for us while the acceptor is busy or paused.
const BACKLOG: i32 = 4096;
/// Connections accepted in a row, before those on the core have their turn: so that few are half-open at a time however many
/// come at once, and what the half-open ones need is used again and again.
const IN_A_ROW: usize = 16;
/// How long an acceptor pauses when there is no descriptor, no place or no memory for the next connection.
const PAUSE: Duration = Duration::from_millis(50);
/// How long it waits for the place of one that was sent away.
const MOMENT: Duration = Duration::from_millis(1);
/// Least time between two log lines about the same trouble.
const QUIET: Duration = Duration::from_secs(10);

/// A connection on its way from its acceptor to its core.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) socket: TcpStream,
    pub(crate) peer: SocketAddr,
    /// Index in the configuration's list.
    pub(crate) listener: usize,
    pub(crate) place: Place,
    pub(crate) given_up: oneshot::Receiver<GivenUp>,
    pub(crate) counted: Counted,
}

/// How many connections there are, in total and on each core.
#[derive(Debug)]
pub(crate) struct Connections {
    total: Arc<AtomicUsize>,
    total_max: usize,
    cores: Box<[Arc<OfCore>]>,
}

/// How many connections one core has.
#[derive(Debug)]
struct OfCore {
    number: usize,
    count: AtomicUsize,
    total: Arc<AtomicUsize>,
}

/// One connection in the counts, until it is dropped.
#[derive(Debug)]
pub(crate) struct Counted(Arc<OfCore>);

impl Connections {
    pub(crate) fn new(cores: usize, total_max: usize) -> Arc<Self> {
        let total = Arc::<AtomicUsize>::default();
        let core = |number| Arc::new(OfCore { number, count: AtomicUsize::new(0), total: total.clone() });
        Arc::new(Self { cores: (0..cores).map(core).collect(), total, total_max })
    }

    pub(crate) fn total(&self) -> usize {
        self.total.load(Ordering::Relaxed)
    }

    fn is_full(&self) -> bool {
        self.total() >= self.total_max
    }

    /// Counts one more, on the core that has the fewest.
    pub(crate) fn count(&self) -> Counted {
        let fewest = self.cores.iter().min_by_key(|core| core.count.load(Ordering::Relaxed));
        let core = fewest.expect("a gateway has a core").clone();
        self.total.fetch_add(1, Ordering::Relaxed);
        core.count.fetch_add(1, Ordering::Relaxed);
        Counted(core)
    }
}

impl Counted {
    pub(crate) fn core(&self) -> usize {
        self.0.number
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.total.fetch_sub(1, Ordering::Relaxed);
        self.0.count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A listening socket on `address`; an IPv6 wildcard address takes IPv4 too.
///
/// The port is never shared with another process: a second one is told that it is in use.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    // On Unix this admits old connections that are still closing, not a second listener.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    // What it accepts inherits it: without it, acknowledgements wait for the peer's delayed ones.
    socket.set_tcp_nodelay(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(TcpListener::from_std(socket.into()))
}

/// What an acceptor needs.
pub(crate) struct Acceptor {
    pub(crate) name: Box<str>,
    /// Index in the configuration's list.
    pub(crate) listener: usize,
    pub(crate) half_open: Arc<HalfOpen>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) mailboxes: Arc<[Mailbox<crate::core::Control>]>,
    /// No further line about missing room before this.
    pub(crate) quiet_until: Option<Instant>,
}

impl Acceptor {
    /// Accepts until `stop` turns true. Must run on a runtime with I/O and time.
    ///
    /// Without a descriptor or a place the oldest half-open connection goes and the acceptor pauses; what the kernel
    /// has completed meanwhile waits in its backlog.
    pub(crate) async fn run(mut self, listener: TcpListener, mut stop: watch::Receiver<bool>) -> io::Result<()> {
        let listener = watch(listener, Interest::READABLE)?;
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => Ok(()),
            () = self.accept_all(&listener) => Ok(()),
        }
    }

    async fn accept_all(&mut self, listener: &AsyncFd<TcpListener>) {
        for number in 1.. {
            if number % IN_A_ROW == 0 {
                tokio::task::yield_now().await;
            }
            match listener.async_io(Interest::READABLE, TcpListener::accept).await {
                Ok((socket, peer)) => {
                    while self.connections.is_full() {
                        self.make_room("the limit on connections is reached").await;
                    }
                    self.hand_over(socket, peer).await;
                }
                Err(error) if is_about_the_peer(&error) => {
                    debug!(%error, "a connection went away before it was accepted");
                }
                Err(error) => self.make_room(&error.to_string()).await,
            }
        }
    }

    /// Sends the oldest half-open connection away, and waits: longer when there was none.
    async fn make_room(&mut self, why: &str) {
        let now = Instant::now();
        if self.quiet_until.is_none_or(|until| now >= until) {
            self.quiet_until = Some(now + QUIET);
            warn!(listener = %self.name, why, connections = self.connections.total(), half_open = self.half_open.len(),
                "no room for new connections, the listener pauses; raise the limit on open files or on connections");
        }
        let displaced = self.half_open.displace_oldest();
        tokio::time::sleep(if displaced { MOMENT } else { PAUSE }).await;
    }

    async fn hand_over(&self, socket: TcpStream, peer: SocketAddr) {
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        let (place, given_up) = self.half_open.enter(peer.ip());
        let counted = self.connections.count();
        let core = counted.core();
        let mut message = crate::core::Control::Accepted(Accepted {
            socket,
            peer,
            listener: self.listener,
            place,
            given_up,
            counted,
        });
        while let Err(back) = self.mailboxes[core].send(message) {
            message = back;
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Errors of `accept` that concern the connection which was to be accepted, not us.
fn is_about_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::*;
    matches!(
        error.kind(),
        ConnectionAborted
            | ConnectionReset
            | Interrupted
            | NetworkDown
            | NetworkUnreachable
            | HostUnreachable
            | TimedOut
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_listener_accepts_does_not_wait_to_fill_a_segment() {
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let _client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        assert!(accepted.nodelay().unwrap());
    }
}
