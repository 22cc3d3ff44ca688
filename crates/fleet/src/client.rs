//! One device as an MQTT client: packets in, packets out. No socket, no clock: time comes with every call, in microseconds
//! since the start of the run.
//!
//! ```text
//!   Away ─connect─▶ Connecting ─CONNACK 0─▶ Subscribing ─last SUBACK─▶ Live
//!    ▲                                         └─ a kept session goes straight to Live
//!    └──────────────── lost, from everywhere ────────────────────────────┘
//! ```
//!
//! Messages are due by a schedule that nothing holds up (an open loop): one that waits for a window, or for a connection,
//! is sent late, and its latency counts from when it was due.

mod flows;
mod receive;

use std::num::NonZeroU16;

use tidegate_mqtt::{
    ConnAck, Connect, Disconnect, Packet, QoS, ReasonCode, SessionExpiry, Subscribe, Subscription, SubscriptionOptions,
    UserProperties, Version,
};

use crate::{
    plan::Plan,
    random::Random,
    tally::Tally,
    trouble::{Stage, Trouble},
    verify::Inbox,
};
use flows::{Flow, Unacked};

/// Most filters in a SUBSCRIBE. AWS: quota "Subscriptions per subscribe request".
const FILTERS_PER_SUBSCRIBE: usize = 8;
/// How long the broker may take to answer PINGREQ, in microseconds.
const PING_PATIENCE: u64 = 20_000_000;

/// What a client needs to act: the time, what it belongs to, where it counts and writes.
pub(crate) struct Turn<'a> {
    /// Microseconds since the start.
    pub(crate) now: u64,
    /// Nothing is published that is due later.
    pub(crate) until: u64,
    pub(crate) plan: &'a Plan,
    pub(crate) tally: &'a mut Tally,
    /// Packets for the broker.
    pub(crate) out: &'a mut Vec<u8>,
    /// For the payload that is being written.
    pub(crate) scratch: &'a mut Vec<u8>,
}

/// One device.
pub(crate) struct Client {
    pub(crate) device: u32,
    state: State,
    /// What it publishes.
    flows: Box<[Flow]>,
    /// QoS 1 and 2, sent and not acknowledged, in the order they were sent.
    unacked: Vec<Unacked>,
    /// QoS 2, received and not released.
    unreleased: Vec<NonZeroU16>,
    last_packet_id: u16,
    window: u16,
    keep_alive: u64,
    last_sent: u64,
    /// When PINGREQ went out, until PINGRESP is in.
    pinged: Option<u64>,
    /// Whether it has been live.
    pub(crate) was_live: bool,
    /// Whether the broker keeps subscriptions of ours.
    subscribed: bool,
    granted: Vec<QoS>,
    inbox: Option<Box<Inbox>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Away,
    Connecting,
    /// The SUBSCRIBE with this id is out.
    Subscribing(NonZeroU16),
    Live,
}

/// What a packet has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    Nothing,
    /// CONNACK 0.
    Connected,
    /// Everything is subscribed to: it works.
    Works,
    /// CONNACK 0, and there is nothing to subscribe to.
    Both,
}

impl Client {
    pub(crate) fn new(device: u32, plan: &Plan) -> Self {
        let group = &plan.groups[plan.group_of(device)].of;
        Self {
            device,
            state: State::Away,
            flows: group.publish.iter().map(Flow::new).collect(),
            unacked: Vec::new(),
            unreleased: Vec::new(),
            last_packet_id: 0,
            window: group.in_flight,
            keep_alive: 0,
            last_sent: 0,
            pinged: None,
            was_live: false,
            subscribed: false,
            granted: Vec::new(),
            inbox: (!group.subscribe.is_empty()).then(Box::default),
        }
    }

    /// Where it stands, for whoever asks why it failed.
    pub(crate) fn stage(&self) -> Stage {
        match self.state {
            State::Away => Stage::Handshaking,
            State::Connecting => Stage::Connecting,
            State::Subscribing(_) => Stage::Subscribing,
            State::Live => Stage::Live,
        }
    }

    /// Writes CONNECT.
    pub(crate) fn connect(&mut self, turn: &mut Turn<'_>) -> Result<(), Trouble> {
        let group = &turn.plan.groups[turn.plan.group_of(self.device)].of;
        let name = turn.plan.name(self.device);
        let who = turn.plan.who(self.device, &name);
        let version = Version::from(group.version);
        let (client_id, user_name) = (group.client_id.name(&who), group.user_name.as_ref().map(|t| t.name(&who)));
        let password = group.password.as_ref().map(|template| template.name(&who));
        let keep_alive_seconds = group.keep_alive.0.as_secs().try_into().unwrap_or(u16::MAX);
        let expiry = group.session_expiry.0.as_secs().try_into().unwrap_or(u32::MAX);
        let connect = Connect {
            clean_start: group.clean,
            session_expiry: match (group.clean, version) {
                (true, _) => SessionExpiry::AT_DISCONNECT,
                (false, Version::V4) => SessionExpiry::NEVER,
                (false, Version::V5) => SessionExpiry::from_seconds(expiry),
            },
            keep_alive_seconds,
            user_name: user_name.as_deref(),
            password: password.as_deref().map(str::as_bytes),
            ..Connect::new(version, &client_id)
        };
        self.keep_alive = u64::from(keep_alive_seconds) * 1_000_000;
        self.state = State::Connecting;
        self.last_sent = turn.now;
        connect.encode(turn.out).map_err(|error| Trouble::Protocol(error.to_string()))
    }

