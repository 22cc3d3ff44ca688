//! `cargo xtask bench restart`: how long a start takes when the broker that was killed has left very many messages.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    num::NonZeroU16,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use tidegate_fleet::usage;
use tidegate_mqtt::{
    Connect, Packet, Peer, Publish, QoS, SessionExpiry, Subscribe, Subscription, SubscriptionOptions, UserProperties,
    Version, decode, frame,
};

use super::{
    figures::{Figures, Series},
    place::Place,
};

/// A listener without TLS: this is not about handshakes.
const CONFIG: &str = "[[mqtt.listener]]\nname = \"bench\"\naddress = \"127.0.0.1\"\nport = 0\ntransport = \"plain\"\n";
/// Bytes of every payload.
const PAYLOAD_BYTES: usize = 64;
/// Messages that wait for their PUBACK at a time.
const WINDOW: usize = 500;
/// How long the broker may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longest packet that is read, in bytes.
const PACKET_BYTES_MAX: usize = 64 * 1024;

/// Options of `bench restart`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(super) place: Place,
    /// Rounds; in each the broker is killed and started.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Kept sessions, with nobody connected.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    sessions: usize,
    /// QoS 1 messages in the queue of each, all different.
    #[arg(long, value_name = "N", default_value_t = 500)]
    queued: usize,
    /// Retained messages.
    #[arg(long, value_name = "N", default_value_t = 500_000)]
    retained: usize,
}

/// Measures; an error when a message is not there after a start.
pub(super) fn run(options: &Options) -> Result<()> {
    let cpu = options.place.take();
    let (mut own, mut running) = options.place.launch(cpu)?.config(CONFIG).start()?;
    let since = Instant::now();
    fill(running.listener_port("bench")?, options)?;
    let messages = options.sessions * options.queued + options.retained;
    eprintln!("{messages} messages in {:.0} s", since.elapsed().as_secs_f64());
    let (mut start, mut resident) = (Series::default(), Series::default());
    for round in 1..=options.rounds {
        own.kill()?;
        let since = Instant::now();
        running = own.restart()?;
        start.0.push(since.elapsed().as_secs_f64());
        resident.0.push(usage::of(running.pid)?.resident_bytes as f64 / (1024.0 * 1024.0));
        eprintln!("round {round}: started in {:.2} s", start.0.last().unwrap_or(&f64::NAN));
    }
    check(running.listener_port("bench")?, options)?;
    eprintln!("the last session has its queue, and the last retained message is there");
    let mut figures = Figures::new("restart");
    figures.tell(format!("start with {messages} messages"), start, "s");
    figures.tell("resident after it", resident, "MiB");
    figures.print();
    Ok(())
}

/// Sessions that are gone when this returns, their queues, and retained messages, all acknowledged.
fn fill(port: u16, options: &Options) -> Result<()> {
    for session in 0..options.sessions {
        let mut client = Client::connect(port, &name(session), true)?;
        client.subscribe(&format!("queued/{session}"))?;
    }
    let mut publisher = Client::connect(port, "publisher", true)?;
    let queued = (0..options.sessions * options.queued).map(|n| (format!("queued/{}", n % options.sessions), n, false));
    let retained = (0..options.retained).map(|n| (format!("retained/{n}"), n, true));
    publisher.publish(queued.chain(retained))
}

/// The last session gets all that is queued for it, and the last retained message is found.
fn check(port: u16, options: &Options) -> Result<()> {
    if options.sessions > 0 {
        let mut last = Client::connect(port, &name(options.sessions - 1), false)?;
        for n in 0..options.queued {
            last.expect_publish().with_context(|| format!("message {n} of the last session"))?;
        }
    }
    if options.retained > 0 {
        let mut reader = Client::connect(port, "reader", true)?;
        reader.subscribe(&format!("retained/{}", options.retained - 1))?;
        reader.expect_publish().context("the last retained message")?;
    }
    Ok(())
}

