//! A connection before its session: bytes to and from the socket, with or without TLS between.

use std::{
    cell::RefCell,
    io::{self, Read, Write},
    net::Shutdown,
    rc::Rc,
};

use mio::net::TcpStream;
use tidegate_authorizer::Http;
use tidegate_mqtt::{FrameLen, frame};
use tidegate_sigv4::RequestParts;
use tidegate_tls::{ALPN_HTTPS_CLIENT_CERTIFICATE, ClientHello, Progress, Session, TlsError};
use tokio::io::{Interest, unix::AsyncFd};
use uuid::Uuid;

use crate::{
    core::{Core, Desk},
    descriptor::watch,
    domain::{Destination, Speaks},
    half_open::Place,
    http,
    listener::TlsListener,
    no_connect::NoConnect,
    signed::Signer,
    websocket::{Ended, WebSocket, upgrade},
};

/// Bytes of a refused client that are read and forgotten before its socket is closed without waiting for its end.
const FORGOTTEN_BYTES_MAX: usize = 256 * 1024;

/// Bytes that TLS has to say and that wait for the first answer, at most. A ticket has some 600.
const UNSAID_BYTES_MAX: usize = 2048;

/// A connection without a session yet.
pub(crate) struct Arrival {
    pub(crate) socket: AsyncFd<TcpStream>,
    pub(crate) tls: Option<Box<Session>>,
    pub(crate) websocket: Option<Box<WebSocket>>,
    /// Who signed the request that made the WebSocket.
    pub(crate) signer: Option<Signer>,
    /// The request that made the WebSocket, of a client that showed nothing else: for a custom authorizer.
    pub(crate) http: Option<Box<Http>>,
    /// What the client has sent, decrypted and out of its frames.
    pub(crate) received: Vec<u8>,
    /// What TLS has to say and goes along with the first answer, one write for both: the ticket.
    pub(crate) unsaid: Vec<u8>,
    /// While it is half open.
    pub(crate) place: Option<Place>,
    core: Rc<RefCell<Core>>,
}

/// What a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// A CONNECT follows, or should.
    Mqtt,
    /// Requests follow.
    Https,
}

impl Arrival {
    pub(crate) fn new(socket: TcpStream, core: Rc<RefCell<Core>>) -> io::Result<Self> {
        let socket = watch(socket, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self {
            socket,
            tls: None,
            websocket: None,
            signer: None,
            http: None,
            received: Vec::new(),
            unsaid: Vec::new(),
            place: None,
            core,
        })
    }

    /// The TLS handshake, from the ClientHello to the client's last word; what the client sent behind it is in `received`.
    ///
    /// `server_name` is filled as soon as it is known, whatever comes of the rest.
    pub(crate) async fn shake_hands(
        &mut self,
        listener: &TlsListener,
        server_name: &mut Option<Box<str>>,
    ) -> Result<Destination, NoConnect> {
        let mut first = Vec::new();
        let hello = loop {
            self.read_raw(|bytes| {
                first.extend_from_slice(bytes);
                Ok(())
            })
            .await?;
            self.holds(first.capacity());
            match ClientHello::peek(&first) {
                Ok(Some(hello)) => break hello,
                Ok(None) => {}
                Err(error) => {
                    let error = NoConnect::of_hello(error, &first);
                    self.send_raw(&error.alert()).await?;
                    return Err(error);
                }
            }
        };
        *server_name = hello.server_name().map(Into::into);
        let (destination, config) = match listener.reach(&hello) {
            Ok(reached) => reached,
            Err(error) => {
                self.send_raw(&error.alert()).await?;
                return Err(error);
            }
        };
        let session = Session::new(config).map_err(NoConnect::Tls)?;
        self.tls = Some(Box::new(session));
        let (progress, answer) = self.feed(&mut first);
        drop(first);
        self.answer(progress, answer).await?;
        while self.tls.as_ref().is_some_and(|tls| tls.is_handshaking()) {
            // One step of arithmetic, then others have their turn.
            tokio::task::yield_now().await;
            self.receive().await?;
        }
        Ok(destination)
    }

