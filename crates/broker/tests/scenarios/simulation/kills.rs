//! The same, with a process that is killed now and then: what it had written is put back into the next one.

use std::time::Duration;

use super::*;

impl Simulation {
    fn with_kills(seed: u64) -> Self {
        let mut simulation = Self::new(seed);
        let profile = (*simulation.world.profile).clone();
        simulation.world = World::with(profile, Settings { persist: true, ..Settings::default() });
        (simulation.persist, simulation.kills) = (true, true);
        simulation
    }

    /// End the process. Of the batches that wait to be written some may be on the disk already, the oldest first; nobody
    /// was told.
    pub(super) fn kill(&mut self) {
        let waiting = self.world.disk.taken - self.world.disk.written;
        let written = self.world.disk.written + self.chance.below(waiting as usize + 1) as u64;
        self.world.disk.write_to(written);
        self.batches.clear();
        for actor in &mut self.actors {
            actor.client = None;
            actor.owed.clear();
            if !actor.keeps_session {
                actor.forget_session();
            }
        }
        for (payload, number) in std::mem::take(&mut self.published) {
            if number > written {
                self.forget_message(&payload);
            }
        }
        self.world.kill(Duration::from_millis(10));
    }

    /// The next process knows nothing of a message: it counts for nobody, until its client publishes it again.
    fn forget_message(&mut self, payload: &str) {
        for actor in &mut self.actors {
            actor.expected.remove(payload);
            actor.uncertain.insert(payload.to_owned());
            for sent in actor.unacknowledged.iter_mut().filter(|sent| sent.payload == payload) {
                assert!(!sent.released, "{payload} was acknowledged and is lost");
                sent.handled = false;
            }
        }
    }
}

#[test]
fn a_kill_takes_nothing_that_was_acknowledged_and_doubles_no_qos_2() {
    run_all(0..1000, Simulation::with_kills);
}
