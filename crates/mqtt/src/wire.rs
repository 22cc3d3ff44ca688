//! The data types of section 1.5: integers, strings, binary data, variable byte integers; read and written.

use crate::{DecodeError, EncodeError, topic};
use std::num::NonZeroU16;

/// The largest variable byte integer. Spec: 1.5.5 (5.0), 2.2.3 (3.1.1).
pub(crate) const VARIABLE_MAX: u32 = 268_435_455;

/// What is left to read of a packet or a property block.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn end(&self) -> Result<(), DecodeError> {
        if self.rest.is_empty() { Ok(()) } else { Err(DecodeError::TrailingBytes) }
    }

    pub(crate) fn take(&mut self, bytes: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.rest.split_at_checked(bytes).ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn take_rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, DecodeError> {
        let (&byte, rest) = self.rest.split_first().ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(byte)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, DecodeError> {
        let (&bytes, rest) = self.rest.split_first_chunk().ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(u16::from_be_bytes(bytes))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, DecodeError> {
        let (&bytes, rest) = self.rest.split_first_chunk().ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(u32::from_be_bytes(bytes))
    }

    pub(crate) fn packet_id(&mut self) -> Result<NonZeroU16, DecodeError> {
        NonZeroU16::new(self.u16()?).ok_or(DecodeError::PacketId)
    }

    /// A variable byte integer in its shortest form. Spec: [MQTT-1.5.5-1] (5.0).
    pub(crate) fn variable(&mut self) -> Result<u32, DecodeError> {
        match variable(self.rest) {
            Variable::Whole { value, bytes, shortest: true } => {
                self.rest = &self.rest[bytes..];
                Ok(value)
            }
            Variable::Whole { shortest: false, .. } | Variable::TooLong => Err(DecodeError::VariableByteInteger),
            Variable::Partial => Err(DecodeError::Truncated),
        }
    }

    pub(crate) fn binary(&mut self) -> Result<&'a [u8], DecodeError> {
        let bytes = self.u16()?;
        self.take(usize::from(bytes))
    }

    /// A string without U+0000. Control characters and non-characters, which the specification only advises against
    /// (1.5.4), pass.
    pub(crate) fn text(&mut self) -> Result<&'a str, DecodeError> {
        let text = std::str::from_utf8(self.binary()?).map_err(|_| DecodeError::Text)?;
        if text.as_bytes().contains(&0) { Err(DecodeError::Text) } else { Ok(text) }
    }

    /// A string that names a topic, possibly empty: without wildcards, else `error`.
    pub(crate) fn topic(&mut self, error: DecodeError) -> Result<&'a str, DecodeError> {
        let text = std::str::from_utf8(self.binary()?).map_err(|_| DecodeError::Text)?;
        if topic::has_reserved(text.as_bytes()) {
            return Err(if text.as_bytes().contains(&0) { DecodeError::Text } else { error });
        }
        Ok(text)
    }
}

/// What the head of a byte string says as a variable byte integer.
pub(crate) enum Variable {
    /// The whole integer is there.
    Whole { value: u32, bytes: usize, shortest: bool },
    /// More bytes are needed.
    Partial,
    /// A fourth byte that announces a fifth.
    TooLong,
}

#[inline]
pub(crate) fn variable(head: &[u8]) -> Variable {
    // Most packets and property blocks are short.
    if let [byte @ 0..=0x7F, ..] = head {
        return Variable::Whole { value: u32::from(*byte), bytes: 1, shortest: true };
    }
    let mut value = 0;
    for (index, &byte) in head.iter().take(4).enumerate() {
        value |= u32::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            return Variable::Whole { value, bytes: index + 1, shortest: index == 0 || byte != 0 };
        }
    }
    if head.len() >= 4 { Variable::TooLong } else { Variable::Partial }
}

/// Where a packet is written: to bytes, or only measured.
pub(crate) trait Sink {
    fn put(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Measures what would be written.
#[derive(Default)]
pub(crate) struct Measure {
    pub(crate) bytes: usize,
}

impl Sink for Measure {
    fn put(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len();
    }
}

pub(crate) fn put_binary(sink: &mut impl Sink, bytes: &[u8]) -> Result<(), EncodeError> {
    let length = u16::try_from(bytes.len()).map_err(|_| EncodeError::FieldTooLong { bytes: bytes.len() })?;
    sink.put(&length.to_be_bytes());
    sink.put(bytes);
    Ok(())
}

pub(crate) fn put_text(sink: &mut impl Sink, text: &str) -> Result<(), EncodeError> {
    if text.as_bytes().contains(&0) {
        return Err(EncodeError::Text);
    }
    put_binary(sink, text.as_bytes())
}

/// A variable byte integer's bytes, the first `n` of the array.
pub(crate) fn variable_bytes(value: usize) -> Result<([u8; 4], usize), EncodeError> {
    if value > VARIABLE_MAX as usize {
        return Err(EncodeError::PacketTooLarge { bytes: value });
    }
    let (mut bytes, mut rest, mut n) = ([0; 4], value, 0);
    loop {
        bytes[n] = (rest & 0x7F) as u8;
        rest >>= 7;
        if rest == 0 {
            return Ok((bytes, n + 1));
        }
        bytes[n] |= 0x80;
        n += 1;
    }
}

pub(crate) fn put_variable(sink: &mut impl Sink, value: usize) -> Result<(), EncodeError> {
    let (bytes, n) = variable_bytes(value)?;
    sink.put(&bytes[..n]);
    Ok(())
}

/// Appends a whole packet: measures its body, then writes first byte, remaining length and body. On error nothing is
/// appended.
pub(crate) fn put_packet<B: Body>(first_byte: u8, body: &B, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let mut measure = Measure::default();
    body.put(&mut measure)?;
    let (length, n) = variable_bytes(measure.bytes)?;
    out.reserve(1 + n + measure.bytes);
    out.push(first_byte);
    out.extend_from_slice(&length[..n]);
    body.put(out)
}

/// What follows a packet's fixed header, written the same way each time.
pub(crate) trait Body {
    fn put<S: Sink>(&self, sink: &mut S) -> Result<(), EncodeError>;
}
