//! What a device publishes, and when.

use std::num::NonZeroU16;

use tidegate_mqtt::{Ack, Packet, Publish, QoS, ReasonCode};

use super::{Client, News, Turn};
use crate::{mark::Mark, random::Random, scenario::Publication, template::What, trouble::Trouble};

/// Messages of one publication that may be overdue; older ones are skipped, and counted.
const OVERDUE_MAX: u64 = 1_000;
/// Bytes that a device writes before others get their turn.
const WRITE_BYTES_MAX: usize = 64 * 1024;

/// One publication of a device.
#[derive(Debug)]
pub(super) struct Flow {
    /// When the next message is due; `u64::MAX` before the device is in for the first time, and after the last message.
    due: u64,
    interval: u64,
    seq: u32,
    left: u32,
}

/// A message of QoS 1 or 2 on its way.
#[derive(Debug)]
pub(super) struct Unacked {
    pub(super) packet_id: NonZeroU16,
    pub(super) flow: u8,
    /// PUBREC is in: only PUBREL is to be sent again.
    released: bool,
    /// So it was: its PUBCOMP may have got lost, and the packet id be free at the broker.
    released_again: bool,
    pub(super) seq: u32,
    due: u64,
}

impl Flow {
    pub(super) fn new(publication: &Publication) -> Self {
        let left = publication.count.unwrap_or(u32::MAX);
        Self { due: u64::MAX, interval: publication.interval_micros(), seq: 0, left }
    }

    /// The device is in: the first message is due.
    fn start(&mut self, now: u64, spread: bool, random: &mut Random) {
        if self.left > 0 {
            self.due = now + if spread { random.below(self.interval) } else { 0 };
        }
    }

    fn advance(&mut self) {
        self.seq += 1;
        self.left = self.left.saturating_sub(1);
        self.due = if self.left == 0 { u64::MAX } else { self.due + self.interval };
    }

    /// Gives up what is overdue beyond the bound; how many messages that were.
    fn skip(&mut self, now: u64) -> u64 {
        let overdue = now.saturating_sub(self.due) / self.interval;
        let skipped = overdue.saturating_sub(OVERDUE_MAX).min(self.left.into());
        self.due += skipped * self.interval;
        self.left -= skipped as u32; // at most `left`
        if self.left == 0 {
            self.due = u64::MAX;
        }
        skipped
    }

    /// Whether a message is due before `until`.
    pub(super) fn is_due(&self, until: u64) -> bool {
        self.due < until
    }

    /// How many messages are due before `until`.
    pub(super) fn owed(&self, until: u64) -> u64 {
        if self.is_due(until) { ((until - 1 - self.due) / self.interval + 1).min(self.left.into()) } else { 0 }
    }
}

impl Client {
    /// The device is in for the first time: its schedules begin.
    pub(crate) fn begin(&mut self, turn: &Turn<'_>) {
        let group = &turn.plan.groups[turn.plan.group_of(self.device)].of;
        let mut random = self.random(turn.plan, 1);
        for (flow, publication) in self.flows.iter_mut().zip(&group.publish) {
            flow.start(turn.now, publication.spread, &mut random);
        }
        self.was_live = true;
    }

    /// When the next message can go; `u64::MAX` when none is due before `until`, or the window is full.
    pub(super) fn next_publish(&self, until: u64) -> u64 {
        self.flows.iter().map(|flow| flow.due).filter(|due| *due < until && self.has_room()).min().unwrap_or(u64::MAX)
    }

    fn has_room(&self) -> bool {
        self.unacked.len() < usize::from(self.window)
    }

    /// Publishes what is due, as far as the window goes.
    pub(super) fn publish_due(&mut self, turn: &mut Turn<'_>) -> Result<(), Trouble> {
        for number in 0..self.flows.len() {
            if self.flows[number].due < turn.now {
                turn.tally.skipped += self.flows[number].skip(turn.now);
            }
        }
        // The earliest first: what is overdue in several publications goes out in the order of its times.
        while self.has_room() && turn.out.len() < WRITE_BYTES_MAX {
            let due = (0..self.flows.len()).min_by_key(|number| self.flows[*number].due);
            let Some(number) = due.filter(|number| self.flows[*number].due <= turn.now) else { return Ok(()) };
            if !self.flows[number].is_due(turn.until) {
                return Ok(());
            }
            self.publish(number, turn)?;
        }
        Ok(())
    }

    fn publish(&mut self, number: usize, turn: &mut Turn<'_>) -> Result<(), Trouble> {
        let qos = turn.plan.groups[turn.plan.group_of(self.device)].of.publish[number].qos;
        let stream = turn.plan.stream(self.device, number);
        let Flow { due, seq, .. } = self.flows[number];
        let packet_id = if qos == QoS::AtMostOnce { None } else { Some(self.next_packet_id()) };
        self.flows[number].advance();
        turn.plan.streams.set_sent(stream, self.flows[number].seq);
        turn.tally.sent[usize::from(qos.bits())] += 1;
        if let Some(packet_id) = packet_id {
            // A device has at most 64 publications.
            self.unacked.push(Unacked {
                packet_id,
                flow: number as u8,
                released: false,
                released_again: false,
                seq,
                due,
            });
        }
        self.write_publish(number, packet_id, seq, due, false, turn)
    }

