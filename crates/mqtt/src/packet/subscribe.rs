//! SUBSCRIBE and UNSUBSCRIBE. Spec: 3.8, 3.10.

use crate::properties::{Block, Property, Write, id, put_block, put_subscription_identifier, set};
use crate::wire::{Body, Reader, Sink, put_packet, put_text};
use crate::{DecodeError, EncodeError, PacketType, QoS, UserProperties, Version, topic};
use std::fmt;
use std::num::{NonZeroU16, NonZeroU32};

/// A request for subscriptions; never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscribe<'a> {
    /// Ties the SUBACK to it.
    pub packet_id: NonZeroU16,
    /// Comes back with every message that matches; 1 to 268 435 455, 5.0 only.
    pub subscription_identifier: Option<NonZeroU32>,
    /// The application's own pairs; 5.0 only.
    pub user_properties: UserProperties<'a>,
    /// What is subscribed to, in order.
    pub subscriptions: Subscriptions<'a>,
}

/// One entry of SUBSCRIBE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscription<'a> {
    /// A valid topic filter, shared ones included.
    pub topic_filter: &'a str,
    /// How messages are delivered.
    pub options: SubscriptionOptions,
}

/// How the messages of a subscription are delivered. Spec: 3.8.3.1 (5.0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct SubscriptionOptions {
    /// The highest QoS that the client wants.
    pub qos: QoS,
    /// Not the client's own messages.
    pub no_local: bool,
    /// Keep the RETAIN flag of a forwarded message as published.
    pub retain_as_published: bool,
    /// Which retained messages come with the subscription.
    pub retain_handling: RetainHandling,
}

/// When retained messages are sent for a subscription. Spec: 3.8.3.1 (5.0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RetainHandling {
    /// At every SUBSCRIBE; the only way of 3.1.1.
    #[default]
    AtSubscribe,
    /// Only when the subscription did not exist.
    IfNew,
    /// Never.
    Never,
}

impl SubscriptionOptions {
    /// Delivery at up to `qos`, as 3.1.1 knows it.
    pub fn at(qos: QoS) -> Self {
        Self { qos, ..Self::default() }
    }

    /// The options of a byte. 3.1.1 has only the QoS.
    fn from_byte(byte: u8, version: Version) -> Result<Self, DecodeError> {
        let reserved = match version {
            Version::V4 => byte > 2, // QoS 3 counts as a reserved bit there
            Version::V5 => byte & 0b1100_0000 != 0,
        };
        if reserved {
            return Err(DecodeError::SubscriptionOptions);
        }
        let qos = QoS::from_bits(byte & 0b11).ok_or(DecodeError::SubscriptionQoS)?;
        let retain_handling = match byte >> 4 & 0b11 {
            0 => RetainHandling::AtSubscribe,
            1 => RetainHandling::IfNew,
            2 => RetainHandling::Never,
            _ => return Err(DecodeError::RetainHandling),
        };
        Ok(Self { qos, no_local: byte & 0b100 != 0, retain_as_published: byte & 0b1000 != 0, retain_handling })
    }

    fn byte(self) -> u8 {
        let retain_handling = match self.retain_handling {
            RetainHandling::AtSubscribe => 0,
            RetainHandling::IfNew => 1,
            RetainHandling::Never => 2,
        };
        retain_handling << 4 | u8::from(self.retain_as_published) << 3 | u8::from(self.no_local) << 2 | self.qos.bits()
    }
}

/// The entries of a SUBSCRIBE: read from its bytes, or made with `From` a slice.
#[derive(Clone, Copy)]
pub struct Subscriptions<'a>(Entries<'a, Subscription<'a>>);

/// The topic filters of an UNSUBSCRIBE: read from its bytes, or made with `From` a slice.
#[derive(Clone, Copy)]
pub struct TopicFilters<'a>(Entries<'a, &'a str>);

#[derive(Clone, Copy)]
enum Entries<'a, T> {
    /// The rest of a packet that was read to its end without error.
    Wire(Reader<'a>),
    List(&'a [T]),
}

impl<'a> Subscriptions<'a> {
    /// The entries in order.
    pub fn iter(&self) -> impl Iterator<Item = Subscription<'a>> + Clone + use<'a> {
        let (mut wire, list) = self.0.parts();
        let read =
            std::iter::from_fn(
                move || {
                    if wire.is_empty() { None } else { read_subscription(&mut wire, Version::V5).ok() }
                },
            );
        read.chain(list.iter().copied())
    }
}

impl<'a> TopicFilters<'a> {
    /// The topic filters in order.
    pub fn iter(&self) -> impl Iterator<Item = &'a str> + Clone + use<'a> {
        let (mut wire, list) = self.0.parts();
        let read = std::iter::from_fn(move || if wire.is_empty() { None } else { read_filter(&mut wire).ok() });
        read.chain(list.iter().copied())
    }
}

impl<'a, T> Entries<'a, T> {
    fn parts(&self) -> (Reader<'a>, &'a [T]) {
        match *self {
            Self::Wire(reader) => (reader, &[]),
            Self::List(list) => (Reader::new(&[]), list),
        }
    }
}

fn read_filter<'a>(from: &mut Reader<'a>) -> Result<&'a str, DecodeError> {
    let filter = from.text()?;
    if topic::valid_filter(filter) { Ok(filter) } else { Err(DecodeError::TopicFilter) }
}

fn read_subscription<'a>(from: &mut Reader<'a>, version: Version) -> Result<Subscription<'a>, DecodeError> {
    let topic_filter = read_filter(from)?;
    let options = SubscriptionOptions::from_byte(from.u8()?, version)?;
    if options.no_local && topic::is_shared(topic_filter) {
        return Err(DecodeError::NoLocalOnShared);
    }
    Ok(Subscription { topic_filter, options })
}

