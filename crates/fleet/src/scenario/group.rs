//! A group of like devices.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer, de};
use tidegate_mqtt::{QoS, Version, topic};

use super::{ConnectRate, Period, Share, Sources};
use crate::{Template, mark::MARK_BYTES, template::Variable, template::Who};

/// Longest name of a group and of a device, in bytes: names stand in templates many times over.
const NAME_BYTES_MAX: usize = 256;
/// Longest text in a packet, in bytes.
const PACKET_TEXT_BYTES_MAX: usize = 65_535;
/// Most devices of a group.
const DEVICES_MAX: u32 = 1_000_000;
/// Most publications, and subscriptions, of a device.
const ITEMS_MAX: usize = 64;
/// Longest payload, in bytes.
const PAYLOAD_BYTES_MAX: usize = 1024 * 1024;
/// Most messages a second of one publication.
const RATE_MAX: f64 = 100_000.0;

/// A group of like devices.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its name, in reports and as `{{group}}`.
    pub name: String,
    /// How many devices.
    pub count: u32,
    /// The directory of `tidegate fleet make` that they have certificates from; none: no client certificate.
    pub identities: Option<PathBuf>,
    /// The number of the first device, among the identities and as `{{index}}`.
    #[serde(default)]
    pub first: u32,
    /// Names of devices without identities.
    #[serde(default = "own_name", deserialize_with = "of_device")]
    pub device: Template,
    /// Client ids.
    #[serde(default = "device_name", deserialize_with = "of_device")]
    pub client_id: Template,
    /// MQTT 3.1.1 or 5.
    #[serde(default)]
    pub version: ProtocolVersion,
    /// How long a device is silent at most.
    #[serde(default = "a_minute")]
    pub keep_alive: Period,
    /// Whether sessions end with their connection.
    #[serde(default = "yes")]
    pub clean: bool,
    /// How long a kept session outlives its connection; MQTT 5 only.
    #[serde(default = "an_hour")]
    pub session_expiry: Period,
    /// The user name.
    #[serde(default, deserialize_with = "maybe_of_device")]
    pub user_name: Option<Template>,
    /// The password.
    #[serde(default, deserialize_with = "maybe_of_device")]
    pub password: Option<Template>,
    /// When the first device connects, after the start.
    #[serde(default = "at_once")]
    pub start: Period,
    /// How fast they connect.
    #[serde(default = "hundred_a_second")]
    pub connect: ConnectRate,
    /// Where connections come from.
    #[serde(default)]
    pub source: Sources,
    /// Most messages of QoS 1 and 2 of a device that are not acknowledged yet.
    #[serde(default = "twenty")]
    pub in_flight: u16,
    /// What a device does that is refused, or loses its connection.
    #[serde(default)]
    pub retry: Retry,
    /// Devices that come and go.
    pub churn: Option<Churn>,
    /// What each device publishes.
    #[serde(default)]
    pub publish: Vec<Publication>,
    /// What each device subscribes to.
    #[serde(default)]
    pub subscribe: Vec<Subscription>,
}

/// A version of MQTT, as people write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum ProtocolVersion {
    /// 3.1.1
    #[serde(rename = "3.1.1")]
    V3,
    /// 5
    #[default]
    #[serde(rename = "5")]
    V5,
}

impl From<ProtocolVersion> for Version {
    fn from(version: ProtocolVersion) -> Self {
        match version {
            ProtocolVersion::V3 => Self::V4,
            ProtocolVersion::V5 => Self::V5,
        }
    }
}

/// When a device tries again: after `first`, then twice as long each time up to `max`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retry {
    /// The first pause.
    pub first: Period,
    /// The longest.
    pub max: Period,
    /// The part of a pause that chance takes away.
    pub jitter: Share,
    /// How long a device that was never let in goes on.
    pub give_up: Period,
}

impl Default for Retry {
    fn default() -> Self {
        Self { first: Period::seconds(1), max: Period::seconds(30), jitter: Share(0.5), give_up: Period::seconds(300) }
    }
}

