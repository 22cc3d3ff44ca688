//! One TLS connection without a socket: bytes from the peer in, plaintext and bytes for the peer out.

use std::{fmt, ops::DerefMut, sync::Arc};

use rustls::{
    ClientConfig, CommonState, Error, HandshakeKind, ProtocolVersion, ServerConfig,
    client::{ClientConnectionData, UnbufferedClientConnection},
    pki_types::ServerName,
    server::{ServerConnectionData, UnbufferedServerConnection},
    unbuffered::{
        ConnectionState, EncodeError, EncodeTlsData, EncryptError, UnbufferedConnectionCommon, UnbufferedStatus,
        WriteTraffic,
    },
};

use crate::{TlsError, refusal::take_last};

/// Most bytes that may wait for the rest of their message: the largest handshake message (64 KiB), spread over records,
/// and one whole record behind it.
pub const PARTIAL_BYTES_MAX: usize = 84 * 1024;

/// What one record adds to its plaintext, at most: header, explicit nonce or content type, tag.
const RECORD_OVERHEAD: usize = 5 + 8 + 1 + 16;
const RECORD_PLAINTEXT: usize = 16_384;

/// How far a session has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The handshake is not over.
    Handshaking,
    /// Data flows both ways.
    Open,
    /// The peer has said that it sends nothing more (`close_notify`).
    PeerClosed,
}

/// One end of a connection as rustls has it: a server's, or a client's.
pub trait End: DerefMut<Target = UnbufferedConnectionCommon<Self::Data>> {
    /// What rustls keeps for this end.
    type Data;

    /// Rustls' `process_tls_records`, which it has once for each end.
    fn process<'c, 'i>(&'c mut self, bytes: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data>;
}

impl End for UnbufferedServerConnection {
    type Data = ServerConnectionData;

    fn process<'c, 'i>(&'c mut self, bytes: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(bytes)
    }
}

impl End for UnbufferedClientConnection {
    type Data = ClientConnectionData;

    fn process<'c, 'i>(&'c mut self, bytes: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(bytes)
    }
}

/// The client's end of a connection.
pub type ClientSession = Session<UnbufferedClientConnection>;

/// One end of a TLS connection, the server's unless said: about 4.3 KiB when idle. It keeps bytes only while a record is
/// incomplete.
pub struct Session<E = UnbufferedServerConnection> {
    tls: E,
    /// Bytes of a message that is not whole yet; rustls remembers positions in it.
    partial: Vec<u8>,
    state: State,
    /// We have said `close_notify`.
    said_close: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Live,
    PeerClosed,
    Failed,
}

impl Session {
    /// A session that waits for its ClientHello.
    pub fn new(config: Arc<ServerConfig>) -> Result<Self, TlsError> {
        UnbufferedServerConnection::new(config).map(Self::of).map_err(TlsError::Settings)
    }

    /// The DER of the client's own certificate, after the handshake; also after a resumed one.
    pub fn peer_leaf(&self) -> Option<&[u8]> {
        self.tls.peer_certificates().and_then(|chain| chain.first()).map(|leaf| leaf.as_ref())
    }
}

impl ClientSession {
    /// A session with the server of this name. Feed it no bytes at all, and the ClientHello is there to be sent.
    pub fn connect(config: Arc<ClientConfig>, name: ServerName<'static>) -> Result<Self, TlsError> {
        UnbufferedClientConnection::new(config, name).map(Self::of).map_err(TlsError::Settings)
    }
}

impl<E: End> Session<E> {
    fn of(tls: E) -> Self {
        Self { tls, partial: Vec::new(), state: State::Live, said_close: false }
    }