fn name(session: usize) -> String {
    format!("session-{session}")
}

/// A client whose session outlives it.
struct Client {
    socket: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    fn connect(port: u16, client_id: &str, clean_start: bool) -> Result<Self> {
        let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let mut client = Self { socket, buffer: Vec::new() };
        let session_expiry = SessionExpiry::from_seconds(86_400);
        let connect = Connect { clean_start, session_expiry, ..Connect::new(Version::V5, client_id) };
        client.send(&[Packet::Connect(Box::new(connect))])?;
        client.next(|packet| match packet {
            Packet::ConnAck(ack) if !ack.reason_code.is_failure() => Ok(()),
            other => anyhow::bail!("{client_id} got {other:?}"),
        })?;
        Ok(client)
    }

    fn subscribe(&mut self, topic_filter: &str) -> Result<()> {
        let subscriptions = [Subscription { topic_filter, options: SubscriptionOptions::at(QoS::AtLeastOnce) }];
        self.send(&[Packet::Subscribe(Subscribe {
            packet_id: NonZeroU16::MIN,
            subscription_identifier: None,
            user_properties: UserProperties::default(),
            subscriptions: (&subscriptions[..]).into(),
        })])?;
        self.next(|packet| match packet {
            Packet::SubAck(ack) if ack.reason_codes.iter().all(|code| !code.is_failure()) => Ok(()),
            other => anyhow::bail!("SUBSCRIBE got {other:?}"),
        })
    }

    /// Publishes with QoS 1, a window at a time: topic name, number, RETAIN.
    fn publish(&mut self, mut messages: impl Iterator<Item = (String, usize, bool)>) -> Result<()> {
        loop {
            let window: Vec<_> = messages.by_ref().take(WINDOW).collect();
            if window.is_empty() {
                return Ok(());
            }
            let payloads: Vec<_> = window.iter().map(|(_, n, _)| format!("{n:0PAYLOAD_BYTES$}")).collect();
            let packets: Vec<_> = window.iter().zip(&payloads).zip(1..).map(packet).collect();
            self.send(&packets)?;
            for _ in &window {
                self.next(|packet| match packet {
                    Packet::PubAck(ack) if !ack.reason_code.is_failure() => Ok(()),
                    other => anyhow::bail!("PUBLISH got {other:?}"),
                })?;
            }
        }
    }

    fn expect_publish(&mut self) -> Result<()> {
        self.next(|packet| match packet {
            Packet::Publish(_) => Ok(()),
            other => anyhow::bail!("{other:?} came instead"),
        })
    }

    fn send(&mut self, packets: &[Packet<'_>]) -> Result<()> {
        let mut bytes = Vec::new();
        for packet in packets {
            packet.encode(Version::V5, &mut bytes)?;
        }
        Ok(self.socket.write_all(&bytes)?)
    }

    /// Hands the next packet to `take`.
    fn next<T>(&mut self, take: impl FnOnce(Packet<'_>) -> Result<T>) -> Result<T> {
        loop {
            if let Some(length) = frame(&self.buffer, PACKET_BYTES_MAX)?.map(|length| length.packet_bytes)
                && length <= self.buffer.len()
            {
                let bytes: Vec<u8> = self.buffer.drain(..length).collect();
                return take(decode(&bytes, Version::V5, Peer::Server)?);
            }
            let mut read = [0; 16 * 1024];
            let count = self.socket.read(&mut read)?;
            ensure!(count > 0, "the broker closed the connection");
            self.buffer.extend_from_slice(&read[..count]);
        }
    }
}

fn packet<'a>((((topic_name, _, retain), payload), id): ((&'a (String, usize, bool), &'a String), u16)) -> Packet<'a> {
    let publish = Publish::new(topic_name, payload.as_bytes());
    Packet::Publish(Publish { qos: QoS::AtLeastOnce, retain: *retain, packet_id: NonZeroU16::new(id), ..publish })
}
