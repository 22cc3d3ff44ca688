use std::num::NonZeroU16;

use tidegate_mqtt::{Ack, Partial, Peer, Publish, SubAck, decode, decode_connect};

use super::*;
use crate::Scenario;

const SECOND: u64 = 1_000_000;

/// A device with what it needs to act, and what it has sent.
struct Bench {
    plan: Plan,
    tally: Tally,
    client: Client,
    until: u64,
}

/// What a client has sent, in a few words.
fn said(bytes: &[u8]) -> Vec<String> {
    let mut partial = Partial::new();
    let mut packets = partial.packets(bytes, 1 << 20);
    let mut said = Vec::new();
    while let Some(frame) = packets.next_packet().unwrap() {
        let packet = frame.bytes();
        said.push(match decode_connect(packet).ok().map(|connect| connect.client_id.to_owned()) {
            Some(client_id) => format!("CONNECT {client_id}"),
            None => match decode(packet, Version::V5, Peer::Client).unwrap() {
                Packet::Publish(p) => {
                    let id = p.packet_id.map_or(0, NonZeroU16::get);
                    format!("PUBLISH {id} dup{} {}", u8::from(p.dup), String::from_utf8_lossy(p.payload).trim())
                }
                Packet::PubRel(ack) => format!("PUBREL {}", ack.packet_id),
                other => format!("{:?}", other.packet_type()),
            },
        });
    }
    said
}

impl Bench {
    fn new(more: &str) -> Self {
        let text = format!(
            "[broker]\nhost = \"127.0.0.1\"\ntransport = \"plain\"\n[[group]]\nname = \"g\"\ncount = 2\nkeep_alive = \"30s\"\n{more}"
        );
        let plan = Plan::new(Scenario::parse(&text).unwrap(), 1, 0, |_| None).unwrap();
        let client = Client::new(0, &plan);
        Self { plan, tally: Tally::default(), client, until: u64::MAX }
    }

    fn act<R>(&mut self, now: u64, act: impl FnOnce(&mut Client, &mut Turn<'_>) -> R) -> (R, Vec<String>) {
        let (mut out, mut scratch) = (Vec::new(), Vec::new());
        let Self { plan, tally, client, until } = self;
        let mut turn = Turn { now, until: *until, plan, tally, out: &mut out, scratch: &mut scratch };
        let result = act(client, &mut turn);
        (result, said(&out))
    }

    fn packet(&mut self, now: u64, packet: Packet<'_>) -> (Result<News, Trouble>, Vec<String>) {
        self.act(now, |client, turn| {
            let news = client.packet(&packet, turn)?;
            if matches!(news, News::Works | News::Both) && !client.was_live {
                client.begin(turn);
            }
            Ok(news)
        })
    }

    fn wake(&mut self, now: u64) -> (u64, Vec<String>) {
        let (next, said) = self.act(now, |client, turn| client.wake(turn).unwrap());
        (next, said)
    }

    /// Connected, at once; with a session that is kept or not.
    fn connected(&mut self, now: u64, session_present: bool) -> Vec<String> {
        self.act(now, |client, turn| client.connect(turn).unwrap());
        let ack = ConnAck::new(session_present, ReasonCode::Success);
        let (news, said) = self.packet(now, Packet::ConnAck(Box::new(ack)));
        news.unwrap();
        said
    }

    fn ack(&mut self, now: u64, id: u16) -> Packet<'static> {
        let _ = now;
        Packet::PubAck(Ack::new(NonZeroU16::new(id).unwrap(), ReasonCode::Success))
    }
}

const EVERY_SECOND: &str = "[[group.publish]]\ntopic = \"t/{{index}}\"\nqos = 1\nevery = \"1s\"\npayload = \"{{seq}}\"\nverify = false\nspread = false\n";

