//! Messages from publishers to subscribers: as fast as a window of unfinished messages lets them, or at a fixed rate.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::{
    clients::Clients,
    codec::{self, Head, Packet, Template},
    engine::{Connections, Handler, now},
    track::{PacketIds, Stream},
    window::{Measured, Window},
};

/// Who publishes to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// Each publisher to a subscriber of its own.
    Pairs,
    /// All to everybody of few subscribers, by one wildcard filter.
    FanIn,
    /// All to one shared group: each message to one of its members.
    Shared,
    /// Few to everybody of many, by one exact filter.
    FanOut,
}

/// A flow of messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flow {
    pub(crate) pattern: Pattern,
    pub(crate) publishers: usize,
    pub(crate) subscribers: usize,
    pub(crate) qos: u8,
    /// Messages of each publisher that are not finished end to end: no broker looks fast because it queues.
    pub(crate) unfinished: usize,
    /// Messages a second, of all publishers; `None`: as fast as the window lets them.
    pub(crate) rate: Option<u32>,
    pub(crate) seconds: f64,
}

/// What came of it. Nothing was lost, duplicated or reordered; of QoS 0, something may be lost.
#[derive(Debug, Default)]
pub(crate) struct Flowed {
    /// Deliveries within the window that was measured.
    pub(crate) deliveries: u64,
    /// All deliveries.
    pub(crate) all: u64,
    pub(crate) measured: Measured,
    /// From the moment at which each message should have been sent to its delivery, in microseconds; at a fixed rate only.
    pub(crate) latencies_us: Vec<u32>,
}

/// Bytes of payload.
const PAYLOAD_BYTES: usize = 64;
/// Before the window opens.
const WARM_UP_NS: u64 = 500_000_000;
/// How long nothing may arrive.
const PATIENCE_NS: u64 = 5_000_000_000;

/// Connects, subscribes, publishes, checks, disconnects.
pub(crate) fn run(clients: &mut Clients, flow: Flow) -> Result<Flowed> {
    clients.connect(0, flow.subscribers + flow.publishers, false)?;
    let base = clients.prefix.clone();
    let filter = |subscriber: usize| match flow.pattern {
        Pattern::Pairs => format!("{base}/pair/{subscriber}"),
        Pattern::FanIn => format!("{base}/in/#"),
        Pattern::Shared => format!("$share/group/{base}/in/#"),
        Pattern::FanOut => format!("{base}/out"),
    };
    let topic = |publisher: usize| match flow.pattern {
        Pattern::Pairs => format!("{base}/pair/{publisher}"),
        Pattern::FanIn | Pattern::Shared => format!("{base}/in/{publisher}"),
        Pattern::FanOut => format!("{base}/out"),
    };
    let lists = (0..flow.subscribers).map(|subscriber| (subscriber, vec![filter(subscriber)])).collect();
    clients.subscribe(lists, flow.qos)?;
    let flowed = publish(clients, flow, |publisher| vec![topic(publisher)])?;
    clients.disconnect();
    Ok(flowed)
}

/// Publishes through subscriptions that are there: subscribers are the first clients, publishers those behind them. `topics` are those
/// that a publisher takes in turn.
pub(super) fn publish(clients: &mut Clients, flow: Flow, topics: impl Fn(usize) -> Vec<String>) -> Result<Flowed> {
    let mut state = State::new(flow, topics);
    state.run(clients)?;
    state.drain(clients)?;
    state.judge()
}

struct Publisher {
    topics: Vec<Template>,
    sent: u64,
    unacknowledged: usize,
    /// Deliveries that are due.
    outstanding: u64,
    packet_ids: PacketIds,
    /// Whether it is listed to go on.
    listed: bool,
}

struct State {
    flow: Flow,
    publishers: Vec<Publisher>,
    /// By publisher; with several receivers of each message, by receiver and publisher.
    streams: Vec<Stream>,
    received_ids: Vec<PacketIds>,
    /// Deliveries due for each message.
    copies: u64,
    listed: Vec<usize>,
    published: u64,
    delivered: u64,
    wrong: Option<String>,
    last_progress: u64,
    /// When the window is open.
    from: u64,
    to: u64,
    draining: bool,
    flowed: Flowed,
}

