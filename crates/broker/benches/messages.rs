//! What one message costs inside the broker: no sockets, no decoding. And what sessions and filters cost in memory.

use std::{hint::black_box, num::NonZeroU16, sync::Arc};

use criterion::{Criterion, Throughput};
use tidegate_broker::{
    Access, Alone, Authorize, Broker, ConnectRequest, Effects, Link, LinkAddress, Principal, Profile, Settings, Trace,
};
use tidegate_ids::{Now, Tenant};
use tidegate_mqtt::{
    Ack, Connect, Packet, Publish, QoS, ReasonCode, Subscribe, Subscription, SubscriptionOptions, Version,
};

/// Messages between two flushes: a turn of a busy core.
const TURN: u64 = 100;

struct All;

impl Authorize for All {
    fn generation(&self) -> u64 {
        1
    }
    fn allows(&self, _access: Access, _topic: &str) -> bool {
        true
    }
}

struct Bench {
    broker: Broker,
    effects: Effects,
    profile: Arc<Profile>,
    principal: Arc<Principal>,
    authorize: Arc<dyn Authorize>,
    slots: u32,
}

impl Bench {
    fn new() -> Self {
        let mut profile = Profile::standard();
        profile.limits.subscriptions_max = usize::MAX;
        Self {
            broker: Broker::new(Settings::default(), Arc::new(Alone), Arc::new(Alone)),
            effects: Effects::new(0),
            profile: Arc::new(profile),
            principal: Arc::new(Principal::Anonymous),
            authorize: Arc::new(All),
            slots: 0,
        }
    }

    fn connect(&mut self, version: Version) -> Link {
        self.slots += 1;
        let name = format!("client-{}", self.slots);
        let request = ConnectRequest {
            tenant: Tenant { account: "123456789012".parse().unwrap(), region: "eu-central-1".parse().unwrap() },
            client_id: name.as_str().into(),
            trace: Arc::new(Trace::new(self.principal.clone(), "192.0.2.1:1".parse().unwrap())),
            authorize: self.authorize.clone(),
            profile: self.profile.clone(),
            connect: &Connect::new(version, &name),
            address: LinkAddress { core: 0, slot: self.slots },
            session_identifier: 0,
        };
        self.broker.connect(request, Now::default(), &mut self.effects).unwrap()
    }

    fn subscribe(&mut self, link: &mut Link, topic_filter: &str, qos: QoS) {
        let subscriptions = [Subscription { topic_filter, options: SubscriptionOptions::at(qos) }];
        let subscribe = Subscribe {
            packet_id: NonZeroU16::MIN,
            subscription_identifier: None,
            user_properties: Default::default(),
            subscriptions: subscriptions[..].into(),
        };
        self.handle(link, &Packet::Subscribe(subscribe));
    }

    fn handle(&mut self, link: &mut Link, packet: &Packet<'_>) {
        self.broker.handle(link, packet, Now::default(), &mut self.effects).unwrap();
    }

    fn drain(&mut self, link: &mut Link) {
        let mut out = Vec::new();
        link.take_output(&mut out, Now::default(), &mut self.effects);
        self.effects.recycle(black_box(out));
    }

    /// The end of a turn.
    fn settle(&mut self, events: &mut Vec<u32>) {
        events.clear();
        self.effects.take_dirty(events);
        self.effects.take_events(&mut Vec::new());
        self.broker.hand_over(&mut self.effects);
    }
}

fn publish(topic_name: &str, qos: QoS) -> Publish<'_> {
    let packet_id = (qos != QoS::AtMostOnce).then_some(NonZeroU16::MIN);
    Publish { qos, packet_id, ..Publish::new(topic_name, &[b'x'; 64]) }
}

fn messages(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("message");
    for (name, targets, qos, bytes, turn) in [
        ("to 1, QoS 0", 1, QoS::AtMostOnce, 64, TURN),
        ("to 1, QoS 1", 1, QoS::AtLeastOnce, 64, TURN),
        ("to 1, QoS 2", 1, QoS::ExactlyOnce, 64, TURN),
        ("to 200, QoS 0", 200, QoS::AtMostOnce, 64, TURN),
        ("to 200, QoS 1", 200, QoS::AtLeastOnce, 64, TURN),
        ("to 200, QoS 0, 64 KiB", 200, QoS::AtMostOnce, 65_536, 1),
    ] {
        let payload = vec![b'x'; bytes];
        let mut bench = Bench::new();
        let mut publisher = bench.connect(Version::V4);
        let mut subscribers: Vec<Link> = (0..targets).map(|_| bench.connect(Version::V4)).collect();
        for subscriber in &mut subscribers {
            bench.subscribe(subscriber, "fleet/device-1/state", qos);
            bench.drain(subscriber);
        }
        let packet = Packet::Publish(Publish { payload: &payload, ..publish("fleet/device-1/state", qos) });
        let mut sequence = 0u64;
        let mut dirty = Vec::new();
        group.throughput(Throughput::Elements(turn * targets));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for _ in 0..turn {
                    bench.handle(&mut publisher, &packet);
                    let release = Packet::PubRel(Ack::new(NonZeroU16::MIN, ReasonCode::Success));
                    if qos == QoS::ExactlyOnce {
                        bench.handle(&mut publisher, &release);
                    }
                }
                for subscriber in &mut subscribers {
                    bench.drain(subscriber);
                }
                bench.drain(&mut publisher);
                for n in 0..turn {
                    let id = NonZeroU16::new(((sequence + n) % 65_535 + 1) as u16).unwrap();
                    let ack = Ack::new(id, ReasonCode::Success);
                    for subscriber in &mut subscribers {
                        match qos {
                            QoS::AtMostOnce => {}
                            QoS::AtLeastOnce => bench.handle(subscriber, &Packet::PubAck(ack)),
                            QoS::ExactlyOnce => {
                                bench.handle(subscriber, &Packet::PubRec(ack));
                                bench.handle(subscriber, &Packet::PubComp(ack));
                            }
                        }
                    }
                }
                sequence += turn;
                bench.settle(&mut dirty);
            });
        });
    }
    group.finish();
}

