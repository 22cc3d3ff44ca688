//! A broker, clients that speak packets to it, and a clock that stands still until it is moved.

use std::{
    collections::VecDeque,
    num::{NonZeroU16, NonZeroU32},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use tidegate_broker::{
    Access, Alone, Authorize, Broker, CloseReason, ConnectRefused, ConnectRequest, Effects, LifecycleEvent, Link,
    LinkAddress, Output, Principal, Profile, Quota, Record, Settings, Token, Trace, client_id,
};
use tidegate_ids::{Monotonic, Now, Tenant};
use tidegate_mqtt::{
    Ack, Connect, Disconnect, Packet, Peer, Publish, QoS, ReasonCode, SessionExpiry, Subscribe, Subscription,
    SubscriptionOptions, Unsubscribe, Version, decode, decode_connect, frame,
};

use crate::disk::Disk;

pub const V4: Version = Version::V4;
pub const V5: Version = Version::V5;
pub const QOS: [QoS; 3] = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];

pub fn tenant() -> Tenant {
    Tenant { account: "123456789012".parse().unwrap(), region: "eu-central-1".parse().unwrap() }
}

pub fn id(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).unwrap()
}

/// Policies that allow everything but what is listed.
#[derive(Default)]
pub struct Policies {
    pub generation: AtomicU64,
    pub denied: std::sync::Mutex<Vec<(Access, String)>>,
    /// Called when a message is about to be delivered.
    pub before_delivery: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl Policies {
    pub fn deny(&self, access: Access, topic: &str) {
        self.denied.lock().unwrap().push((access, topic.to_owned()));
        self.generation.fetch_add(1, SeqCst);
    }

    pub fn allow_all(&self) {
        self.denied.lock().unwrap().clear();
        self.generation.fetch_add(1, SeqCst);
    }
}

impl Authorize for Policies {
    fn generation(&self) -> u64 {
        self.generation.load(SeqCst)
    }
    fn allows(&self, access: Access, topic: &str) -> bool {
        if let Some(call) = self.before_delivery.get().filter(|_| access == Access::Receive) {
            call();
        }
        !self.denied.lock().unwrap().iter().any(|(denied, name)| *denied == access && name == topic)
    }
}

/// One turn's records and what waits for them.
pub struct Batch {
    pub records: Vec<Record>,
    pub token: Token,
    /// Its number on the disk.
    number: u64,
}

pub struct World {
    pub broker: Arc<Broker>,
    pub effects: Effects,
    pub now: Now,
    pub profile: Arc<Profile>,
    pub policies: Arc<Policies>,
    pub principal: Arc<Principal>,
    pub tenant: Tenant,
    pub core: u16,
    pub disk: Disk,
    settings: Settings,
    slots: u32,
}

pub struct Client {
    pub link: Option<Link>,
    pub version: Version,
    /// Why the broker ended the connection.
    pub ended: Option<CloseReason>,
    /// When what waits for its turn may be sent.
    pub later: Option<Monotonic>,
    pub got: VecDeque<Got>,
    bytes: Vec<u8>,
    topics: Vec<String>,
}

/// A packet from the server, owned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Got {
    ConnAck { session_present: bool, code: ReasonCode },
    Publish(Message),
    PubAck(u16, ReasonCode),
    PubRec(u16, ReasonCode),
    PubRel(u16, ReasonCode),
    PubComp(u16, ReasonCode),
    SubAck(u16, Vec<ReasonCode>),
    UnsubAck(u16, Vec<ReasonCode>),
    PingResp,
    Disconnect(ReasonCode),
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Message {
    pub topic: String,
    pub payload: String,
    pub qos: u8,
    pub retain: bool,
    pub dup: bool,
    pub packet_id: Option<u16>,
    pub identifiers: Vec<u32>,
    pub expiry: Option<u32>,
    pub alias: Option<u16>,
    pub response_topic: Option<String>,
    pub content_type: Option<String>,
    pub correlation_data: Option<Vec<u8>>,
    pub user_properties: Vec<(String, String)>,
}

impl World {
    pub fn new() -> Self {
        Self::with(Profile::standard(), Settings::default())
    }

    pub fn aws() -> Self {
        Self::with(Profile::aws(), Settings::default())
    }

    pub fn with(profile: Profile, settings: Settings) -> Self {
        Self {
            broker: Arc::new(Broker::new(settings.clone(), Arc::new(Alone), Arc::new(Alone))),
            effects: Effects::new(0),
            now: Now::default(),
            profile: Arc::new(profile),
            policies: Arc::default(),
            principal: Arc::new(Principal::Anonymous),
            tenant: tenant(),
            core: 0,
            disk: Disk::default(),
            settings,
            slots: 0,
        }
    }