    /// The connection is gone, or will not come to be.
    pub(crate) fn lost(&mut self, plan: &Plan, tally: &mut Tally) {
        self.state = State::Away;
        self.pinged = None;
        if plan.groups[plan.group_of(self.device)].of.clean {
            self.forget(plan, tally);
        }
    }

    /// The session is gone with all that it knew.
    fn forget(&mut self, plan: &Plan, tally: &mut Tally) {
        self.subscribed = false;
        self.unreleased = Vec::new();
        for unacked in std::mem::take(&mut self.unacked) {
            plan.streams.abandon(plan.stream(self.device, unacked.flow.into()), unacked.seq);
            tally.abandoned += 1;
        }
        if let Some(inbox) = &mut self.inbox
            && plan.groups[plan.group_of(self.device)].of.clean
        {
            inbox.close();
        }
    }

    /// Handles a packet from the broker.
    pub(crate) fn packet(&mut self, packet: &Packet<'_>, turn: &mut Turn<'_>) -> Result<News, Trouble> {
        let unexpected = |what: &str| Err(Trouble::Protocol(format!("{what} was not expected")));
        match (packet, self.state) {
            (Packet::ConnAck(ack), State::Connecting) => self.connack(ack, turn),
            (_, State::Connecting | State::Away) => unexpected("something before CONNACK"),
            (Packet::SubAck(ack), State::Subscribing(id)) if ack.packet_id == id => {
                for code in ack.reason_codes.iter() {
                    if code.is_failure() {
                        return Err(Trouble::SubscriptionRefused(code));
                    }
                    self.granted.push(QoS::from_bits(code.byte()).unwrap_or_default());
                }
                self.subscribe(turn)
            }
            (Packet::Publish(publish), _) => self.receive(publish, turn).map(|()| News::Nothing),
            (Packet::PubAck(ack), _) => self.acknowledged(ack, QoS::AtLeastOnce, turn),
            (Packet::PubRec(ack), _) => self.taken(ack, turn),
            (Packet::PubRel(ack), _) => self.released(ack, turn),
            (Packet::PubComp(ack), _) => self.acknowledged(ack, QoS::ExactlyOnce, turn),
            (Packet::PingResp, _) => {
                self.pinged = None;
                Ok(News::Nothing)
            }
            (Packet::Disconnect(disconnect), _) => Err(Trouble::Disconnected(disconnect.reason_code)),
            (Packet::UnsubAck(_) | Packet::Auth(_) | Packet::SubAck(_) | Packet::ConnAck(_), _) => {
                unexpected("an answer to nothing")
            }
            (Packet::Connect(_) | Packet::Subscribe(_) | Packet::Unsubscribe(_) | Packet::PingReq, _) => {
                unexpected("a client's packet")
            }
        }
    }

    fn connack(&mut self, ack: &ConnAck<'_>, turn: &mut Turn<'_>) -> Result<News, Trouble> {
        if ack.reason_code != ReasonCode::Success {
            return Err(Trouble::Refused(ack.reason_code));
        }
        let group = &turn.plan.groups[turn.plan.group_of(self.device)].of;
        let properties = &ack.properties;
        if let Some(above) = group.publish.iter().map(|p| p.qos).find(|qos| *qos > properties.maximum_qos) {
            return Err(Trouble::QoSNotTaken(above));
        }
        self.window = group.in_flight.min(properties.receive_maximum.get());
        if let Some(seconds) = properties.server_keep_alive_seconds {
            self.keep_alive = u64::from(seconds) * 1_000_000;
        }
        if !ack.session_present {
            if !group.clean && self.was_live {
                turn.tally.sessions_lost += 1;
            }
            self.forget(turn.plan, turn.tally);
        }
        self.resend(turn)?;
        if self.subscribed {
            self.state = State::Live;
            return Ok(News::Both);
        }
        self.granted = Vec::new();
        match self.subscribe(turn)? {
            News::Nothing => Ok(News::Connected),
            News::Works | News::Connected | News::Both => Ok(News::Both),
        }
    }

