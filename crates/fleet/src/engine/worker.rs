//! One thread and its devices.

mod connection;
mod life;

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Instant,
};

use mio::{Events, Poll, Token, Waker};
use parking_lot::Mutex;

use super::{
    agenda::Agenda,
    handshakes::{Handshakes, Trust},
    slot::{Phase, Slot},
    timer::Timer,
};
use crate::{
    FleetError,
    client::{Client, Turn},
    plan::Plan,
    tally::Tally,
};

const WAKER: Token = Token(usize::MAX - 1);
const TIMER: Token = Token(usize::MAX - 2);
/// What is read at once, in bytes.
const READ_BYTES: usize = 64 * 1024;
/// Devices that are called for by the agenda before sockets are looked at.
const DUE_PER_TURN: usize = 256;

/// What all workers are told, in this order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Command {
    /// All devices have been in: churn begins.
    Steady,
    /// The storm with this number.
    Storm(usize),
    /// Nothing is published that is due later.
    Drain(u64),
    /// The run is over: count what is left.
    Conclude,
    /// Every worker has: judge what has come.
    Judge,
    /// Leave and end.
    Leave,
}

/// Where a worker is spoken to, and what it says.
pub(crate) struct Mailbox {
    commands: Mutex<Vec<Command>>,
    waker: Waker,
    /// What it has counted. It holds the lock while it works, and never while it waits.
    pub(crate) tally: Mutex<Tally>,
    /// How many commands it has carried out.
    done: AtomicU32,
    /// Devices that still have something to do; looked at while it drains.
    unfinished: AtomicU32,
}

impl Mailbox {
    /// Tells the worker.
    pub(crate) fn tell(&self, command: Command) {
        self.commands.lock().push(command);
        // A worker that cannot be woken looks by itself, a little later.
        let _ = self.waker.wake();
    }

    /// How many commands it has carried out.
    pub(crate) fn done(&self) -> u32 {
        self.done.load(Ordering::Acquire)
    }

    /// How many devices still have something to do.
    pub(crate) fn unfinished(&self) -> u32 {
        self.unfinished.load(Ordering::Acquire)
    }
}

/// Told of devices that were refused after CONNECT and have never been in.
pub type OnRefused = Arc<dyn Fn(u32) + Send + Sync>;

/// One thread and its devices.
pub(crate) struct Worker {
    plan: Arc<Plan>,
    epoch: Instant,
    mailbox: Arc<Mailbox>,
    on_refused: Option<OnRefused>,
    poll: Poll,
    timer: Timer,
    agenda: Agenda,
    slots: Vec<Slot>,
    handshakes: Vec<Option<Handshakes>>,
    /// Devices with more to read than one turn takes.
    unread: Vec<usize>,
    until: u64,
    steady: bool,
    /// Whether any TCP connection has ever come to be.
    reached: bool,
    leaving: bool,
    read: Vec<u8>,
    plain: Vec<u8>,
    out: Vec<u8>,
    scratch: Vec<u8>,
}

