//! A message on its way through the broker, and its PUBLISH packets.

use std::{collections::HashMap, num::NonZeroU16};

use tidegate_ids::Monotonic;
use tidegate_mqtt::{Delivery, Message, MessageProperties, Patch, PublishImage, QoS, TopicAs, Version};

use crate::levels::topic_hash;

/// A routed message: shared bytes, the QoS it was published with, and when it expires.
#[derive(Debug, Clone)]
pub(crate) struct Stamped {
    pub(crate) message: Message,
    pub(crate) qos: QoS,
    pub(crate) expires_at: Option<Monotonic>,
}

/// A message with its topic name, read once, and `topic_hash` of that.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named<'a> {
    pub(crate) message: &'a Stamped,
    pub(crate) topic_name: &'a str,
    pub(crate) hash: u64,
}

impl<'a> Named<'a> {
    /// Where the topic name is not at hand: it is read from the message.
    pub(crate) fn of(message: &'a Stamped) -> Self {
        let topic_name = message.message.topic_name();
        Self { message, topic_name, hash: topic_hash(topic_name) }
    }
}

/// A message that nobody wants any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expired;

impl Stamped {
    /// Copy a message that arrives at `now`; it must be well-formed, as everything decoded is. `expiry_max` shortens its
    /// expiry, or gives it one.
    pub(crate) fn new(
        topic_name: &str,
        properties: &MessageProperties<'_>,
        payload: &[u8],
        qos: QoS,
        expiry_max: Option<std::time::Duration>,
        now: Monotonic,
    ) -> Option<Self> {
        let message = Message::new(topic_name, properties, payload).ok()?;
        let asked = properties.message_expiry_seconds.map(|seconds| std::time::Duration::from_secs(u64::from(seconds)));
        let expiry = match (asked, expiry_max) {
            (Some(asked), Some(max)) => Some(asked.min(max)),
            (asked, max) => asked.or(max),
        };
        Some(Self { message, qos, expires_at: expiry.map(|expiry| now + expiry) })
    }

    /// Whole seconds until the message expires, rounded up.
    pub(crate) fn seconds_left(&self, now: Monotonic) -> Result<Option<u32>, Expired> {
        match self.expires_at {
            None => Ok(None),
            Some(at) if at <= now => Err(Expired),
            Some(at) => Ok(Some(u32::try_from(at.since(now).as_millis().div_ceil(1000)).unwrap_or(u32::MAX))),
        }
    }
}

/// The PUBLISH packets of one message during its fan-out: encoded whole for the first few subscribers, copied and
/// patched for the others. One image per version, with and without packet id.
#[derive(Debug, Default)]
pub(crate) struct Images {
    kinds: [(u32, Option<PublishImage>); 4],
}

impl Images {
    /// So many packets of one kind are encoded before an image, which is an allocation and a copy, pays.
    const WORTH_AN_IMAGE: u32 = 3;
    /// Larger payloads are copied from the message itself.
    const PAYLOAD_BYTES_MAX: usize = 16 * 1024;

    /// Append the packet that `delivery` describes. Whatever cannot be encoded is not appended: the message was read
    /// from a packet as large, so this happens to none that a client sent.
    pub(crate) fn append(&mut self, message: &Message, delivery: &Delivery<'_>, out: &mut Vec<u8>) {
        let plain = delivery.topic == TopicAs::Name && delivery.subscription_identifiers.is_empty();
        if !plain || message.payload().len() > Self::PAYLOAD_BYTES_MAX {
            let _ = message.append(delivery, out);
            return;
        }
        let with_id = delivery.packet_id.is_some();
        let kind = usize::from(delivery.version == Version::V5) * 2 + usize::from(with_id);
        let (uses, image) = &mut self.kinds[kind];
        *uses += 1;
        if image.is_none() && *uses > Self::WORTH_AN_IMAGE {
            *image = PublishImage::new(message, delivery.version, with_id).ok();
        }
        let _ = match image {
            None => message.append(delivery, out),
            Some(image) => image.append(patch(delivery), out),
        };
    }
}

fn patch(delivery: &Delivery<'_>) -> Patch {
    Patch {
        dup: delivery.dup,
        qos: delivery.qos,
        retain: delivery.retain,
        packet_id: delivery.packet_id,
        message_expiry_seconds: delivery.message_expiry_seconds,
    }
}

/// Topic aliases set towards one client. Spec: 3.3.2.3.4 (5.0).
/// Most clients take none.
#[derive(Debug)]
pub(crate) struct Aliases(Option<Box<Known>>);

#[derive(Debug)]
struct Known {
    aliases: HashMap<Box<str>, NonZeroU16>,
    maximum: u16,
}

impl Aliases {
    /// None yet, and `maximum` at most.
    pub(crate) fn new(maximum: u16) -> Self {
        Self((maximum > 0).then(|| Box::new(Known { aliases: HashMap::new(), maximum })))
    }

    /// How to name `topic_name` in the next packet, which will be sent: the first topics each get an alias.
    pub(crate) fn name(&mut self, topic_name: &str) -> TopicAs {
        let Some(known) = &mut self.0 else { return TopicAs::Name };
        let Known { aliases, maximum } = &mut **known;
        if let Some(&alias) = aliases.get(topic_name) {
            return TopicAs::Alias(alias);
        }
        match NonZeroU16::new(aliases.len() as u16 + 1) {
            Some(alias) if alias.get() <= *maximum => {
                aliases.insert(topic_name.into(), alias);
                TopicAs::NameAndAlias(alias)
            }
            Some(_) | None => TopicAs::Name,
        }
    }
}
