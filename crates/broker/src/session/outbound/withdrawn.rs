//! Messages of shared groups that other members may have instead.

use std::sync::Arc;

use tidegate_mqtt::QoS;

use super::{Outbound, entry::State};
use crate::{message::Stamped, router::Group};

/// A message of a shared group that its member will not have.
#[derive(Debug)]
pub(crate) struct Undelivered {
    pub(crate) group: Arc<Group>,
    pub(crate) message: Stamped,
    /// RETAIN as the member was to see it.
    pub(crate) retain: bool,
}

impl Outbound {
    /// Take out the messages of `group`, or of all groups, that other members may have instead: those that no connection
    /// has sent; and when the session `ends`, QoS 1 messages that were not acknowledged.
    ///
    /// Spec: 4.8.2, [MQTT-4.8.2-4], [MQTT-4.8.2-5], [MQTT-3.10.4-3] (5.0): a QoS 2 message that was sent is nobody else's.
    pub(crate) fn withdraw(&mut self, group: Option<&Arc<Group>>, ends: bool) -> Vec<Undelivered> {
        let mut withdrawn = Vec::new();
        for at in 0..self.entries.len() {
            let entry = &self.entries[at];
            let free = match entry.state {
                State::Waiting if !entry.perhaps_sent => entry.qos != QoS::AtMostOnce,
                State::Waiting | State::Sent => ends && entry.qos == QoS::AtLeastOnce,
                State::Released | State::Done => false,
            };
            let of = entry.group.as_ref().filter(|of| free && group.is_none_or(|group| Arc::ptr_eq(group, of)));
            let Some(of) = of.cloned() else { continue };
            let message = entry.message.clone().expect("a message is there until the client has it");
            withdrawn.push(Undelivered { group: of, message, retain: entry.retain });
            match entry.state {
                State::Waiting => self.finish_waiting(at),
                State::Sent | State::Released | State::Done => self.finish(at),
            }
        }
        withdrawn
    }
}