    /// Asks for the next filters, or is done.
    fn subscribe(&mut self, turn: &mut Turn<'_>) -> Result<News, Trouble> {
        let group = &turn.plan.groups[turn.plan.group_of(self.device)].of;
        let name = turn.plan.name(self.device);
        let who = turn.plan.who(self.device, &name);
        let filters: Vec<String> = group.subscribe.iter().map(|s| s.filter.name(&who)).collect();
        let wanted: Vec<Subscription<'_>> = filters
            .iter()
            .zip(&group.subscribe)
            .skip(self.granted.len())
            .take(FILTERS_PER_SUBSCRIBE)
            .map(|(filter, s)| Subscription { topic_filter: filter, options: SubscriptionOptions::at(s.qos) })
            .collect();
        if wanted.is_empty() {
            if let Some(inbox) = &mut self.inbox {
                let granted = filters.iter().map(String::as_str).zip(self.granted.iter().copied());
                inbox.open(granted, &turn.plan.streams);
            }
            self.granted = Vec::new();
            self.subscribed = true;
            self.state = State::Live;
            return Ok(News::Works);
        }
        let packet_id = self.next_packet_id();
        self.state = State::Subscribing(packet_id);
        let subscribe = Subscribe {
            packet_id,
            subscription_identifier: None,
            user_properties: UserProperties::default(),
            subscriptions: wanted.as_slice().into(),
        };
        self.write(&Packet::Subscribe(subscribe), turn)?;
        Ok(News::Nothing)
    }

    /// Does what is due: publishes, pings. Returns when it wants to be called again.
    pub(crate) fn wake(&mut self, turn: &mut Turn<'_>) -> Result<u64, Trouble> {
        if self.state == State::Live {
            self.publish_due(turn)?;
        }
        let working = matches!(self.state, State::Live | State::Subscribing(_));
        if working && self.keep_alive > 0 {
            match self.pinged {
                Some(at) if turn.now >= at.saturating_add(PING_PATIENCE) => return Err(Trouble::Late(Stage::Live)),
                None if turn.now >= self.last_sent + self.keep_alive => {
                    self.write(&Packet::PingReq, turn)?;
                    self.pinged = Some(turn.now);
                }
                Some(_) | None => {}
            }
        }
        Ok(self.next_due(turn.until))
    }

    /// When there is something to do without a packet.
    fn next_due(&self, until: u64) -> u64 {
        let ping = match (self.state, self.pinged) {
            (State::Away | State::Connecting, _) => u64::MAX,
            (_, _) if self.keep_alive == 0 => u64::MAX,
            (_, Some(at)) => at + PING_PATIENCE,
            (_, None) => self.last_sent + self.keep_alive,
        };
        if self.state == State::Live { ping.min(self.next_publish(until)) } else { ping }
    }

    /// Writes DISCONNECT; a session that is not wanted any more ends with it (MQTT 5).
    pub(crate) fn leave(&mut self, for_ever: bool, turn: &mut Turn<'_>) -> Result<(), Trouble> {
        let group = &turn.plan.groups[turn.plan.group_of(self.device)].of;
        let ends = for_ever && !group.clean && Version::from(group.version) == Version::V5;
        let session_expiry = ends.then_some(SessionExpiry::AT_DISCONNECT);
        self.write(&Packet::Disconnect(Disconnect { session_expiry, ..Disconnect::new(ReasonCode::Success) }), turn)
    }

    /// Whether nothing is left to send, to be acknowledged, or to come.
    pub(crate) fn is_done(&self, plan: &Plan, until: u64) -> bool {
        let owes = self.flows.iter().any(|flow| self.was_live && flow.is_due(until));
        let complete = self.inbox.as_ref().is_none_or(|inbox| inbox.is_complete(&plan.streams));
        !owes && self.unacked.is_empty() && complete
    }

    /// Adds what is left, and what verification came to. To be called once, at the end.
    pub(crate) fn conclude(&mut self, plan: &Plan, until: u64, tally: &mut Tally) {
        if self.was_live {
            tally.unsent += self.flows.iter().map(|flow| flow.owed(until)).sum::<u64>();
        }
        tally.unacked += self.unacked.len() as u64;
        // Nobody knows what became of them.
        for unacked in &self.unacked {
            plan.streams.abandon(plan.stream(self.device, unacked.flow.into()), unacked.seq);
        }
    }

    /// What verification came to; after every device has concluded.
    pub(crate) fn judge(&mut self, plan: &Plan, tally: &mut Tally) {
        if let Some(inbox) = &mut self.inbox {
            tally.verdict.add(&inbox.judge(&plan.streams));
        }
    }

    fn write(&mut self, packet: &Packet<'_>, turn: &mut Turn<'_>) -> Result<(), Trouble> {
        let group = &turn.plan.groups[turn.plan.group_of(self.device)].of;
        self.last_sent = turn.now;
        packet.encode(group.version.into(), turn.out).map_err(|error| Trouble::Protocol(error.to_string()))
    }

    /// An id that is not in use.
    fn next_packet_id(&mut self) -> NonZeroU16 {
        loop {
            self.last_packet_id = self.last_packet_id.wrapping_add(1);
            if let Some(id) = NonZeroU16::new(self.last_packet_id)
                && !self.unacked.iter().any(|unacked| unacked.packet_id == id)
            {
                return id;
            }
        }
    }

    /// Chance of its own.
    pub(crate) fn random(&self, plan: &Plan, purpose: u64) -> Random {
        Random::of(plan.scenario.seed, u64::from(self.device) << 16 ^ purpose)
    }
}

#[cfg(test)]
mod tests;
