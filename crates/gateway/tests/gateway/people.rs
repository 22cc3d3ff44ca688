//! Clients: blocking sockets, with or without TLS, that speak exactly what a test tells them to.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    num::NonZeroU16,
    sync::Arc,
    time::{Duration, Instant},
};

use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use tidegate_mqtt::{
    Ack, Connect, Disconnect, Packet, PacketType, Partial, Peer, Publish, QoS, ReasonCode, Subscribe, Subscription,
    SubscriptionOptions, UserProperties, Version, decode,
};

use crate::world::{Device, World};

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Client {
    stream: Stream,
    pub(crate) version: Version,
    partial: Partial,
    /// Whole packets that were read and not asked for yet.
    inbox: std::collections::VecDeque<Vec<u8>>,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// A client configuration, kept when sessions are to be resumed.
pub(crate) fn tls_config(world: &World, device: &Device) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(world.root.clone())).unwrap();
    let chain = device.chain.iter().cloned().map(CertificateDer::from).collect();
    let key = PrivatePkcs8KeyDer::from(device.key.clone()).into();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_root_certificates(roots).with_client_auth_cert(chain, key).unwrap())
}

impl Client {
    pub(crate) fn plain(world: &World) -> Self {
        Self::over(Stream::Plain(dial(world.address("plain"))))
    }

    /// A TLS connection whose handshake is over on our side.
    pub(crate) fn tls(world: &World, device: &Device) -> io::Result<Self> {
        Self::tls_at(world, "standard", &world.endpoint(), tls_config(world, device))
    }

    pub(crate) fn tls_at(world: &World, listener: &str, name: &str, config: Arc<ClientConfig>) -> io::Result<Self> {
        let socket = dial(world.address(listener));
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let connection = ClientConnection::new(config, name).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(connection, socket);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(Self::over(Stream::Tls(Box::new(stream))))
    }

    fn over(stream: Stream) -> Self {
        Self { stream, version: Version::V5, partial: Partial::new(), inbox: Default::default() }
    }

    /// The kind of the last handshake.
    pub(crate) fn is_resumed(&self) -> bool {
        match &self.stream {
            Stream::Tls(stream) => stream.conn.handshake_kind() == Some(rustls::HandshakeKind::Resumed),
            Stream::Plain(_) => false,
        }
    }

    pub(crate) fn send(&mut self, packet: &Packet<'_>) {
        let mut bytes = Vec::new();
        packet.encode(self.version, &mut bytes).unwrap();
        self.send_bytes(&bytes).unwrap();
    }

    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.stream {
            Stream::Plain(socket) => socket.write_all(bytes),
            Stream::Tls(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
        }
    }

    /// Sends CONNECT and takes the answer.
    pub(crate) fn connect(&mut self, connect: Connect<'_>) -> ReasonCode {
        self.version = connect.version;
        self.send(&Packet::Connect(Box::new(connect)));
        let answer = self.receive();
        match decode(&answer, self.version, Peer::Server).unwrap() {
            Packet::ConnAck(answer) => answer.reason_code,
            other => panic!("no CONNACK but {other:?}"),
        }
    }

    /// Connects as `client_id` and expects success.
    pub(crate) fn enter(mut self, version: Version, client_id: &str) -> Self {
        assert_eq!(self.connect(Connect::new(version, client_id)), ReasonCode::Success);
        self
    }

    pub(crate) fn subscribe(&mut self, filter: &str, qos: QoS) -> ReasonCode {
        let subscription = [Subscription { topic_filter: filter, options: SubscriptionOptions::at(qos) }];
        self.send(&subscribe(&subscription));
        let answer = self.receive();
        match decode(&answer, self.version, Peer::Server).unwrap() {
            Packet::SubAck(answer) => answer.reason_codes.iter().next().unwrap(),
            other => panic!("no SUBACK but {other:?}"),
        }
    }

    pub(crate) fn publish(&mut self, topic_name: &str, payload: &[u8], qos: QoS) {
        self.send(&publish(topic_name, payload, qos));
    }

    /// Publishes at QoS 1 and takes the acknowledgement.
    pub(crate) fn deliver(&mut self, topic_name: &str, payload: &[u8]) -> ReasonCode {
        self.publish(topic_name, payload, QoS::AtLeastOnce);
        let answer = self.receive();
        match decode(&answer, self.version, Peer::Server).unwrap() {
            Packet::PubAck(ack) => ack.reason_code,
            other => panic!("no PUBACK but {other:?}"),
        }
    }

