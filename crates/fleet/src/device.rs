//! One device: MQTT 5 over TLS with a client certificate.

use std::{collections::VecDeque, fmt, num::NonZeroU16, sync::Arc, time::Duration};

use rustls::pki_types::ServerName;
use tidegate_mqtt::{
    Ack, Connect, Packet, Peer, Publish, QoS, ReasonCode, Subscribe, Subscription, SubscriptionOptions, UserProperties,
    Version, decode, frame,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{FleetError, Identity, Running};

/// How long the broker may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longest packet that is read, in bytes.
const PACKET_BYTES_MAX: usize = 1024 * 1024;
/// How much is read at once, in bytes.
const READ_BYTES: usize = 16 * 1024;

/// A device that is not connected.
pub struct Device {
    host: String,
    port: u16,
    tls: TlsConnector,
}

/// What a connection attempt comes to.
#[derive(Debug)]
pub enum Outcome {
    /// CONNACK 0.
    Connected(Connected),
    /// Anything else.
    Refused(Refusal),
}

/// How the broker refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Already in the handshake, with this alert.
    Handshake(String),
    /// With a CONNACK.
    ConnAck(ReasonCode, Option<String>),
    /// By closing the connection.
    Closed,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Handshake(alert) => write!(f, "refused during the TLS handshake ({alert})"),
            Self::ConnAck(code, Some(reason)) => write!(f, "refused with CONNACK 0x{:02x}: {reason}", *code as u8),
            Self::ConnAck(code, None) => write!(f, "refused with CONNACK 0x{:02x}", *code as u8),
            Self::Closed => write!(f, "connection closed without a word"),
        }
    }
}

/// A message that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Where it was published to.
    pub topic: String,
    /// Its payload.
    pub payload: Vec<u8>,
}

/// A device with a session.
#[derive(Debug)]
pub struct Connected {
    stream: Box<TlsStream<TcpStream>>,
    buffer: Vec<u8>,
    received: VecDeque<Received>,
    last_packet_id: u16,
}

/// What a packet from the broker means to this client.
enum Event {
    ConnAck(ReasonCode, Option<String>),
    Ack(NonZeroU16, ReasonCode),
    Message,
    Other,
    End,
}

impl Device {
    /// A device that will show `identity`.
    pub fn new(running: &Running, identity: &Identity) -> Result<Self, FleetError> {
        let config = rustls::ClientConfig::builder()
            .with_root_certificates(running.roots()?)
            .with_client_auth_cert(vec![identity.certificate.clone()], identity.key())?;
        Ok(Self { host: running.mqtt_host.clone(), port: running.mqtt_port, tls: TlsConnector::from(Arc::new(config)) })
    }

    /// Handshake and CONNECT.
    pub async fn connect(self, client_id: &str) -> Result<Outcome, FleetError> {
        timeout(PATIENCE, self.attempt(client_id)).await.map_err(|_| FleetError::Late("answer to CONNECT"))?
    }

    async fn attempt(self, client_id: &str) -> Result<Outcome, FleetError> {
        let Self { host, port, tls } = self;
        let tcp = TcpStream::connect((host.as_str(), port))
            .await
            .map_err(|source| FleetError::Unreachable { to: format!("{host}:{port}"), source })?;
        tcp.set_nodelay(true)?;
        let stream = match tls.connect(ServerName::try_from(host)?, tcp).await {
            Ok(stream) => Box::new(stream),
            Err(error) => return Ok(Outcome::Refused(Refusal::Handshake(error.to_string()))),
        };
        let mut device = Connected { stream, buffer: Vec::new(), received: VecDeque::new(), last_packet_id: 0 };
        let connect = Connect { keep_alive_seconds: 60, ..Connect::new(Version::V5, client_id) };
        match device.send(&Packet::Connect(Box::new(connect))).await {
            Ok(()) => {}
            Err(FleetError::Io(_)) => return Ok(Outcome::Refused(Refusal::Closed)),
            Err(error) => return Err(error),
        }
        // In TLS 1.3 a refused certificate shows at the first read.
        match device.event().await {
            Ok(Event::ConnAck(ReasonCode::Success, _)) => Ok(Outcome::Connected(device)),
            Ok(Event::ConnAck(code, reason)) => Ok(Outcome::Refused(Refusal::ConnAck(code, reason))),
            Ok(Event::End) => Ok(Outcome::Refused(Refusal::Closed)),
            Ok(Event::Ack(..) | Event::Message | Event::Other) => Err(FleetError::Unexpected("CONNACK")),
            Err(FleetError::Io(error)) => Ok(Outcome::Refused(Refusal::Handshake(error.to_string()))),
            Err(error) => Err(error),
        }
    }
}

impl Connected {
    /// SUBSCRIBE at QoS 1, granted.
    pub async fn subscribe(&mut self, topic_filter: &str) -> Result<(), FleetError> {
        let packet_id = self.next_packet_id();
        let subscriptions = [Subscription { topic_filter, options: SubscriptionOptions::at(QoS::AtLeastOnce) }];
        let packet = Packet::Subscribe(Subscribe {
            packet_id,
            subscription_identifier: None,
            user_properties: UserProperties::default(),
            subscriptions: (&subscriptions[..]).into(),
        });
        self.send(&packet).await?;
        self.acknowledged(packet_id, || format!("SUBSCRIBE to {topic_filter}")).await
    }

