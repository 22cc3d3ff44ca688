//! One core: a thread's share of the connections, served by one task that waits for nobody.
//!
//! A turn reads each ready socket once, decides, appends to outboxes; then writes each dirty outbox once; then looks at
//! the control lane and the wheel. Accepting, handshakes and CONNECT are ordinary tasks on the same thread, which hand
//! a socket over when its session is there.

mod allowance;
mod desk;
mod due;
mod output;
mod run;
mod slot;

use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use mio::{Events, event::Event};
use slab::Slab;
use tidegate_broker::{Broker, CloseReason, Link, LinkAddress};
use tidegate_ids::Clock;
use tidegate_logs::LogBook;
use tidegate_registry::Registry;
use tidegate_shadow::Shadows;
use tracing::error;

use crate::{
    CustomAuthentication,
    acceptor::Accepted,
    admission,
    connection_log::Client,
    half_open::HalfOpen,
    https::Bodies,
    journal::Tray,
    listener::Listener,
    mailbox::Mailbox,
    porters::Porters,
    signed::SignedIn,
    sys::{Sys, SysTopics},
    wheel::{TimerId, Wheel},
};
pub(crate) use desk::Desk;
use due::Due;
use output::Written;
pub(crate) use run::run;
pub(crate) use slot::Arrived;
use slot::Slot;

/// The token of a core's waker; all others are slot numbers.
pub(crate) const WAKER: mio::Token = mio::Token(usize::MAX);
/// Events taken from the kernel at once.
const EVENTS: usize = 1024;
/// How often core 0 asks the broker for what has expired, at least.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(1);
/// How long a closed connection may take to accept its last packet and close its side.
const LINGER: Duration = Duration::from_secs(2);

/// What all cores share.
pub(crate) struct Shared {
    pub(crate) broker: Arc<Broker>,
    pub(crate) registry: Registry,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) book: Arc<LogBook>,
    pub(crate) signed_in: Arc<SignedIn>,
    /// `None`: the broker keeps nothing durable.
    pub(crate) tray: Option<Arc<Tray>>,
    /// `None`: nobody serves shadows.
    pub(crate) shadows: Option<Arc<dyn Shadows>>,
    /// `None`: nobody is asked about clients without a certificate.
    pub(crate) custom_authentication: Option<CustomAuthentication>,
    /// Room for what is sent by HTTPS.
    pub(crate) bodies: Bodies,
    pub(crate) listeners: Vec<Listener>,
    pub(crate) half_open: Arc<HalfOpen>,
    pub(crate) mailboxes: Arc<[Mailbox<Control>]>,
    pub(crate) sys: Option<SysTopics>,
    pub(crate) connect_deadline: Duration,
    pub(crate) connect_bytes_max: usize,
}

/// What others tell a core.
pub(crate) enum Control {
    /// A new connection is its to serve.
    Accepted(Accepted),
    /// Close everything within `limit`, then end.
    Stop {
        /// Time for peers to take what is written to them.
        limit: Duration,
    },
}

/// What one who admits connections is given: the core, a connection, and its deadline.
type Arriving = (Rc<RefCell<Core>>, Accepted, TimerId);

/// The state of one core. Only its thread touches it; tasks borrow it between two awaits.
pub(crate) struct Core {
    pub(crate) desk: Desk,
    registry: mio::Registry,
    slots: Slab<Slot>,
    wheel: Wheel<Due>,
    porters: Rc<Porters<Arriving>>,
    /// Slots that have more to handle than their last turn allowed.
    unfinished: Vec<u32>,
    /// Slots that are not read from while the journal is behind.
    stalled: Vec<u32>,
    dirty: Vec<u32>,
    /// An empty list, so that the others can be gone through while they are added to.
    spare: Vec<u32>,
    due: Vec<Due>,
    /// On core 0 only.
    sys: Option<Sys>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    /// Told to stop; ends with the last slot.
    Stopping,
    Ended,
}

