//! Properties of 5.0: how a block is read and written, and the groups of them that several packets share.
//!
//! Spec: 2.2.2 (5.0).

mod block;
mod list;
mod message;

pub(crate) use list::put_subscription_identifier;
pub use list::{SubscriptionIdentifiers, UserProperties};
pub use message::{MessageProperties, PayloadFormat};

pub(crate) use block::{Block, Property, Span, Write, Writer, id, put_block, set};

use crate::{DecodeError, EncodeError};
use std::time::Duration;

/// How long a session outlives its connection.
///
/// 3.1.1's Clean Session 1 is [`SessionExpiry::AT_DISCONNECT`], its 0 is [`SessionExpiry::NEVER`].
/// Spec: 3.1.2.11.2 (5.0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SessionExpiry(u32);

impl SessionExpiry {
    /// The session ends with the connection.
    pub const AT_DISCONNECT: Self = Self(0);
    /// The session never expires.
    pub const NEVER: Self = Self(u32::MAX);

    /// The interval of the wire: 0 is at disconnect, `u32::MAX` never.
    pub fn from_seconds(seconds: u32) -> Self {
        Self(seconds)
    }

    /// The interval of the wire.
    pub fn seconds(self) -> u32 {
        self.0
    }

    /// The time from disconnect to expiry; `None` when it never expires.
    pub fn duration(self) -> Option<Duration> {
        (self != Self::NEVER).then(|| Duration::from_secs(u64::from(self.0)))
    }
}

/// What an acknowledgement may add to its reason code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReasonProperties<'a> {
    /// A sentence for diagnostics, not for programs.
    pub reason_string: Option<&'a str>,
    /// The application's own pairs.
    pub user_properties: UserProperties<'a>,
}

impl<'a> ReasonProperties<'a> {
    pub(crate) const NONE: Self = Self { reason_string: None, user_properties: UserProperties::NONE };

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.reason_string.is_none() && self.user_properties.is_empty()
    }

    /// Reads a block in which nothing else may stand.
    pub(crate) fn read(block: Block<'a>) -> Result<Self, DecodeError> {
        let mut properties = Self::default();
        block.read(|property| properties.accept(property)).map(|user_properties| Self { user_properties, ..properties })
    }

    /// Takes the property if it is one of these.
    pub(crate) fn accept(&mut self, property: Property<'a>) -> Result<(), DecodeError> {
        match property {
            Property::ReasonString(text) => set(&mut self.reason_string, text, id::REASON_STRING),
            other => Err(DecodeError::PropertyNotAllowed(other.id())),
        }
    }
}

impl Write for ReasonProperties<'_> {
    fn write<S: crate::wire::Sink>(&self, sink: &mut S) -> Result<(), EncodeError> {
        Writer(sink).text(id::REASON_STRING, self.reason_string)?;
        self.user_properties.write(sink)
    }
}