    /// Takes what the peer sent. Plaintext is appended to `plain`, what must go to the peer to `out`.
    ///
    /// `received` is decrypted in place; nothing in it is of use afterwards. On an error the alert, if there is one to send, is in `out`:
    /// write it, then close. After an error, and after the peer has closed, bytes are ignored.
    ///
    /// Work, and the growth of `plain` and `out`, are bounded by the length of `received`.
    pub fn feed(&mut self, received: &mut [u8], plain: &mut Vec<u8>, out: &mut Vec<u8>) -> Result<Progress, TlsError> {
        match self.state {
            State::Live => {}
            State::PeerClosed => return Ok(Progress::PeerClosed),
            State::Failed => return Err(TlsError::NotOpen),
        }
        let result = if self.partial.is_empty() {
            self.turn(received, plain, out).and_then(|(used, progress)| {
                self.partial.extend_from_slice(bounded(&received[used..])?);
                Ok(progress)
            })
        } else {
            let mut bytes = std::mem::take(&mut self.partial);
            bytes.extend_from_slice(received);
            self.turn(&mut bytes, plain, out).and_then(|(used, progress)| {
                bounded(&bytes[used..])?;
                if used < bytes.len() {
                    bytes.drain(..used);
                    self.partial = bytes;
                } // else: drop it, idle sessions hold no buffer
                Ok(progress)
            })
        };
        match &result {
            Ok(Progress::PeerClosed) => self.end(State::PeerClosed),
            Ok(Progress::Handshaking | Progress::Open) => {}
            Err(_) => self.end(State::Failed),
        }
        result
    }

    /// Encrypts `plain` for the peer and appends it to `out`. Fails unless the handshake is over and nothing has failed.
    pub fn encrypt(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), TlsError> {
        if plain.is_empty() {
            return Ok(());
        }
        let records = plain.len().div_ceil(RECORD_PLAINTEXT);
        self.write(out, plain.len() + records * RECORD_OVERHEAD, |traffic, out| traffic.encrypt(plain, out))
    }

    /// Appends `close_notify` to `out`, if the session is open; nothing can be encrypted after it. What the peer still
    /// sends may be fed on.
    pub fn close_notify(&mut self, out: &mut Vec<u8>) {
        // Without a finished handshake there is nothing to close: the socket is.
        let _ = self.write(out, 2 + RECORD_OVERHEAD, |traffic, out| traffic.queue_close_notify(out));
        self.said_close = true;
    }

    /// Whether the handshake is still going on.
    pub fn is_handshaking(&self) -> bool {
        self.tls.is_handshaking()
    }

    /// Whether what TLS itself has to say may wait for the next record that is sent: after a handshake of TLS 1.3 that is a ticket, or the
    /// answer to a key update. Spec: RFC 8446, 4.6.1 and 4.6.3.
    pub fn answers_may_wait(&self) -> bool {
        !self.tls.is_handshaking() && self.tls.protocol_version() == Some(ProtocolVersion::TLSv1_3)
    }

    /// The application protocol agreed on.
    pub fn alpn(&self) -> Option<&[u8]> {
        self.tls.alpn_protocol()
    }

    /// Whether the session was resumed by a ticket: no check of the client's certificate has run.
    pub fn is_resumed(&self) -> bool {
        self.tls.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// Protocol version for the log: `TLSv1.3`.
    pub fn protocol_version(&self) -> Option<&'static str> {
        self.tls.protocol_version().and_then(|version| version.as_str())
    }