impl Worker {
    /// The worker of every `step`-th device from `first` on.
    pub(crate) fn new(
        plan: Arc<Plan>,
        trust: Option<&Trust>,
        epoch: Instant,
        first: u32,
        step: u32,
        on_refused: Option<OnRefused>,
    ) -> Result<(Self, Arc<Mailbox>), FleetError> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        let timer = Timer::new(poll.registry(), TIMER)?;
        let mailbox = Arc::new(Mailbox {
            commands: Mutex::default(),
            waker,
            tally: Mutex::default(),
            done: AtomicU32::new(0),
            unfinished: AtomicU32::new(u32::MAX),
        });
        let of_group = |group: &crate::plan::GroupPlan| match trust {
            Some(trust) => trust.handshakes(group.identities.clone()).map(Some),
            None => Ok(None),
        };
        let handshakes = plan.groups.iter().map(of_group).collect::<Result<_, _>>()?;
        let mut worker = Self {
            epoch,
            mailbox: Arc::clone(&mailbox),
            on_refused,
            poll,
            timer,
            agenda: Agenda::default(),
            slots: Vec::new(),
            handshakes,
            unread: Vec::new(),
            until: u64::MAX,
            steady: false,
            reached: false,
            leaving: false,
            read: vec![0; READ_BYTES],
            plain: Vec::new(),
            out: Vec::new(),
            scratch: Vec::new(),
            plan,
        };
        for device in (first..worker.plan.devices()).step_by(step as usize) {
            worker.admit(device);
        }
        Ok((worker, mailbox))
    }

    fn admit(&mut self, device: u32) {
        let number = self.plan.group_of(device);
        let group = &self.plan.groups[number];
        let after = group.of.connect.due_micros(u64::from(device - group.first_device));
        let connect_at = group.of.start.micros().saturating_add(after);
        let at = self.slots.len();
        self.slots.push(Slot::new(Client::new(device, &self.plan), number, connect_at));
        self.arm(at, connect_at);
    }

    fn now(&self) -> u64 {
        self.epoch.elapsed().as_micros().try_into().unwrap_or(u64::MAX)
    }

    /// Calls for a device at `at`, unless it is called for before.
    fn arm(&mut self, slot: usize, at: u64) {
        if at < self.slots[slot].armed {
            self.slots[slot].armed = at;
            self.agenda.add(at, slot as u32); // fewer slots than devices, which are counted in 32 bits
        }
    }

    /// Works until it is told to leave.
    pub(crate) fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        let mailbox = Arc::clone(&self.mailbox);
        while !self.leaving {
            let now = self.now();
            let next = self.agenda.next();
            let idle = self.unread.is_empty() && next.is_none_or(|at| at > now);
            if idle {
                self.timer.set(next, now)?;
            }
            let timeout = if idle { None } else { Some(std::time::Duration::ZERO) };
            match self.poll.poll(&mut events, timeout) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                polled => polled?,
            }
            let mut tally = mailbox.tally.lock();
            for event in &events {
                match event.token() {
                    TIMER => {}
                    WAKER => self.obey(&mut tally),
                    Token(slot) => self.ready(slot, event.is_writable(), event.is_read_closed(), &mut tally),
                }
            }
            for slot in std::mem::take(&mut self.unread) {
                self.ready(slot, false, true, &mut tally);
            }
            for _ in 0..DUE_PER_TURN {
                let Some((at, slot)) = self.agenda.due(self.now()) else { break };
                let slot = slot as usize;
                if self.slots[slot].armed == at {
                    self.slots[slot].armed = u64::MAX;
                    self.call(slot, &mut tally);
                }
            }
        }
        Ok(())
    }

    fn obey(&mut self, tally: &mut Tally) {
        let commands = std::mem::take(&mut *self.mailbox.commands.lock());
        for command in commands {
            match command {
                Command::Steady => self.begin_churn(),
                Command::Storm(number) => self.storm(number, tally),
                Command::Drain(until) => {
                    self.until = until;
                    self.look_for_unfinished();
                    continue; // it is asked again and again: no step of its own
                }
                Command::Conclude => {
                    for slot in &mut self.slots {
                        slot.client.conclude(&self.plan, self.until, tally);
                    }
                }
                Command::Judge => self.slots.iter_mut().for_each(|slot| slot.client.judge(&self.plan, tally)),
                Command::Leave => self.leave(tally),
            }
            self.mailbox.done.fetch_add(1, Ordering::AcqRel);
        }
    }

    fn look_for_unfinished(&mut self) {
        let done = |slot: &&Slot| slot.phase != Phase::Finished && !slot.client.is_done(&self.plan, self.until);
        let unfinished = self.slots.iter().filter(done).count();
        self.mailbox.unfinished.store(unfinished as u32, Ordering::Release);
    }

    /// Lets a client act at this moment, and leaves what it writes to be sent.
    fn act<R>(&mut self, slot: usize, tally: &mut Tally, act: impl FnOnce(&mut Client, &mut Turn<'_>) -> R) -> R {
        let now = self.now();
        let mut turn =
            Turn { now, until: self.until, plan: &self.plan, tally, out: &mut self.out, scratch: &mut self.scratch };
        act(&mut self.slots[slot].client, &mut turn)
    }
}