    /// Finds out what the client speaks, by ALPN or by its first byte: an HTTP method begins with a letter, CONNECT never does. A
    /// request for a WebSocket is answered, and MQTT goes on within it; the head of any other is left in `received`, whole.
    ///
    /// `sign_in` says who signed the request for a WebSocket, or why it is refused; it is told whether there is a client
    /// certificate.
    pub(crate) async fn protocol(
        &mut self,
        destination: &Destination,
        speaks: Speaks,
        sign_in: impl FnOnce(&RequestParts<'_>, bool) -> Result<Option<Signer>, upgrade::Refused>,
    ) -> Result<Protocol, NoConnect> {
        let by_alpn = self.tls.as_ref().and_then(|tls| tls.alpn()).map(|alpn| alpn == ALPN_HTTPS_CLIENT_CERTIFICATE);
        if by_alpn == Some(false) || (by_alpn.is_none() && speaks.only_mqtt()) {
            return Ok(Protocol::Mqtt);
        }
        while self.received.is_empty() {
            self.receive().await?;
        }
        if by_alpn.is_none() && !self.received[0].is_ascii_uppercase() {
            let other = || NoConnect::Domain(destination.other_protocol());
            return if speaks.mqtt { Ok(Protocol::Mqtt) } else { Err(other()) };
        }
        while let Ok(None) = http::head_length(&self.received) {
            self.receive().await?;
        }
        if speaks.https && !(speaks.websocket && by_alpn.is_none() && upgrade::is_meant(&self.received)) {
            return Ok(Protocol::Https);
        }
        self.upgrade(sign_in).await?;
        Ok(Protocol::Mqtt)
    }

    /// Makes a WebSocket of a connection that begins with an HTTP request.
    async fn upgrade(
        &mut self,
        sign_in: impl FnOnce(&RequestParts<'_>, bool) -> Result<Option<Signer>, upgrade::Refused>,
    ) -> Result<(), NoConnect> {
        let length = loop {
            match upgrade::head_length(&self.received).map_err(NoConnect::Upgrade)? {
                Some(length) => break length,
                None => self.receive().await?,
            }
        };
        let (signer, answer) = {
            let request = upgrade::accept(&self.received[..length]).map_err(NoConnect::Upgrade)?;
            let certified = self.tls.as_ref().is_some_and(|tls| tls.peer_leaf().is_some());
            (sign_in(&request.parts(), certified).map_err(NoConnect::Upgrade)?, request.answer)
        };
        self.signer = signer;
        self.send(answer.as_bytes()).await?;
        let frames = self.received.split_off(length);
        self.received.clear();
        self.websocket = Some(Box::default());
        self.unframe(&frames).await
    }

    /// Takes bytes of a WebSocket.
    async fn unframe(&mut self, frames: &[u8]) -> Result<(), NoConnect> {
        let Some(websocket) = &mut self.websocket else { return Ok(()) };
        let mut answer = Vec::new();
        let fed = websocket.feed(frames, &mut self.received, &mut answer);
        self.holds(0);
        self.send_framed(&answer).await?;
        match fed {
            // What came before the end may be a CONNECT; it is missed soon enough if not.
            Err(_) if !self.received.is_empty() => Ok(()),
            Err(Ended::Closed) => Err(NoConnect::Lost),
            Err(Ended::Protocol | Ended::Text) => Err(NoConnect::WebSocket),
            Ok(()) => Ok(()),
        }
    }

    /// The length of the CONNECT at the front of `received`, once it is whole.
    ///
    /// What is kept grows with the bytes received, not with the length announced.
    pub(crate) async fn connect_packet(&mut self, packet_bytes_max: usize) -> Result<usize, NoConnect> {
        loop {
            // The first byte tells; nothing else may come first. Spec: [MQTT-3.1.0-1].
            if self.received.first().is_some_and(|first| *first >> 4 != 1) {
                return Err(NoConnect::NotConnect);
            }
            match frame(&self.received, packet_bytes_max).map_err(NoConnect::Malformed)? {
                Some(FrameLen { packet_bytes, .. }) if packet_bytes <= self.received.len() => return Ok(packet_bytes),
                _ => self.receive().await?,
            }
        }
    }

    /// Lets the broker do something; see [`Core::act`].
    pub(crate) fn act(&self, act: impl FnOnce(&mut Desk)) {
        self.core.borrow_mut().act(act);
    }

    /// A trace id for one more request of this connection.
    pub(crate) fn new_trace_id(&self) -> Uuid {
        self.core.borrow_mut().desk.identifiers.uuid()
    }

    /// Waits for bytes and adds what they carry to `received`; with TLS or WebSocket that may come to nothing.
    pub(crate) async fn receive(&mut self) -> Result<(), NoConnect> {
        let before = self.received.len();
        self.receive_below().await?;
        if self.websocket.is_none() {
            return Ok(());
        }
        let frames = self.received.split_off(before);
        self.unframe(&frames).await
    }

    async fn receive_below(&mut self) -> Result<(), NoConnect> {
        if self.tls.is_none() {
            let received = &mut self.received;
            let take = |bytes: &mut [u8]| {
                received.extend_from_slice(bytes);
                Ok(())
            };
            read_once(&self.socket, &self.core, take).await?;
            self.holds(0);
            return Ok(());
        }
        let Self { socket, tls, received, core, .. } = self;
        let (progress, answer) = read_once(socket, core, |bytes| {
            let mut answer = Vec::new();
            let tls = tls.as_mut().expect("asked above");
            Ok((tls.feed(bytes, received, &mut answer), answer))
        })
        .await?;
        self.holds(0);
        self.answer(progress, answer).await
    }

    /// Tells how much memory it holds for what the client has sent, `more` included.
    fn holds(&self, more: usize) {
        let Some(place) = &self.place else { return };
        let partial = self.tls.as_ref().map_or(0, |tls| tls.partial_bytes());
        place.hold(self.received.capacity() + partial + more);
    }

    fn feed(&mut self, bytes: &mut [u8]) -> (Result<Progress, TlsError>, Vec<u8>) {
        let mut answer = Vec::new();
        let progress = match &mut self.tls {
            Some(tls) => tls.feed(bytes, &mut self.received, &mut answer),
            None => Err(TlsError::NotOpen),
        };
        (progress, answer)
    }

    /// Sends what TLS itself has to say, an alert in case of an error; a ticket goes along with the first answer.
    async fn answer(&mut self, progress: Result<Progress, TlsError>, answer: Vec<u8>) -> Result<(), NoConnect> {
        let may_wait = self.tls.as_ref().is_some_and(|tls| tls.answers_may_wait());
        if may_wait && matches!(progress, Ok(Progress::Open)) && self.unsaid.len() + answer.len() <= UNSAID_BYTES_MAX {
            self.unsaid.extend_from_slice(&answer);
            return Ok(());
        }
        let sent = self.send_raw(&answer).await;
        match progress.map_err(NoConnect::Tls)? {
            Progress::Handshaking | Progress::Open => Ok(sent?),
            Progress::PeerClosed => Err(NoConnect::Lost),
        }
    }

    /// Waits for bytes and hands them to `take`.
    async fn read_raw<T>(&mut self, take: impl FnOnce(&mut [u8]) -> Result<T, NoConnect>) -> Result<T, NoConnect> {
        read_once(&self.socket, &self.core, take).await
    }

    /// Sends `bytes`, framed and encrypted where that is called for.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &self.websocket {
            None => self.send_framed(bytes).await,
            Some(_) if bytes.is_empty() => Ok(()),
            Some(websocket) => {
                let mut framed = Vec::new();
                websocket.send(bytes, &mut framed);
                self.send_framed(&framed).await
            }
        }
    }

