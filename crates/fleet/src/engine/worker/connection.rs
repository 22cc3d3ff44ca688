//! Bytes of one connection: dialed, read, cut into packets, written.

use mio::{Interest, Token};
use tidegate_mqtt::{Peer, Version};
use tidegate_tls::ClientSession;

use super::Worker;
use crate::{
    client::News,
    engine::{
        link::{Link, LinkState, PACKET_BYTES_MAX},
        slot::Phase,
    },
    tally::Tally,
    trouble::{Stage, Trouble},
};

/// Reads of one device before others get their turn.
const READS_PER_TURN: usize = 8;

impl Worker {
    /// A device begins an attempt.
    pub(super) fn dial(&mut self, slot: usize, tally: &mut Tally) {
        let now = self.now();
        tally.attempts += 1;
        let own = &mut self.slots[slot];
        own.first_attempt.get_or_insert(now);
        own.began = now;
        own.unread = false;
        let sources = &self.plan.groups[own.group].of.source.0;
        let source = sources.get(own.client.device as usize % sources.len().max(1)).copied();
        let mut link = match Link::dial(self.plan.broker.address, source) {
            Ok(link) => link,
            Err(error) => {
                // Binding comes first: what is wrong with the source address shows there.
                let foreign = error.kind() == std::io::ErrorKind::AddrNotAvailable && !self.reached && source.is_some();
                let trouble = match source {
                    Some(source) if foreign => Trouble::NoSource(format!("{source} is no address of this machine")),
                    _ => Trouble::of_socket(&error, Stage::Dialing),
                };
                own.phase = Phase::Trying(now);
                return self.fail(slot, trouble, tally);
            }
        };
        let interests = Interest::READABLE | Interest::WRITABLE;
        if let Err(error) = self.poll.registry().register(&mut link.socket, Token(slot), interests) {
            return self.fail(slot, Trouble::of_socket(&error, Stage::Dialing), tally);
        }
        own.link = Some(Box::new(link));
        let deadline = self.deadline();
        self.slots[slot].phase = Phase::Trying(deadline);
        self.arm(slot, deadline);
    }

    /// Something has happened to a socket.
    ///
    /// `to_the_end`: a short read does not mean that it is drained: the end of the stream is behind it, or the last turn
    /// was not enough.
    pub(super) fn ready(&mut self, slot: usize, writable: bool, to_the_end: bool, tally: &mut Tally) {
        if let Err(trouble) = self.progress(slot, writable, to_the_end, tally) {
            self.fail(slot, trouble, tally);
        }
    }

    fn progress(&mut self, slot: usize, writable: bool, to_the_end: bool, tally: &mut Tally) -> Result<(), Trouble> {
        self.slots[slot].unread = false;
        let Some(link) = &mut self.slots[slot].link else { return Ok(()) };
        if link.state == LinkState::Dialing {
            match link.dialed() {
                Ok(false) => return Ok(()),
                Ok(true) => self.dialed(slot, tally)?,
                Err(error) => return Err(Trouble::of_socket(&error, Stage::Dialing)),
            }
        } else if writable {
            let stage = self.stage(slot);
            self.flush(slot, stage)?;
        }
        self.read(slot, to_the_end, tally)
    }

    /// TCP is there: TLS follows, or CONNECT.
    fn dialed(&mut self, slot: usize, tally: &mut Tally) -> Result<(), Trouble> {
        self.reached = true;
        let own = &mut self.slots[slot];
        let Some(link) = &mut own.link else { return Ok(()) };
        match (&self.handshakes[own.group], &self.plan.broker.server_name) {
            (Some(handshakes), Some(name)) => {
                let tls = ClientSession::connect(std::sync::Arc::clone(&handshakes.config), name.clone());
                let began = tls.and_then(|tls| link.secure(tls));
                began.map_err(|error| Trouble::of_tls(&error, &name.to_str()))?;
                self.flush(slot, Stage::Handshaking)
            }
            _ => {
                link.state = LinkState::Open;
                self.hello(slot, tally)
            }
        }
    }

    fn hello(&mut self, slot: usize, tally: &mut Tally) -> Result<(), Trouble> {
        self.act(slot, tally, |client, turn| client.connect(turn))?;
        self.queue(slot);
        self.flush(slot, Stage::Connecting)
    }