    pub fn pass(&mut self, time: Duration) {
        self.now.monotonic = self.now.monotonic + time;
        self.now.wall = self.now.wall + time;
        while self.broker.expire(self.now, &mut self.effects).is_some_and(|next| next <= self.now.monotonic) {}
    }

    /// Connect by a packet of bytes; CONNACK is among what was got.
    pub fn try_connect(&mut self, connect: &Connect<'_>) -> Result<Client, ConnectRefused> {
        let (link, first) = self.open(connect)?;
        let mut client = Client::new(connect.version);
        client.link = Some(link);
        client.take(&first);
        self.fetch(&mut client);
        Ok(client)
    }

    /// Connect, with the first bytes of the answer as they are.
    pub fn open(&mut self, connect: &Connect<'_>) -> Result<(Link, Vec<u8>), ConnectRefused> {
        let mut bytes = Vec::new();
        connect.encode(&mut bytes).unwrap();
        let connect = decode_connect(&bytes).unwrap();
        self.slots += 1;
        let random = u128::from(self.slots);
        let client_id = client_id(&connect, &self.profile, random)?;
        let request = ConnectRequest {
            tenant: self.tenant,
            client_id,
            trace: Arc::new(Trace::new(self.principal.clone(), "192.0.2.1:1234".parse().unwrap())),
            authorize: self.policies.clone(),
            profile: self.profile.clone(),
            connect: &connect,
            address: LinkAddress { core: self.core, slot: self.slots },
            session_identifier: random,
        };
        let mut link = self.broker.connect(request, self.now, &mut self.effects)?;
        let mut first = Vec::new();
        link.take_output(&mut first, self.now, &mut self.effects);
        Ok((link, first))
    }

    pub fn connect_with(&mut self, connect: &Connect<'_>) -> (Client, bool) {
        let mut client = self.try_connect(connect).unwrap();
        match client.got.pop_front() {
            Some(Got::ConnAck { session_present, code: ReasonCode::Success }) => (client, session_present),
            other => panic!("not CONNACK: {other:?}"),
        }
    }

    /// Connect with a clean session.
    pub fn connect(&mut self, version: Version, client_id: &str) -> Client {
        let (client, present) = self.connect_with(&Connect::new(version, client_id));
        assert!(!present);
        client
    }

    /// Connect with a session that is kept; whether it was there.
    pub fn resume(&mut self, version: Version, client_id: &str) -> (Client, bool) {
        self.connect_with(&persistent(version, client_id))
    }

    pub fn send(&mut self, client: &mut Client, packet: &Packet<'_>) -> Result<(), CloseReason> {
        let mut bytes = Vec::new();
        packet.encode(client.version, &mut bytes).unwrap();
        self.send_bytes(client, &bytes)
    }

    pub fn send_bytes(&mut self, client: &mut Client, bytes: &[u8]) -> Result<(), CloseReason> {
        let result = match decode(bytes, client.version, Peer::Client) {
            Err(error) => Err(CloseReason::from(&error)),
            Ok(packet) => {
                let link = client.link.as_mut().expect("the client is connected");
                self.broker.handle(link, &packet, self.now, &mut self.effects)
            }
        };
        match result {
            Ok(()) => self.fetch(client),
            Err(reason) => self.end(client, reason),
        }
        result
    }

    /// What a client got since the last time.
    pub fn got(&mut self, client: &mut Client) -> Vec<Got> {
        self.fetch(client);
        client.got.drain(..).collect()
    }

    pub fn messages(&mut self, client: &mut Client) -> Vec<Message> {
        let publish = |got| match got {
            Got::Publish(message) => Some(message),
            _ => None,
        };
        self.got(client).into_iter().filter_map(publish).collect()
    }

    pub fn payloads(&mut self, client: &mut Client) -> Vec<String> {
        self.messages(client).into_iter().map(|message| message.payload).collect()
    }

    /// Take output until there is none, as a socket that always has room.
    pub fn fetch(&mut self, client: &mut Client) {
        while let Some(link) = &mut client.link {
            let mut out = Vec::new();
            let output = link.take_output(&mut out, self.now, &mut self.effects);
            client.take(&out);
            client.later = None;
            match output {
                Output::More => {}
                Output::Later(at) => {
                    client.later = Some(at);
                    break;
                }
                Output::Drained => break,
                Output::Ended(reason) => {
                    client.ended = Some(reason);
                    self.end(client, reason);
                }
            }
        }
    }

    /// The connection ends; what it still got is there afterwards.
    pub fn end(&mut self, client: &mut Client, reason: CloseReason) {
        let mut last = Vec::new();
        let link = client.link.take().expect("the client is connected");
        self.broker.disconnected(link, reason, &mut last, self.now, &mut self.effects);
        client.take(&last);
    }

    pub fn lose(&mut self, client: &mut Client) {
        self.end(client, CloseReason::ConnectionLost);
    }

