//! The two properties that may stand many times: user properties and subscription identifiers.

use super::block::{Property, Write, id};
use crate::EncodeError;
use crate::wire::{Reader, Sink, VARIABLE_MAX, put_text, put_variable};
use std::fmt;
use std::num::NonZeroU32;

/// The application's own name and value pairs, in order; a name may repeat.
///
/// Either read from a packet, whose bytes it borrows, or made with `From` a slice of pairs.
#[derive(Clone, Copy, Default)]
pub struct UserProperties<'a>(Source<'a, (&'a str, &'a str)>);

/// The subscription identifiers of a PUBLISH from a server, one for each of the client's subscriptions that match.
///
/// Either read from a packet, whose bytes it borrows, or made with `From` a slice.
#[derive(Clone, Copy, Default)]
pub struct SubscriptionIdentifiers<'a>(Source<'a, NonZeroU32>);

#[derive(Clone, Copy)]
enum Source<'a, T> {
    /// Part of a block that was read without error; other properties may stand between unless it is `pure`.
    Block {
        bytes: &'a [u8],
        pure: bool,
    },
    List(&'a [T]),
}

impl<T> Default for Source<'_, T> {
    fn default() -> Self {
        Self::List(&[])
    }
}

/// The items of a block or list, one at a time.
#[derive(Clone)]
struct Items<'a, T> {
    block: Reader<'a>,
    list: std::slice::Iter<'a, T>,
    pick: fn(Property<'a>) -> Option<T>,
}

impl<'a, T: Copy> Source<'a, T> {
    fn items(self, pick: fn(Property<'a>) -> Option<T>) -> Items<'a, T> {
        let (block, list): (&[u8], &[T]) = match self {
            Self::Block { bytes, .. } => (bytes, &[]),
            Self::List(list) => (&[], list),
        };
        Items { block: Reader::new(block), list: list.iter(), pick }
    }
}

impl<T: Copy> Iterator for Items<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        while !self.block.is_empty() {
            // The block was read without error before, so this ends with its last property.
            let property = Property::read(&mut self.block).ok()?;
            if let Some(item) = (self.pick)(property) {
                return Some(item);
            }
        }
        self.list.next().copied()
    }
}

impl<'a> UserProperties<'a> {
    /// The pairs in order, name and value.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a str)> + Clone + use<'a> {
        self.0.items(|property| match property {
            Property::User(name, value) => Some((name, value)),
            _ => None,
        })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        match self.0 {
            Source::Block { bytes, .. } => bytes.is_empty(),
            Source::List(list) => list.is_empty(),
        }
    }

    pub(crate) const NONE: Self = Self(Source::List(&[]));

    pub(crate) fn of_block(bytes: &'a [u8], pure: bool) -> Self {
        Self(Source::Block { bytes, pure })
    }
}

impl Write for UserProperties<'_> {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), EncodeError> {
        if let Source::Block { bytes, pure: true } = self.0 {
            sink.put(bytes);
            return Ok(());
        }
        for (name, value) in self.iter() {
            sink.put(&[id::USER_PROPERTY]);
            put_text(sink, name)?;
            put_text(sink, value)?;
        }
        Ok(())
    }
}

impl<'a> From<&'a [(&'a str, &'a str)]> for UserProperties<'a> {
    fn from(pairs: &'a [(&'a str, &'a str)]) -> Self {
        Self(Source::List(pairs))
    }
}

impl PartialEq for UserProperties<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for UserProperties<'_> {}

impl fmt::Debug for UserProperties<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> SubscriptionIdentifiers<'a> {
    /// The identifiers in order.
    pub fn iter(&self) -> impl Iterator<Item = NonZeroU32> + Clone + use<'a> {
        self.0.items(|property| match property {
            Property::SubscriptionIdentifier(identifier) => Some(identifier),
            _ => None,
        })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        match self.0 {
            Source::Block { bytes, .. } => bytes.is_empty(),
            Source::List(list) => list.is_empty(),
        }
    }

    pub(crate) fn of_block(bytes: &'a [u8], pure: bool) -> Self {
        Self(Source::Block { bytes, pure })
    }
}

impl Write for SubscriptionIdentifiers<'_> {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), EncodeError> {
        if let Source::Block { bytes, pure: true } = self.0 {
            sink.put(bytes);
            return Ok(());
        }
        self.iter().try_for_each(|identifier| put_subscription_identifier(sink, identifier))
    }
}

pub(crate) fn put_subscription_identifier(sink: &mut impl Sink, identifier: NonZeroU32) -> Result<(), EncodeError> {
    if identifier.get() > VARIABLE_MAX {
        return Err(EncodeError::Inconsistent("a subscription identifier is at most 268435455"));
    }
    sink.put(&[id::SUBSCRIPTION_IDENTIFIER]);
    put_variable(sink, identifier.get() as usize)
}

impl<'a> From<&'a [NonZeroU32]> for SubscriptionIdentifiers<'a> {
    fn from(identifiers: &'a [NonZeroU32]) -> Self {
        Self(Source::List(identifiers))
    }
}

impl PartialEq for SubscriptionIdentifiers<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for SubscriptionIdentifiers<'_> {}

impl fmt::Debug for SubscriptionIdentifiers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
