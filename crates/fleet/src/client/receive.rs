//! What a device receives.

use tidegate_mqtt::{Ack, Packet, Publish, QoS, ReasonCode};

use super::{Client, News, Turn};
use crate::{mark::Mark, trouble::Trouble, verify::Seen};

/// Messages of QoS 2 that may be unreleased: a broker may not send more, for no limit was named.
const UNRELEASED_MAX: usize = 65_535;

impl Client {
    /// A message has come: it is acknowledged, counted and verified.
    pub(super) fn receive(&mut self, publish: &Publish<'_>, turn: &mut Turn<'_>) -> Result<(), Trouble> {
        match (publish.qos, publish.packet_id) {
            (QoS::AtMostOnce, _) | (_, None) => {}
            (QoS::AtLeastOnce, Some(id)) => self.write(&Packet::PubAck(Ack::new(id, ReasonCode::Success)), turn)?,
            (QoS::ExactlyOnce, Some(id)) => {
                self.write(&Packet::PubRec(Ack::new(id, ReasonCode::Success)), turn)?;
                if self.unreleased.contains(&id) {
                    return Ok(()); // the same message: QoS 2 tells it by its packet id
                }
                if self.unreleased.len() >= UNRELEASED_MAX {
                    return Err(Trouble::Protocol("more messages of QoS 2 than there are packet ids".into()));
                }
                self.unreleased.push(id);
            }
        }
        turn.tally.received += 1;
        let Some(inbox) = &mut self.inbox else { return Ok(()) };
        let Ok(mark) = Mark::find(publish.payload, turn.plan.run) else {
            inbox.see_foreign();
            return Ok(());
        };
        let seen = inbox.see(mark, publish.topic_name, publish.dup, publish.retain, &turn.plan.streams);
        if seen == Seen::New {
            let latency = turn.now.saturating_sub(mark.due_micros);
            turn.tally.latency.record(latency);
            turn.tally.recent.record(latency);
        }
        Ok(())
    }

    /// PUBREL: the packet id is free again.
    pub(super) fn released(&mut self, ack: &Ack<'_>, turn: &mut Turn<'_>) -> Result<News, Trouble> {
        let code = match self.unreleased.iter().position(|id| *id == ack.packet_id) {
            Some(at) => {
                self.unreleased.swap_remove(at);
                ReasonCode::Success
            }
            None => ReasonCode::PacketIdentifierNotFound,
        };
        if self.unreleased.is_empty() {
            self.unreleased = Vec::new();
        }
        self.write(&Packet::PubComp(Ack::new(ack.packet_id, code)), turn)?;
        Ok(News::Nothing)
    }
}
