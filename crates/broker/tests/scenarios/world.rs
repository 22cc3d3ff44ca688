//! A broker, clients that speak packets to it, and a clock that stands still until it is moved.

mod client;
mod durable;
mod packets;
mod policies;

use std::{num::NonZeroU16, sync::Arc, time::Duration};

use tidegate_broker::{
    Alone, Broker, CloseReason, ConnectRefused, ConnectRequest, Effects, LifecycleEvent, Link, LinkAddress, Output,
    Principal, Profile, Quota, Settings, Trace, client_id,
};
use tidegate_ids::{Now, Tenant};
use tidegate_mqtt::{Connect, Disconnect, Packet, Peer, QoS, ReasonCode, Version, decode, decode_connect};

pub use client::{Client, Got, Message};
pub use durable::Batch;
pub use packets::{message, persistent};
pub use policies::Policies;

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