    pub fn disconnect(&mut self, client: &mut Client) {
        let goodbye = Packet::Disconnect(Disconnect::new(ReasonCode::Success));
        assert_eq!(self.send(client, &goodbye), Err(CloseReason::Disconnect));
    }

    pub fn subscribe(&mut self, client: &mut Client, filter: &str, qos: QoS) -> ReasonCode {
        self.subscribe_with(client, filter, SubscriptionOptions::at(qos), None)
    }

    pub fn subscribe_with(
        &mut self,
        client: &mut Client,
        filter: &str,
        options: SubscriptionOptions,
        identifier: Option<u32>,
    ) -> ReasonCode {
        let subscriptions = [Subscription { topic_filter: filter, options }];
        let packet = Packet::Subscribe(Subscribe {
            packet_id: id(9),
            subscription_identifier: identifier.and_then(NonZeroU32::new),
            user_properties: Default::default(),
            subscriptions: subscriptions[..].into(),
        });
        self.fetch(client);
        let before = client.got.len();
        self.send(client, &packet).unwrap();
        if client.got.len() == before {
            self.make_durable();
            self.fetch(client);
        }
        match client.got.remove(before) {
            Some(Got::SubAck(9, codes)) => codes[0],
            other => panic!("not SUBACK: {other:?}"),
        }
    }

    pub fn unsubscribe(&mut self, client: &mut Client, filters: &[&str]) -> Vec<ReasonCode> {
        let packet = Packet::Unsubscribe(Unsubscribe {
            packet_id: id(8),
            user_properties: Default::default(),
            topic_filters: filters.into(),
        });
        self.fetch(client);
        let before = client.got.len();
        self.send(client, &packet).unwrap();
        if client.got.len() == before {
            self.make_durable();
            self.fetch(client);
        }
        match client.got.remove(before) {
            Some(Got::UnsubAck(8, codes)) => codes,
            other => panic!("not UNSUBACK: {other:?}"),
        }
    }

    pub fn publish(&mut self, client: &mut Client, topic: &str, payload: &str) {
        self.send(client, &Packet::Publish(Publish::new(topic, payload.as_bytes()))).unwrap();
    }

    pub fn publish_at(&mut self, client: &mut Client, topic: &str, payload: &str, qos: QoS, packet_id: u16) {
        self.send(client, &Packet::Publish(message(topic, payload, qos, packet_id))).unwrap();
    }

    pub fn retain(&mut self, client: &mut Client, topic: &str, payload: &str) {
        let publish = Publish { retain: true, ..Publish::new(topic, payload.as_bytes()) };
        self.send(client, &Packet::Publish(publish)).unwrap();
    }

    pub fn puback(&mut self, client: &mut Client, packet_id: u16) {
        self.send(client, &Packet::PubAck(Ack::new(id(packet_id), ReasonCode::Success))).unwrap();
    }

    pub fn pubrec(&mut self, client: &mut Client, packet_id: u16) {
        self.send(client, &Packet::PubRec(Ack::new(id(packet_id), ReasonCode::Success))).unwrap();
    }

    pub fn pubrel(&mut self, client: &mut Client, packet_id: u16) {
        self.send(client, &Packet::PubRel(Ack::new(id(packet_id), ReasonCode::Success))).unwrap();
    }

    pub fn pubcomp(&mut self, client: &mut Client, packet_id: u16) {
        self.send(client, &Packet::PubComp(Ack::new(id(packet_id), ReasonCode::Success))).unwrap();
    }

    /// What a journal would write, and what waits for it.
    pub fn batch(&mut self) -> Option<Batch> {
        let token = self.effects.take_token()?;
        let records = self.take_records();
        let number = self.disk.take(records.clone());
        Some(Batch { records, token, number })
    }

    fn take_records(&mut self) -> Vec<Record> {
        let mut records = Vec::new();
        let bytes = self.broker.take_records(&mut records);
        self.broker.settle_records(bytes);
        records
    }

    /// Write a batch, behind all earlier ones, and say so to whoever waits for it.
    pub fn commit(&mut self, batch: Batch) {
        self.disk.write_to(batch.number);
        self.broker.persisted(batch.token, self.now, &mut self.effects);
    }

    /// Make everything durable that waits to be.
    pub fn make_durable(&mut self) -> Vec<Record> {
        let mut written = Vec::new();
        while let Some(batch) = self.batch() {
            written.extend_from_slice(&batch.records);
            self.commit(batch);
        }
        written
    }

    /// Write all there is, and tell nobody.
    pub fn write_all(&mut self) {
        let records = self.take_records();
        let number = self.disk.take(records);
        self.disk.write_to(number);
    }

