//! A run from the first connection to the verdict.
//!
//! ```text
//!   ramp: devices come in ─▶ steady: churn, storms, for `duration` ─▶ settle: nothing new, what is on its way arrives
//!     └─ nobody is let in: it ends here, with the reason ─▶ ✗            ─▶ conclude ─▶ judge ─▶ leave
//! ```

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use tidegate_ids::Timestamp;

use crate::{
    FleetError, Report,
    engine::{Command, Mailbox, OnRefused, Trust, Worker},
    plan::{OTHER_DESCRIPTORS, Plan},
    scenario::Scenario,
    tally::Tally,
};

/// How often the conductor looks.
const LOOK: Duration = Duration::from_millis(50);
/// How long workers may take to carry out a command.
const PATIENCE: Duration = Duration::from_secs(120);
/// Devices that are worth a thread of their own.
const DEVICES_PER_THREAD: u32 = 500;

/// What a run needs besides its scenario.
pub struct Settings<'a> {
    /// The time, for `{{now}}`.
    pub now: Timestamp,
    /// Sets this run apart from all others.
    pub run: u32,
    /// What neither the scenario nor the command line says.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    /// Is told each time a device that has never been in is refused after CONNECT.
    pub on_refused: Option<OnRefused>,
}

/// A run that has begun.
pub struct Run {
    plan: Arc<Plan>,
    mailboxes: Vec<Arc<Mailbox>>,
    threads: Vec<JoinHandle<std::io::Result<()>>>,
    epoch: Instant,
    commands: u32,
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// Since the start.
    pub elapsed: Duration,
    /// `ramp`, `steady` or `settle`.
    pub phase: &'static str,
    /// How many devices there are.
    pub devices: u64,
    /// How many are in.
    pub connected: u64,
    /// Attempts that the broker refused.
    pub refused: u64,
    /// Attempts that failed otherwise, and connections that were lost.
    pub lost: u64,
    /// Messages published.
    pub sent: u64,
    /// Those of QoS 1 and 2 that the broker took.
    pub acked: u64,
    /// Messages that came.
    pub received: u64,
    /// Median latency since the last figures, in microseconds.
    pub p50: Option<u64>,
    /// The latency that 99 of 100 did not exceed.
    pub p99: Option<u64>,
}

/// How many devices fit into this process, after its limit of descriptors has been raised as far as it goes.
///
/// # Errors
/// [`FleetError::Descriptors`] when `devices` do not.
pub fn fit(devices: u64) -> Result<u64, FleetError> {
    let limit = rlimit::increase_nofile_limit(u64::MAX)?;
    let fit = limit.saturating_sub(OTHER_DESCRIPTORS);
    if devices > fit { Err(FleetError::Descriptors { devices, limit, fit }) } else { Ok(fit) }
}

impl Run {
    /// Makes everything ready, and lets the first devices connect.
    pub fn start(scenario: Scenario, settings: Settings<'_>) -> Result<Self, FleetError> {
        let plan = Arc::new(Plan::new(scenario, settings.run, settings.now.millis(), settings.environment)?);
        fit(plan.devices().into())?;
        let trust = plan.broker.server_name.as_ref().map(|_| Trust::new(&plan.broker)).transpose()?;
        let cores = thread::available_parallelism().map_or(1, |cores| cores.get() as u32);
        let worth = plan.devices().div_ceil(DEVICES_PER_THREAD).clamp(1, cores);
        let count = plan.scenario.threads.map_or(worth, u32::from);
        let epoch = Instant::now();
        let mut workers = Vec::new();
        for first in 0..count {
            let on_refused = settings.on_refused.clone();
            workers.push(Worker::new(Arc::clone(&plan), trust.as_ref(), epoch, first, count, on_refused)?);
        }
        let (mut mailboxes, mut threads) = (Vec::new(), Vec::new());
        for (worker, mailbox) in workers {
            mailboxes.push(mailbox);
            threads.push(thread::Builder::new().name("fleet".into()).spawn(move || worker.run())?);
        }
        Ok(Self { plan, mailboxes, threads, epoch, commands: 0 })
    }

    /// Carries the run to its end; `watch` sees figures every `interval`. With `stop` it ends early, and is judged.
    ///
    /// # Errors
    /// [`FleetError::Hopeless`] when no device is let in, or none ever will be.
    pub fn conduct(
        mut self,
        stop: &AtomicBool,
        interval: Duration,
        mut watch: impl FnMut(&Figures),
    ) -> Result<Report, FleetError> {
        let mut pulse = Pulse { interval, last: Instant::now(), watch: &mut watch };
        let began = self.ramp(stop, &mut pulse);
        let total = self.total();
        if total.hopeless.is_some() || total.arrived == 0 {
            self.leave()?;
            return Err(FleetError::Hopeless(Report::why_nobody(&self.plan, &total)));
        }
        self.tell(&Command::Steady);
        self.steady(stop, &mut pulse);
        self.settle(&mut pulse);
        self.tell_and_wait(&Command::Conclude);
        self.tell_and_wait(&Command::Judge);
        let total = self.total();
        let lasted = self.epoch.elapsed();
        self.leave()?;
        Ok(Report::new(self.plan, total, began, lasted))
    }