fn filters(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("among filters");
    for filters in [1_000_000, 200_000, 1_000] {
        let mut bench = Bench::new();
        let mut publisher = bench.connect(Version::V4);
        let mut others: Vec<Link> = (0..100).map(|_| bench.connect(Version::V4)).collect();
        let before = resident_bytes();
        for n in 0..filters {
            let filter = match n % 4 {
                0 => format!("fleet/{}/device-{n}/state", n % 100),
                1 => format!("fleet/{}/device-{n}/+", n % 100),
                2 => format!("fleet/+/device-{n}/state"),
                _ => format!("fleet/{}/device-{n}/#", n % 100),
            };
            bench.subscribe(&mut others[n % 100], &filter, QoS::AtMostOnce);
        }
        for other in &mut others {
            bench.drain(other);
        }
        let each = resident_bytes().saturating_sub(before) / filters as u64;
        println!("{filters} filters, 3/4 with a wildcard: {each} bytes each");
        // As many topics for few filters as for many. An odd stride visits all four kinds.
        let numbers = (0..1_000).map(|n| n * ((filters / 1_000) | 1) % filters);
        let topics: Vec<String> = numbers.map(|n| format!("fleet/{}/device-{n}/state", n % 100)).collect();
        let mut at = 0;
        group.throughput(Throughput::Elements(1));
        group.bench_function(format!("{filters}, a topic not seen lately"), |bencher| {
            bencher.iter(|| {
                at = (at + 1) % topics.len();
                bench.handle(&mut publisher, &Packet::Publish(publish(&topics[at], QoS::AtMostOnce)));
                if at % TURN as usize == 0 {
                    for other in &mut others {
                        bench.drain(other);
                    }
                    bench.effects.take_dirty(&mut Vec::new());
                }
            });
        });
        group.bench_function(format!("{filters}, the same topic"), |bencher| {
            bencher.iter(|| {
                at = (at + 1) % topics.len();
                bench.handle(&mut publisher, &Packet::Publish(publish(&topics[7], QoS::AtMostOnce)));
                if at % TURN as usize == 0 {
                    bench.drain(&mut others[7]);
                    bench.effects.take_dirty(&mut Vec::new());
                }
            });
        });
        keep((bench, publisher, others));
    }
    group.finish();
}

fn retained(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("retained");
    let mut bench = Bench::new();
    let mut publisher = bench.connect(Version::V4);
    let topics: Vec<String> = (0..100_000).map(|n| format!("fleet/{}/device-{n}/state", n % 100)).collect();
    let before = resident_bytes();
    for topic in &topics {
        let publish = Publish { retain: true, ..publish(topic, QoS::AtMostOnce) };
        bench.handle(&mut publisher, &Packet::Publish(publish));
    }
    let each = resident_bytes().saturating_sub(before) / 100_000;
    println!("100000 retained messages of 64 bytes: {each} bytes each");
    let mut at = 0;
    group.bench_function("set", |bencher| {
        bencher.iter(|| {
            at = (at + 7) % topics.len();
            let publish = Publish { retain: true, ..publish(&topics[at], QoS::AtMostOnce) };
            bench.handle(&mut publisher, &Packet::Publish(publish));
        });
    });
    let mut subscriber = bench.connect(Version::V4);
    group.throughput(Throughput::Elements(1_000));
    group.bench_function("fetch 1000 by a wildcard", |bencher| {
        bencher.iter(|| {
            bench.subscribe(&mut subscriber, "fleet/7/#", QoS::AtMostOnce);
            bench.drain(&mut subscriber);
            bench.effects.take_dirty(&mut Vec::new());
            bench.effects.take_events(&mut Vec::new());
        });
    });
    group.finish();
    keep((bench, publisher, subscriber));
}

/// What is measured next must not live in memory that this would free.
fn keep<T>(value: T) {
    std::mem::forget(value);
}

fn idle_sessions() {
    const SESSIONS: usize = 100_000;
    let mut bench = Bench::new();
    let before = resident_bytes();
    let mut links = Vec::with_capacity(SESSIONS);
    for n in 0..SESSIONS {
        let mut link = bench.connect(Version::V5);
        bench.subscribe(&mut link, &format!("fleet/device-{n}/commands"), QoS::AtLeastOnce);
        let mut out = Vec::new();
        link.take_output(&mut out, Now::default(), &mut bench.effects);
        links.push(link);
        bench.effects.take_dirty(&mut Vec::new());
        bench.effects.take_events(&mut Vec::new());
    }
    let each = (resident_bytes() - before) / SESSIONS as u64;
    println!("{SESSIONS} idle sessions with one subscription: {each} bytes each, links included");
}

fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    messages(&mut criterion);
    retained(&mut criterion);
    filters(&mut criterion);
    idle_sessions();
    criterion.final_summary();
}