impl Core {
    fn new(id: u16, registry: mio::Registry, shared: Arc<Shared>) -> Self {
        let desk = Desk::new(id, shared);
        let mut wheel = Wheel::new(desk.now.monotonic);
        if id == 0 {
            wheel.arm(desk.now.monotonic + EXPIRY_INTERVAL, Due::Expiry);
        }
        let sys = desk.shared.sys.filter(|_| id == 0).map(|topics| Sys::new(topics, desk.now.monotonic));
        if sys.is_some() {
            wheel.arm(desk.now.monotonic, Due::Sys);
        }
        Self {
            desk,
            registry,
            slots: Slab::new(),
            wheel,
            porters: Porters::new(),
            unfinished: Vec::new(),
            stalled: Vec::new(),
            dirty: Vec::new(),
            spare: Vec::new(),
            due: Vec::new(),
            sys,
            state: State::Running,
        }
    }

    /// One turn of the core; see the head of this file.
    fn turn(this: &Rc<RefCell<Self>>, events: &Events) {
        let core = &mut *this.borrow_mut();
        core.desk.look_at_clock();
        if core.may_go_on() {
            std::mem::take(&mut core.stalled).into_iter().for_each(|slot| core.take_turn(slot));
        }
        // Taken before new ones are noted: whoever has more comes again after the others.
        let mut unfinished = std::mem::replace(&mut core.unfinished, std::mem::take(&mut core.spare));
        for event in events {
            if event.token() != WAKER {
                core.note(event);
            }
        }
        if !unfinished.is_empty() {
            // Those who say little have their answers before those who say much are heard again.
            core.write_dirty();
            unfinished.drain(..).for_each(|slot| core.take_turn(slot));
        }
        core.spare = unfinished;
        if core.desk.shared.mailboxes[usize::from(core.desk.id)].look() {
            core.desk.shared.broker.collect(core.desk.id, &mut core.dirty);
            core.take_control(this);
        }
        core.write_dirty();
        core.take_due();
        core.write_dirty();
        core.desk.tidy();
    }

    /// What the kernel says about a slot: the turn of one that is readable, a write for one that waits for room.
    fn note(&mut self, event: &Event) {
        let key = event.token().0;
        let Some(slot) = self.slots.get_mut(key) else { return };
        if event.is_writable() && !slot.unsent.is_empty() {
            self.dirty.push(key as u32);
        }
        slot.peer_closed |= event.is_read_closed() || event.is_error();
        // A slot that is unfinished has its turn in any case.
        if (event.is_readable() || slot.peer_closed) && !slot.is_unfinished() {
            self.take_turn(key as u32);
        }
    }

    /// Whether slots were stalled and the journal has caught up.
    fn may_go_on(&self) -> bool {
        !self.stalled.is_empty() && !self.desk.shared.broker.is_behind()
    }

    /// One turn of one slot; a panic in it costs that connection only. While the journal is behind, clients whose
    /// messages must become durable are not read from.
    fn take_turn(&mut self, key: u32) {
        let Some(slot) = self.slots.get_mut(key as usize) else { return };
        let fills = slot.link.as_ref().is_some_and(Link::fills_the_log);
        let stalls = fills && self.desk.shared.broker.is_behind();
        if stalls && !std::mem::replace(&mut slot.stalled, true) {
            self.stalled.push(key);
        }
        if stalls {
            return;
        }
        slot.stalled = false;
        self.attempt(key, |slot, desk| slot.take_turn(desk));
    }

    fn attempt(&mut self, key: u32, turn: impl FnOnce(&mut Slot, &mut Desk) -> Result<bool, CloseReason>) {
        let Some(slot) = self.slots.get_mut(key as usize) else { return };
        let desk = &mut self.desk;
        match catch_unwind(AssertUnwindSafe(|| turn(slot, desk))) {
            Ok(Ok(finished)) => {
                if std::mem::take(&mut slot.has_answer) {
                    self.dirty.push(key);
                }
                if let Some(until) = slot.paused_until.take() {
                    self.wheel.arm(until, Due::Resume(key));
                }
                if !finished {
                    self.unfinished.push(key);
                }
            }
            Ok(Err(reason)) => self.close(key, reason),
            Err(_) => self.give_up_on(key),
        }
    }