impl State {
    fn new(flow: Flow, topics: impl Fn(usize) -> Vec<String>) -> Self {
        let template = |topic: &String| Template::new(topic, flow.qos, false, PAYLOAD_BYTES);
        let publisher = |number| Publisher {
            topics: topics(number).iter().map(template).collect(),
            sent: 0,
            unacknowledged: 0,
            outstanding: 0,
            packet_ids: PacketIds::default(),
            listed: false,
        };
        let copies = match flow.pattern {
            Pattern::Pairs | Pattern::Shared => 1,
            Pattern::FanIn | Pattern::FanOut => flow.subscribers,
        };
        let now = now();
        let from = now + WARM_UP_NS;
        Self {
            publishers: (0..flow.publishers).map(publisher).collect(),
            streams: (0..flow.publishers * copies).map(|_| Stream::default()).collect(),
            received_ids: (0..flow.subscribers).map(|_| PacketIds::default()).collect(),
            copies: copies as u64,
            listed: Vec::new(),
            published: 0,
            delivered: 0,
            wrong: None,
            last_progress: now,
            from,
            to: from + (flow.seconds * 1e9) as u64,
            draining: false,
            flowed: Flowed::default(),
            flow,
        }
    }

    /// Warms up, then measures.
    fn run(&mut self, clients: &mut Clients) -> Result<()> {
        let start = now();
        let mut window = None;
        let mut sent_by_rate = 0;
        (0..self.publishers.len()).for_each(|publisher| self.go_on_with(publisher));
        while now() < self.to {
            if window.is_none() && now() >= self.from {
                window = Some(Window::open(clients.server.pid)?);
                self.from = now();
                self.to = self.from + (self.flow.seconds * 1e9) as u64;
            }
            let patience = match self.flow.rate {
                None => {
                    self.refill(&mut clients.engine.all);
                    Duration::from_millis(20)
                }
                Some(rate) => {
                    let moment = |number: u64| start + number * 1_000_000_000 / u64::from(rate);
                    while moment(sent_by_rate) <= now() {
                        let publisher = sent_by_rate as usize % self.publishers.len();
                        self.send(&mut clients.engine.all, publisher, moment(sent_by_rate));
                        sent_by_rate += 1;
                    }
                    // The poll does not sleep more finely than a millisecond: below that, this spins.
                    Duration::from_millis(moment(sent_by_rate).saturating_sub(now()) / 1_000_000)
                }
            };
            clients.engine.turn(self, patience)?;
            self.check()?;
        }
        self.flowed.measured = window.context("the window never opened")?.close()?;
        Ok(())
    }