impl Retry {
    /// The pause after `failures` failures in a row, in microseconds; `chance` is from 0 to below 1.
    pub(crate) fn pause_micros(&self, failures: u32, chance: f64) -> u64 {
        let doubled = self.first.micros().saturating_mul(1 << failures.saturating_sub(1).min(30));
        let whole = doubled.min(self.max.micros().max(self.first.micros()));
        (whole as f64 * (1.0 - self.jitter.0 * chance)) as u64
    }
}

/// Devices that come and go.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Churn {
    /// The part of the devices that reconnects each minute.
    pub per_minute: Share,
    /// How long they stay away.
    #[serde(default = "a_second")]
    pub pause: Period,
    /// Without DISCONNECT, as when a network fails.
    #[serde(default)]
    pub abrupt: bool,
}

/// What a device publishes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publication {
    /// Where to.
    #[serde(deserialize_with = "of_device")]
    pub topic: Template,
    /// Quality of service.
    #[serde(default, deserialize_with = "qos")]
    pub qos: QoS,
    /// Whether the broker keeps the last one.
    #[serde(default)]
    pub retain: bool,
    /// The time between two messages.
    pub every: Option<Period>,
    /// Messages a second, instead.
    pub rate: Option<f64>,
    /// How many; without, until the end.
    pub count: Option<u32>,
    /// What is in it.
    #[serde(default = "only_a_mark", deserialize_with = "of_message")]
    pub payload: Template,
    /// Shorter payloads are filled up with spaces to so many bytes.
    #[serde(default)]
    pub size: usize,
    /// Whether what arrives is verified.
    #[serde(default = "yes")]
    pub verify: bool,
    /// Whether the first messages of the devices are spread over one interval; else each sends as soon as it is in.
    #[serde(default = "yes")]
    pub spread: bool,
}

impl Publication {
    /// The time between two messages, in microseconds.
    pub(crate) fn interval_micros(&self) -> u64 {
        let micros = match (self.every, self.rate) {
            (Some(every), _) => every.micros(),
            (None, Some(rate)) => (1e6 / rate) as u64,
            (None, None) => 1_000_000,
        };
        micros.max(1)
    }

    fn check(&self, who: &Who<'_>) -> Result<(), String> {
        let topic = self.topic.name(who);
        if !topic::valid_name(&topic) {
            return Err(format!("{topic:?} is no topic name to publish to"));
        }
        match (self.every, self.rate) {
            (Some(_), Some(_)) => return Err(format!("publish to {topic}: say `every` or `rate`, not both")),
            (Some(every), None) if every.micros() == 0 => return Err(format!("publish to {topic}: every 0s")),
            (None, Some(rate)) if !(rate > 0.0 && rate <= RATE_MAX) => {
                return Err(format!("publish to {topic}: a rate is above 0 and at most {RATE_MAX} messages a second"));
            }
            (Some(_), None) | (None, Some(_) | None) => {}
        }
        if self.size > PAYLOAD_BYTES_MAX {
            return Err(format!("publish to {topic}: a size of more than {PAYLOAD_BYTES_MAX} bytes"));
        }
        if self.verify && !self.payload.has(Variable::Mark) {
            return Err(format!(
                "publish to {topic}: the payload has no {{{{mark}}}} ({MARK_BYTES} letters and digits), which is what \
                 messages are verified by: put it in, such as \"mark\":\"{{{{mark}}}}\", or say verify = false"
            ));
        }
        Ok(())
    }
}

/// What a device subscribes to.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscription {
    /// The topic filter; `$share/NAME/FILTER` for a shared one.
    #[serde(deserialize_with = "of_device")]
    pub filter: Template,
    /// The highest QoS that it wants.
    #[serde(default, deserialize_with = "qos")]
    pub qos: QoS,
}

