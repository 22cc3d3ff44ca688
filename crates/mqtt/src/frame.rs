//! Cutting a stream into packets: the fixed header tells each one's length.

use crate::wire::{Variable, variable};
use crate::{DecodeError, PacketType, QoS, Version};

/// The longest packet that MQTT can announce: first byte, four length bytes, 268 435 455 more.
pub const PACKET_BYTES_MAX: usize = 5 + 268_435_455;

/// The length of the packet at the head of a stream, known from its fixed header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameLen {
    /// First byte and remaining length: 2 to 5 bytes.
    pub header_bytes: usize,
    /// The whole packet, header included.
    pub packet_bytes: usize,
}

/// Reads the fixed header at the head of `bytes`; `None` until it is whole.
///
/// The body need not be there: a packet longer than `packet_bytes_max` is refused before any of it is kept, and a first
/// byte that no packet begins with is refused at once.
///
/// # Errors
/// [`DecodeError::PacketTooLarge`], [`DecodeError::RemainingLength`], and what the first byte alone gives away:
/// [`DecodeError::PacketType`], [`DecodeError::HeaderFlags`], [`DecodeError::QoS`], [`DecodeError::DupWithQoS0`].
pub fn frame(bytes: &[u8], packet_bytes_max: usize) -> Result<Option<FrameLen>, DecodeError> {
    Ok(header(bytes, packet_bytes_max)?.map(|header| header.length))
}

/// What a fixed header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) packet_type: PacketType,
    pub(crate) length: FrameLen,
    /// Whether the remaining length is written in as few bytes as it needs.
    is_shortest: bool,
}

/// As [`frame`], with all that it learned.
#[inline]
pub(crate) fn header(bytes: &[u8], packet_bytes_max: usize) -> Result<Option<Header>, DecodeError> {
    let Some((&first_byte, rest)) = bytes.split_first() else { return Ok(None) };
    let packet_type = check_first_byte(first_byte)?;
    let (value, length_bytes, is_shortest) = match variable(rest) {
        Variable::Partial => return Ok(None),
        Variable::TooLong => return Err(DecodeError::RemainingLength),
        Variable::Whole { value, bytes, shortest } => (value, bytes, shortest),
    };
    let header_bytes = 1 + length_bytes;
    let packet_bytes = header_bytes + value as usize;
    if packet_bytes > packet_bytes_max {
        return Err(DecodeError::PacketTooLarge { packet_bytes });
    }
    Ok(Some(Header { packet_type, length: FrameLen { header_bytes, packet_bytes }, is_shortest }))
}

impl Header {
    /// The remaining length may be written longer than needed in 3.1.1 only. Spec: [MQTT-1.5.5-1] (5.0).
    pub(crate) fn check(&self, version: Version) -> Result<(), DecodeError> {
        match version {
            Version::V5 if !self.is_shortest => Err(DecodeError::VariableByteInteger),
            Version::V4 | Version::V5 => Ok(()),
        }
    }
}

/// A whole packet in a stream: its bytes, and what its fixed header said when it was cut out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) header: Header,
}

impl<'a> Frame<'a> {
    /// All bytes of the packet, header included.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

/// The packet type of a first byte whose flags are right.
pub(crate) fn check_first_byte(first_byte: u8) -> Result<PacketType, DecodeError> {
    let packet_type = PacketType::of(first_byte).ok_or(DecodeError::PacketType)?;
    if packet_type != PacketType::Publish {
        return if first_byte == packet_type.first_byte() { Ok(packet_type) } else { Err(DecodeError::HeaderFlags) };
    }
    let qos = QoS::from_bits(first_byte >> 1 & 0b11).ok_or(DecodeError::QoS)?;
    if qos == QoS::AtMostOnce && first_byte & 0b1000 != 0 {
        return Err(DecodeError::DupWithQoS0);
    }
    Ok(packet_type)
}

/// The part of a stream that is not a whole packet yet.
///
/// Owns bytes only while a packet is partial (or the reader stopped early), and grows with the bytes received, never with
/// the length announced.
#[derive(Debug, Default)]
pub struct Partial {
    bytes: Vec<u8>,
}

impl Partial {
    /// Nothing read yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many bytes are kept.
    pub fn kept_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// How much memory it holds for them.
    pub fn allocated_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// The whole packets in what was kept and `read`, the next bytes of the stream. What is not taken from the returned
    /// reader stays for the next call; after an error the stream has no meaning any more.
    pub fn packets<'a>(&'a mut self, read: &'a [u8], packet_bytes_max: usize) -> Packets<'a> {
        Packets { partial: self, taken: 0, read, packet_bytes_max }
    }
}

/// Reads whole packets from a [`Partial`] and the bytes just received; [`Packets::next_packet`] lends each.
#[derive(Debug)]
pub struct Packets<'a> {
    partial: &'a mut Partial,
    /// How many of the bytes kept are taken.
    taken: usize,
    read: &'a [u8],
    packet_bytes_max: usize,
}

impl Packets<'_> {
    /// The next whole packet; `None` when the rest of the stream has yet to arrive.
    ///
    /// # Errors
    /// Those of [`frame`].
    pub fn next_packet(&mut self) -> Result<Option<Frame<'_>>, DecodeError> {
        self.release();
        if self.partial.bytes.is_empty() {
            return self.next_of_read();
        }
        loop {
            let kept = &self.partial.bytes[self.taken..];
            match header(kept, self.packet_bytes_max)? {
                Some(header) => {
                    let packet_bytes = header.length.packet_bytes;
                    let missing = packet_bytes.saturating_sub(kept.len());
                    if !self.keep(missing) {
                        return Ok(None);
                    }
                    let start = self.taken;
                    self.taken += packet_bytes;
                    return Ok(Some(Frame { bytes: &self.partial.bytes[start..start + packet_bytes], header }));
                }
                None => {
                    if !self.keep(1) {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// How many bytes of the last read are not taken yet.
    pub fn unread_bytes(&self) -> usize {
        self.read.len()
    }

    fn next_of_read(&mut self) -> Result<Option<Frame<'_>>, DecodeError> {
        let read = self.read;
        let header = header(read, self.packet_bytes_max)?;
        let whole = header.and_then(|header| Some((header, read.split_at_checked(header.length.packet_bytes)?)));
        let Some((header, (bytes, rest))) = whole else {
            self.keep(read.len());
            return Ok(None);
        };
        self.read = rest;
        Ok(Some(Frame { bytes, header }))
    }

    /// Frees the memory once everything kept was taken.
    fn release(&mut self) {
        if self.taken > 0 && self.taken == self.partial.bytes.len() {
            (*self.partial, self.taken) = (Partial::default(), 0);
        }
    }

    /// Moves up to `bytes` of the last read to the kept part; whether all of them were there.
    fn keep(&mut self, bytes: usize) -> bool {
        let (kept, rest) = self.read.split_at(bytes.min(self.read.len()));
        self.partial.bytes.extend_from_slice(kept);
        self.read = rest;
        kept.len() == bytes
    }
}

impl Drop for Packets<'_> {
    fn drop(&mut self) {
        self.release();
        // A reader who always stops early does not keep the whole stream.
        self.partial.bytes.drain(..self.taken);
        self.keep(self.read.len());
    }
}