    /// Reads all that is there, within bounds, and handles it.
    fn read(&mut self, slot: usize, to_the_end: bool, tally: &mut Tally) -> Result<(), Trouble> {
        for _ in 0..READS_PER_TURN {
            let stage = self.stage(slot);
            let Some(link) = &mut self.slots[slot].link else { return Ok(()) };
            let Some(count) = link.read(&mut self.read).map_err(|error| Trouble::of_socket(&error, stage))? else {
                return Ok(());
            };
            self.handle(slot, count, tally)?;
            if count < self.read.len() && !to_the_end {
                return Ok(()); // drained
            }
        }
        if !self.slots[slot].unread {
            self.slots[slot].unread = true;
            self.unread.push(slot);
        }
        Ok(())
    }

    /// Handles the first `count` bytes that were read.
    fn handle(&mut self, slot: usize, count: usize, tally: &mut Tally) -> Result<(), Trouble> {
        let device = self.slots[slot].client.device;
        let own = &mut self.slots[slot];
        let Some(link) = &mut own.link else { return Ok(()) };
        let was_handshaking = link.state == LinkState::Handshaking;
        let handshakes = self.handshakes[own.group].as_ref().filter(|_| was_handshaking);
        if let Some(handshakes) = handshakes {
            handshakes.show(self.plan.index(device));
        }
        let mut plain = std::mem::take(&mut self.plain);
        plain.clear();
        let unwrapped = link.unwrap(&mut self.read[..count], &mut plain);
        let open = link.state == LinkState::Open;
        if let Some(problem) = handshakes.and_then(|handshakes| handshakes.problem()) {
            self.plain = plain;
            return Err(Trouble::Identity(problem));
        }
        let name = self.plan.broker.server_name.as_ref().map(|name| name.to_str().into_owned()).unwrap_or_default();
        let closed = match unwrapped {
            Ok(closed) => closed,
            Err(error) => {
                self.plain = plain;
                let _ = link.flush(); // our alert
                return Err(Trouble::of_tls(&error, &name));
            }
        };
        let handled = if was_handshaking && open { self.hello(slot, tally) } else { Ok(()) };
        let handled = handled.and_then(|()| self.packets(slot, &plain, tally));
        self.plain = plain;
        handled?;
        let stage = self.stage(slot);
        self.flush(slot, stage)?;
        let gone = self.slots[slot].link.is_none();
        if closed && !gone { Err(Trouble::Closed(stage)) } else { Ok(()) }
    }

    /// Handles the whole packets in what was read, then what they made possible.
    fn packets(&mut self, slot: usize, plain: &[u8], tally: &mut Tally) -> Result<(), Trouble> {
        if plain.is_empty() {
            return Ok(());
        }
        let version = Version::from(self.plan.groups[self.slots[slot].group].of.version);
        let malformed = |error: tidegate_mqtt::DecodeError| Trouble::Protocol(error.to_string());
        let Some(link) = &mut self.slots[slot].link else { return Ok(()) };
        let mut partial = std::mem::take(&mut link.partial);
        let mut packets = partial.packets(plain, PACKET_BYTES_MAX);
        while let Some(frame) = packets.next_packet().map_err(malformed)? {
            let packet = frame.decode(version, Peer::Server).map_err(malformed)?;
            match self.act(slot, tally, |client, turn| client.packet(&packet, turn))? {
                News::Nothing => {}
                news => self.hear(slot, news, tally),
            }
        }
        drop(packets);
        self.queue(slot);
        if let Some(link) = &mut self.slots[slot].link {
            link.partial = partial;
        }
        if self.slots[slot].phase == Phase::In {
            self.call(slot, tally);
        }
        Ok(())
    }

    /// Leaves what a client has written to be sent.
    pub(super) fn queue(&mut self, slot: usize) {
        if let Some(link) = &mut self.slots[slot].link
            && !self.out.is_empty()
        {
            // It fails when TLS has ended: the next read says so.
            let _ = link.send(&self.out);
        }
        self.out.clear();
    }

    /// Sends what a client has written.
    pub(super) fn send(&mut self, slot: usize, tally: &mut Tally) {
        self.queue(slot);
        let stage = self.stage(slot);
        if let Err(trouble) = self.flush(slot, stage) {
            self.fail(slot, trouble, tally);
        }
    }

    fn flush(&mut self, slot: usize, stage: Stage) -> Result<(), Trouble> {
        match &mut self.slots[slot].link {
            Some(link) => link.flush().map_err(|error| Trouble::of_socket(&error, stage)),
            None => Ok(()),
        }
    }
}