    /// The process ends in the middle of its work, and another one begins `after` that with what was written.
    pub fn kill(&mut self, after: Duration) {
        self.disk.lose_the_rest();
        self.effects = Effects::new(0);
        self.broker = Arc::new(Broker::new(self.settings.clone(), Arc::new(Alone), Arc::new(Alone)));
        self.now = Now { monotonic: Monotonic::default(), wall: self.now.wall + after };
        self.disk.restore(&self.broker, &self.profile, self.now);
    }

    pub fn events(&mut self) -> Vec<LifecycleEvent> {
        let mut events = Vec::new();
        self.effects.take_events(&mut events);
        events
    }

    pub fn excesses(&mut self) -> Vec<(Quota, String, u64)> {
        let mut excesses = Vec::new();
        self.effects.take_excesses(&mut excesses);
        assert!(excesses.iter().all(|exceeded| exceeded.tenant == tenant()));
        excesses.into_iter().map(|exceeded| (exceeded.quota, exceeded.client_id.to_string(), exceeded.times)).collect()
    }

    pub fn dirty(&mut self) -> Vec<u32> {
        let mut slots = Vec::new();
        self.effects.take_dirty(&mut slots);
        slots
    }
}

pub fn message<'a>(topic: &'a str, payload: &'a str, qos: QoS, packet_id: u16) -> Publish<'a> {
    Publish { qos, packet_id: NonZeroU16::new(packet_id), ..Publish::new(topic, payload.as_bytes()) }
}

pub fn persistent(version: Version, client_id: &str) -> Connect<'_> {
    Connect { clean_start: false, session_expiry: SessionExpiry::NEVER, ..Connect::new(version, client_id) }
}

impl Client {
    pub fn new(version: Version) -> Self {
        Self {
            link: None,
            version,
            ended: None,
            later: None,
            got: VecDeque::new(),
            bytes: Vec::new(),
            topics: vec![String::new(); 1024],
        }
    }

    /// Read packets off what the server sent.
    pub fn take(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        let mut at = 0;
        while let Some(len) = frame(&self.bytes[at..], usize::MAX).unwrap() {
            let packet = self.bytes[at..at + len.packet_bytes].to_vec();
            at += len.packet_bytes;
            let packet = decode(&packet, self.version, Peer::Server).unwrap();
            let got = self.own(&packet);
            self.got.push_back(got);
        }
        assert_eq!(at, self.bytes.len(), "whole packets only");
        self.bytes.clear();
    }

    /// As every client does for a new connection.
    pub fn forget_aliases(&mut self) {
        self.topics.fill(String::new());
    }

    fn own(&mut self, packet: &Packet<'_>) -> Got {
        match packet {
            Packet::ConnAck(ack) => Got::ConnAck { session_present: ack.session_present, code: ack.reason_code },
            Packet::Publish(publish) => Got::Publish(self.own_message(publish)),
            Packet::PubAck(ack) => Got::PubAck(ack.packet_id.get(), ack.reason_code),
            Packet::PubRec(ack) => Got::PubRec(ack.packet_id.get(), ack.reason_code),
            Packet::PubRel(ack) => Got::PubRel(ack.packet_id.get(), ack.reason_code),
            Packet::PubComp(ack) => Got::PubComp(ack.packet_id.get(), ack.reason_code),
            Packet::SubAck(ack) => Got::SubAck(ack.packet_id.get(), ack.reason_codes.iter().collect()),
            Packet::UnsubAck(ack) => Got::UnsubAck(ack.packet_id.get(), ack.reason_codes.iter().collect()),
            Packet::PingResp => Got::PingResp,
            Packet::Disconnect(disconnect) => Got::Disconnect(disconnect.reason_code),
            other => panic!("not from a server: {other:?}"),
        }
    }

    fn own_message(&mut self, publish: &Publish<'_>) -> Message {
        let alias = publish.topic_alias.map(NonZeroU16::get);
        let topic = match alias {
            Some(alias) if publish.topic_name.is_empty() => self.topics[usize::from(alias)].clone(),
            Some(alias) => {
                self.topics[usize::from(alias)] = publish.topic_name.to_owned();
                publish.topic_name.to_owned()
            }
            None => publish.topic_name.to_owned(),
        };
        let properties = &publish.properties;
        Message {
            topic,
            payload: String::from_utf8_lossy(publish.payload).into_owned(),
            qos: publish.qos.bits(),
            retain: publish.retain,
            dup: publish.dup,
            packet_id: publish.packet_id.map(NonZeroU16::get),
            identifiers: publish.subscription_identifiers.iter().map(NonZeroU32::get).collect(),
            expiry: properties.message_expiry_seconds,
            alias,
            response_topic: properties.response_topic.map(str::to_owned),
            content_type: properties.content_type.map(str::to_owned),
            correlation_data: properties.correlation_data.map(<[u8]>::to_vec),
            user_properties: properties.user_properties.iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
        }
    }
}