#[test]
fn a_device_connects_subscribes_and_publishes_on_time() {
    let mut bench = Bench::new(&format!("{EVERY_SECOND}[[group.subscribe]]\nfilter = \"t/#\"\nqos = 1\n"));
    let ((), said) = bench.act(0, |client, turn| client.connect(turn).unwrap());
    assert_eq!(said, ["CONNECT g-0"]);
    let ack = Packet::ConnAck(Box::new(ConnAck::new(false, ReasonCode::Success)));
    assert_eq!(bench.packet(0, ack), (Ok(News::Connected), vec!["Subscribe".to_owned()]));
    assert_eq!(bench.wake(0), (30 * SECOND, vec![]), "nothing is published before SUBACK");
    let granted = [ReasonCode::GrantedQoS1];
    let suback =
        SubAck { packet_id: NonZeroU16::MIN, properties: Default::default(), reason_codes: (&granted[..]).into() };
    assert_eq!(bench.packet(SECOND, Packet::SubAck(suback)), (Ok(News::Works), vec![]));
    assert_eq!(bench.wake(SECOND), (2 * SECOND, vec!["PUBLISH 2 dup0 0".to_owned()]));
    assert_eq!(bench.wake(2 * SECOND - 1).1, [""; 0]);
    assert_eq!(bench.wake(3 * SECOND).1, ["PUBLISH 3 dup0 1", "PUBLISH 4 dup0 2"], "what is late is not left out");
    let ack = bench.ack(4 * SECOND, 2);
    bench.packet(4 * SECOND, ack).0.unwrap();
    assert_eq!((bench.tally.acked, bench.tally.ack.quantile(1.0)), (1, Some(3 * SECOND)), "from when it was due");
}

#[test]
fn a_full_window_delays_and_loses_nothing() {
    let mut bench = Bench::new(&format!("in_flight = 2\n{EVERY_SECOND}"));
    bench.connected(0, false);
    bench.wake(0);
    assert_eq!(bench.wake(5 * SECOND), (30 * SECOND + 5 * SECOND, vec!["PUBLISH 2 dup0 1".to_owned()]));
    let ack = bench.ack(6 * SECOND, 1);
    bench.packet(6 * SECOND, ack).0.unwrap();
    assert_eq!(bench.wake(6 * SECOND).1, ["PUBLISH 3 dup0 2"]);
    bench.until = 6 * SECOND;
    assert!(!bench.client.is_done(&bench.plan, bench.until));
    bench.client.conclude(&bench.plan, bench.until, &mut bench.tally);
    assert_eq!((bench.tally.unsent, bench.tally.unacked), (3, 2));
}

#[test]
fn a_kept_session_sends_again_and_a_clean_one_gives_up() {
    for (clean, present, expected) in [
        ("false", true, vec!["PUBREL 1".to_owned(), "PUBLISH 2 dup1 1".to_owned()]),
        ("false", false, vec![]),
        ("true", false, vec![]),
    ] {
        let more = EVERY_SECOND.replace("qos = 1", "qos = 2");
        let mut bench = Bench::new(&format!("clean = {clean}\n{more}"));
        bench.connected(0, false);
        bench.wake(SECOND);
        let pubrec = Packet::PubRec(Ack::new(NonZeroU16::MIN, ReasonCode::Success));
        assert_eq!(bench.packet(SECOND, pubrec).1, ["PUBREL 1"]);
        bench.client.lost(&bench.plan, &mut bench.tally);
        assert_eq!(bench.connected(2 * SECOND, present), expected, "clean {clean}, present {present}");
        assert_eq!(bench.tally.abandoned, if present { 0 } else { 2 });
        assert_eq!(bench.tally.sessions_lost, u64::from(clean == "false" && !present));
    }
}

