//! Many MQTT clients of one server: connect them, subscribe for them, let them go.

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    time::Duration,
};

use anyhow::{Result, ensure};

use super::{
    Tls,
    codec::{self, Packet},
    engine::{Connections, Engine, Handler, now},
    window::{Measured, Window},
};

/// What is measured.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// `None`: plain TCP.
    pub(crate) tls: Option<Tls>,
    pub(crate) pid: u32,
}

/// Clients of one server. Their ids begin with `prefix`.
pub(crate) struct Clients {
    pub(super) engine: Engine,
    pub(super) server: Server,
    pub(super) prefix: String,
    pub(super) clean_session: bool,
}

/// How a connect phase went: everybody is connected.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Connected {
    pub(crate) count: usize,
    pub(crate) resumed: usize,
    pub(crate) measured: Measured,
}

/// Handshakes in flight at a time.
const PARALLEL: usize = 64;
/// How long a CONNACK may take.
const CONNECT_PATIENCE_NS: u64 = 20_000_000_000;
/// How long a SUBACK may take.
const SUBACK_PATIENCE_NS: u64 = 30_000_000_000;
/// Filters in one SUBSCRIBE: AWS's limit.
const FILTERS_PER_SUBSCRIBE: usize = 8;

impl Clients {
    pub(crate) fn new(server: Server, prefix: &str) -> Result<Self> {
        Ok(Self { engine: Engine::new()?, server, prefix: prefix.to_owned(), clean_session: true })
    }

    /// The same, with sessions that outlive their connections.
    pub(crate) fn persistent(self) -> Self {
        Self { clean_session: false, ..self }
    }

    /// Connects clients `first` to `first + count`, exclusive; with `churn`, each goes as soon as it is accepted.
    pub(crate) fn connect(&mut self, first: usize, count: usize, churn: bool) -> Result<Connected> {
        let window = Window::open(self.server.pid)?;
        let mut arrivals = Arrivals::new(first, count);
        let mut started = 0;
        let mut waiting: VecDeque<(usize, u64)> = VecDeque::new();
        while started < count || arrivals.in_flight > 0 {
            while started < count && arrivals.in_flight < PARALLEL {
                let which = first + started;
                started += 1;
                self.begin(which)?;
                arrivals.pending[which - first] = true;
                arrivals.in_flight += 1;
                waiting.push_back((which, now()));
            }
            self.engine.turn(&mut arrivals, Duration::from_millis(100))?;
            if churn {
                self.leave(std::mem::take(&mut arrivals.accepted));
            }
            while let Some(&(which, since)) = waiting.front() {
                if arrivals.pending[which - first] {
                    ensure!(now() - since < CONNECT_PATIENCE_NS, "no CONNACK in 20 s");
                    break;
                }
                waiting.pop_front();
            }
        }
        ensure!(arrivals.failed.is_empty(), "not everybody could connect: {:?}", arrivals.failed);
        Ok(Connected { count, resumed: arrivals.resumed, measured: window.close()? })
    }

    fn begin(&mut self, which: usize) -> Result<()> {
        let tls = self.server.tls.as_ref().map(|tls| tls.of(which));
        self.engine.all.open(which, self.server.address, tls)?;
        let out = self.engine.all.out(which).expect("it was opened");
        codec::put_connect(out, &format!("{}-{which}", self.prefix), self.clean_session);
        Ok(())
    }

    fn leave(&mut self, whom: Vec<usize>) {
        for &which in &whom {
            if let Some(out) = self.engine.all.out(which) {
                out.extend_from_slice(&codec::DISCONNECT);
            }
        }
        self.engine.flush(&mut Nobody);
        whom.into_iter().for_each(|which| self.engine.all.close(which));
    }

    /// Everybody goes.
    pub(crate) fn disconnect(&mut self) {
        self.leave((0..self.engine.all.len()).collect());
    }

