//! The running gateway: threads, listeners, and their end.

use std::{
    fmt, io,
    net::SocketAddr,
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
    time::Duration,
};

use mio::net::TcpListener;
use tidegate_broker::{Broker, Wake};
use tidegate_ids::Clock;
use tidegate_logs::LogBook;
use tidegate_registry::Registry;
use tidegate_shadow::Shadows;
use tidegate_tls::ServerNames;
use tokio::sync::watch;
use tracing::error;

use crate::{
    CustomAuthentication, GatewayConfig, GatewayError,
    acceptor::{self, Acceptor, Connections},
    core::{self, Control, Shared, WAKER},
    half_open::HalfOpen,
    https::Bodies,
    journal::Tray,
    listener::Listener,
    mailbox::Mailbox,
    signed::SignedIn,
};

/// Control messages that may wait for one core; acceptors pause when it is full.
const CONTROL_MAX: usize = 1024;

/// The parts a gateway works with, built by whoever starts it.
#[derive(Clone)]
pub struct GatewayParts {
    /// Sessions and routing. It must have been given the [`Cores::wake`] of the same cores.
    pub broker: Arc<Broker>,
    /// Who may connect.
    pub registry: Registry,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The credentials of signed connections; who built it calls [`SignedIn::end`] when some of them may have ended.
    pub signed_in: Arc<SignedIn>,
    /// What TLS listeners show their clients, by server name.
    pub server_names: Arc<ServerNames>,
    /// Where what happens is written down.
    pub book: Arc<LogBook>,
    /// Where what must be durable goes; `None` for a broker that keeps nothing ([`tidegate_broker::Settings::persist`]).
    pub journal: Option<Arc<Tray>>,
    /// What serves shadows to devices that ask by HTTPS; `None`: nothing.
    pub shadows: Option<Arc<dyn Shadows>>,
    /// What is asked about clients without a certificate; `None`: TLS lets none in, but for those that sign.
    pub custom_authentication: Option<CustomAuthentication>,
}

/// The cores of a gateway before they run. They come first, because the broker must be able to wake them.
pub struct Cores {
    polls: Vec<mio::Poll>,
    mailboxes: Arc<[Mailbox<Control>]>,
}

impl Cores {
    /// `count` cores, at least one: one thread each, with its own connections.
    ///
    /// # Errors
    /// [`GatewayError::Core`] when the process has no descriptors left.
    pub fn new(count: u16) -> Result<Self, GatewayError> {
        let mut polls = Vec::new();
        let mut mailboxes = Vec::new();
        for core in 0..count.max(1) {
            let failed = |source| GatewayError::Core { core, source };
            let poll = mio::Poll::new().map_err(failed)?;
            let waker = mio::Waker::new(poll.registry(), WAKER).map_err(failed)?;
            mailboxes.push(Mailbox::new(waker, CONTROL_MAX));
            polls.push(poll);
        }
        Ok(Self { polls, mailboxes: mailboxes.into() })
    }

    /// How many there are.
    pub fn count(&self) -> u16 {
        self.polls.len() as u16
    }

    /// What the broker wakes them with.
    pub fn wake(&self) -> Arc<dyn Wake> {
        Arc::new(Bells(self.mailboxes.clone()))
    }
}

impl fmt::Debug for Cores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cores").field("count", &self.polls.len()).finish_non_exhaustive()
    }
}

struct Bells(Arc<[Mailbox<Control>]>);

impl Wake for Bells {
    fn wake(&self, core: u16) {
        if let Some(mailbox) = self.0.get(usize::from(core)) {
            mailbox.signal();
        }
    }
}

/// The devices' edge, running. Dropping it without [`Gateway::shutdown`] leaves its threads running.
pub struct Gateway {
    addresses: Vec<LocalAddress>,
    threads: Vec<JoinHandle<()>>,
    stop: watch::Sender<bool>,
    mailboxes: Arc<[Mailbox<Control>]>,
    connections: Arc<Connections>,
}

/// Where a listener listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalAddress {
    /// The listener's name in the configuration.
    pub listener: Box<str>,
    /// Its address, with the port it got.
    pub address: SocketAddr,
}

