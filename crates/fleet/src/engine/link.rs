//! One connection: TCP, then TLS, then packets.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use mio::net::TcpStream;
use socket2::{Domain, SockRef, Socket, Type};
use tidegate_mqtt::Partial;
use tidegate_tls::{ClientSession, Progress, TlsError};

/// Longest packet that is read, in bytes: AWS's largest is 146 KiB, MQTT's 256 MiB.
pub(super) const PACKET_BYTES_MAX: usize = 16 * 1024 * 1024;

/// One connection.
pub(super) struct Link {
    pub(super) socket: TcpStream,
    tls: Option<Box<ClientSession>>,
    pub(super) partial: Partial,
    /// Bytes for the socket that it has not taken yet.
    unsent: Vec<u8>,
    sent: usize,
    pub(super) state: LinkState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LinkState {
    Dialing,
    Handshaking,
    Open,
}

impl Link {
    /// Begins to connect.
    pub(super) fn dial(address: SocketAddr, source: Option<IpAddr>) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        if let Some(source) = source {
            socket.bind(&SocketAddr::new(source, 0).into())?;
        }
        match socket.connect(&address.into()) {
            Ok(()) => {}
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => {}
            Err(error) => return Err(error),
        }
        Ok(Self {
            socket: TcpStream::from_std(socket.into()),
            tls: None,
            partial: Partial::new(),
            unsent: Vec::new(),
            sent: 0,
            state: LinkState::Dialing,
        })
    }

    /// Whether the connection has come to be; an error when it never will.
    pub(super) fn dialed(&self) -> io::Result<bool> {
        if let Some(error) = self.socket.take_error()? {
            return Err(error);
        }
        match self.socket.peer_addr() {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Begins the handshake.
    pub(super) fn secure(&mut self, tls: ClientSession) -> Result<(), TlsError> {
        let tls = self.tls.insert(Box::new(tls));
        tls.feed(&mut [], &mut Vec::new(), &mut self.unsent)?;
        self.state = LinkState::Handshaking;
        Ok(())
    }

    /// Reads once, into `read`; how many bytes.
    pub(super) fn read(&mut self, read: &mut [u8]) -> io::Result<Option<usize>> {
        loop {
            match self.socket.read(read) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => return Ok(Some(count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Takes TLS off what was read: appends it to `plain`, answers of TLS to what is unsent. Returns whether the broker
    /// has said that it sends no more.
    pub(super) fn unwrap(&mut self, read: &mut [u8], plain: &mut Vec<u8>) -> Result<bool, TlsError> {
        let Some(tls) = &mut self.tls else {
            plain.extend_from_slice(read);
            return Ok(false);
        };
        match tls.feed(read, plain, &mut self.unsent)? {
            Progress::Handshaking => Ok(false),
            Progress::Open => {
                self.state = LinkState::Open;
                Ok(false)
            }
            Progress::PeerClosed => Ok(true),
        }
    }

    /// Leaves packets to be written.
    pub(super) fn send(&mut self, packets: &[u8]) -> Result<(), TlsError> {
        match &mut self.tls {
            Some(tls) => tls.encrypt(packets, &mut self.unsent),
            None => {
                self.unsent.extend_from_slice(packets);
                Ok(())
            }
        }
    }

    /// How many bytes the socket has not taken.
    pub(super) fn unsent_bytes(&self) -> usize {
        self.unsent.len() - self.sent
    }

    /// Writes what the socket takes.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        while self.sent < self.unsent.len() {
            match self.socket.write(&self.unsent[self.sent..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        // An idle connection holds no buffer.
        self.unsent = Vec::new();
        self.sent = 0;
        Ok(())
    }

    /// Ends it: as a network would, or with TLS's farewell.
    pub(super) fn end(mut self, abrupt: bool) {
        if abrupt {
            // RST instead of FIN; what fails here is closed by the drop.
            let _ = SockRef::from(&self.socket).set_linger(Some(Duration::ZERO));
            return;
        }
        if let Some(tls) = &mut self.tls {
            tls.close_notify(&mut self.unsent);
        }
        let _ = self.flush(); // the broker may have gone first
    }
}
