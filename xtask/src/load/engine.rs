//! Connections on one epoll loop. Every connection is a plain struct; what a turn has to say is written at its end.

use std::{
    io::{self, ErrorKind::Interrupted, ErrorKind::WouldBlock, Read, Write},
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use mio::{
    Events, Interest, Poll, Registry, Token,
    event::Event,
    net::{TcpListener, TcpStream},
};
use rustls::{ClientConfig, ClientConnection, Connection as Tls, HandshakeKind, ServerConfig, ServerConnection};

use super::codec::{Packet, decode};

/// Nanoseconds since the first call.
#[inline]
pub(super) fn now() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

/// Who handles what the connections bring.
pub(super) trait Handler {
    fn packet(&mut self, all: &mut Connections, from: usize, packet: Packet<'_>, now: u64);
    /// Connection `which` ended, and not by us.
    fn closed(&mut self, all: &mut Connections, which: usize, why: &str);
}

/// All connections, by their numbers.
pub(super) struct Connections {
    list: Vec<Option<Connection>>,
    /// Those that have something to write.
    dirty: Vec<usize>,
    registry: Registry,
}

struct Connection {
    socket: TcpStream,
    tls: Option<Box<Tls>>,
    /// Of a packet that is not whole yet.
    partial: Vec<u8>,
    out: Vec<u8>,
    written: usize,
    dirty: bool,
    connecting: bool,
}

impl Connections {
    /// How many numbers there are, of those that have ended too.
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn alive(&self) -> usize {
        self.list.iter().flatten().count()
    }

    pub(super) fn is_resumed(&self, which: usize) -> bool {
        let tls = self.list.get(which).and_then(|connection| connection.as_ref()?.tls.as_ref());
        tls.is_some_and(|tls| tls.handshake_kind() == Some(HandshakeKind::Resumed))
    }

    /// Where to put what connection `which` is to send; it is written at the end of the turn.
    #[inline]
    pub(super) fn out(&mut self, which: usize) -> Option<&mut Vec<u8>> {
        let connection = self.list.get_mut(which)?.as_mut()?;
        if !std::mem::replace(&mut connection.dirty, true) {
            self.dirty.push(which);
        }
        Some(&mut connection.out)
    }

    /// Begins connection `which`.
    pub(super) fn open(&mut self, which: usize, to: SocketAddr, tls: Option<Arc<ClientConfig>>) -> io::Result<()> {
        let socket = TcpStream::connect(to)?;
        let name = || "localhost".try_into().expect("a host name");
        let tls = tls.map(|config| ClientConnection::new(config, name()).map_err(io::Error::other)).transpose()?;
        self.insert(which, socket, tls.map(Tls::from), true)
    }

    fn insert(&mut self, which: usize, mut socket: TcpStream, tls: Option<Tls>, connecting: bool) -> io::Result<()> {
        let _ = socket.set_nodelay(true); // one that is gone says so when it is read
        self.registry.register(&mut socket, Token(which), Interest::READABLE | Interest::WRITABLE)?;
        if self.list.len() <= which {
            self.list.resize_with(which + 1, || None);
        }
        let mut tls = tls.map(Box::new);
        if let Some(tls) = &mut tls {
            tls.set_buffer_limit(None);
        }
        let (partial, out) = (Vec::new(), Vec::new());
        self.list[which] = Some(Connection { socket, tls, partial, out, written: 0, dirty: false, connecting });
        Ok(())
    }

    pub(super) fn close(&mut self, which: usize) {
        if let Some(mut connection) = self.list.get_mut(which).and_then(Option::take) {
            let _ = self.registry.deregister(&mut connection.socket); // it is closed right away
        }
    }

    fn write(&mut self, which: usize) -> io::Result<()> {
        let Some(connection) = &mut self.list[which] else { return Ok(()) };
        connection.dirty = false;
        if connection.connecting { Ok(()) } else { connection.write() }
    }
}

impl Connection {
    /// A buffer larger than this is not kept.
    const OUT_BYTES_MAX: usize = 256 * 1024;

    fn has_unwritten(&self) -> bool {
        self.written < self.out.len() || self.tls.as_ref().is_some_and(|tls| tls.wants_write())
    }

    fn write(&mut self) -> io::Result<()> {
        let Self { socket, tls, out, written, .. } = self;
        match tls {
            None => {
                while *written < out.len() {
                    match socket.write(&out[*written..]) {
                        Ok(count) => *written += count,
                        Err(error) if error.kind() == WouldBlock => return Ok(()),
                        Err(error) if error.kind() == Interrupted => {}
                        Err(error) => return Err(error),
                    }
                }
            }
            Some(tls) => {
                if !out.is_empty() {
                    tls.writer().write_all(out)?;
                    out.clear();
                }
                while tls.wants_write() {
                    match tls.write_tls(socket) {
                        Ok(_) => {}
                        Err(error) if error.kind() == WouldBlock => return Ok(()),
                        Err(error) if error.kind() == Interrupted => {}
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        *written = 0;
        out.clear();
        if out.capacity() > Self::OUT_BYTES_MAX {
            *out = Vec::new();
        }
        Ok(())
    }
}

const LISTENER: Token = Token(usize::MAX - 1);
const ENDED: &str = "closed by the peer";

/// The loop.
pub(super) struct Engine {
    poll: Poll,
    events: Events,
    pub(super) all: Connections,
    read: Vec<u8>,
    plain: Vec<u8>,
    listener: Option<(TcpListener, Option<Arc<ServerConfig>>)>,
}

impl Engine {
    pub(super) fn new() -> io::Result<Self> {
        now();
        let poll = Poll::new()?;
        let registry = poll.registry().try_clone()?;
        Ok(Self {
            poll,
            events: Events::with_capacity(1024),
            all: Connections { list: Vec::new(), dirty: Vec::new(), registry },
            read: vec![0; 64 * 1024],
            plain: vec![0; 128 * 1024],
            listener: None,
        })
    }

    /// Takes connections on a free port of loopback.
    pub(super) fn listen(&mut self, tls: Option<Arc<ServerConfig>>) -> io::Result<SocketAddr> {
        let mut listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        self.poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let address = listener.local_addr()?;
        self.listener = Some((listener, tls));
        Ok(address)
    }

    /// Writes what there is, waits for at most `patience`, and hands what came to `handler`.
    pub(super) fn turn(&mut self, handler: &mut impl Handler, patience: Duration) -> io::Result<()> {
        self.flush(handler);
        match self.poll.poll(&mut self.events, Some(patience)) {
            Err(error) if error.kind() == Interrupted => return Ok(()),
            polled => polled?,
        }
        let now = now();
        let mut accept = false;
        let Self { events, all, read, plain, .. } = self;
        for event in events.iter() {
            if event.token() == LISTENER {
                accept = true;
            } else if let Err(why) = take(all, event, read, plain, handler, now) {
                let which = event.token().0;
                all.close(which);
                handler.closed(all, which, &why);
            }
        }
        if accept { self.accept() } else { Ok(()) }
    }

    /// Writes what there is.
    pub(super) fn flush(&mut self, handler: &mut impl Handler) {
        while let Some(which) = self.all.dirty.pop() {
            if let Err(error) = self.all.write(which) {
                self.all.close(which);
                handler.closed(&mut self.all, which, &error.to_string());
            }
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        let Some((listener, config)) = &self.listener else { return Ok(()) };
        loop {
            let (socket, _) = match listener.accept() {
                Err(error) if error.kind() == WouldBlock => return Ok(()),
                accepted => accepted?,
            };
            let tls =
                config.clone().map(|config| ServerConnection::new(config).map_err(io::Error::other)).transpose()?;
            let which = self.all.len();
            self.all.insert(which, socket, tls.map(Tls::from), false)?;
        }
    }
}

/// What the kernel says of one connection. An error is its end.
fn take(
    all: &mut Connections,
    event: &Event,
    read: &mut [u8],
    plain: &mut [u8],
    handler: &mut impl Handler,
    now: u64,
) -> Result<(), String> {
    let which = event.token().0;
    let Some(Some(connection)) = all.list.get_mut(which) else { return Ok(()) };
    if connection.connecting && (event.is_writable() || event.is_error()) {
        if let Some(error) = connection.socket.take_error().map_err(said)? {
            return Err(error.to_string());
        }
        connection.connecting = false;
        all.out(which);
    } else if event.is_writable() && connection.has_unwritten() {
        all.out(which);
    }
    if event.is_readable() { read_all(all, which, read, plain, handler, now, event.is_read_closed()) } else { Ok(()) }
}

/// Reads until the socket is drained. With the end of the stream behind it, reads on to see that.
fn read_all(
    all: &mut Connections,
    which: usize,
    read: &mut [u8],
    plain: &mut [u8],
    handler: &mut impl Handler,
    now: u64,
    closing: bool,
) -> Result<(), String> {
    loop {
        let Some(Some(connection)) = all.list.get_mut(which) else { return Ok(()) };
        let count = match connection.socket.read(read) {
            Ok(0) => return Err(ENDED.to_owned()),
            Ok(count) => count,
            Err(error) if error.kind() == WouldBlock => return Ok(()),
            Err(error) if error.kind() == Interrupted => continue,
            Err(error) => return Err(error.to_string()),
        };
        match connection.tls {
            None => feed(all, which, &read[..count], handler, now)?,
            Some(_) => decrypt(all, which, &read[..count], plain, handler, now)?,
        }
        if count < read.len() && !closing {
            return Ok(());
        }
    }
}

fn decrypt(
    all: &mut Connections,
    which: usize,
    mut bytes: &[u8],
    plain: &mut [u8],
    handler: &mut impl Handler,
    now: u64,
) -> Result<(), String> {
    while !bytes.is_empty() {
        let Some(tls) = tls(all, which) else { return Ok(()) };
        tls.read_tls(&mut bytes).map_err(said)?;
        let state = tls.process_new_packets().map_err(said)?;
        if tls.wants_write() {
            all.out(which);
        }
        let mut left = state.plaintext_bytes_to_read();
        while left > 0 {
            let Some(tls) = self::tls(all, which) else { return Ok(()) };
            let count = tls.reader().read(plain).map_err(said)?;
            left -= count;
            feed(all, which, &plain[..count], handler, now)?;
        }
        if state.peer_has_closed() {
            return Err(ENDED.to_owned());
        }
    }
    Ok(())
}

fn tls(all: &mut Connections, which: usize) -> Option<&mut Tls> {
    all.list.get_mut(which)?.as_mut()?.tls.as_deref_mut()
}

fn feed(all: &mut Connections, which: usize, bytes: &[u8], handler: &mut impl Handler, now: u64) -> Result<(), String> {
    let Some(Some(connection)) = all.list.get_mut(which) else { return Ok(()) };
    let mut partial = std::mem::take(&mut connection.partial);
    let joined = !partial.is_empty();
    if joined {
        partial.extend_from_slice(bytes);
    }
    let all_bytes: &[u8] = if joined { &partial } else { bytes };
    let mut done = 0;
    while let Some((packet, length)) = decode(&all_bytes[done..]).map_err(|malformed| malformed.0)? {
        done += length;
        handler.packet(all, which, packet, now);
    }
    if joined {
        partial.drain(..done);
    } else {
        partial.extend_from_slice(&bytes[done..]);
    }
    if let Some(Some(connection)) = all.list.get_mut(which) {
        connection.partial = partial;
    }
    Ok(())
}

fn said(error: impl std::error::Error) -> String {
    error.to_string()
}