impl Gateway {
    /// Opens all listeners and starts the cores. When it returns, devices can connect.
    ///
    /// # Errors
    /// See [`GatewayError`]; nothing runs then.
    pub fn start(config: GatewayConfig, cores: Cores, parts: GatewayParts) -> Result<Self, GatewayError> {
        let mut addresses = Vec::new();
        let mut sockets = Vec::new();
        let mut listeners = Vec::new();
        for listener in &config.listeners {
            let failed = |error| GatewayError::listen(&listener.name, listener.address, error);
            let socket = acceptor::listen(listener.address).map_err(failed)?;
            let address = socket.local_addr().map_err(failed)?;
            addresses.push(LocalAddress { listener: listener.name.clone(), address });
            sockets.push(socket);
            listeners.push(Listener::new(listener, address, &parts)?);
        }
        let half_open = HalfOpen::new(config.half_open);
        let connections = Connections::new(cores.polls.len(), config.connections_max);
        let (stop, stopped) = watch::channel(false);
        let mailboxes = cores.mailboxes;
        let acceptors: Vec<_> = config
            .listeners
            .iter()
            .enumerate()
            .zip(sockets)
            .map(|((index, listener), socket)| {
                let acceptor = Acceptor {
                    name: listener.name.clone(),
                    listener: index,
                    half_open: half_open.clone(),
                    connections: connections.clone(),
                    mailboxes: mailboxes.clone(),
                    quiet_until: None,
                };
                (acceptor, socket)
            })
            .collect();
        let shared = Arc::new(Shared {
            broker: parts.broker,
            registry: parts.registry,
            clock: parts.clock,
            book: parts.book,
            signed_in: parts.signed_in,
            tray: parts.journal,
            shadows: parts.shadows,
            custom_authentication: parts.custom_authentication,
            bodies: Bodies::default(),
            listeners,
            half_open,
            mailboxes: mailboxes.clone(),
            sys: config.sys,
            connect_deadline: config.connect_deadline,
            connect_bytes_max: config.connect_bytes_max,
        });
        let mut gateway = Self { addresses, threads: Vec::new(), stop, mailboxes, connections };
        match gateway.start_threads(cores.polls, acceptors, shared, stopped) {
            Ok(()) => Ok(gateway),
            Err(error) => {
                gateway.shutdown(Duration::ZERO);
                Err(error)
            }
        }
    }

    fn start_threads(
        &mut self,
        polls: Vec<mio::Poll>,
        acceptors: Vec<(Acceptor, TcpListener)>,
        shared: Arc<Shared>,
        stopped: watch::Receiver<bool>,
    ) -> Result<(), GatewayError> {
        let count = polls.len();
        let mut per_core: Vec<Vec<_>> = (0..count).map(|_| Vec::new()).collect();
        for (index, acceptor) in acceptors.into_iter().enumerate() {
            per_core[index % count].push(acceptor);
        }
        for (index, (poll, acceptors)) in polls.into_iter().zip(per_core).enumerate() {
            let core = index as u16;
            let (shared, stopped) = (shared.clone(), stopped.clone());
            let (started, starting) = mpsc::sync_channel(1);
            let run = move || run_thread(core, poll, shared, acceptors, stopped, started);
            let failed = |source| GatewayError::Core { core, source };
            let thread = thread::Builder::new().name(format!("core-{core}")).spawn(run).map_err(failed)?;
            self.threads.push(thread);
            let lost = |_| io::Error::other("its thread ended");
            starting.recv().map_err(lost).and_then(|started| started).map_err(failed)?;
        }
        Ok(())
    }

    /// Where the listeners listen, in the order of the configuration.
    pub fn local_addresses(&self) -> &[LocalAddress] {
        &self.addresses
    }

    /// How many connections there are, half-open ones included.
    pub fn connections(&self) -> usize {
        self.connections.total()
    }

    /// Makes all cores look at the clock: for a clock that was moved by hand.
    pub fn clock_moved(&self) {
        self.mailboxes.iter().for_each(Mailbox::signal);
    }

    /// Stops: no new connections, MQTT 5 clients are told (0x8B), what is written in time is written, all is closed.
    ///
    /// Blocks until the cores have ended: at once when no peer is slow, at most about `limit`.
    pub fn shutdown(self, limit: Duration) {
        self.stop.send_replace(true);
        for mailbox in self.mailboxes.iter() {
            let mut message = Control::Stop { limit };
            while let Err(back) = mailbox.send(message) {
                message = back;
                thread::sleep(Duration::from_millis(5));
            }
        }
        for thread in self.threads {
            if thread.join().is_err() {
                error!("a core ended with a panic");
            }
        }
    }
}

/// The thread of one core, from its runtime's making to the end of its last connection.
fn run_thread(
    core: u16,
    poll: mio::Poll,
    shared: Arc<Shared>,
    acceptors: Vec<(Acceptor, TcpListener)>,
    stopped: watch::Receiver<bool>,
    started: mpsc::SyncSender<io::Result<()>>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        // Between this many steps of handshakes, established connections get their turn.
        .event_interval(4)
        .build_local(tokio::runtime::LocalOptions::default());
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return started.send(Err(error)).unwrap_or_default(),
    };
    runtime.block_on(async move {
        for (acceptor, socket) in acceptors {
            let (name, stopped) = (acceptor.name.clone(), stopped.clone());
            tokio::task::spawn_local(async move {
                if let Err(error) = acceptor.run(socket, stopped).await {
                    error!(listener = %name, %error, "the listener ended");
                }
            });
        }
        if let Err(error) = core::run(core, poll, shared, started).await {
            error!(core, %error, "the core ended");
        }
    });
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

impl fmt::Debug for GatewayParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatewayParts").finish_non_exhaustive()
    }
}
