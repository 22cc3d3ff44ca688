//! The null broker: one thread, topics in one hash map, no sessions, retries, limits, policies. What it costs is the kernel's; what a
//! broker costs above it is the price of being a broker.

use std::{
    collections::HashMap,
    io::{Read, stdin},
    time::Duration,
};

use anyhow::{Context, Result};

use super::{
    codec::{self, Packet},
    engine::{Connections, Engine, Handler},
    tls,
};

/// Serves until standard input ends; the first line of output says where. With `tls`, the first input is its certificate, its key and
/// the CA of its clients, as PEM, each ended by a zero byte.
pub(crate) fn serve(tls: bool) -> Result<()> {
    let mut input = stdin().lock();
    let mut part = || -> Result<String> {
        let bytes = input.by_ref().bytes().take_while(|byte| !matches!(byte, Ok(0))).collect::<Result<_, _>>()?;
        String::from_utf8(bytes).context("PEM is text")
    };
    let config = if tls { Some(tls::server(&part()?, &part()?, &part()?)?) } else { None };
    drop(input);
    std::thread::spawn(|| {
        let _ = stdin().read_to_end(&mut Vec::new()); // an error is an end, too
        std::process::exit(0);
    });
    let mut engine = Engine::new()?;
    println!("{}", engine.listen(config)?);
    let mut broker = Null::default();
    loop {
        engine.turn(&mut broker, Duration::from_secs(60))?;
    }
}

#[derive(Default)]
struct Null {
    topics: HashMap<Vec<u8>, Vec<Subscriber>>,
    /// Filters that end with `#`, without it.
    prefixes: Vec<(Vec<u8>, Subscriber)>,
    /// The last packet id of each connection.
    packet_ids: Vec<u16>,
    matched: Vec<Subscriber>,
}

#[derive(Debug, Clone, Copy)]
struct Subscriber {
    connection: usize,
    qos: u8,
}

impl Null {
    fn next_packet_id(&mut self, connection: usize) -> u16 {
        if self.packet_ids.len() <= connection {
            self.packet_ids.resize(connection + 1, 0);
        }
        let last = &mut self.packet_ids[connection];
        *last = last.wrapping_add(1).max(1);
        *last
    }

    fn subscribe(&mut self, connection: usize, packet_id: u16, mut filters: &[u8], out: &mut Vec<u8>) {
        let mut codes = Vec::new();
        while let Some((length, rest)) = filters.split_first_chunk::<2>() {
            let length = usize::from(u16::from_be_bytes(*length));
            let Some((filter, rest)) = rest.split_at_checked(length) else { break };
            let Some((options, rest)) = rest.split_first() else { break };
            filters = rest;
            let qos = options & 3;
            let subscriber = Subscriber { connection, qos };
            match filter.strip_suffix(b"#") {
                Some(prefix) => self.prefixes.push((prefix.to_vec(), subscriber)),
                None => self.topics.entry(filter.to_vec()).or_default().push(subscriber),
            }
            codes.push(qos);
        }
        out.push(0x90);
        codec::put_remaining_length(out, 2 + codes.len());
        out.extend_from_slice(&packet_id.to_be_bytes());
        out.extend_from_slice(&codes);
    }

    fn relay(&mut self, all: &mut Connections, qos: u8, topic_name: &[u8], payload: &[u8]) {
        let mut matched = std::mem::take(&mut self.matched);
        matched.extend(self.topics.get(topic_name).into_iter().flatten());
        matched.extend(self.prefixes.iter().filter(|(prefix, _)| topic_name.starts_with(prefix)).map(|(_, who)| who));
        for subscriber in matched.drain(..) {
            let qos = qos.min(subscriber.qos);
            let packet_id = if qos > 0 { self.next_packet_id(subscriber.connection) } else { 0 };
            let Some(out) = all.out(subscriber.connection) else { continue };
            out.push(0x30 | qos << 1);
            codec::put_remaining_length(out, 2 + topic_name.len() + 2 * usize::from(qos > 0) + payload.len());
            codec::put_text(out, topic_name);
            if qos > 0 {
                out.extend_from_slice(&packet_id.to_be_bytes());
            }
            out.extend_from_slice(payload);
        }
        self.matched = matched;
    }
}

impl Handler for Null {
    fn packet(&mut self, all: &mut Connections, from: usize, packet: Packet<'_>, _now: u64) {
        match packet {
            Packet::Publish { qos, topic_name, packet_id, payload, .. } => {
                // Nothing is marked for QoS 0: that costs, too.
                if let Some(out) = if qos > 0 { all.out(from) } else { None } {
                    codec::put_ack(out, if qos == 1 { codec::PUBACK } else { codec::PUBREC }, packet_id);
                }
                self.relay(all, qos, topic_name, payload);
            }
            Packet::Disconnect => {
                all.close(from);
                self.closed(all, from, "");
            }
            Packet::ConnAck { .. } | Packet::PubAck(_) | Packet::PubComp(_) | Packet::SubAck(_) | Packet::Other => {}
            answered => {
                let Some(out) = all.out(from) else { return };
                match answered {
                    Packet::Connect => out.extend_from_slice(&[0x20, 2, 0, 0]),
                    Packet::Subscribe { packet_id, filters } => self.subscribe(from, packet_id, filters, out),
                    Packet::PubRec(packet_id) => codec::put_ack(out, codec::PUBREL, packet_id),
                    Packet::PubRel(packet_id) => codec::put_ack(out, codec::PUBCOMP, packet_id),
                    Packet::PingReq => out.extend_from_slice(&[0xd0, 0]),
                    _ => unreachable!("it was left out above"),
                }
            }
        }
    }

    fn closed(&mut self, _: &mut Connections, which: usize, _why: &str) {
        self.topics.retain(|_, subscribers| {
            subscribers.retain(|subscriber| subscriber.connection != which);
            !subscribers.is_empty()
        });
        self.prefixes.retain(|(_, subscriber)| subscriber.connection != which);
    }
}