    /// Cipher suite for the log: `TLS13_AES_256_GCM_SHA384`.
    pub fn cipher_suite(&self) -> Option<&'static str> {
        self.tls.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str())
    }

    /// Bytes held for an incomplete message.
    pub fn partial_bytes(&self) -> usize {
        self.partial.len()
    }

    fn end(&mut self, state: State) {
        self.state = state;
        self.partial = Vec::new();
    }

    /// Takes all whole records out of `bytes`; how many bytes those were.
    fn turn(
        &mut self,
        bytes: &mut [u8],
        plain: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<(usize, Progress), TlsError> {
        let mut used = 0;
        loop {
            let UnbufferedStatus { discard, state, .. } = self.tls.process(&mut bytes[used..]);
            let done = match state {
                Ok(ConnectionState::ReadTraffic(mut records)) => {
                    while let Some(record) = records.next_record() {
                        plain.extend_from_slice(record.map_err(TlsError::Protocol)?.payload);
                    }
                    None
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    append(&mut data, out);
                    None
                }
                Ok(ConnectionState::TransmitTlsData(data)) => {
                    data.done();
                    None
                }
                // With TLS 1.3 we may send before the client's certificate is in: that is not open.
                Ok(ConnectionState::BlockedHandshake | ConnectionState::WriteTraffic(_)) => Some(Progress::Open),
                Ok(ConnectionState::PeerClosed | ConnectionState::Closed) => Some(Progress::PeerClosed),
                // Early data is switched off in every configuration.
                Ok(_) => return Err(TlsError::NotOpen),
                Err(error) => {
                    self.take_alert(&mut bytes[used..], out);
                    return Err(reason(error));
                }
            };
            used += discard;
            match done {
                None => {}
                Some(Progress::PeerClosed) => return Ok((bytes.len(), Progress::PeerClosed)),
                Some(_) if self.tls.is_handshaking() => return Ok((used, Progress::Handshaking)),
                Some(progress) => return Ok((used, progress)),
            }
        }
    }

    /// After an error: what rustls still wants to say. It is asked only while it has something ready, because it would
    /// otherwise read the failed record again.
    fn take_alert(&mut self, bytes: &mut [u8], out: &mut Vec<u8>) {
        while CommonState::wants_write(&self.tls) {
            match self.tls.process(bytes).state {
                Ok(ConnectionState::EncodeTlsData(mut data)) => append(&mut data, out),
                Ok(ConnectionState::ReadTraffic(mut records)) => while records.next_record().is_some() {},
                Ok(_) | Err(_) => return,
            }
        }
    }

    /// Runs `write` on a buffer of at least `room` bytes behind `out`, once rustls is ready to send.
    fn write(
        &mut self,
        out: &mut Vec<u8>,
        room: usize,
        write: impl Fn(&mut WriteTraffic<'_, E::Data>, &mut [u8]) -> Result<usize, EncryptError>,
    ) -> Result<(), TlsError> {
        if self.state == State::Failed || self.said_close || self.tls.is_handshaking() {
            return Err(TlsError::NotOpen);
        }
        loop {
            // The same bytes as last time: rustls remembers positions in them.
            match self.tls.process(&mut self.partial).state {
                Ok(ConnectionState::WriteTraffic(mut traffic)) => {
                    let (start, mut room) = (out.len(), room);
                    loop {
                        out.resize(start + room, 0);
                        match write(&mut traffic, &mut out[start..]) {
                            Ok(written) => {
                                out.truncate(start + written);
                                return Ok(());
                            }
                            Err(EncryptError::InsufficientSize(needed)) if needed.required_size > room => {
                                room = needed.required_size;
                            }
                            Err(EncryptError::InsufficientSize(_) | EncryptError::EncryptExhausted) => {
                                out.truncate(start);
                                return Err(TlsError::NotOpen);
                            }
                        }
                    }
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => append(&mut data, out),
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(_) | Err(_) => return Err(TlsError::NotOpen),
            }
        }
    }
}

impl<E: End> fmt::Debug for Session<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("version", &self.protocol_version())
            .field("handshaking", &self.is_handshaking())
            .field("partial", &self.partial.len())
            .finish_non_exhaustive()
    }
}

fn bounded(partial: &[u8]) -> Result<&[u8], TlsError> {
    if partial.len() > PARTIAL_BYTES_MAX { Err(TlsError::TooLong { max: PARTIAL_BYTES_MAX }) } else { Ok(partial) }
}

/// Appends one record that rustls has ready.
fn append<Data>(data: &mut EncodeTlsData<'_, Data>, out: &mut Vec<u8>) {
    let start = out.len();
    if let Err(EncodeError::InsufficientSize(needed)) = data.encode(&mut []) {
        out.resize(start + needed.required_size, 0);
        let written = data.encode(&mut out[start..]).unwrap_or(0);
        out.truncate(start + written);
    }
}

fn reason(error: Error) -> TlsError {
    let refused = take_last();
    match (error, refused) {
        (Error::InvalidCertificate(_), Some(refused)) => TlsError::Refused(refused),
        (Error::NoCertificatesPresented, _) => TlsError::NoCertificate,
        (error, _) => TlsError::Protocol(error),
    }
}

#[cfg(test)]
mod tests;