    /// Writes one message. The same message has the same payload each time.
    fn write_publish(
        &mut self,
        number: usize,
        packet_id: Option<NonZeroU16>,
        seq: u32,
        due: u64,
        dup: bool,
        turn: &mut Turn<'_>,
    ) -> Result<(), Trouble> {
        let plan = turn.plan;
        let publication = &plan.groups[plan.group_of(self.device)].of.publish[number];
        let stream = plan.stream(self.device, number);
        let Some(topic) = plan.streams.get(stream).map(|stream| &stream.topic) else { return Ok(()) };
        let name = plan.name(self.device);
        let what = What {
            mark: Mark { run: plan.run, stream, seq, due_micros: due },
            now_millis: plan.started_millis + due / 1_000,
            random: Random::of(plan.scenario.seed, u64::from(stream) << 32 | u64::from(seq)),
        };
        let mut payload = std::mem::take(turn.scratch);
        payload.clear();
        publication.payload.payload(&plan.who(self.device, &name), what, &mut payload);
        if payload.len() < publication.size {
            payload.resize(publication.size, b' ');
        }
        let publish = Publish {
            qos: publication.qos,
            retain: publication.retain,
            packet_id,
            dup,
            ..Publish::new(topic, &payload)
        };
        let written = self.write(&Packet::Publish(publish), turn);
        *turn.scratch = payload;
        written
    }

    /// After a reconnection to a kept session: everything that is not acknowledged, in its order.
    ///
    /// Spec: [MQTT-4.4.0-1], [MQTT-4.6.0-1].
    pub(super) fn resend(&mut self, turn: &mut Turn<'_>) -> Result<(), Trouble> {
        let mut unacked = std::mem::take(&mut self.unacked);
        for sent in &mut unacked {
            turn.tally.resent += 1;
            turn.plan.streams.resend(turn.plan.stream(self.device, sent.flow.into()), sent.seq);
            if sent.released {
                sent.released_again = true;
                self.write(&Packet::PubRel(Ack::new(sent.packet_id, ReasonCode::Success)), turn)?;
            } else {
                self.write_publish(sent.flow.into(), Some(sent.packet_id), sent.seq, sent.due, true, turn)?;
            }
        }
        self.unacked = unacked;
        Ok(())
    }

    /// PUBACK, or PUBCOMP: the message is with the broker.
    pub(super) fn acknowledged(&mut self, ack: &Ack<'_>, qos: QoS, turn: &mut Turn<'_>) -> Result<News, Trouble> {
        let group = &turn.plan.groups[turn.plan.group_of(self.device)].of;
        let is_it =
            |sent: &Unacked| sent.packet_id == ack.packet_id && group.publish[usize::from(sent.flow)].qos == qos;
        if let Some(at) = self.unacked.iter().position(is_it) {
            let sent = self.unacked.remove(at);
            // Spec: 3.7.2.1 (5.0): "this is not an error during recovery".
            let recovered = sent.released_again && ack.reason_code == ReasonCode::PacketIdentifierNotFound;
            self.finish(&sent, if recovered { ReasonCode::Success } else { ack.reason_code }, turn);
        }
        Ok(News::Nothing)
    }

    /// PUBREC: the first half of QoS 2.
    pub(super) fn taken(&mut self, ack: &Ack<'_>, turn: &mut Turn<'_>) -> Result<News, Trouble> {
        let at = self.unacked.iter().position(|sent| sent.packet_id == ack.packet_id);
        if let Some(at) = at.filter(|_| ack.reason_code.is_failure()) {
            let sent = self.unacked.remove(at);
            self.finish(&sent, ack.reason_code, turn);
            return Ok(News::Nothing);
        }
        let known = match at {
            Some(at) => {
                self.unacked[at].released = true;
                ReasonCode::Success
            }
            None => ReasonCode::PacketIdentifierNotFound,
        };
        self.write(&Packet::PubRel(Ack::new(ack.packet_id, known)), turn)?;
        Ok(News::Nothing)
    }

    fn finish(&self, sent: &Unacked, reason_code: ReasonCode, turn: &mut Turn<'_>) {
        if reason_code.is_failure() {
            *turn.tally.refused_messages.entry(reason_code).or_default() += 1;
            turn.plan.streams.abandon(turn.plan.stream(self.device, sent.flow.into()), sent.seq);
        } else {
            turn.tally.acked += 1;
            turn.tally.ack.record(turn.now.saturating_sub(sent.due));
        }
    }
}