impl<'a> Subscribe<'a> {
    pub(super) fn read(mut body: Reader<'a>, version: Version) -> Result<Self, DecodeError> {
        let packet_id = body.packet_id()?;
        let (mut subscription_identifier, mut user_properties) = (None, UserProperties::default());
        if version == Version::V5 {
            user_properties = Block::take(&mut body)?.read(|property| match property {
                Property::SubscriptionIdentifier(identifier) => {
                    set(&mut subscription_identifier, identifier, id::SUBSCRIPTION_IDENTIFIER)
                }
                other => Err(DecodeError::PropertyNotAllowed(other.id())),
            })?;
        }
        let subscriptions = Subscriptions(Entries::Wire(body));
        if body.is_empty() {
            return Err(DecodeError::NoEntries);
        }
        while !body.is_empty() {
            read_subscription(&mut body, version)?;
        }
        Ok(Self { packet_id, subscription_identifier, user_properties, subscriptions })
    }

    /// Appends the packet in the form of `version`.
    ///
    /// # Errors
    /// As [`crate::Packet::encode`].
    pub fn encode(&self, version: Version, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if self.subscriptions.iter().next().is_none() {
            return Err(EncodeError::Inconsistent("SUBSCRIBE needs a subscription"));
        }
        for Subscription { topic_filter, options } in self.subscriptions.iter() {
            check_filter(topic_filter)?;
            if version == Version::V4 && options != SubscriptionOptions::at(options.qos) {
                return Err(EncodeError::NotInVersion { version, what: "subscription options but the QoS" });
            }
            if options.no_local && topic::is_shared(topic_filter) {
                return Err(EncodeError::Inconsistent("No Local on a shared subscription"));
            }
        }
        put_packet(PacketType::Subscribe.first_byte(), &InVersion(version, self), out)
    }
}

fn check_filter(topic_filter: &str) -> Result<(), EncodeError> {
    if topic_filter.len() > topic::TOPIC_BYTES_MAX {
        return Err(EncodeError::FieldTooLong { bytes: topic_filter.len() });
    }
    if topic::valid_filter(topic_filter) { Ok(()) } else { Err(EncodeError::TopicFilter) }
}

/// A request to end subscriptions; never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsubscribe<'a> {
    /// Ties the UNSUBACK to it.
    pub packet_id: NonZeroU16,
    /// The application's own pairs; 5.0 only.
    pub user_properties: UserProperties<'a>,
    /// The filters as they were subscribed to, in order.
    pub topic_filters: TopicFilters<'a>,
}

impl<'a> Unsubscribe<'a> {
    pub(super) fn read(mut body: Reader<'a>, version: Version) -> Result<Self, DecodeError> {
        let packet_id = body.packet_id()?;
        let mut user_properties = UserProperties::default();
        if version == Version::V5 {
            user_properties = Block::take(&mut body)?.read(|other| Err(DecodeError::PropertyNotAllowed(other.id())))?;
        }
        let topic_filters = TopicFilters(Entries::Wire(body));
        if body.is_empty() {
            return Err(DecodeError::NoEntries);
        }
        while !body.is_empty() {
            read_filter(&mut body)?;
        }
        Ok(Self { packet_id, user_properties, topic_filters })
    }

    /// Appends the packet in the form of `version`.
    ///
    /// # Errors
    /// As [`crate::Packet::encode`].
    pub fn encode(&self, version: Version, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if self.topic_filters.iter().next().is_none() {
            return Err(EncodeError::Inconsistent("UNSUBSCRIBE needs a topic filter"));
        }
        self.topic_filters.iter().try_for_each(check_filter)?;
        put_packet(PacketType::Unsubscribe.first_byte(), &InVersion(version, self), out)
    }
}

/// A packet to be written in the form of one version.
struct InVersion<'p, P>(Version, &'p P);

impl Body for InVersion<'_, Subscribe<'_>> {
    fn put<S: Sink>(&self, sink: &mut S) -> Result<(), EncodeError> {
        let Self(version, subscribe) = self;
        sink.put(&subscribe.packet_id.get().to_be_bytes());
        if *version == Version::V5 {
            put_block(sink, *subscribe)?;
        }
        for Subscription { topic_filter, options } in subscribe.subscriptions.iter() {
            put_text(sink, topic_filter)?;
            sink.put(&[options.byte()]);
        }
        Ok(())
    }
}

impl Write for Subscribe<'_> {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), EncodeError> {
        if let Some(identifier) = self.subscription_identifier {
            put_subscription_identifier(sink, identifier)?;
        }
        self.user_properties.write(sink)
    }
}

impl Body for InVersion<'_, Unsubscribe<'_>> {
    fn put<S: Sink>(&self, sink: &mut S) -> Result<(), EncodeError> {
        let Self(version, unsubscribe) = self;
        sink.put(&unsubscribe.packet_id.get().to_be_bytes());
        if *version == Version::V5 {
            put_block(sink, &unsubscribe.user_properties)?;
        }
        unsubscribe.topic_filters.iter().try_for_each(|filter| put_text(sink, filter))
    }
}

impl<'a> From<&'a [Subscription<'a>]> for Subscriptions<'a> {
    fn from(list: &'a [Subscription<'a>]) -> Self {
        Self(Entries::List(list))
    }
}

impl<'a> From<&'a [&'a str]> for TopicFilters<'a> {
    fn from(list: &'a [&'a str]) -> Self {
        Self(Entries::List(list))
    }
}

impl PartialEq for Subscriptions<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Subscriptions<'_> {}

impl fmt::Debug for Subscriptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl PartialEq for TopicFilters<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for TopicFilters<'_> {}

impl fmt::Debug for TopicFilters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
