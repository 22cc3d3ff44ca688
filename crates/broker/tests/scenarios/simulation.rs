//! Many sessions and a seeded scheduler: connections drop, packets and acknowledgements are lost with them, clients
//! take each other over, windows are small, batches are answered late. A naive model says what must arrive.
//!
//! A failure names its seed; `TIDEGATE_SEED=n cargo test -p tidegate-broker simulation` runs that one alone.

mod actor;
mod kills;

use std::collections::VecDeque;

use tidegate_broker::{CloseReason, Profile, Settings};
use tidegate_mqtt::{Connect, Packet, Publish, QoS, SessionExpiry, topic};

use crate::world::*;
use actor::{Actor, Sent};

const CLIENTS: usize = 5;
const STEPS: usize = 600;
const TOPICS: [&str; 4] = ["a", "a/b", "a/c", "b"];
const FILTERS: [&str; 7] = ["a", "a/b", "a/+", "a/#", "#", "+", "b"];

/// SplitMix64.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

struct Simulation {
    world: World,
    chance: Chance,
    actors: Vec<Actor>,
    batches: VecDeque<Batch>,
    persist: bool,
    kills: bool,
    /// What was published, with the number of the batch it will be written with.
    published: Vec<(String, u64)>,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let mut chance = Chance(seed);
        let mut profile = Profile::standard();
        profile.limits.queued_messages_max = usize::MAX;
        profile.limits.outbox_bytes_max = if chance.one_in(2) { 60 } else { 1 << 20 };
        profile.limits.send_maximum = 1 + chance.below(6) as u16;
        let persist = chance.one_in(2);
        let world = World::with(profile, Settings { persist, ..Settings::default() });
        let actors = (0..CLIENTS).map(|n| Actor { name: format!("c{n}"), next_id: 1, ..Actor::default() }).collect();
        Self { world, chance, actors, batches: VecDeque::new(), persist, kills: false, published: Vec::new() }
    }

    /// With an account that may be sent so few messages a second that they wait most of the time.
    fn at_a_rate(seed: u64) -> Self {
        let mut simulation = Self::new(seed);
        let rate = 5 + simulation.chance.below(60) as u32;
        let mut profile = (*simulation.world.profile).clone();
        profile.limits.account.outbound_publishes_per_second = Some(rate);
        simulation.world.profile = profile.into();
        simulation
    }

    fn run(&mut self) {
        for _ in 0..STEPS {
            if self.kills && self.chance.one_in(60) {
                self.kill();
            }
            let who = self.chance.below(CLIENTS);
            match self.chance.below(20) {
                0 => self.connect(who),
                1 => self.lose(who),
                2 | 3 => self.subscribe(who),
                4 => self.unsubscribe(who),
                5..=10 => self.publish(who),
                11..=14 => self.read(who),
                15..=17 => self.acknowledge(who),
                18 => self.answer_batch(),
                _ => self.world.pass(std::time::Duration::from_millis(10)),
            }
            if let Some(batch) = self.world.batch() {
                assert!(self.persist);
                self.batches.push_back(batch);
            }
        }
        self.settle();
        for actor in &self.actors {
            actor.check();
        }
    }

    /// Connect, over the present connection if there is one.
    fn connect(&mut self, who: usize) {
        let actor = &mut self.actors[who];
        let keep = !self.chance.one_in(6);
        let version = if self.chance.one_in(2) { V4 } else { V5 };
        let clean_start = !keep || self.chance.one_in(10);
        let never =
            if keep && !(version == V4 && clean_start) { SessionExpiry::NEVER } else { SessionExpiry::AT_DISCONNECT };
        let mut connect = Connect { clean_start, session_expiry: never, ..Connect::new(version, &actor.name) };
        if version == V5 {
            connect.properties.receive_maximum = id(1 + self.chance.below(5) as u16);
            connect.properties.topic_alias_maximum = self.chance.below(3) as u16;
        }
        let should_be_present = actor.keeps_session && !clean_start;
        let mut old = actor.client.take();
        let (client, present) = self.world.connect_with(&connect);
        if let Some(old) = &mut old {
            self.world.fetch(old);
            assert_eq!(old.ended, Some(CloseReason::TakenOver));
        }
        assert_eq!(present, should_be_present, "session present");
        let actor = &mut self.actors[who];
        actor.client = Some(client);
        actor.owed.clear();
        if !present {
            actor.check_order_only();
            let Actor { name, client, count, next_id, .. } = std::mem::take(actor);
            *actor = Actor { name, client, count, next_id, ..Actor::default() };
        }
        let known = present && actor.keeps_session && never == SessionExpiry::NEVER;
        actor.keeps_session = never == SessionExpiry::NEVER;
        if self.kills && !known {
            self.world.write_all(); // so that it is known which sessions are there afterwards
        }
        self.publish_again(who);
    }

    /// Spec: [MQTT-4.4.0-1] (5.0): what was not acknowledged is sent again, in order.
    fn publish_again(&mut self, who: usize) {
        let again: Vec<_> = self.actors[who].unacknowledged.drain(..).collect();
        for sent in &again {
            if sent.released {
                let mut client = self.actors[who].client.take().unwrap();
                self.world.pubrel(&mut client, sent.packet_id);
                self.actors[who].client = Some(client);
            } else {
                self.send(who, sent.topic, &sent.payload, sent.qos, sent.packet_id, true, !sent.handled);
            }
        }
        let again = again.into_iter().map(|sent| Sent { handled: true, ..sent });
        self.actors[who].unacknowledged = again.collect();
        self.sort_out(who);
    }

    fn lose(&mut self, who: usize) {
        let actor = &mut self.actors[who];
        let Some(mut client) = actor.client.take() else { return };
        actor.owed.clear();
        let reason = if self.chance.one_in(2) { CloseReason::ConnectionLost } else { CloseReason::Disconnect };
        // What was in its outbox is lost with it.
        let mut last = Vec::new();
        let link = client.link.take().unwrap();
        self.world.broker.disconnected(link, reason, &mut last, self.world.now, &mut self.world.effects);
        if !actor.keeps_session {
            actor.forget_session();
        }
    }

    fn subscribe(&mut self, who: usize) {
        let Some(mut client) = self.actors[who].client.take() else { return };
        let filter = FILTERS[self.chance.below(FILTERS.len())];
        let qos = QOS[self.chance.below(3)];
        self.world.subscribe(&mut client, filter, qos);
        self.actors[who].filters.insert(filter, qos);
        self.actors[who].client = Some(client);
        self.sort_out(who);
    }

    fn unsubscribe(&mut self, who: usize) {
        let Some(mut client) = self.actors[who].client.take() else { return };
        let filter = FILTERS[self.chance.below(FILTERS.len())];
        self.world.unsubscribe(&mut client, &[filter]);
        self.actors[who].filters.remove(filter);
        self.actors[who].client = Some(client);
        self.sort_out(who);
    }

    fn publish(&mut self, who: usize) {
        let actor = &mut self.actors[who];
        if actor.client.is_none() || actor.unacknowledged.len() > 20 {
            return;
        }
        let topic = TOPICS[self.chance.below(TOPICS.len())];
        let qos = QOS[self.chance.below(3)];
        let payload = format!("{} {topic} {} {}", actor.name, qos.bits(), actor.count);
        actor.count += 1;
        let mut packet_id = 0;
        if qos != QoS::AtMostOnce {
            packet_id = actor.next_id;
            actor.next_id = actor.next_id % 50 + 1;
            if actor.unacknowledged.iter().any(|sent| sent.packet_id == packet_id) {
                return;
            }
            let payload = payload.clone();
            actor.unacknowledged.push_back(Sent { packet_id, topic, payload, qos, handled: false, released: false });
            if self.chance.one_in(20) {
                return self.lose(who); // and the packet with it
            }
        }
        self.send(who, topic, &payload, qos, packet_id, false, true);
        if let Some(sent) = self.actors[who].unacknowledged.iter_mut().find(|sent| sent.packet_id == packet_id) {
            sent.handled = true;
        }
        self.sort_out(who);
    }

    #[allow(clippy::too_many_arguments)] // a packet, spelled out
    fn send(
        &mut self,
        who: usize,
        topic: &'static str,
        payload: &str,
        qos: QoS,
        packet_id: u16,
        dup: bool,
        expect: bool,
    ) {
        for actor in self.actors.iter_mut().filter(|_| expect) {
            let matching = actor.filters.iter().filter(|(filter, _)| topic::matches(filter, topic));
            let there = actor.client.is_some() || actor.keeps_session;
            if let Some(granted) = matching.map(|(_, &granted)| granted).max().filter(|_| there) {
                actor.expected.insert(payload.to_owned(), granted.min(qos).bits());
            }
        }
        for actor in self.actors.iter_mut().filter(|_| dup) {
            actor.published_again.insert(payload.to_owned());
        }
        if expect {
            self.published.push((payload.to_owned(), self.world.disk.taken + 1));
        }
        let publish = Publish { dup, ..message(topic, payload, qos, packet_id) };
        let mut client = self.actors[who].client.take().unwrap();
        self.world.send(&mut client, &Packet::Publish(publish)).unwrap();
        self.actors[who].client = Some(client);
    }

    fn read(&mut self, who: usize) {
        let Some(mut client) = self.actors[who].client.take() else { return };
        self.world.fetch(&mut client);
        self.actors[who].client = Some(client);
        self.sort_out(who);
    }

    /// What the client does about what it got.
    fn sort_out(&mut self, who: usize) {
        let actor = &mut self.actors[who];
        let mut client = actor.client.take().unwrap();
        let ack = |packet_id| tidegate_mqtt::Ack::new(id(packet_id), tidegate_mqtt::ReasonCode::Success);
        while let Some(got) = client.got.pop_front() {
            match got {
                Got::Publish(message) => actor.arrive(message, ack),
                Got::PubAck(packet_id, code) => {
                    assert!(!code.is_failure());
                    actor.unacknowledged.retain(|sent| sent.packet_id != packet_id);
                }
                Got::PubRec(packet_id, code) => {
                    assert!(!code.is_failure());
                    let sent = actor.unacknowledged.iter_mut().find(|sent| sent.packet_id == packet_id);
                    if let Some(sent) = sent {
                        sent.released = true;
                        actor.owed.push(Packet::PubRel(ack(packet_id)));
                    }
                }
                Got::PubComp(packet_id, _) => actor.unacknowledged.retain(|sent| sent.packet_id != packet_id),
                Got::PubRel(packet_id, _) => {
                    actor.incomplete.remove(&packet_id);
                    actor.owed.push(Packet::PubComp(ack(packet_id)));
                }
                other => panic!("unexpected {other:?}"),
            }
        }
        actor.client = Some(client);
    }

    /// Give one owed acknowledgement. PUBREL and what answers QoS 2 keep their order, PUBACK may come in any.
    fn acknowledge(&mut self, who: usize) {
        let actor = &mut self.actors[who];
        if actor.client.is_none() || actor.owed.is_empty() {
            return;
        }
        let mut at = self.chance.below(actor.owed.len());
        if !matches!(actor.owed[at], Packet::PubAck(_)) {
            at = actor.owed.iter().position(|packet| !matches!(packet, Packet::PubAck(_))).unwrap();
        }
        let packet = actor.owed.remove(at);
        let mut client = actor.client.take().unwrap();
        self.world.send(&mut client, &packet).unwrap();
        self.actors[who].client = Some(client);
        self.sort_out(who);
    }

    fn answer_batch(&mut self) {
        if let Some(batch) = self.batches.pop_front() {
            self.world.commit(batch);
        }
    }

    /// Let everyone who keeps a session come back, and everything arrive.
    fn settle(&mut self) {
        for who in 0..CLIENTS {
            if self.actors[who].client.is_none() && self.actors[who].keeps_session {
                let (client, present) = self.world.resume(V5, &self.actors[who].name.clone());
                assert!(present);
                self.actors[who].client = Some(client);
                self.publish_again(who);
            }
        }
        loop {
            self.batches.extend(self.world.batch());
            let mut quiet = self.batches.is_empty();
            while !self.batches.is_empty() {
                self.answer_batch();
            }
            for who in 0..CLIENTS {
                if self.actors[who].client.is_none() {
                    continue;
                }
                let before = self.actors[who].arrived.len();
                self.read(who);
                quiet &= self.actors[who].owed.is_empty() && before == self.actors[who].arrived.len();
                while !self.actors[who].owed.is_empty() {
                    self.acknowledge(who);
                }
            }
            let turns = self.actors.iter().filter_map(|actor| actor.client.as_ref()?.later);
            if let Some(turn) = turns.min() {
                quiet = false;
                self.world.pass(turn.since(self.world.now.monotonic));
            }
            if quiet {
                break;
            }
        }
        for actor in &self.actors {
            if actor.client.is_some() {
                assert_eq!(actor.unacknowledged.len(), 0, "{} was not answered", actor.name);
            }
        }
    }
}

/// Runs all seeds of the range, or the one that `TIDEGATE_SEED` names.
fn run_all(seeds: std::ops::Range<u64>, simulation: fn(u64) -> Simulation) {
    let only = std::env::var("TIDEGATE_SEED").ok().and_then(|seed| seed.parse().ok());
    for seed in only.map_or(seeds, |seed: u64| seed..seed + 1) {
        let run = std::panic::catch_unwind(|| simulation(seed).run());
        if let Err(panic) = run {
            eprintln!("the failing seed: TIDEGATE_SEED={seed}");
            std::panic::resume_unwind(panic);
        }
    }
}

#[test]
fn nothing_is_lost_doubled_or_out_of_order() {
    run_all(0..2000, Simulation::new);
}

#[test]
fn messages_that_wait_for_their_turn_are_not_lost_doubled_or_out_of_order() {
    run_all(0..500, Simulation::at_a_rate);
}