impl Group {
    /// What its fields say together.
    pub(super) fn check(&self) -> Result<(), String> {
        let name = &self.name;
        if name.is_empty() || name.len() > NAME_BYTES_MAX || name.contains(char::is_control) {
            return Err(format!("a group needs a name of at most {NAME_BYTES_MAX} bytes without control characters"));
        }
        if self.count == 0 || self.count > DEVICES_MAX {
            return Err(format!("group {name}: count is 1 to {DEVICES_MAX}"));
        }
        if self.first.checked_add(self.count).is_none() {
            return Err(format!("group {name}: `first` leaves no numbers for {} devices", self.count));
        }
        if self.publish.len() > ITEMS_MAX || self.subscribe.len() > ITEMS_MAX {
            return Err(format!("group {name}: at most {ITEMS_MAX} publications and {ITEMS_MAX} subscriptions"));
        }
        if self.in_flight == 0 {
            return Err(format!("group {name}: in_flight is at least 1"));
        }
        self.check_names()?;
        if self.version == ProtocolVersion::V3 && self.password.is_some() && self.user_name.is_none() {
            return Err(format!("group {name}: MQTT 3.1.1 has no password without a user_name"));
        }
        // The last device has the longest number.
        let (device, index) = self.last();
        let who = Who { device: &device, index, group: name };
        self.publish.iter().try_for_each(|publication| publication.check(&who))?;
        for subscription in &self.subscribe {
            let filter = subscription.filter.name(&who);
            if !topic::valid_filter(&filter) {
                return Err(format!("group {name}: {filter:?} is no topic filter"));
            }
        }
        Ok(())
    }

    /// Names and client ids: each device its own, and none too long.
    fn check_names(&self) -> Result<(), String> {
        let name = &self.name;
        let (device, who) = ("device", Who { device: "device", index: 0, group: name });
        let alike = |template: &Template| template.name(&who) == template.name(&Who { index: 1, ..who });
        if self.identities.is_none() && self.count > 1 && alike(&self.device) {
            return Err(format!("group {name}: `device` has no {{{{index}}}}: all devices would have one name"));
        }
        let client_id = self.client_id.name(&who);
        if self.count > 1 && client_id == self.client_id.name(&Who { device: "other", index: 1, ..who }) {
            return Err(format!("group {name}: all devices would have the client id {client_id:?}"));
        }
        if self.client_id.name(&Who { device, ..who }).is_empty() {
            return Err(format!("group {name}: the client id is empty"));
        }
        let (device, index) = self.last();
        if device.len() > NAME_BYTES_MAX {
            return Err(format!("group {name}: names of devices have at most {NAME_BYTES_MAX} bytes"));
        }
        let who = Who { device: &device, index, group: name };
        for template in [Some(&self.client_id), self.user_name.as_ref(), self.password.as_ref()].into_iter().flatten() {
            if template.name(&who).len() > PACKET_TEXT_BYTES_MAX {
                return Err(format!(
                    "group {name}: client id, user name and password have at most {PACKET_TEXT_BYTES_MAX} bytes"
                ));
            }
        }
        Ok(())
    }

    /// Name and number of the last device; whose name is in a file is called `device`.
    pub(crate) fn last(&self) -> (String, u64) {
        let index = u64::from(self.first) + u64::from(self.count.max(1)) - 1;
        let who = Who { device: "", index, group: &self.name };
        let name = if self.identities.is_some() { "device".to_owned() } else { self.device.name(&who) };
        (name, index)
    }
}

fn of_device<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Template, D::Error> {
    Template::of_device(&String::deserialize(deserializer)?).map_err(de::Error::custom)
}

fn maybe_of_device<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Template>, D::Error> {
    of_device(deserializer).map(Some)
}

fn of_message<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Template, D::Error> {
    Template::of_message(&String::deserialize(deserializer)?).map_err(de::Error::custom)
}

fn qos<'de, D: Deserializer<'de>>(deserializer: D) -> Result<QoS, D::Error> {
    QoS::from_bits(u8::deserialize(deserializer)?).ok_or_else(|| de::Error::custom("qos is 0, 1 or 2"))
}

fn template(text: &str) -> Template {
    Template::of_message(text).expect("the defaults are templates")
}

fn own_name() -> Template {
    template("{{group}}-{{index}}")
}

fn device_name() -> Template {
    template("{{device}}")
}

fn only_a_mark() -> Template {
    template("{{mark}}")
}

fn at_once() -> Period {
    Period::seconds(0)
}

fn a_second() -> Period {
    Period::seconds(1)
}

fn a_minute() -> Period {
    Period::seconds(60)
}

fn an_hour() -> Period {
    Period::seconds(3600)
}

fn hundred_a_second() -> ConnectRate {
    ConnectRate::PerSecond(100.0)
}

fn twenty() -> u16 {
    20
}

fn yes() -> bool {
    true
}