    /// PUBLISH at QoS 1, acknowledged.
    pub async fn publish(&mut self, topic_name: &str, payload: &[u8]) -> Result<(), FleetError> {
        let packet_id = self.next_packet_id();
        let publish =
            Publish { qos: QoS::AtLeastOnce, packet_id: Some(packet_id), ..Publish::new(topic_name, payload) };
        self.send(&Packet::Publish(publish)).await?;
        self.acknowledged(packet_id, || format!("PUBLISH to {topic_name}")).await
    }

    /// PUBLISH at QoS 0, `count` times in one write; waits only for the broker to take the bytes.
    pub async fn pour(&mut self, topic_name: &str, payload: &[u8], count: usize) -> Result<(), FleetError> {
        let mut one = Vec::new();
        Packet::Publish(Publish::new(topic_name, payload)).encode(Version::V5, &mut one)?;
        self.stream.write_all(&one.repeat(count)).await?;
        Ok(self.stream.flush().await?)
    }

    /// Takes whatever the broker sends and forgets it, until the connection ends: a subscriber who keeps up at any rate.
    /// Returns how many bytes came.
    pub async fn swallow(&mut self) -> Result<u64, FleetError> {
        let mut bytes = 0;
        loop {
            self.buffer.clear();
            self.buffer.reserve(READ_BYTES);
            match self.stream.read_buf(&mut self.buffer).await? {
                0 => return Ok(bytes),
                some => bytes += some as u64,
            }
        }
    }

    /// The next message.
    pub async fn message(&mut self) -> Result<Received, FleetError> {
        let next = async {
            loop {
                if let Some(message) = self.received.pop_front() {
                    return Ok(message);
                }
                if let Event::End = self.event().await? {
                    return Err(FleetError::Closed);
                }
            }
        };
        timeout(PATIENCE, next).await.map_err(|_| FleetError::Late("message"))?
    }

    /// A message that has been read already, if any.
    pub fn waiting(&self) -> Option<&Received> {
        self.received.front()
    }

    /// Waits until the broker closes the connection.
    pub async fn closed(&mut self) -> Result<(), FleetError> {
        let closed = async { while !matches!(self.event().await, Ok(Event::End) | Err(_)) {} };
        timeout(PATIENCE, closed).await.map_err(|_| FleetError::Late("end of the connection"))
    }

    async fn acknowledged(&mut self, packet_id: NonZeroU16, what: impl Fn() -> String) -> Result<(), FleetError> {
        let ack = async {
            loop {
                match self.event().await? {
                    Event::Ack(id, reason_code) if id == packet_id => {
                        let refused = reason_code as u8 >= 0x80;
                        return if refused {
                            Err(FleetError::Acknowledged { what: what(), reason_code })
                        } else {
                            Ok(())
                        };
                    }
                    Event::End => return Err(FleetError::Closed),
                    Event::Ack(..) | Event::ConnAck(..) | Event::Message | Event::Other => {}
                }
            }
        };
        timeout(PATIENCE, ack).await.map_err(|_| FleetError::Late("acknowledgement"))?
    }

    fn next_packet_id(&mut self) -> NonZeroU16 {
        self.last_packet_id = self.last_packet_id.checked_add(1).unwrap_or(1);
        NonZeroU16::new(self.last_packet_id).expect("it is at least 1")
    }

    async fn send(&mut self, packet: &Packet<'_>) -> Result<(), FleetError> {
        let mut bytes = Vec::new();
        packet.encode(Version::V5, &mut bytes)?;
        self.stream.write_all(&bytes).await?;
        Ok(self.stream.flush().await?)
    }

    /// The next packet from the broker; a message is kept and, at QoS 1, acknowledged.
    async fn event(&mut self) -> Result<Event, FleetError> {
        let packet_bytes = loop {
            match frame(&self.buffer, PACKET_BYTES_MAX)? {
                Some(length) if length.packet_bytes <= self.buffer.len() => break length.packet_bytes,
                _ => {
                    self.buffer.reserve(READ_BYTES);
                    if self.stream.read_buf(&mut self.buffer).await? == 0 {
                        return Ok(Event::End);
                    }
                }
            }
        };
        let bytes: Vec<u8> = self.buffer.drain(..packet_bytes).collect();
        Ok(match decode(&bytes, Version::V5, Peer::Server)? {
            Packet::ConnAck(ack) => {
                Event::ConnAck(ack.reason_code, ack.properties.reason.reason_string.map(str::to_owned))
            }
            Packet::PubAck(ack) => Event::Ack(ack.packet_id, ack.reason_code),
            Packet::SubAck(ack) => {
                Event::Ack(ack.packet_id, ack.reason_codes.iter().next().unwrap_or(ReasonCode::UnspecifiedError))
            }
            Packet::Publish(publish) => {
                self.received.push_back(Received { topic: publish.topic_name.into(), payload: publish.payload.into() });
                if let Some(packet_id) = publish.packet_id {
                    self.send(&Packet::PubAck(Ack::new(packet_id, ReasonCode::Success))).await?;
                }
                Event::Message
            }
            Packet::Disconnect(_) => Event::End,
            _ => Event::Other, // nothing else concerns a client like this
        })
    }
}

#[cfg(test)]
mod tests;
