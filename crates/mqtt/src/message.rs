//! A routed application message: copied once, into one allocation, and written to any number of subscribers from there.

use crate::packet::first_byte;
use crate::properties::{Block, Writer, id, put_subscription_identifier};
use crate::wire::{Measure, Sink, VARIABLE_MAX, put_variable, variable_bytes};
use crate::{EncodeError, MessageProperties, QoS, Version, topic};
use std::fmt;
use std::num::{NonZeroU16, NonZeroU32};
use std::sync::Arc;

/// An application message that outlives the packet it came in: topic name, properties and payload.
///
/// One exact allocation; a clone shares it. Quality of service, RETAIN and packet identifier belong to a delivery, the time
/// left to the moment of it: [`Delivery`]. Topic alias and subscription identifiers belong to a connection and are not kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Topic name, the properties that 5.0 forwards (without expiry), payload.
    bytes: Arc<[u8]>,
    topic_bytes: u16,
    properties_bytes: u32,
    message_expiry_seconds: Option<u32>,
}

/// How a message goes to one subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery<'a> {
    /// The version that the subscriber speaks.
    pub version: Version,
    /// Whether it was sent before.
    pub dup: bool,
    /// Its quality of service on this way.
    pub qos: QoS,
    /// Whether it is sent because it was retained.
    pub retain: bool,
    /// There exactly when the QoS is not 0.
    pub packet_id: Option<NonZeroU16>,
    /// Seconds left of the message's expiry; `None` writes it as published. A message without expiry gets none.
    /// Spec: [MQTT-3.3.2-6] (5.0).
    pub message_expiry_seconds: Option<u32>,
    /// How the topic is named; by its name in 3.1.1.
    pub topic: TopicAs,
    /// The identifiers of the subscriptions that match; left out in 3.1.1.
    pub subscription_identifiers: &'a [NonZeroU32],
}

/// How a PUBLISH names its topic. Spec: 3.3.2.3.4 (5.0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TopicAs {
    /// By its name.
    #[default]
    Name,
    /// By its name, which the alias stands for from now on.
    NameAndAlias(NonZeroU16),
    /// By an alias that the subscriber knows.
    Alias(NonZeroU16),
}

impl Delivery<'_> {
    /// A first delivery at QoS 0.
    pub fn new(version: Version) -> Self {
        Self {
            version,
            dup: false,
            qos: QoS::AtMostOnce,
            retain: false,
            packet_id: None,
            message_expiry_seconds: None,
            topic: TopicAs::Name,
            subscription_identifiers: &[],
        }
    }
}

impl Message {
    /// Copies a message. Of a PUBLISH: its topic name, or what its alias stands for, its properties and its payload.
    ///
    /// # Errors
    /// What cannot be a PUBLISH: a topic name that is empty or contains wildcards, a field that is too long, more in all
    /// than a packet holds.
    pub fn new(topic_name: &str, properties: &MessageProperties<'_>, payload: &[u8]) -> Result<Self, EncodeError> {
        if topic_name.is_empty() || topic::has_reserved(topic_name.as_bytes()) {
            return Err(EncodeError::TopicName);
        }
        let too_long = EncodeError::FieldTooLong { bytes: topic_name.len() };
        let topic_bytes = u16::try_from(topic_name.len()).map_err(|_| too_long)?;
        let mut measure = Measure::default();
        let is_bare = properties.is_bare();
        if !is_bare {
            properties.write_without_expiry(&mut measure)?;
        }
        let bytes = topic_name.len() + measure.bytes + payload.len();
        let properties_bytes = match u32::try_from(measure.bytes) {
            Ok(n) if bytes <= VARIABLE_MAX as usize => n,
            _ => return Err(EncodeError::PacketTooLarge { bytes }),
        };
        // An iterator of known length is collected into one allocation of exactly that size.
        let mut buffer: Arc<[u8]> = std::iter::repeat_n(0, bytes).collect();
        let mut fill = Fill(Arc::get_mut(&mut buffer).expect("not shared yet"));
        fill.put(topic_name.as_bytes());
        if !is_bare {
            properties.write_without_expiry(&mut fill)?;
        }
        fill.put(payload);
        let message_expiry_seconds = properties.message_expiry_seconds;
        Ok(Self { bytes: buffer, topic_bytes, properties_bytes, message_expiry_seconds })
    }