    /// Writes the output of all dirty slots, those of the effects so far included. What this brings forth in turn, such
    /// as Wills, is written too, within reason; the rest makes the core busy.
    fn write_dirty(&mut self) {
        for _ in 0..4 {
            self.desk.hand_over();
            self.desk.effects.take_dirty(&mut self.dirty);
            if self.dirty.is_empty() {
                return self.desk.hand_to_journal();
            }
            let mut dirty = std::mem::replace(&mut self.dirty, std::mem::take(&mut self.spare));
            dirty.drain(..).for_each(|slot| self.write(slot));
            self.spare = dirty;
        }
        self.desk.hand_over();
        self.desk.effects.take_dirty(&mut self.dirty);
        self.desk.hand_to_journal();
    }

    fn write(&mut self, key: u32) {
        let Some(slot) = self.slots.get_mut(key as usize) else { return };
        if slot.link.is_none() {
            if slot.finish().is_err() {
                self.remove(key);
            }
            return;
        }
        let desk = &mut self.desk;
        match catch_unwind(AssertUnwindSafe(|| slot.write(desk))) {
            Ok(Ok(Written::All | Written::Blocked)) => {}
            Ok(Ok(Written::More)) => self.dirty.push(key),
            Ok(Ok(Written::Later(at))) => {
                if !std::mem::replace(&mut slot.has_turn, true) {
                    self.wheel.arm(at, Due::Write(key));
                }
            }
            Ok(Ok(Written::Ended(reason))) => self.close(key, reason),
            Ok(Err(_)) => self.read_to_the_end(key),
            Err(_) => self.give_up_on(key),
        }
    }

    /// A socket cannot be written to any more. What the client sent before it went, a DISCONNECT perhaps, still counts.
    fn read_to_the_end(&mut self, key: u32) {
        let Some(slot) = self.slots.get_mut(key as usize) else { return };
        slot.peer_closed = true;
        if slot.is_unfinished() {
            return;
        }
        self.take_turn(key);
        if self.slots.get(key as usize).is_some_and(|slot| slot.link.is_some() && !slot.is_unfinished()) {
            self.close(key, CloseReason::ConnectionLost);
        }
    }

    /// Ends a slot's session, then the slot: at once when the client is gone or wants to go, else when it has taken its
    /// last packet and closed its side, or after a while.
    ///
    /// Closing at once could reach the client as a reset, which throws away what it has not read.
    fn close(&mut self, key: u32, reason: CloseReason) {
        let Some(slot) = self.slots.get_mut(key as usize) else { return };
        let lingers = slot.link.is_some() && reason.disconnect_code().is_some() && !slot.peer_closed;
        let desk = &mut self.desk;
        if catch_unwind(AssertUnwindSafe(|| slot.end_session(reason, desk))).is_err() {
            return self.give_up_on(key);
        }
        let finished = if lingers || !slot.unsent.is_empty() { slot.finish() } else { Ok(true) };
        if !lingers || finished.is_err() {
            return self.remove(key);
        }
        slot.timer.take().map(|timer| self.wheel.cancel(timer));
        slot.timer = Some(self.wheel.arm(self.desk.now.monotonic + LINGER, Due::Slot(key)));
    }

    /// Drops a connection whose handling panicked; the panic's own message is on standard error.
    fn give_up_on(&mut self, key: u32) {
        error!(
            core = self.desk.id,
            slot = key,
            "a connection was dropped because handling it panicked: please report it"
        );
        self.desk.mend();
        let Some(slot) = self.slots.get_mut(key as usize) else { return };
        let desk = &mut self.desk;
        if catch_unwind(AssertUnwindSafe(|| slot.end_session(CloseReason::ServerError, desk))).is_err() {
            error!(core = desk.id, slot = key, "its session could not be ended either");
        }
        self.remove(key);
    }

