//! When devices connect, leave and come back.

use super::Worker;
use crate::{
    client::News,
    engine::slot::{ALERTS_MAX, Phase},
    random::Random,
    tally::Tally,
    trouble::{Stage, Trouble},
};

/// How long an attempt may take, in microseconds.
const ATTEMPT_PATIENCE: u64 = 30_000_000;
/// Bytes that may wait for the socket before a device publishes more.
const UNSENT_BYTES_MAX: usize = 256 * 1024;
/// When a device that waits for its socket looks again, in microseconds.
const LOOK_AGAIN: u64 = 10_000;

/// What chance is drawn for.
const CHURN: u64 = 2;
const STORM: u64 = 3;
const RETRY: u64 = 4;

impl Worker {
    /// A device has called for itself.
    pub(super) fn call(&mut self, slot: usize, tally: &mut Tally) {
        let now = self.now();
        match self.slots[slot].phase {
            Phase::Waiting(at) if now >= at => self.dial(slot, tally),
            Phase::Trying(deadline) if now >= deadline => {
                let stage = self.stage(slot);
                self.fail(slot, Trouble::Late(stage), tally);
            }
            Phase::In if now >= self.slots[slot].churn_at => {
                let churn = self.plan.groups[self.slots[slot].group].of.churn;
                let (pause, abrupt) = churn.map_or((0, false), |churn| (churn.pause.micros(), churn.abrupt));
                self.part(slot, now + pause, abrupt, tally);
            }
            Phase::In => self.work(slot, tally),
            Phase::Waiting(at) | Phase::Trying(at) => self.arm(slot, at),
            Phase::Finished => {}
        }
    }

    /// A device does what is due.
    fn work(&mut self, slot: usize, tally: &mut Tally) {
        let unsent = self.slots[slot].link.as_ref().map_or(0, |link| link.unsent_bytes());
        if unsent > UNSENT_BYTES_MAX {
            let now = self.now();
            return self.arm(slot, now + LOOK_AGAIN);
        }
        match self.act(slot, tally, |client, turn| client.wake(turn)) {
            Ok(next) => {
                self.send(slot, tally);
                if self.slots[slot].phase == Phase::In {
                    let churn_at = self.slots[slot].churn_at;
                    self.arm(slot, next.min(churn_at));
                }
            }
            Err(trouble) => self.fail(slot, trouble, tally),
        }
    }

    /// What a packet has changed.
    pub(super) fn hear(&mut self, slot: usize, news: News, tally: &mut Tally) {
        let now = self.now();
        match news {
            News::Nothing => {}
            News::Connected => tally.connect.record(now - self.slots[slot].began),
            News::Both => {
                self.hear(slot, News::Connected, tally);
                self.hear(slot, News::Works, tally);
            }
            News::Works => {
                let first = self.slots[slot].first_attempt.unwrap_or(now);
                tally.connected += 1;
                self.slots[slot].phase = Phase::In;
                (self.slots[slot].failures, self.slots[slot].alerts) = (0, 0);
                if !self.slots[slot].client.was_live {
                    tally.arrived += 1;
                    tally.working.record(now - first);
                    self.act(slot, tally, |client, turn| client.begin(turn));
                }
                if self.steady {
                    self.plan_churn(slot);
                }
            }
        }
    }

    /// An attempt, or a connection, has ended by itself: count it, and try again later.
    pub(super) fn fail(&mut self, slot: usize, trouble: Trouble, tally: &mut Tally) {
        let now = self.now();
        let device = self.slots[slot].client.device;
        let (stage, was_in) = (self.stage(slot), self.slots[slot].phase == Phase::In);
        self.out.clear(); // what it wanted to say
        self.drop_link(slot, true, tally);
        let never_in = !self.slots[slot].client.was_live;
        if was_in {
            tally.lost += 1;
        } else if trouble.is_refusal() {
            tally.refused += 1;
            if never_in && stage >= Stage::Connecting && !matches!(trouble, Trouble::Alert(_)) {
                self.on_refused.iter().for_each(|on_refused| on_refused(device));
            }
        } else {
            tally.failed += 1;
        }
        tally.meet(trouble.clone(), device);
        let unreachable = matches!(trouble, Trouble::Unreachable(_)) && !self.reached;
        if (trouble.is_final() && never_in) || unreachable {
            tally.hopeless.get_or_insert((trouble.clone(), device));
        }
        let own = &mut self.slots[slot];
        own.failures += 1;
        own.alerts = if matches!(trouble, Trouble::Alert(_)) { own.alerts + 1 } else { 0 };
        let retry = &self.plan.groups[own.group].of.retry;
        let tried_for = now - own.first_attempt.unwrap_or(now);
        if never_in && (trouble.is_final() || own.alerts >= ALERTS_MAX || tried_for >= retry.give_up.micros()) {
            own.phase = Phase::Finished;
            tally.given_up += 1;
            return;
        }
        let seed = u64::from(own.failures) << 32 | u64::from(own.churns);
        let chance = Random::of(self.plan.scenario.seed ^ RETRY << 40 ^ seed, u64::from(device)).unit();
        let at = now + retry.pause_micros(own.failures, chance);
        self.wait_until(slot, at);
    }

