//! An established connection: a socket, its session's link, and bytes only while a packet is partial.

use std::{
    io::{self, Read},
    time::Instant,
};

use mio::net::TcpStream;
use tidegate_broker::{CloseReason, Link, Quota};
use tidegate_ids::Monotonic;
use tidegate_mqtt::{Partial, Peer, ReasonCode, Version};
use tidegate_tls::{Progress, Session};

use super::{Desk, allowance::Allowance, output::Unsent};
use crate::{
    acceptor::Counted,
    connection_log::Origin,
    websocket::{Ended, WebSocket},
    wheel::TimerId,
};

/// Bytes that may wait for the socket when answers of WebSocket are added to them.
const UNSENT_BYTES_MAX: usize = 2 * 1024 * 1024;
/// A connection that a task has admitted.
pub(crate) struct Arrived {
    pub(crate) socket: TcpStream,
    pub(crate) tls: Option<Box<Session>>,
    pub(crate) websocket: Option<Box<WebSocket>>,
    /// What TLS has to say; CONNACK goes along.
    pub(crate) unsaid: Vec<u8>,
    pub(crate) origin: Origin,
    pub(crate) counted: Counted,
}

/// An established connection.
pub(crate) struct Slot {
    pub(crate) socket: TcpStream,
    pub(super) tls: Option<Box<Session>>,
    pub(super) websocket: Option<Box<WebSocket>>,
    /// `None` once the session has left: what is unsent is written, then the peer is waited for, briefly.
    pub(super) link: Option<Link>,
    version: Version,
    packet_bytes_max: u32,
    partial: Partial,
    /// Whole packets may be left over from the last turn, or bytes in the kernel.
    more: More,
    /// When it may be read again, after it sent more than its profile lets it; taken by the core, which calls it then.
    pub(super) paused_until: Option<Monotonic>,
    pub(super) unsent: Unsent,
    /// Not read from until the journal has caught up.
    pub(super) stalled: bool,
    /// Whether something in `unsent` has not been tried yet.
    pub(super) has_answer: bool,
    /// Whether the wheel calls for what waits in its session.
    pub(super) has_turn: bool,
    /// Whether the peer was told that no more will come.
    pub(super) finished: bool,
    /// The peer has sent its last byte, or the socket is broken: a short read does not mean drained, and nobody waits for
    /// a farewell.
    pub(super) peer_closed: bool,
    pub(super) last_heard: Monotonic,
    pub(super) timer: Option<TimerId>,
    _counted: Counted,
}

/// What a turn's limits left for the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum More {
    Nothing,
    /// In the kernel's buffer.
    ToRead,
    /// In `partial`.
    ToHandle,
}

impl Slot {
    pub(super) fn new(arrived: Arrived, link: Link, now: Monotonic) -> Self {
        let Arrived { socket, tls, mut websocket, unsaid, origin: _, counted } = arrived;
        if let Some(websocket) = &mut websocket {
            websocket.limit(link.profile().limits.websocket_lifetime_max.map(|lifetime| now + lifetime));
        }
        Self {
            socket,
            tls,
            websocket,
            version: link.version(),
            packet_bytes_max: link.profile().limits.packet_bytes_max,
            link: Some(link),
            partial: Partial::new(),
            more: More::Nothing,
            paused_until: None,
            unsent: Unsent::from(unsaid),
            stalled: false,
            has_answer: false,
            has_turn: false,
            finished: false,
            peer_closed: false,
            last_heard: now,
            timer: None,
            _counted: counted,
        }
    }

    /// When it is to end if nothing is heard until then, and why: by the client's silence, or because a WebSocket may last no longer.
    pub(super) fn deadline(&self, now: Monotonic) -> Option<(Monotonic, CloseReason)> {
        // A client that we do not read from is not silent.
        let last_heard = if self.stalled { now } else { self.last_heard };
        let silence = self.link.as_ref().and_then(Link::silence_limit);
        let silence = silence.map(|limit| (last_heard + limit, CloseReason::KeepAliveTimeout));
        let over_at = self.websocket.as_ref().and_then(|websocket| websocket.over_at());
        let over = over_at.map(|at| (at, CloseReason::WebSocketOver));
        silence.into_iter().chain(over).min_by_key(|(at, _)| *at)
    }

    /// Whether it comes again without an event.
    pub(super) fn is_unfinished(&self) -> bool {
        self.more != More::Nothing
    }

    /// One turn: handle what the last one left, else read once and handle every whole packet in it. Writes nothing.
    ///
    /// `Ok(false)` when limits left something for another turn. An error is the end of the connection.
    pub(super) fn take_turn(&mut self, desk: &mut Desk) -> Result<bool, CloseReason> {
        let Some(link) = &self.link else { return self.wait_for_close(desk) };
        let paused_until = link.paused_until(desk.now);
        if paused_until.is_some() {
            link.exceeded(Quota::Throughput, &mut desk.effects);
        }
        if self.more == More::ToHandle && !self.handle(&[], desk)? {
            return Ok(false);
        }
        self.more = More::Nothing;
        if paused_until.is_some() {
            (self.more, self.paused_until) = (More::ToRead, paused_until);
            return Ok(true);
        }
        let Some(count) = read(&self.socket, &mut desk.read)? else {
            return if self.peer_closed { Err(CloseReason::ConnectionLost) } else { Ok(true) };
        };
        // Control frames are no MQTT: a client that only pings on that level is silent.
        if self.websocket.is_none() {
            self.last_heard = desk.now.monotonic;
        }
        // A short read means drained, unless the end of the stream is already behind it.
        if count == desk.read.len() || self.peer_closed {
            self.more = More::ToRead;
        }
        self.receive(count, desk)?;
        Ok(self.more == More::Nothing)
    }