    fn remove(&mut self, key: u32) {
        // Closing the socket takes it out of the poll.
        if let Some(slot) = self.slots.try_remove(key as usize)
            && let Some(timer) = slot.timer
        {
            self.wheel.cancel(timer);
        }
    }

    fn take_control(&mut self, this: &Rc<RefCell<Self>>) {
        while let Some(control) = {
            let mailboxes = &self.desk.shared.mailboxes;
            mailboxes[usize::from(self.desk.id)].receive()
        } {
            match control {
                Control::Accepted(_) if self.state != State::Running => {}
                Control::Accepted(accepted) => {
                    let deadline = self.desk.now.monotonic + self.desk.shared.connect_deadline;
                    let timer = self.wheel.arm(deadline, Due::HalfOpen(accepted.place.arrival()));
                    let admit = |(core, accepted, timer)| admission::admit(core, accepted, timer);
                    self.porters.hand((this.clone(), accepted, timer), admit);
                }
                Control::Stop { limit } => self.stop(limit),
            }
        }
    }

    fn stop(&mut self, limit: Duration) {
        self.state = State::Stopping;
        self.wheel.arm(self.desk.now.monotonic + limit, Due::Stop);
        let keys: Vec<_> = self.slots.iter().map(|(key, _)| key as u32).collect();
        for key in keys {
            // What was routed to it comes before its DISCONNECT.
            self.write(key);
            self.close(key, CloseReason::ServerShuttingDown);
        }
    }

    /// Does something outside a turn, and carries out what follows from it.
    pub(crate) fn act(&mut self, act: impl FnOnce(&mut Desk)) {
        self.desk.look_at_clock();
        act(&mut self.desk);
        self.write_dirty();
        self.come_again();
    }

    /// Sees to it that a turn follows, when something was left for it outside of a turn.
    fn come_again(&self) {
        if self.outlook().busy {
            self.desk.shared.mailboxes[usize::from(self.desk.id)].signal();
        }
    }

    /// Cancels the deadline of a connection that is not half open any more.
    pub(crate) fn cancel(&mut self, timer: TimerId) {
        self.wheel.cancel(timer);
    }

    /// Makes a connection a slot. `connect` gives it a session, which is told the slot's address; when it refuses, the
    /// connection comes back.
    ///
    /// `early` is what came in the same bytes as the CONNECT, behind it.
    pub(crate) fn establish<E>(
        &mut self,
        arrived: Arrived,
        early: &[u8],
        connect: impl FnOnce(&mut Desk, LinkAddress) -> Result<Link, E>,
    ) -> Result<(), (E, Box<Arrived>)> {
        self.desk.look_at_clock();
        let entry = self.slots.vacant_entry();
        let key = entry.key() as u32;
        let address = LinkAddress { core: self.desk.id, slot: key };
        let link = match connect(&mut self.desk, address) {
            Ok(link) => link,
            Err(error) => return Err((error, Box::new(arrived))),
        };
        self.desk.scribe().connected(&Client::of(&link));
        let now = self.desk.now.monotonic;
        let slot = entry.insert(Slot::new(arrived, link, now));
        slot.timer = slot.deadline(now).map(|(end, _)| self.wheel.arm(end, Due::Slot(key)));
        let interests = mio::Interest::READABLE | mio::Interest::WRITABLE;
        match self.registry.register(&mut slot.socket, mio::Token(key as usize), interests) {
            Ok(()) if self.state != State::Running => self.close(key, CloseReason::ServerShuttingDown),
            Ok(()) => self.attempt(key, |slot, desk| slot.handle_early(early, desk)),
            Err(_) => self.close(key, CloseReason::ServerError),
        }
        self.write_dirty();
        self.come_again();
        Ok(())
    }
}