    /// Where it was published to.
    pub fn topic_name(&self) -> &str {
        let name = &self.bytes[..usize::from(self.topic_bytes)];
        std::str::from_utf8(name).expect("copied from a string")
    }

    /// Its properties, read anew from the copy; the expiry as published.
    pub fn properties(&self) -> MessageProperties<'_> {
        let mut properties = MessageProperties::default();
        let user_properties =
            Block(self.properties_part()).read(|property| properties.accept(property)).expect("written by us");
        MessageProperties { user_properties, message_expiry_seconds: self.message_expiry_seconds, ..properties }
    }

    /// The payload.
    pub fn payload(&self) -> &[u8] {
        &self.bytes[usize::from(self.topic_bytes) + self.properties_bytes as usize..]
    }

    /// Seconds that the message may wait, as published.
    pub fn message_expiry_seconds(&self) -> Option<u32> {
        self.message_expiry_seconds
    }

    /// How many bytes it holds; what a queue that is bounded in bytes counts.
    pub fn held_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Appends the message as it is kept on disk; [`Message::from_stored`] reads it.
    pub fn store(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.topic_bytes.to_be_bytes());
        out.extend_from_slice(&self.properties_bytes.to_be_bytes());
        match self.message_expiry_seconds {
            None => out.push(0),
            Some(seconds) => {
                out.push(1);
                out.extend_from_slice(&seconds.to_be_bytes());
            }
        }
        out.extend_from_slice(&self.bytes);
    }

    /// The message that [`Message::store`] wrote as all of `stored`; `None` when these bytes are none. Never panics.
    pub fn from_stored(stored: &[u8]) -> Option<Self> {
        let (topic_bytes, rest) = stored.split_first_chunk()?;
        let (properties_bytes, rest) = rest.split_first_chunk()?;
        let (topic_bytes, properties_bytes) = (u16::from_be_bytes(*topic_bytes), u32::from_be_bytes(*properties_bytes));
        let (message_expiry_seconds, bytes) = match rest.split_first()? {
            (0, rest) => (None, rest),
            (1, rest) => {
                let (seconds, rest) = rest.split_first_chunk()?;
                (Some(u32::from_be_bytes(*seconds)), rest)
            }
            _ => return None,
        };
        let (topic_name, rest) = bytes.split_at_checked(usize::from(topic_bytes))?;
        let topic_name = std::str::from_utf8(topic_name).ok()?;
        let properties = rest.get(..usize::try_from(properties_bytes).ok()?)?;
        let mut read = MessageProperties::default();
        Block(properties).read(|property| read.accept(property)).ok()?;
        let possible = !topic_name.is_empty()
            && !topic::has_reserved(topic_name.as_bytes())
            && read.message_expiry_seconds.is_none()
            && bytes.len() <= VARIABLE_MAX as usize;
        possible.then(|| Self { bytes: bytes.into(), topic_bytes, properties_bytes, message_expiry_seconds })
    }

    /// Whether both are clones of one message, and not merely equal.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.bytes, &other.bytes)
    }

    /// The length of the packet that [`Message::append`] would write, to compare with a client's Maximum Packet Size.
    ///
    /// # Errors
    /// As [`Message::append`].
    pub fn packet_bytes(&self, delivery: &Delivery<'_>) -> Result<usize, EncodeError> {
        let lengths = self.lengths(delivery)?;
        let (_, header) = variable_bytes(lengths.remaining)?;
        Ok(1 + header + lengths.remaining)
    }

    /// Appends the whole PUBLISH packet.
    ///
    /// # Errors
    /// [`EncodeError::PacketId`] when it does not go with the QoS, [`EncodeError::NotInVersion`] for an alias alone in
    /// 3.1.1, [`EncodeError::PacketTooLarge`], or a subscription identifier that is too large. `out` is as before then.
    pub fn append(&self, delivery: &Delivery<'_>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let lengths = self.lengths(delivery)?;
        out.reserve(5 + lengths.remaining);
        self.put_head(delivery, &lengths, out)?;
        out.extend_from_slice(self.payload());
        Ok(())
    }

    /// Appends the packet up to its payload, which the caller writes after it, shared: [`Message::payload`].
    ///
    /// # Errors
    /// As [`Message::append`].
    pub fn append_head(&self, delivery: &Delivery<'_>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.put_head(delivery, &self.lengths(delivery)?, out)
    }

    fn properties_part(&self) -> &[u8] {
        let start = usize::from(self.topic_bytes);
        &self.bytes[start..start + self.properties_bytes as usize]
    }

    /// The expiry to write, if any.
    pub(crate) fn expiry(&self, left: Option<u32>) -> Option<u32> {
        self.message_expiry_seconds.map(|published| left.unwrap_or(published))
    }

    fn lengths(&self, delivery: &Delivery<'_>) -> Result<Lengths, EncodeError> {
        if (delivery.qos == QoS::AtMostOnce) != delivery.packet_id.is_none() {
            return Err(EncodeError::PacketId);
        }
        if delivery.dup && delivery.qos == QoS::AtMostOnce {
            return Err(EncodeError::Inconsistent("a QoS 0 message is never a duplicate"));
        }
        let mut remaining = 2 + delivery.packet_id.map_or(0, |_| 2) + self.payload().len();
        let mut properties = 0;
        match (delivery.topic, delivery.version) {
            (TopicAs::Name, _) | (TopicAs::NameAndAlias(_), Version::V4) => remaining += usize::from(self.topic_bytes),
            (TopicAs::Alias(_), Version::V4) => {
                return Err(EncodeError::NotInVersion { version: Version::V4, what: "topic alias" });
            }
            (TopicAs::NameAndAlias(_), Version::V5) => {
                remaining += usize::from(self.topic_bytes);
                properties += 3;
            }
            (TopicAs::Alias(_), Version::V5) => properties += 3,
        }
        if delivery.version == Version::V5 {
            let mut identifiers = Measure::default();
            for &identifier in delivery.subscription_identifiers {
                put_subscription_identifier(&mut identifiers, identifier)?;
            }
            properties += self.message_expiry_seconds.map_or(0, |_| 5);
            properties += identifiers.bytes + self.properties_bytes as usize;
            let (_, length) = variable_bytes(properties)?;
            remaining += length + properties;
        }
        variable_bytes(remaining)?;
        Ok(Lengths { remaining, properties })
    }

    /// What [`Message::lengths`] let pass cannot fail here.
    fn put_head(&self, delivery: &Delivery<'_>, lengths: &Lengths, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.push(first_byte(delivery.dup, delivery.qos, delivery.retain));
        put_variable(out, lengths.remaining)?;
        match delivery.topic {
            TopicAs::Name | TopicAs::NameAndAlias(_) => {
                out.extend_from_slice(&self.topic_bytes.to_be_bytes());
                out.extend_from_slice(&self.bytes[..usize::from(self.topic_bytes)]);
            }
            TopicAs::Alias(_) => out.extend_from_slice(&[0, 0]),
        }
        if let Some(packet_id) = delivery.packet_id {
            out.extend_from_slice(&packet_id.get().to_be_bytes());
        }
        if delivery.version == Version::V5 {
            put_variable(out, lengths.properties)?;
            let mut writer = Writer(out);
            writer.u32(id::MESSAGE_EXPIRY, self.expiry(delivery.message_expiry_seconds));
            match delivery.topic {
                TopicAs::Name => {}
                TopicAs::NameAndAlias(alias) | TopicAs::Alias(alias) => writer.u16(id::TOPIC_ALIAS, Some(alias.get())),
            }
            for &identifier in delivery.subscription_identifiers {
                put_subscription_identifier(out, identifier)?;
            }
            out.extend_from_slice(self.properties_part());
        }
        Ok(())
    }
}

/// Lengths of a delivery's packet: after the fixed header, and of its property block.
struct Lengths {
    remaining: usize,
    properties: usize,
}

/// Fills a buffer of exactly the right size.
struct Fill<'b>(&'b mut [u8]);

impl Sink for Fill<'_> {
    fn put(&mut self, bytes: &[u8]) {
        let (filled, rest) = std::mem::take(&mut self.0).split_at_mut(bytes.len());
        filled.copy_from_slice(bytes);
        self.0 = rest;
    }
}

impl fmt::Debug for Message {
    /// Never shows the payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("topic_name", &self.topic_name())
            .field("payload_bytes", &self.payload().len())
            .finish_non_exhaustive()
    }
}