    /// Until every device has been in, or has given up; how long that took.
    fn ramp(&self, stop: &AtomicBool, pulse: &mut Pulse<'_>) -> Duration {
        let limit = self.plan.scenario.ramp.0;
        loop {
            let (mut settled, mut hopeless) = (0, false);
            for mailbox in &self.mailboxes {
                let tally = mailbox.tally.lock();
                settled += tally.arrived + tally.given_up;
                hopeless |= tally.hopeless.is_some();
            }
            let all = settled >= u64::from(self.plan.devices());
            if all || hopeless || stop.load(Ordering::Relaxed) || self.epoch.elapsed() > limit {
                return self.epoch.elapsed();
            }
            thread::sleep(LOOK);
            pulse.beat("ramp", self);
        }
    }

    fn steady(&mut self, stop: &AtomicBool, pulse: &mut Pulse<'_>) {
        let began = Instant::now();
        let mut storms: Vec<(Duration, usize)> =
            self.plan.scenario.storms.iter().enumerate().map(|(number, storm)| (storm.at.0, number)).collect();
        storms.sort_unstable();
        let mut storms = storms.into_iter().peekable();
        while began.elapsed() < self.plan.scenario.duration.0 && !stop.load(Ordering::Relaxed) {
            while let Some((_, number)) = storms.next_if(|(at, _)| began.elapsed() >= *at) {
                self.tell(&Command::Storm(number));
            }
            thread::sleep(LOOK.min(self.plan.scenario.duration.0.saturating_sub(began.elapsed())));
            pulse.beat("steady", self);
        }
    }

    /// Nothing new is published; what is on its way arrives, or the time for it is over.
    fn settle(&mut self, pulse: &mut Pulse<'_>) {
        let began = Instant::now();
        let until = self.epoch.elapsed().as_micros().try_into().unwrap_or(u64::MAX);
        // Asked before this moment, they have not looked.
        self.mailboxes.iter().for_each(|mailbox| mailbox.tell(Command::Drain(until)));
        while began.elapsed() < self.plan.scenario.settle.0 {
            thread::sleep(LOOK);
            pulse.beat("settle", self);
            if self.mailboxes.iter().all(|mailbox| mailbox.unfinished() == 0) {
                return;
            }
            self.mailboxes.iter().for_each(|mailbox| mailbox.tell(Command::Drain(until)));
        }
    }

    fn tell(&mut self, command: &Command) {
        self.commands += 1;
        self.mailboxes.iter().for_each(|mailbox| mailbox.tell(command.clone()));
    }

    fn tell_and_wait(&mut self, command: &Command) {
        self.tell(command);
        let since = Instant::now();
        while self.mailboxes.iter().any(|mailbox| mailbox.done() < self.commands) && since.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn leave(&mut self) -> Result<(), FleetError> {
        self.tell(&Command::Leave);
        for thread in self.threads.drain(..) {
            thread.join().map_err(|_| FleetError::Certificate("a thread of the fleet has died".into()))??;
        }
        Ok(())
    }

    fn total(&self) -> Tally {
        let mut total = Tally::default();
        self.mailboxes.iter().for_each(|mailbox| total.add(&mailbox.tally.lock()));
        total
    }

    fn figures(&self, phase: &'static str) -> Figures {
        let mut total = Tally::default();
        for mailbox in &self.mailboxes {
            let mut tally = mailbox.tally.lock();
            for (sum, part) in total.sent.iter_mut().zip(tally.sent) {
                *sum += part;
            }
            total.connected += tally.connected;
            total.refused += tally.refused;
            total.lost += tally.lost + tally.failed;
            total.acked += tally.acked;
            total.received += tally.received;
            total.recent.add(&std::mem::take(&mut tally.recent));
        }
        Figures {
            elapsed: self.epoch.elapsed(),
            phase,
            devices: self.plan.devices().into(),
            connected: total.connected,
            refused: total.refused,
            lost: total.lost,
            sent: total.sent.iter().sum(),
            acked: total.acked,
            received: total.received,
            p50: total.recent.quantile(0.5),
            p99: total.recent.quantile(0.99),
        }
    }
}

/// Calls `watch` now and then.
struct Pulse<'a> {
    interval: Duration,
    last: Instant,
    watch: &'a mut dyn FnMut(&Figures),
}

impl Pulse<'_> {
    fn beat(&mut self, phase: &'static str, run: &Run) {
        if self.last.elapsed() >= self.interval {
            self.last += self.interval;
            (self.watch)(&run.figures(phase));
        }
    }
}
