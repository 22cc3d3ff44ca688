//! Many retained messages: set by some publishers at QoS 1, fetched by one subscriber with `#`.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::{
    clients::Clients,
    codec::{self, Head, Packet, Template},
    engine::{Connections, Handler, now},
    track::{PacketIds, Stream},
    window::{Measured, Window},
};

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Retained {
    pub(crate) set: Measured,
    pub(crate) fetched: Measured,
}

const PUBLISHERS: usize = 10;
const PAYLOAD_BYTES: usize = 64;
/// Messages of each publisher that are not acknowledged.
const UNFINISHED: usize = 100;
const PATIENCE_NS: u64 = 10_000_000_000;

/// Sets `count` messages, fetches them, deletes them.
pub(crate) fn run(clients: &mut Clients, count: usize) -> Result<Retained> {
    clients.connect(0, PUBLISHERS + 1, false)?;
    let base = format!("{}/retained", clients.prefix);
    let set = publish(clients, &base, count, PAYLOAD_BYTES)?;
    let window = Window::open(clients.server.pid)?;
    let mut fetch = Fetch { received: Stream::default(), wrong: None, since: now() };
    let out = clients.engine.all.out(PUBLISHERS).expect("the subscriber is connected");
    codec::put_subscribe(out, 1, &[format!("{base}/#")], 0);
    while (fetch.received.received as usize) < count {
        clients.engine.turn(&mut fetch, Duration::from_millis(50))?;
        ensure!(fetch.wrong.is_none(), "{}", fetch.wrong.unwrap_or_default());
        ensure!(now() - fetch.since < PATIENCE_NS, "{} of {count} retained messages came", fetch.received.received);
    }
    ensure!(fetch.received.duplicated == 0, "{} retained messages came twice", fetch.received.duplicated);
    let fetched = window.close()?;
    clients.engine.all.close(PUBLISHERS);
    publish(clients, &base, count, 0)?;
    clients.disconnect();
    Ok(Retained { set, fetched })
}

/// Publishes them all; without payload, that deletes them.
fn publish(clients: &mut Clients, base: &str, count: usize, payload_bytes: usize) -> Result<Measured> {
    let window = Window::open(clients.server.pid)?;
    let publishers = (0..PUBLISHERS).map(|_| (0, PacketIds::default())).collect();
    let base = base.to_owned();
    let mut set = Set { count, next: 0, acknowledged: 0, publishers, payload_bytes, base, wrong: None };
    (0..PUBLISHERS).for_each(|publisher| set.fill(&mut clients.engine.all, publisher));
    let (mut seen, mut since) = (0, now());
    while set.acknowledged < count {
        clients.engine.turn(&mut set, Duration::from_millis(50))?;
        ensure!(set.wrong.is_none(), "{}", set.wrong.unwrap_or_default());
        if set.acknowledged != seen {
            (seen, since) = (set.acknowledged, now());
        }
        ensure!(now() - since < PATIENCE_NS, "{seen} of {count} retained messages are acknowledged");
    }
    window.close()
}

struct Set {
    count: usize,
    next: usize,
    acknowledged: usize,
    /// How many messages of each are unacknowledged, and their packet ids.
    publishers: Vec<(usize, PacketIds)>,
    payload_bytes: usize,
    base: String,
    wrong: Option<String>,
}

impl Set {
    fn fill(&mut self, all: &mut Connections, publisher: usize) {
        let (unfinished, packet_ids) = &mut self.publishers[publisher];
        while *unfinished < UNFINISHED && self.next < self.count {
            let Some(out) = all.out(publisher) else { return };
            let topic_name = format!("{}/{}/{}", self.base, self.next % 1000, self.next);
            let head = Head { publisher: 0, sequence: self.next as u64, sent_at: 0 }.bytes();
            let head = if self.payload_bytes > 0 { &head[..] } else { &[] };
            Template::new(&topic_name, 1, true, self.payload_bytes).put(out, packet_ids.take(), head);
            *unfinished += 1;
            self.next += 1;
        }
    }
}

impl Handler for Set {
    fn packet(&mut self, all: &mut Connections, from: usize, packet: Packet<'_>, _now: u64) {
        let Packet::PubAck(packet_id) = packet else { return };
        if self.publishers[from].1.release(packet_id) {
            self.publishers[from].0 -= 1;
            self.acknowledged += 1;
            self.fill(all, from);
        }
    }

    fn closed(&mut self, _: &mut Connections, which: usize, why: &str) {
        self.wrong = Some(format!("connection {which}: {why}"));
    }
}

struct Fetch {
    received: Stream,
    wrong: Option<String>,
    since: u64,
}

impl Handler for Fetch {
    fn packet(&mut self, _: &mut Connections, _: usize, packet: Packet<'_>, now: u64) {
        let Packet::Publish { retain, payload, .. } = packet else { return };
        match Head::read(payload) {
            Some(head) if retain => self.received.note(head.sequence),
            Some(_) | None => {
                self.wrong = Some("a message came that is not retained".to_owned());
                false
            }
        };
        self.since = now;
    }

    fn closed(&mut self, _: &mut Connections, which: usize, why: &str) {
        self.wrong = Some(format!("connection {which}: {why}"));
    }
}