    /// The next message's topic name and payload; acknowledges it at QoS 1.
    pub(crate) fn message(&mut self) -> (String, Vec<u8>) {
        let bytes = self.receive();
        let (topic_name, payload, packet_id) = match decode(&bytes, self.version, Peer::Server).unwrap() {
            Packet::Publish(publish) => (publish.topic_name.to_owned(), publish.payload.to_vec(), publish.packet_id),
            other => panic!("no PUBLISH but {other:?}"),
        };
        if let Some(packet_id) = packet_id {
            self.send(&Packet::PubAck(Ack::new(packet_id, ReasonCode::Success)));
        }
        (topic_name, payload)
    }

    /// The packet id of the next packet, a PUBACK.
    pub(crate) fn acknowledged(&mut self) -> u16 {
        let bytes = self.receive();
        match decode(&bytes, self.version, Peer::Server).unwrap() {
            Packet::PubAck(ack) => ack.packet_id.get(),
            other => panic!("no PUBACK but {other:?}"),
        }
    }

    /// The socket, below TLS where there is that.
    pub(crate) fn socket(&self) -> &TcpStream {
        match &self.stream {
            Stream::Plain(socket) => socket,
            Stream::Tls(stream) => &stream.sock,
        }
    }

    pub(crate) fn ping(&mut self) {
        self.send(&Packet::PingReq);
        assert_eq!(self.receive()[0] >> 4, PacketType::PingResp as u8);
    }

    pub(crate) fn disconnect(mut self) {
        self.send(&Packet::Disconnect(Disconnect::new(ReasonCode::Success)));
        self.closed();
    }

    /// Says at once all it has to say, `close_notify` too where there is TLS, and goes.
    pub(crate) fn leave(mut self, bytes: &[u8]) {
        match &mut self.stream {
            Stream::Plain(socket) => socket.write_all(bytes).unwrap(),
            Stream::Tls(stream) => {
                stream.conn.writer().write_all(bytes).unwrap();
                stream.conn.send_close_notify();
                stream.conn.complete_io(&mut stream.sock).unwrap();
            }
        }
    }

    /// The next packet.
    pub(crate) fn receive(&mut self) -> Vec<u8> {
        self.try_receive().expect("the connection is open")
    }

    /// The next packet, or `None` at the end of the stream, however it ended.
    pub(crate) fn try_receive(&mut self) -> Option<Vec<u8>> {
        let mut bytes = vec![0; 64 * 1024];
        loop {
            if let Some(packet) = self.inbox.pop_front() {
                return Some(packet);
            }
            let count = match self.read(&mut bytes) {
                Ok(0) => return None,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => panic!("nothing came"),
                Err(_) => return None,
            };
            let mut packets = self.partial.packets(&bytes[..count], usize::MAX);
            while let Some(frame) = packets.next_packet().unwrap() {
                self.inbox.push_back(frame.bytes().to_vec());
            }
        }
    }

    pub(crate) fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match &mut self.stream {
            Stream::Plain(socket) => socket.read(bytes),
            Stream::Tls(stream) => stream.read(bytes),
        }
    }

    /// The reason of the DISCONNECT that ends the connection; `None` when it ends without.
    pub(crate) fn disconnect_reason(&mut self) -> Option<ReasonCode> {
        let bytes = self.try_receive()?;
        let Packet::Disconnect(disconnect) = decode(&bytes, self.version, Peer::Server).unwrap() else {
            panic!("no DISCONNECT but {bytes:?}");
        };
        assert_eq!(self.try_receive(), None);
        Some(disconnect.reason_code)
    }

    /// Expects the end of the stream, with nothing before it.
    pub(crate) fn closed(&mut self) {
        assert_eq!(self.try_receive(), None);
    }
}

pub(crate) fn publish<'a>(topic_name: &'a str, payload: &'a [u8], qos: QoS) -> Packet<'a> {
    let packet_id = (qos != QoS::AtMostOnce).then(|| id(7));
    Packet::Publish(Publish { qos, packet_id, ..Publish::new(topic_name, payload) })
}

pub(crate) fn subscribe<'a>(subscriptions: &'a [Subscription<'a>]) -> Packet<'a> {
    Packet::Subscribe(Subscribe {
        packet_id: id(1),
        subscription_identifier: None,
        user_properties: UserProperties::default(),
        subscriptions: subscriptions.into(),
    })
}

pub(crate) fn id(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).unwrap()
}

pub(crate) fn dial(address: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.set_nodelay(true).unwrap();
    socket
}

/// Waits until something is so.
pub(crate) fn until(what: &str, so: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < end, "not in time: {what}");
        std::thread::yield_now();
    }
}