    /// Waits for what is still due.
    fn drain(&mut self, clients: &mut Clients) -> Result<()> {
        self.draining = true;
        self.last_progress = now();
        let owed = |state: &Self| {
            state.delivered < state.published * state.copies
                || state.publishers.iter().any(|publisher| publisher.unacknowledged > 0)
        };
        while owed(self) && now() - self.last_progress < PATIENCE_NS {
            clients.engine.turn(self, Duration::from_millis(20))?;
            if let Some(wrong) = &self.wrong {
                anyhow::bail!("{wrong}");
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<()> {
        ensure!(now() - self.last_progress < PATIENCE_NS, "no message arrived in 5 s");
        self.wrong.as_ref().map_or(Ok(()), |wrong| Err(anyhow::anyhow!("{wrong}")))
    }

    fn judge(mut self) -> Result<Flowed> {
        let lost = (self.published * self.copies).saturating_sub(self.delivered);
        let duplicated: u64 = self.streams.iter().map(|stream| stream.duplicated).sum();
        // Members of a group are not ordered among each other.
        let ordered = self.flow.pattern != Pattern::Shared;
        let reordered: u64 = self.streams.iter().filter(|_| ordered).map(|stream| stream.reordered).sum();
        ensure!(
            (lost == 0 || self.flow.qos == 0) && duplicated == 0 && reordered == 0,
            "not correct: of {} messages, {lost} lost, {duplicated} duplicated, {reordered} reordered",
            self.published
        );
        self.flowed.all = self.delivered;
        Ok(self.flowed)
    }

    fn go_on_with(&mut self, publisher: usize) {
        let goes_on = self.flow.rate.is_none() && !self.draining;
        if goes_on && !std::mem::replace(&mut self.publishers[publisher].listed, true) {
            self.listed.push(publisher);
        }
    }

    /// Sends what the windows of the listed publishers have room for.
    fn refill(&mut self, all: &mut Connections) {
        let now = now();
        let room = self.flow.unfinished as u64 * self.copies;
        for publisher in std::mem::take(&mut self.listed) {
            self.publishers[publisher].listed = false;
            loop {
                let Publisher { outstanding, unacknowledged, .. } = self.publishers[publisher];
                if outstanding >= room || unacknowledged >= self.flow.unfinished {
                    break;
                }
                if !self.send(all, publisher, now) {
                    break;
                }
            }
        }
    }

    fn send(&mut self, all: &mut Connections, number: usize, sent_at: u64) -> bool {
        let Some(out) = all.out(self.flow.subscribers + number) else { return false };
        let publisher = &mut self.publishers[number];
        let packet_id = if self.flow.qos > 0 { publisher.packet_ids.take() } else { 0 };
        let head = Head { publisher: number as u32, sequence: publisher.sent, sent_at };
        let topic = publisher.sent as usize % publisher.topics.len();
        publisher.topics[topic].put(out, packet_id, &head.bytes());
        publisher.sent += 1;
        publisher.unacknowledged += usize::from(self.flow.qos > 0);
        publisher.outstanding += self.copies;
        self.published += 1;
        true
    }

    fn acknowledged(&mut self, from: usize, packet_id: u16) {
        let number = from.wrapping_sub(self.flow.subscribers);
        match self.publishers.get_mut(number).map(|publisher| publisher.packet_ids.release(packet_id)) {
            Some(true) => {
                self.publishers[number].unacknowledged -= 1;
                self.go_on_with(number);
            }
            Some(false) | None => self.wrong = Some(format!("packet id {packet_id} was not in use")),
        }
    }

    fn deliver(&mut self, subscriber: usize, payload: &[u8], now: u64) {
        let head = Head::read(payload).filter(|head| (head.publisher as usize) < self.publishers.len());
        let Some(Head { publisher, sequence, sent_at }) = head else {
            self.wrong = Some("a message came that nobody sent".to_owned());
            return;
        };
        let publisher = publisher as usize;
        let stream = match self.flow.pattern {
            Pattern::Pairs if subscriber != publisher => {
                self.wrong = Some("a message came to somebody else".to_owned());
                return;
            }
            Pattern::Pairs | Pattern::Shared => publisher,
            Pattern::FanIn | Pattern::FanOut => subscriber * self.publishers.len() + publisher,
        };
        if !self.streams[stream].note(sequence) {
            return;
        }
        self.delivered += 1;
        self.last_progress = now;
        let outstanding = &mut self.publishers[publisher].outstanding;
        *outstanding = outstanding.saturating_sub(1);
        if now >= self.from && now < self.to {
            self.flowed.deliveries += 1;
            if self.flow.rate.is_some() && sent_at >= self.from {
                self.flowed.latencies_us.push((now.saturating_sub(sent_at) / 1000) as u32);
            }
        }
        self.go_on_with(publisher);
    }
}

impl Handler for State {
    #[inline]
    fn packet(&mut self, all: &mut Connections, from: usize, packet: Packet<'_>, now: u64) {
        let mut answer = |first, packet_id| {
            if let Some(out) = all.out(from) {
                codec::put_ack(out, first, packet_id);
            }
        };
        match packet {
            Packet::Publish { qos, packet_id, payload, .. } => {
                let mut new = true;
                match qos {
                    1 => answer(codec::PUBACK, packet_id),
                    2 => {
                        new = self.received_ids.get_mut(from).is_some_and(|ids| ids.mark(packet_id));
                        answer(codec::PUBREC, packet_id);
                    }
                    _ => {}
                }
                if new {
                    self.deliver(from, payload, now);
                }
            }
            Packet::PubAck(packet_id) | Packet::PubComp(packet_id) => self.acknowledged(from, packet_id),
            Packet::PubRec(packet_id) => answer(codec::PUBREL, packet_id),
            Packet::PubRel(packet_id) => {
                if let Some(ids) = self.received_ids.get_mut(from) {
                    ids.release(packet_id);
                }
                answer(codec::PUBCOMP, packet_id);
            }
            _ => {}
        }
    }

    fn closed(&mut self, _: &mut Connections, which: usize, why: &str) {
        self.wrong = Some(format!("connection {which}: {why}"));
    }
}