#[test]
fn a_packet_id_that_is_free_after_a_reconnection_is_that_of_a_message_that_was_taken() {
    for (reconnects, acked, refused) in [(true, 1, 0), (false, 0, 1)] {
        let mut bench = Bench::new(&format!("clean = false\n{}", EVERY_SECOND.replace("qos = 1", "qos = 2")));
        bench.connected(0, false);
        bench.wake(0);
        bench.packet(0, Packet::PubRec(Ack::new(NonZeroU16::MIN, ReasonCode::Success))).0.unwrap();
        if reconnects {
            bench.client.lost(&bench.plan, &mut bench.tally);
            bench.connected(0, true);
        }
        let unknown = Packet::PubComp(Ack::new(NonZeroU16::MIN, ReasonCode::PacketIdentifierNotFound));
        bench.packet(0, unknown).0.unwrap();
        assert_eq!((bench.tally.acked, bench.tally.refused_messages.values().sum::<u64>()), (acked, refused));
    }
}

#[test]
fn a_device_that_was_away_for_long_skips_and_says_so() {
    let mut bench = Bench::new(&EVERY_SECOND.replace("qos = 1", "qos = 0").replace("1s", "1ms"));
    bench.connected(0, false);
    bench.wake(0);
    let (_, said) = bench.wake(3 * SECOND);
    assert_eq!(bench.tally.skipped, 1_999);
    assert_eq!(said.len(), 1_001);
}

#[test]
fn messages_of_qos_2_are_taken_once_by_their_packet_id() {
    let mut bench = Bench::new("[[group.subscribe]]\nfilter = \"#\"\nqos = 2\n");
    bench.connected(0, false);
    let id = NonZeroU16::new(9);
    let publish = Publish { qos: QoS::ExactlyOnce, packet_id: id, ..Publish::new("a", b"x") };
    let answers = |(result, said): (Result<News, Trouble>, Vec<String>)| {
        result.unwrap();
        said
    };
    assert_eq!(answers(bench.packet(0, Packet::Publish(publish))), ["PubRec"]);
    assert_eq!(answers(bench.packet(0, Packet::Publish(Publish { dup: true, ..publish }))), ["PubRec"]);
    assert_eq!(bench.tally.received, 1);
    let release = Packet::PubRel(Ack::new(id.unwrap(), ReasonCode::Success));
    assert_eq!(answers(bench.packet(0, release)), ["PubComp"]);
    assert_eq!(answers(bench.packet(0, Packet::Publish(publish))), ["PubRec"]);
    assert_eq!(bench.tally.received, 2);
}

#[test]
fn silence_is_broken_by_pings_and_ended_by_patience() {
    let mut bench = Bench::new("");
    bench.connected(0, false);
    assert_eq!(bench.wake(29 * SECOND), (30 * SECOND, vec![]));
    assert_eq!(bench.wake(30 * SECOND), (50 * SECOND, vec!["PingReq".to_owned()]));
    let (late, _) = bench.act(50 * SECOND, |client, turn| client.wake(turn));
    assert_eq!(late, Err(Trouble::Late(Stage::Live)));
    bench.packet(50 * SECOND, Packet::PingResp).0.unwrap();
    assert_eq!(bench.wake(51 * SECOND).0, 60 * SECOND);
}

#[test]
fn refusals_and_what_is_no_answer_end_the_attempt() {
    let of = |packet| {
        let mut bench = Bench::new(EVERY_SECOND);
        bench.act(0, |client, turn| client.connect(turn).unwrap());
        bench.packet(0, packet).0.unwrap_err()
    };
    let refused = ConnAck::new(false, ReasonCode::NotAuthorized);
    assert_eq!(of(Packet::ConnAck(Box::new(refused))), Trouble::Refused(ReasonCode::NotAuthorized));
    let mut low = ConnAck::new(false, ReasonCode::Success);
    low.properties.maximum_qos = QoS::AtMostOnce;
    assert_eq!(of(Packet::ConnAck(Box::new(low))), Trouble::QoSNotTaken(QoS::AtLeastOnce));
    for packet in [Packet::PingResp, Packet::PingReq] {
        assert!(matches!(of(packet), Trouble::Protocol(_)));
    }
}
