//! A look at the first bytes: whom does the client want to talk to, and in which protocol?

mod usual;

use rustls::{CipherSuite, server::Acceptor};

use crate::TlsError;

/// Most bytes that a ClientHello may take. With post-quantum key shares a large one has about 2 KiB.
pub const CLIENT_HELLO_BYTES_MAX: usize = 16_384;

const RECORD_HEADER: usize = 5;
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;

/// What decides about the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientHello {
    server_name: Option<String>,
    alpn: Vec<Vec<u8>>,
    cipher_suites: Vec<CipherSuite>,
}

impl ClientHello {
    /// The ClientHello at the start of `bytes`; `None` while it is not whole. The bytes stay for
    /// [`Session::feed`](crate::Session::feed).
    ///
    /// Until it is whole only lengths are read, so a peer that sends byte by byte costs nothing; then well below a microsecond, or 4.5 µs
    /// for one that is unusual.
    pub fn peek(bytes: &[u8]) -> Result<Option<Self>, TlsError> {
        let Some(length) = whole_length(bytes)? else {
            return if bytes.len() > CLIENT_HELLO_BYTES_MAX {
                Err(TlsError::TooLong { max: CLIENT_HELLO_BYTES_MAX })
            } else {
                Ok(None)
            };
        };
        let whole = &bytes[..length];
        match alone(whole).and_then(usual::read) {
            Some(hello) => Ok(Some(hello)),
            None => Self::by_rustls(whole).map(Some),
        }
    }

    /// The ClientHello that these bytes are, by the library that says what is wrong with it.
    pub(crate) fn by_rustls(mut rest: &[u8]) -> Result<Self, TlsError> {
        let mut acceptor = Acceptor::default();
        while !rest.is_empty() {
            acceptor.read_tls(&mut rest).map_err(|_| TlsError::not_a_hello())?;
            match acceptor.accept() {
                Ok(None) => {}
                Ok(Some(accepted)) => {
                    let hello = accepted.client_hello();
                    return Ok(Self {
                        server_name: hello.server_name().map(str::to_ascii_lowercase),
                        alpn: hello.alpn().into_iter().flatten().map(<[u8]>::to_vec).collect(),
                        cipher_suites: hello.cipher_suites().to_vec(),
                    });
                }
                Err((_, mut answer)) => {
                    let mut alert = Vec::new();
                    let _ = answer.write_all(&mut alert); // a Vec takes everything
                    return Err(TlsError::NotAHello { alert });
                }
            }
        }
        Err(TlsError::not_a_hello())
    }

    /// The server name (SNI), lower-case; `None` without one, or when it is an address.
    pub fn server_name(&self) -> Option<&str> {
        self.server_name.as_deref()
    }

    /// The application protocols the client offers, best first.
    pub fn alpn(&self) -> &[Vec<u8>] {
        &self.alpn
    }

    /// The cipher suites the client offers, best first, whether we have them or not.
    pub(crate) fn cipher_suites(&self) -> &[CipherSuite] {
        &self.cipher_suites
    }
}

/// The body of a handshake message that is the whole of one record, and nothing else.
fn alone(records: &[u8]) -> Option<&[u8]> {
    let (header, message) = records.split_first_chunk::<RECORD_HEADER>()?;
    let (announced, body) = message.split_first_chunk::<4>()?;
    let one_record = usize::from(u16::from_be_bytes([header[3], header[4]])) == message.len();
    let one_message = u32::from_be_bytes([0, announced[1], announced[2], announced[3]]) as usize == body.len();
    (one_record && one_message).then_some(body)
}

/// Length in bytes of the records that hold the first handshake message; `None` while it is not whole.
fn whole_length(bytes: &[u8]) -> Result<Option<usize>, TlsError> {
    let (mut at, mut header, mut header_len, mut have) = (0, [0u8; 4], 0, 0);
    loop {
        let record = &bytes[at..];
        // Each byte is judged as soon as it is there: plain MQTT or HTTP is answered at once, not waited for.
        if record.first().is_some_and(|kind| *kind != HANDSHAKE) || record.get(1).is_some_and(|major| *major != 3) {
            return Err(TlsError::not_a_hello());
        }
        let Some(record_header) = record.first_chunk::<RECORD_HEADER>() else { return Ok(None) };
        let length = usize::from(u16::from_be_bytes([record_header[3], record_header[4]]));
        if length == 0 || length > CLIENT_HELLO_BYTES_MAX {
            return Err(TlsError::not_a_hello());
        }
        let payload = &record[RECORD_HEADER..];
        for byte in payload.iter().take(length.min(4 - header_len)) {
            header[header_len] = *byte;
            header_len += 1;
        }
        if header_len > 0 && header[0] != CLIENT_HELLO {
            return Err(TlsError::not_a_hello());
        }
        let wanted = 4 + u32::from_be_bytes([0, header[1], header[2], header[3]]) as usize;
        if wanted > CLIENT_HELLO_BYTES_MAX {
            return Err(TlsError::TooLong { max: CLIENT_HELLO_BYTES_MAX });
        }
        if payload.len() < length {
            return Ok(None);
        }
        have += length;
        at += RECORD_HEADER + length;
        if header_len == 4 && have >= wanted {
            return Ok(Some(at));
        }
    }
}
