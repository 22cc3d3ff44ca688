//! Bytes on their way to one socket.

/// Packets for one socket, in order, with two bounds: control packets are always taken, PUBLISH packets while there is
/// room. One buffer keeps every order legal (CONNACK first, DISCONNECT last) and is written at once.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    bytes: Vec<u8>,
    publish_bytes: usize,
}

impl Outbox {
    /// An outbox that starts in `buffer`, which is empty.
    pub(crate) fn new(buffer: Vec<u8>) -> Self {
        debug_assert!(buffer.is_empty());
        Self { bytes: buffer, ..Self::default() }
    }

    /// Append one control packet by `write`; not, and false, when it exceeds what the client takes.
    pub(crate) fn control(&mut self, packet_bytes_max: usize, write: impl FnOnce(&mut Vec<u8>)) -> bool {
        let before = self.bytes.len();
        write(&mut self.bytes);
        let fits = self.bytes.len() - before <= packet_bytes_max;
        if !fits {
            self.bytes.truncate(before);
        }
        fits
    }

    /// Append a PUBLISH by `write`; the caller asked [`publish_bytes`](Self::publish_bytes).
    pub(crate) fn publish<T>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        let before = self.bytes.len();
        let result = write(&mut self.bytes);
        self.publish_bytes += self.bytes.len() - before;
        result
    }

    /// Bytes of PUBLISH packets that wait for the socket.
    pub(crate) fn publish_bytes(&self) -> usize {
        self.publish_bytes
    }

    /// Bytes of other packets that wait for the socket.
    pub(crate) fn control_bytes(&self) -> usize {
        self.bytes.len() - self.publish_bytes
    }

    /// Move all bytes behind `out`; without a copy when that is empty.
    pub(crate) fn take(&mut self, out: &mut Vec<u8>) {
        if out.is_empty() {
            std::mem::swap(out, &mut self.bytes);
        } else {
            out.append(&mut self.bytes);
        }
        self.publish_bytes = 0;
    }

    /// Whether nothing waits for the socket.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Whether the outbox has no memory of its own, so that a spare buffer would help.
    pub(crate) fn is_bare(&self) -> bool {
        self.bytes.capacity() == 0
    }

    /// Start in `buffer`, which is empty.
    pub(crate) fn lend(&mut self, buffer: Vec<u8>) {
        self.bytes = buffer;
    }
}
