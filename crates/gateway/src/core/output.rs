//! From a session's outbox to the socket: one write per turn, and a place for what the socket did not take.

use std::io::{self, Write};

use mio::net::TcpStream;
use tidegate_broker::{CloseReason, Link, Output};
use tidegate_ids::Monotonic;

use super::{Desk, Slot};
use crate::{connection_log::Client, websocket::close_code};

/// Times in one turn that a slot may come back with more output, before others get their turn.
const WRITES_PER_TURN: usize = 4;
/// What a frame of WebSocket adds, at most.
const FRAME_HEADER_BYTES: usize = 10;
/// Largest buffer of unsent bytes whose front is moved away rather than kept.
const COMPACT_BYTES: usize = 64 * 1024;

/// Unsent bytes that go along with what the session has to say, one write for both, at most: a ticket of TLS.
const ALONG_BYTES_MAX: usize = 2048;

/// What a socket has not taken yet. While there is something, the session is not asked for more, so that what is
/// kept here is one outbox at most.
#[derive(Debug, Default)]
pub(super) struct Unsent(Option<Box<Rest>>);

/// Bytes that a socket has taken in part; some are left.
#[derive(Debug)]
struct Rest {
    bytes: Vec<u8>,
    start: usize,
}

/// How far writing got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// Nothing is left.
    All,
    /// The socket is full: it will say when it is not.
    Blocked,
    /// There is more, but others come first.
    More,
    /// There is more at this time.
    Later(Monotonic),
    /// These were the last bytes of the session, and they may still be unsent.
    Ended(CloseReason),
}

impl From<Vec<u8>> for Unsent {
    fn from(bytes: Vec<u8>) -> Self {
        Self::of(bytes, 0)
    }
}

impl Unsent {
    /// What is left of `bytes` from `start` on.
    fn of(bytes: Vec<u8>, start: usize) -> Self {
        Self((start < bytes.len()).then(|| Box::new(Rest { bytes, start })))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(super) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |rest| rest.bytes.len() - rest.start)
    }

    /// Appends all of `more`, which is empty then, and keeps its room.
    pub(super) fn append(&mut self, more: &mut Vec<u8>) {
        let Some(rest) = &mut self.0 else {
            *self = Self::of(more.as_slice().to_vec(), 0);
            return more.clear();
        };
        if rest.start > COMPACT_BYTES {
            rest.bytes.drain(..rest.start);
            rest.start = 0;
        }
        rest.bytes.append(more);
    }

    /// Writes until all is written (`true`) or the socket is full.
    fn write_to(&mut self, socket: &TcpStream) -> io::Result<bool> {
        while let Some(rest) = &mut self.0 {
            match write(socket, &rest.bytes[rest.start..])? {
                Some(count) => rest.start += count,
                None => return Ok(false),
            }
            if rest.start == rest.bytes.len() {
                self.0 = None;
            }
        }
        Ok(true)
    }
}

impl Slot {
    /// Writes what is unsent, then what the session has, as far as the socket takes it.
    pub(super) fn write(&mut self, desk: &mut Desk) -> io::Result<Written> {
        let goes_along = self.tls.is_some() && self.unsent.len() <= ALONG_BYTES_MAX;
        if !goes_along && !self.unsent.write_to(&self.socket)? {
            // Whoever was revoked, or taken over, goes at once, though its socket takes nothing.
            let ended = self.link.as_ref().and_then(Link::ended);
            return Ok(ended.map_or(Written::Blocked, Written::Ended));
        }
        for _ in 0..WRITES_PER_TURN {
            let Some(link) = &mut self.link else { return Ok(Written::All) };
            let mut output = Vec::new();
            let state = link.take_output(&mut output, desk.now, &mut desk.effects);
            let all = if output.is_empty() { self.unsent.write_to(&self.socket)? } else { self.send(output, desk)? };
            let blocked = !all;
            match state {
                Output::Ended(reason) => return Ok(Written::Ended(reason)),
                Output::Drained | Output::More | Output::Later(_) if blocked => return Ok(Written::Blocked),
                Output::Drained => return Ok(Written::All),
                Output::Later(at) => return Ok(Written::Later(at)),
                Output::More => {}
            }
        }
        Ok(Written::More)
    }

    /// Writes a session's output, encrypted where that is called for, by one write; keeps what the socket does not take.
    /// `false` when it is full.
    fn send(&mut self, mut output: Vec<u8>, desk: &mut Desk) -> io::Result<bool> {
        if let Some(websocket) = &self.websocket {
            let mut framed = Vec::with_capacity(output.len() + FRAME_HEADER_BYTES);
            websocket.send(&output, &mut framed);
            desk.effects.recycle(std::mem::replace(&mut output, framed));
        }
        let Some(tls) = &mut self.tls else {
            let count = write(&self.socket, &output)?.unwrap_or(0);
            if count == output.len() {
                desk.effects.recycle(output);
                return Ok(true);
            }
            self.unsent = Unsent::of(output, count);
            return Ok(false);
        };
        // Every way out leaves the buffer empty: what is in it is of this connection only.
        let mut records = std::mem::take(&mut desk.records);
        if let Some(rest) = self.unsent.0.take() {
            records.extend_from_slice(&rest.bytes[rest.start..]);
        }
        let encrypted = tls.encrypt(&output, &mut records).map_err(io::Error::other);
        desk.effects.recycle(output);
        let written = encrypted.and_then(|()| write(&self.socket, &records));
        let all = written.map(|count| {
            let count = count.unwrap_or(0);
            if count < records.len() {
                self.unsent = Unsent::of(records.split_off(count), 0);
            }
            self.unsent.is_empty()
        });
        records.clear();
        desk.records = records;
        all
    }

    /// Ends the session: its last packet is left to be written, the Will and the rest are the broker's.
    pub(super) fn end_session(&mut self, reason: CloseReason, desk: &mut Desk) {
        let Some(link) = self.link.take() else { return };
        let (mut last, client) = (Vec::new(), Client::of(&link));
        desk.shared.broker.disconnected(link, reason, &mut last, desk.now, &mut desk.effects);
        desk.scribe().disconnected(&client, reason);
        if let Some(websocket) = &mut self.websocket {
            let mut framed = Vec::new();
            if !last.is_empty() && !self.peer_closed {
                websocket.send(&last, &mut framed);
            }
            websocket.close(close_code(reason), &mut framed);
            last = framed;
        }
        match &mut self.tls {
            None => self.unsent.append(&mut last),
            Some(_) if self.peer_closed && last.is_empty() => {}
            Some(tls) => {
                // A session that has failed says nothing any more.
                if tls.encrypt(&last, &mut desk.records).is_ok() {
                    tls.close_notify(&mut desk.records);
                }
                self.unsent.append(&mut desk.records);
            }
        }
        desk.effects.recycle(last);
    }

    /// Writes what is unsent, and when nothing is left tells the peer that no more will come. `false` when it is full.
    pub(super) fn finish(&mut self) -> io::Result<bool> {
        if !self.unsent.write_to(&self.socket)? {
            return Ok(false);
        }
        if !self.finished {
            self.finished = true;
            self.socket.shutdown(std::net::Shutdown::Write)?;
        }
        Ok(true)
    }
}

/// Writes once; `None` when the socket is full.
fn write(mut socket: &TcpStream, bytes: &[u8]) -> io::Result<Option<usize>> {
    loop {
        match socket.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => return Ok(Some(count)),
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock => return Ok(None),
                io::ErrorKind::Interrupted => {}
                _ => return Err(error),
            },
        }
    }
}
