//! The line between a client and a session of the broker.

use std::sync::Arc;

use rustls::{ClientConfig, ClientConnection, Error, pki_types::ServerName};

use super::{Broker, Client};
use crate::{ClientHello, Progress, Session, TlsError};

pub(in crate::session::tests) struct Link {
    pub(in crate::session::tests) session: Session,
    /// How many bytes the session is fed at a time.
    pub(in crate::session::tests) step: usize,
    client: ClientConnection,
    client_error: Option<Error>,
}

impl Link {
    pub(in crate::session::tests) fn new(broker: &Broker, client: Client) -> Self {
        Self::of(broker, client.build())
    }

    pub(in crate::session::tests) fn handshaken(broker: &Broker, client: Client) -> Self {
        let mut link = Self::new(broker, client);
        link.handshake().unwrap();
        link
    }

    /// As the gateway does it: peek, choose, feed the same bytes.
    pub(in crate::session::tests) fn of(
        broker: &Broker,
        (config, name): (Arc<ClientConfig>, ServerName<'static>),
    ) -> Self {
        let mut twin = ClientConfig::clone(&config);
        twin.resumption = rustls::client::Resumption::disabled(); // or it would take the ticket
        let mut twin = ClientConnection::new(Arc::new(twin), name.clone()).unwrap();
        let mut bytes = Vec::new();
        twin.write_tls(&mut bytes).unwrap();
        let hello = ClientHello::peek(&bytes).unwrap().unwrap();
        Self::with(broker.configs.tolerant(&hello), config, name)
    }

    pub(in crate::session::tests) fn strict(broker: &Broker, client: Client) -> Self {
        let (config, name) = client.build();
        Self::with(broker.configs.strict(), config, name)
    }

    fn with(server: Arc<rustls::ServerConfig>, config: Arc<ClientConfig>, name: ServerName<'static>) -> Self {
        Self {
            session: Session::new(server).unwrap(),
            step: usize::MAX,
            client: ClientConnection::new(config, name).unwrap(),
            client_error: None,
        }
    }

    pub(in crate::session::tests) fn client_bytes(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while self.client.wants_write() {
            self.client.write_tls(&mut bytes).unwrap();
        }
        bytes
    }

    pub(in crate::session::tests) fn client_error(&self) -> Option<Error> {
        self.client_error.clone()
    }

    pub(in crate::session::tests) fn server_leaf(&self) -> Vec<u8> {
        self.client.peer_certificates().unwrap()[0].to_vec()
    }

    fn client_reads(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            self.client.read_tls(&mut bytes).unwrap();
            if let Err(error) = self.client.process_new_packets() {
                self.client_error = Some(error);
                return;
            }
        }
    }

    /// Carries everything over, both ways, until nobody has more to say.
    fn carry(&mut self) -> Result<(Vec<u8>, Progress), TlsError> {
        let (mut plain, mut progress) = (Vec::new(), Progress::Handshaking);
        loop {
            let mut bytes = self.client_bytes();
            if bytes.is_empty() {
                return Ok((plain, progress));
            }
            let mut out = Vec::new();
            let step = self.step.min(bytes.len());
            let result: Result<(), TlsError> = bytes.chunks_mut(step).try_for_each(|chunk| {
                progress = self.session.feed(chunk, &mut plain, &mut out)?;
                Ok(())
            });
            self.client_reads(&out);
            result?;
        }
    }

    pub(in crate::session::tests) fn handshake(&mut self) -> Result<(), TlsError> {
        let (_, progress) = self.carry()?;
        assert_eq!(progress, Progress::Open);
        Ok(())
    }

    /// Client to broker.
    pub(in crate::session::tests) fn send(&mut self, data: &[u8]) -> Result<Vec<u8>, TlsError> {
        use std::io::Write;
        let mut received = Vec::new();
        for piece in data.chunks(30_000) {
            self.client.writer().write_all(piece).unwrap();
            received.extend(self.carry()?.0);
        }
        Ok(received)
    }

    /// Broker to client.
    pub(in crate::session::tests) fn receive(&mut self, data: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        self.session.encrypt(data, &mut out).unwrap();
        self.read(&out)
    }

    fn read(&mut self, mut out: &[u8]) -> Vec<u8> {
        use std::io::Read;
        let mut received = Vec::new();
        while !out.is_empty() {
            self.client.read_tls(&mut out).unwrap();
            self.client.process_new_packets().unwrap();
            let _ = self.client.reader().read_to_end(&mut received); // WouldBlock at the end
        }
        received
    }

    /// The broker closes; whether the client has understood.
    pub(in crate::session::tests) fn says_goodbye(&mut self) -> bool {
        let mut out = Vec::new();
        self.session.close_notify(&mut out);
        let mut bytes = out.as_slice();
        self.client.read_tls(&mut bytes).unwrap();
        self.client.process_new_packets().unwrap().peer_has_closed()
    }

    /// The client closes.
    pub(in crate::session::tests) fn close(&mut self) -> Result<Progress, TlsError> {
        self.client.send_close_notify();
        Ok(self.carry()?.1)
    }
}