    /// Handles packets that came in the same bytes as the CONNECT. As `take_turn` otherwise.
    pub(super) fn handle_early(&mut self, bytes: &[u8], desk: &mut Desk) -> Result<bool, CloseReason> {
        self.handle(bytes, desk)
    }

    /// Handles the first `count` bytes of the desk's read buffer.
    fn receive(&mut self, count: usize, desk: &mut Desk) -> Result<(), CloseReason> {
        let Some(tls) = &mut self.tls else {
            let read = std::mem::take(&mut desk.read);
            let handled = self.unframe(&read[..count], desk);
            desk.read = read;
            return handled.map(drop);
        };
        let mut plain = std::mem::take(&mut desk.plain);
        plain.clear();
        let progress = tls.feed(&mut desk.read[..count], &mut plain, &mut desk.records);
        // Answers of TLS itself: a key update, an alert.
        self.has_answer |= !desk.records.is_empty();
        self.unsent.append(&mut desk.records);
        let ended = !matches!(progress, Ok(Progress::Open | Progress::Handshaking));
        self.peer_closed |= ended;
        let handled = self.unframe(&plain, desk);
        desk.plain = plain;
        // What is left over from before the end comes first.
        if handled? && ended { Err(CloseReason::ConnectionLost) } else { Ok(()) }
    }

    /// Handles bytes of MQTT, which WebSocket frames may carry.
    fn unframe(&mut self, bytes: &[u8], desk: &mut Desk) -> Result<bool, CloseReason> {
        let Some(websocket) = &mut self.websocket else { return self.handle(bytes, desk) };
        let mut payload = std::mem::take(&mut desk.payload);
        payload.clear();
        let mut answer = Vec::new();
        let fed = websocket.feed(bytes, &mut payload, &mut answer);
        if !payload.is_empty() {
            self.last_heard = desk.now.monotonic;
        }
        // Headers and control frames count for the throughput as what they carry does.
        if let Some(link) = &mut self.link {
            link.received(bytes.len() - payload.len(), desk.now, &mut desk.effects);
        }
        self.peer_closed |= fed.is_err();
        let answered = self.answer(answer, desk);
        let handled = self.handle(&payload, desk);
        desk.payload = payload;
        answered?;
        match (handled?, fed) {
            (handled, Ok(())) => Ok(handled),
            // What is left over from before the end comes first.
            (false, Err(_)) => Ok(false),
            (true, Err(Ended::Closed)) => Err(CloseReason::ConnectionLost),
            (true, Err(Ended::Protocol | Ended::Text)) => Err(CloseReason::ClientError(ReasonCode::ProtocolError)),
        }
    }

    /// Leaves what WebSocket itself has to say to be written. A client that reads none of it goes.
    fn answer(&mut self, mut answer: Vec<u8>, desk: &mut Desk) -> Result<(), CloseReason> {
        if answer.is_empty() {
            return Ok(());
        }
        self.has_answer = true;
        match &mut self.tls {
            None => self.unsent.append(&mut answer),
            Some(tls) => {
                tls.encrypt(&answer, &mut desk.records).map_err(|_| CloseReason::ConnectionLost)?;
                self.unsent.append(&mut desk.records);
            }
        }
        if self.unsent.len() > UNSENT_BYTES_MAX { Err(CloseReason::DoesNotRead) } else { Ok(()) }
    }

    /// Handles whole packets up to the turn's limits; `false` when some may be left.
    fn handle(&mut self, bytes: &[u8], desk: &mut Desk) -> Result<bool, CloseReason> {
        let Some(link) = &mut self.link else { return Ok(true) };
        let Desk { shared, effects, now, .. } = desk;
        link.received(bytes.len(), *now, effects);
        let mut packets = self.partial.packets(bytes, self.packet_bytes_max as usize);
        let mut allowance = Allowance::new();
        loop {
            let next = packets.next_packet().map_err(|error| {
                if error.reason_code() == ReasonCode::PacketTooLarge {
                    link.exceeded(Quota::PacketSize, effects);
                }
                CloseReason::from(&error)
            })?;
            let Some(frame) = next else { return Ok(true) };
            let packet = &frame.decode(self.version, Peer::Client);
            let packet = packet.as_ref().map_err(CloseReason::from)?;
            shared.broker.handle(link, packet, *now, effects)?;
            // Real time, whatever clock the rest goes by: others wait for this thread.
            if !allowance.spend(packet, Instant::now) {
                break;
            }
        }
        self.more = More::ToHandle;
        Ok(false)
    }

    /// The session is gone: read and forget, until the peer closes too.
    fn wait_for_close(&mut self, desk: &mut Desk) -> Result<bool, CloseReason> {
        let drained = match read(&self.socket, &mut desk.read)? {
            Some(count) => count < desk.read.len() && !self.peer_closed,
            None => true,
        };
        self.more = if drained { More::Nothing } else { More::ToRead };
        Ok(drained)
    }
}

/// Reads once; `None` when there is nothing. The end of the stream is an error.
fn read(mut socket: &TcpStream, buffer: &mut [u8]) -> Result<Option<usize>, CloseReason> {
    loop {
        match socket.read(buffer) {
            Ok(0) => return Err(CloseReason::ConnectionLost),
            Ok(count) => return Ok(Some(count)),
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock => return Ok(None),
                io::ErrorKind::Interrupted => {}
                _ => return Err(CloseReason::ConnectionLost),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A core has a slot for each of its connections. What few of them need is behind a pointer.
    #[test]
    fn what_each_connection_holds_is_small() {
        // A socket is larger where debug assertions are on.
        assert!(size_of::<Slot>() <= 232, "{}", size_of::<Slot>());
        assert_eq!(size_of::<Link>(), 120);
    }
}
