//! Several cores at once: takeovers, kicks, subscriptions and publishes from threads, and nothing left behind.

use std::sync::Arc;

use tidegate_broker::{
    Alone, Broker, CloseReason, ConnectRequest, Effects, Link, LinkAddress, Output, Principal, Profile, Selector,
    Settings, Trace,
};
use tidegate_ids::{Monotonic, Now, Timestamp};
use tidegate_mqtt::{
    Connect, Packet, Publish, QoS, ReasonCode, SessionExpiry, Subscribe, Subscription, SubscriptionOptions,
};

use crate::world::*;

const CORES: u16 = 4;
const ROUNDS: usize = 4000;
const FILTERS: [&str; 6] = ["a", "a/b", "a/+", "#", "$share/g/a", "$share/g/a/+"];

fn now(round: usize) -> Now {
    Now { wall: Timestamp::default(), monotonic: Monotonic::from_millis(round as u64) }
}

struct Core<'a> {
    broker: &'a Broker,
    number: u16,
    effects: Effects,
    links: Vec<Link>,
    random: u64,
    profile: Arc<Profile>,
}

impl Core<'_> {
    fn below(&mut self, n: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random % n as u64) as usize
    }

    fn connect(&mut self, round: usize) {
        let name = format!("c{}", self.below(6));
        let keep = self.below(2) == 0;
        let session_expiry = SessionExpiry::from_seconds(if keep { 1 + self.below(3) as u32 } else { 0 });
        let connect = Connect { clean_start: self.below(3) == 0, session_expiry, ..Connect::new(V5, &name) };
        let request = ConnectRequest {
            tenant: tenant(),
            client_id: name.as_str().into(),
            trace: Arc::new(Trace::new(Arc::new(Principal::Anonymous), "192.0.2.1:1".parse().unwrap())),
            authorize: Arc::new(Policies::default()),
            profile: self.profile.clone(),
            connect: &connect,
            address: LinkAddress { core: self.number, slot: round as u32 },
            session_identifier: 0,
        };
        let link = self.broker.connect(request, now(round), &mut self.effects).unwrap();
        self.links.push(link);
    }

    fn end(&mut self, at: usize, reason: CloseReason, round: usize) {
        let link = self.links.swap_remove(at);
        self.broker.disconnected(link, reason, &mut Vec::new(), now(round), &mut self.effects);
    }

    fn handle(&mut self, at: usize, packet: &Packet<'_>, round: usize) {
        if let Err(reason) = self.broker.handle(&mut self.links[at], packet, now(round), &mut self.effects) {
            self.end(at, reason, round);
        }
    }

    fn turn(&mut self, round: usize) {
        let at = if self.links.is_empty() { 0 } else { self.below(self.links.len()) };
        match self.below(10) {
            0 => self.connect(round),
            _ if self.links.is_empty() => {}
            1 => self.end(at, CloseReason::ConnectionLost, round),
            2 => {
                let selector = Selector::Principal { tenant: tenant(), principal: Principal::Anonymous };
                if self.below(20) == 0 {
                    self.broker.kick(&selector, CloseReason::AdministrativeAction, now(round), &mut self.effects);
                }
                self.broker.expire(now(round), &mut self.effects);
            }
            3 | 4 => {
                let topic_filter = FILTERS[self.below(FILTERS.len())];
                let subscriptions = [Subscription { topic_filter, options: SubscriptionOptions::at(QoS::AtLeastOnce) }];
                let subscribe = Subscribe {
                    packet_id: id(1),
                    subscription_identifier: None,
                    user_properties: Default::default(),
                    subscriptions: subscriptions[..].into(),
                };
                self.handle(at, &Packet::Subscribe(subscribe), round);
            }
            _ => {
                let topic = ["a", "a/b", "b"][self.below(3)];
                let qos = QOS[self.below(3)];
                let packet_id = if qos == QoS::AtMostOnce { 0 } else { 1 + self.below(500) as u16 };
                let retain = self.below(5) == 0;
                let publish = Publish { retain, ..message(topic, "payload", qos, packet_id) };
                self.handle(at, &Packet::Publish(publish), round);
            }
        }
        let mut at = 0;
        while at < self.links.len() {
            let mut out = Vec::new();
            match self.links[at].take_output(&mut out, now(round), &mut self.effects) {
                Output::Ended(reason) => self.end(at, reason, round),
                Output::Drained | Output::More | Output::Later(_) => at += 1,
            }
            self.effects.recycle(out);
        }
        self.broker.hand_over(&mut self.effects);
        self.broker.collect(self.number, &mut Vec::new());
        self.effects.take_dirty(&mut Vec::new());
        self.effects.take_events(&mut Vec::new());
    }
}

#[test]
fn cores_work_at_once_and_leave_nothing_behind() {
    let settings = Settings { cores: CORES, ..Settings::default() };
    let mut world = World::new();
    world.broker = Arc::new(Broker::new(settings, Arc::new(Alone), Arc::new(Alone)));
    std::thread::scope(|scope| {
        for number in 0..CORES {
            let mut core = Core {
                broker: &world.broker,
                number,
                effects: Effects::new(number),
                links: Vec::new(),
                random: 0x1234_5678_9ABC_DEF1 + u64::from(number),
                profile: Arc::new(Profile::standard()),
            };
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    core.turn(round);
                }
                while !core.links.is_empty() {
                    core.end(0, CloseReason::ConnectionLost, ROUNDS);
                }
                core.broker.hand_over(&mut core.effects);
            });
        }
    });
    let counters = world.broker.counters();
    assert!(counters.messages_sent > 0);
    assert_eq!(counters.connected, counters.disconnected);
    world.now = now(ROUNDS + 10_000);
    assert_eq!(world.broker.expire(world.now, &mut world.effects), None);
    assert_eq!(world.broker.session_count(tenant()), 0);
    let mut client = world.connect(V5, "last");
    for topic in ["a", "a/b", "b"] {
        world.publish_at(&mut client, topic, "m", QoS::AtLeastOnce, 1);
        assert_eq!(world.got(&mut client), [Got::PubAck(1, ReasonCode::NoMatchingSubscribers)], "{topic}");
    }
}
