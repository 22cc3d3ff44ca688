//! `$SYS/broker/…`: figures of the whole process, retained, in the topics where Mosquitto's users look for them.
//!
//! They are published in one tenant, the operator's: no account learns what the others do. Decision 0010.

use std::time::Duration;

use tidegate_broker::{Broker, Counters, Effects, Gauges, SystemPublish};
use tidegate_ids::{Monotonic, Now, Tenant};
use tidegate_mqtt::{MessageProperties, QoS};

/// Where and how often figures of the process are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SysTopics {
    /// In whose topics. Its clients need a policy that allows them, as for any other topic.
    pub tenant: Tenant,
    /// Time between two reports.
    pub interval: Duration,
}

/// What remembers the last report.
#[derive(Debug)]
pub(crate) struct Sys {
    pub(crate) topics: SysTopics,
    started: Monotonic,
    load: Load,
}

impl Sys {
    pub(crate) fn new(topics: SysTopics, now: Monotonic) -> Self {
        Self { topics, started: now, load: Load { at: now, messages: 0, per_minute: 0.0 } }
    }

    /// Publishes all topics.
    pub(crate) fn publish(&mut self, broker: &Broker, now: Now, effects: &mut Effects) {
        let (counters, gauges) = (broker.counters(), broker.gauges());
        self.load.note(counters.messages_received + counters.messages_sent, now.monotonic);
        let uptime = now.monotonic.since(self.started).as_secs();
        for (topic_name, value) in figures(uptime, &counters, &gauges, self.load.per_minute) {
            let publish = SystemPublish {
                tenant: self.topics.tenant,
                topic_name,
                properties: MessageProperties::default(),
                payload: value.as_bytes(),
                qos: QoS::AtMostOnce,
                retain: true,
            };
            broker.publish(&publish, now, effects);
        }
    }
}

/// Topics and payloads, both as Mosquitto has them.
fn figures(uptime_seconds: u64, counters: &Counters, gauges: &Gauges, per_minute: f64) -> [(&'static str, String); 12] {
    [
        ("$SYS/broker/version", format!("tidegate version {}", env!("CARGO_PKG_VERSION"))),
        ("$SYS/broker/uptime", format!("{uptime_seconds} seconds")),
        ("$SYS/broker/clients/connected", gauges.clients_connected.to_string()),
        ("$SYS/broker/clients/total", gauges.clients_total.to_string()),
        // PUBLISH packets; Mosquitto counts packets of every kind here.
        ("$SYS/broker/messages/received", counters.messages_received.to_string()),
        ("$SYS/broker/messages/sent", counters.messages_sent.to_string()),
        ("$SYS/broker/bytes/received", counters.bytes_received.to_string()),
        ("$SYS/broker/bytes/sent", counters.bytes_sent.to_string()),
        ("$SYS/broker/subscriptions/count", gauges.subscriptions.to_string()),
        ("$SYS/broker/retained/count", gauges.retained.to_string()),
        ("$SYS/broker/load/messages/1min", format!("{per_minute:.2}")),
        // What messages hold: the part of the heap that clients can make grow.
        ("$SYS/broker/heap/current", gauges.memory_bytes.to_string()),
    ]
}

/// Messages a minute, received and sent, as a moving average over about a minute.
#[derive(Debug)]
struct Load {
    at: Monotonic,
    /// All messages until `at`.
    messages: u64,
    per_minute: f64,
}

impl Load {
    /// `messages` in all until `now`. What is older than a minute weighs less than 1/e.
    fn note(&mut self, messages: u64, now: Monotonic) {
        let seconds = now.since(self.at).as_secs_f64();
        if seconds <= 0.0 {
            return;
        }
        let rate = messages.saturating_sub(self.messages) as f64 * 60.0 / seconds;
        let kept = (-seconds / 60.0).exp();
        self.per_minute = rate + (self.per_minute - rate) * kept;
        (self.at, self.messages) = (now, messages);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_follows_the_rate_within_minutes_and_fades() {
        let mut load = Load { at: Monotonic::from_millis(0), messages: 0, per_minute: 0.0 };
        for second in 1..=600 {
            load.note(second * 10, Monotonic::from_millis(second * 1000));
        }
        assert!((load.per_minute - 600.0).abs() < 1.0, "{}", load.per_minute);
        load.note(6000, Monotonic::from_millis(600_000)); // twice at the same time changes nothing
        assert!((load.per_minute - 600.0).abs() < 1.0, "{}", load.per_minute);
        load.note(6000, Monotonic::from_millis(660_000));
        assert!((load.per_minute - 600.0 / std::f64::consts::E).abs() < 1.0, "{}", load.per_minute);
    }

    #[test]
    fn every_figure_has_its_topic() {
        let counters = Counters { bytes_received: 5, ..Counters::default() };
        let gauges = Gauges { clients_total: 3, clients_connected: 2, ..Gauges::default() };
        let figures = figures(61, &counters, &gauges, 1.0);
        for (topic_name, value) in [
            ("$SYS/broker/uptime", "61 seconds"),
            ("$SYS/broker/clients/connected", "2"),
            ("$SYS/broker/clients/total", "3"),
            ("$SYS/broker/bytes/received", "5"),
            ("$SYS/broker/load/messages/1min", "1.00"),
        ] {
            assert!(figures.contains(&(topic_name, value.to_owned())), "{topic_name}: {figures:?}");
        }
    }
}