    /// Subscribes client by client to its list of filters; all at the same time, each with one SUBSCRIBE on its way.
    pub(super) fn subscribe(&mut self, lists: Vec<(usize, Vec<String>)>, qos: u8) -> Result<Measured> {
        let window = Window::open(self.server.pid)?;
        let mut plan = Subscriptions { left: lists.len(), wrong: Vec::new(), qos, lists: BTreeMap::new() };
        for (which, filters) in lists {
            plan.lists.insert(which, (filters, 0));
            plan.go_on(&mut self.engine.all, which);
        }
        let (mut seen, mut since) = (plan.progress(), now());
        while plan.left > 0 && plan.wrong.is_empty() {
            self.engine.turn(&mut plan, Duration::from_millis(100))?;
            if plan.progress() != seen {
                (seen, since) = (plan.progress(), now());
            }
            ensure!(now() - since < SUBACK_PATIENCE_NS, "no SUBACK in 30 s");
        }
        ensure!(plan.wrong.is_empty(), "subscribing: {}", plan.wrong[0]);
        window.close()
    }
}

struct Arrivals {
    first: usize,
    pending: Vec<bool>,
    in_flight: usize,
    resumed: usize,
    accepted: Vec<usize>,
    failed: BTreeMap<String, usize>,
}

impl Arrivals {
    fn new(first: usize, count: usize) -> Self {
        let pending = vec![false; count];
        Self { first, pending, in_flight: 0, resumed: 0, accepted: Vec::new(), failed: BTreeMap::new() }
    }

    /// Whether it was waited for.
    fn settle(&mut self, which: usize) -> bool {
        let pending = which.checked_sub(self.first).and_then(|at| self.pending.get_mut(at));
        let was_pending = pending.is_some_and(std::mem::take);
        self.in_flight -= usize::from(was_pending);
        was_pending
    }
}

impl Handler for Arrivals {
    fn packet(&mut self, all: &mut Connections, from: usize, packet: Packet<'_>, _now: u64) {
        let Packet::ConnAck { code } = packet else { return };
        if self.settle(from) {
            if code == 0 {
                self.resumed += usize::from(all.is_resumed(from));
                self.accepted.push(from);
            } else {
                *self.failed.entry(format!("CONNACK {code}")).or_default() += 1;
            }
        }
    }

    fn closed(&mut self, _: &mut Connections, which: usize, why: &str) {
        if self.settle(which) {
            *self.failed.entry(why.to_owned()).or_default() += 1;
        }
    }
}

struct Subscriptions {
    left: usize,
    wrong: Vec<String>,
    qos: u8,
    /// What each client subscribes to, and how far it is.
    lists: BTreeMap<usize, (Vec<String>, usize)>,
}

impl Subscriptions {
    fn go_on(&mut self, all: &mut Connections, which: usize) {
        let Some((filters, at)) = self.lists.get_mut(&which) else { return };
        if *at >= filters.len() {
            self.left -= 1;
            return;
        }
        let end = (*at + FILTERS_PER_SUBSCRIBE).min(filters.len());
        if let Some(out) = all.out(which) {
            codec::put_subscribe(out, (end % 60_000 + 1) as u16, &filters[*at..end], self.qos);
        }
        *at = end;
    }

    fn progress(&self) -> usize {
        self.lists.values().map(|(_, at)| at).sum::<usize>() + self.left
    }
}

impl Handler for Subscriptions {
    fn packet(&mut self, all: &mut Connections, from: usize, packet: Packet<'_>, _now: u64) {
        if let Packet::SubAck(codes) = packet {
            self.wrong.extend(codes.iter().find(|code| **code > 2).map(|code| format!("SUBACK {code:#x}")));
            self.go_on(all, from);
        }
    }

    fn closed(&mut self, _: &mut Connections, which: usize, why: &str) {
        self.wrong.push(format!("connection {which}: {why}"));
    }
}

/// Handles nothing.
pub(super) struct Nobody;

impl Handler for Nobody {
    fn packet(&mut self, _: &mut Connections, _: usize, _: Packet<'_>, _: u64) {}
    fn closed(&mut self, _: &mut Connections, _: usize, _: &str) {}
}
