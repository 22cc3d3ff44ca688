//! Keys as bytes, in the order of the values they stand for.
//!
//! Every part of a key ends itself: numbers and identifiers have a fixed width, texts end with `00 01` and write a
//! zero byte as `00 FF`. So the encoding of a tuple compares as the tuple does, no two keys share an encoding, and a
//! tuple's first parts are a prefix of exactly the keys that begin with them.

use tidegate_ids::{
    AccessKeyId, AccountId, AuthorizerName, CaCertificateId, CertificateId, DomainConfigurationName, PolicyName,
    Region, RegistrationCode, ShadowName, Tenant, ThingGroupName, ThingName, ThingTypeName, Timestamp,
};

/// A value that can be (a part of) a key.
///
/// Laws, checked for the implementations here by tests: `encode` keeps the order, `decode` inverts it, and no
/// encoding is the beginning of another value's.
pub trait Key: Sized {
    /// Appends the encoding.
    fn encode(&self, out: &mut Vec<u8>);

    /// Takes one value off the front, leaving the rest; `None` when the bytes are no encoding.
    fn decode(bytes: &mut &[u8]) -> Option<Self>;

    /// The encoding alone.
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(80);
        self.encode(&mut out);
        out
    }

    /// The value of a whole encoded key; `None` when bytes are left over, too.
    fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let key = Self::decode(&mut bytes)?;
        bytes.is_empty().then_some(key)
    }
}

/// The first parts of a key `K`, by which a table can be scanned. A tuple's leading parts implement it; for a key
/// type of your own, say so: `impl PrefixOf<CertificateKey> for Tenant {}`.
pub trait PrefixOf<K>: Key {}

/// The key of a table with a single row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Only;

/// A text or byte string of any content, in an encoding that ends itself. The order is that of the bytes.
pub fn encode_text(text: &[u8], out: &mut Vec<u8>) {
    for part in text.split_inclusive(|&b| b == 0) {
        out.extend_from_slice(part);
        if part.last() == Some(&0) {
            out.push(0xff);
        }
    }
    out.extend_from_slice(&[0, 1]);
}

/// Takes what [`encode_text`] wrote off the front.
pub fn decode_text(bytes: &mut &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    loop {
        let zero = bytes.iter().position(|&b| b == 0)?;
        text.extend_from_slice(&bytes[..zero]);
        let after = *bytes.get(zero + 1)?;
        *bytes = &bytes[zero + 2..];
        match after {
            1 => return Some(text),
            0xff => text.push(0),
            _ => return None,
        }
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*head)
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Key for $number {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }
            fn decode(bytes: &mut &[u8]) -> Option<Self> {
                take(bytes).map(<$number>::from_be_bytes)
            }
        }
    )*};
}
numbers!(u8, u16, u32, u64, u128);

macro_rules! digests {
    ($($digest:ty),*) => {$(
        impl Key for $digest {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(self.as_bytes());
            }
            fn decode(bytes: &mut &[u8]) -> Option<Self> {
                take(bytes).map(Self::from_bytes)
            }
        }
    )*};
}
digests!(CertificateId, CaCertificateId, RegistrationCode);

macro_rules! texts {
    ($($text:ty),*) => {$(
        impl Key for $text {
            fn encode(&self, out: &mut Vec<u8>) {
                encode_text(self.as_str().as_bytes(), out);
            }
            fn decode(bytes: &mut &[u8]) -> Option<Self> {
                std::str::from_utf8(&decode_text(bytes)?).ok()?.parse().ok()
            }
        }
    )*};
}
texts!(
    Region,
    AuthorizerName,
    DomainConfigurationName,
    PolicyName,
    ShadowName,
    ThingGroupName,
    ThingName,
    ThingTypeName,
    AccessKeyId,
    String
);

impl Key for Box<str> {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_text(self.as_bytes(), out);
    }
    fn decode(bytes: &mut &[u8]) -> Option<Self> {
        String::decode(bytes).map(Into::into)
    }
}

/// A byte string, such as the DER of a name.
impl Key for Vec<u8> {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_text(self, out);
    }
    fn decode(bytes: &mut &[u8]) -> Option<Self> {
        decode_text(bytes)
    }
}

impl<const N: usize> Key for [u8; N] {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
    fn decode(bytes: &mut &[u8]) -> Option<Self> {
        take(bytes)
    }
}

impl Key for bool {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
    fn decode(bytes: &mut &[u8]) -> Option<Self> {
        match take(bytes)? {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }
}

impl Key for Only {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(1);
    }
    fn decode(bytes: &mut &[u8]) -> Option<Self> {
        (take(bytes)? == [1]).then_some(Self)
    }
}

/// Its twelve digits.
impl Key for AccountId {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_str().as_bytes());
    }
    fn decode(bytes: &mut &[u8]) -> Option<Self> {
        std::str::from_utf8(&take::<12>(bytes)?).ok()?.parse().ok()
    }
}

impl Key for Tenant {
    fn encode(&self, out: &mut Vec<u8>) {
        self.account.encode(out);
        self.region.encode(out);
    }
    fn decode(bytes: &mut &[u8]) -> Option<Self> {
        Some(Self { account: AccountId::decode(bytes)?, region: Region::decode(bytes)? })
    }
}

impl PrefixOf<Tenant> for AccountId {}

/// In milliseconds, so that an index by time scans in the order of time.
impl Key for Timestamp {
    fn encode(&self, out: &mut Vec<u8>) {
        self.millis().encode(out);
    }
    fn decode(bytes: &mut &[u8]) -> Option<Self> {
        u64::decode(bytes).map(Self::from_millis)
    }
}

macro_rules! tuples {
    ($(($($part:ident $index:tt),+))*) => {$(
        impl<$($part: Key),+> Key for ($($part,)+) {
            fn encode(&self, out: &mut Vec<u8>) {
                $(self.$index.encode(out);)+
            }
            fn decode(bytes: &mut &[u8]) -> Option<Self> {
                Some(($($part::decode(bytes)?,)+))
            }
        }
    )*};
}
tuples! {
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
}

impl<A: Key, B: Key> PrefixOf<(A, B)> for A {}
impl<A: Key, B: Key, C: Key> PrefixOf<(A, B, C)> for A {}
impl<A: Key, B: Key, C: Key> PrefixOf<(A, B, C)> for (A, B) {}
impl<A: Key, B: Key, C: Key, D: Key> PrefixOf<(A, B, C, D)> for A {}
impl<A: Key, B: Key, C: Key, D: Key> PrefixOf<(A, B, C, D)> for (A, B) {}
impl<A: Key, B: Key, C: Key, D: Key> PrefixOf<(A, B, C, D)> for (A, B, C) {}
impl<A: Key, B: Key, C: Key, D: Key, E: Key> PrefixOf<(A, B, C, D, E)> for A {}
impl<A: Key, B: Key, C: Key, D: Key, E: Key> PrefixOf<(A, B, C, D, E)> for (A, B) {}
impl<A: Key, B: Key, C: Key, D: Key, E: Key> PrefixOf<(A, B, C, D, E)> for (A, B, C) {}
impl<A: Key, B: Key, C: Key, D: Key, E: Key> PrefixOf<(A, B, C, D, E)> for (A, B, C, D) {}

#[cfg(test)]
mod tests;