    /// The scenario ends a connection; the device comes back at `back`.
    fn part(&mut self, slot: usize, back: u64, abrupt: bool, tally: &mut Tally) {
        tally.ended += 1;
        if !abrupt && self.act(slot, tally, |client, turn| client.leave(false, turn)).is_ok() {
            self.queue(slot);
        }
        self.drop_link(slot, abrupt, tally);
        self.slots[slot].churns += 1;
        self.wait_until(slot, back);
    }

    fn wait_until(&mut self, slot: usize, at: u64) {
        self.slots[slot].phase = Phase::Waiting(at);
        self.slots[slot].churn_at = u64::MAX;
        self.arm(slot, at);
    }

    fn drop_link(&mut self, slot: usize, abrupt: bool, tally: &mut Tally) {
        if self.slots[slot].phase == Phase::In {
            tally.connected -= 1;
        }
        self.slots[slot].client.lost(&self.plan, tally);
        if let Some(link) = self.slots[slot].link.take() {
            link.end(abrupt);
        }
    }

    /// Where an attempt has come to.
    pub(super) fn stage(&self, slot: usize) -> Stage {
        use crate::engine::link::LinkState;
        match self.slots[slot].link.as_ref().map(|link| link.state) {
            None | Some(LinkState::Dialing) => Stage::Dialing,
            Some(LinkState::Handshaking) => Stage::Handshaking,
            Some(LinkState::Open) => self.slots[slot].client.stage(),
        }
    }

    /// All devices have been in: those of groups with churn begin to come and go.
    pub(super) fn begin_churn(&mut self) {
        self.steady = true;
        (0..self.slots.len()).for_each(|slot| self.plan_churn(slot));
    }

    /// Draws when a device reconnects: at any moment with the same probability, as people and networks do.
    fn plan_churn(&mut self, slot: usize) {
        let own = &self.slots[slot];
        let Some(churn) = self.plan.groups[own.group].of.churn.filter(|churn| churn.per_minute.0 > 0.0) else { return };
        if own.phase != Phase::In {
            return;
        }
        let mut random = own.client.random(&self.plan, CHURN | u64::from(own.churns) << 8);
        let minutes = -(1.0 - random.unit()).ln() / churn.per_minute.0;
        let at = self.now().saturating_add((minutes * 60e6) as u64);
        self.slots[slot].churn_at = at;
        self.arm(slot, at);
    }

    /// Many connections end at once.
    pub(super) fn storm(&mut self, number: usize, tally: &mut Tally) {
        let plan = std::sync::Arc::clone(&self.plan);
        let storm = &plan.scenario.storms[number];
        let back = self.now() + storm.pause.map_or(0, |pause| pause.micros());
        for slot in 0..self.slots.len() {
            let own = &self.slots[slot];
            let name = &plan.groups[own.group].of.name;
            let meant = storm.groups.is_empty() || storm.groups.iter().any(|group| group.get_ref() == name);
            let drawn = own.client.random(&plan, STORM | (number as u64) << 8).unit() < storm.share.0;
            if own.phase == Phase::In && meant && drawn {
                self.part(slot, back, storm.abrupt, tally);
            }
        }
    }

    /// Everybody leaves, and the thread ends.
    pub(super) fn leave(&mut self, tally: &mut Tally) {
        for slot in 0..self.slots.len() {
            if self.slots[slot].phase == Phase::In
                && self.act(slot, tally, |client, turn| client.leave(true, turn)).is_ok()
            {
                self.queue(slot);
            }
            if let Some(link) = self.slots[slot].link.take() {
                link.end(false);
            }
        }
        self.leaving = true;
    }

    /// When an attempt has to be over.
    pub(super) fn deadline(&self) -> u64 {
        self.now() + ATTEMPT_PATIENCE
    }
}