    async fn send_framed(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(tls) = &mut self.tls else { return self.send_raw(bytes).await };
        let mut records = Vec::new();
        tls.encrypt(bytes, &mut records).map_err(io::Error::other)?;
        self.send_raw(&records).await
    }

    /// Sends `bytes`, behind what is unsaid; nothing when there are none.
    async fn send_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.unsaid.is_empty() || bytes.is_empty() {
            return self.write(bytes).await;
        }
        let mut unsaid = std::mem::take(&mut self.unsaid);
        unsaid.extend_from_slice(bytes);
        self.write(&unsaid).await
    }

    async fn write(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let count = self.socket.async_io(Interest::WRITABLE, |mut socket| socket.write(bytes)).await?;
            bytes = &bytes[count..];
        }
        Ok(())
    }

    /// Sends `last` and says that no more will come, in one write, and waits for the client to close too: a socket that is closed
    /// before all is read resets the connection, and the client may lose what it was told last.
    ///
    /// The caller bounds the time.
    pub(crate) async fn close(mut self, last: &[u8]) {
        let mut framed = Vec::new();
        let last = match &mut self.websocket {
            None => last,
            Some(websocket) => {
                if !last.is_empty() {
                    websocket.send(last, &mut framed);
                }
                websocket.close(1008, &mut framed);
                &framed
            }
        };
        let mut records = Vec::new();
        let last = match &mut self.tls {
            None => last,
            Some(tls) => {
                if tls.encrypt(last, &mut records).is_err() {
                    return;
                }
                tls.close_notify(&mut records);
                &records
            }
        };
        if self.send_raw(last).await.is_err() || self.socket.get_ref().shutdown(Shutdown::Write).is_err() {
            return;
        }
        let mut forgotten = 0;
        while let Ok(count) = self.read_raw(|bytes| Ok(bytes.len())).await {
            forgotten += count;
            if forgotten > FORGOTTEN_BYTES_MAX {
                return;
            }
        }
    }
}

/// Reads once, when there is something, into the core's buffer.
async fn read_once<T>(
    socket: &AsyncFd<TcpStream>,
    core: &Rc<RefCell<Core>>,
    take: impl FnOnce(&mut [u8]) -> Result<T, NoConnect>,
) -> Result<T, NoConnect> {
    loop {
        let mut ready = socket.readable().await?;
        let mut core = core.borrow_mut();
        let buffer = &mut core.desk.read;
        match ready.try_io(|socket| socket.get_ref().read(buffer)) {
            Ok(Ok(0)) => return Err(NoConnect::Lost),
            Ok(Ok(count)) => return take(&mut buffer[..count]),
            Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(Err(error)) => return Err(error.into()),
            Err(_nothing_there) => {}
        }
    }
}
