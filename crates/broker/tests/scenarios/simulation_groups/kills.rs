//! The same, with members that all keep their sessions, and a process that is killed now and then.

use super::*;

impl Simulation {
    fn with_kills(seed: u64) -> Self {
        let mut simulation = Self::with(seed, Settings { persist: true, ..Settings::default() });
        simulation.connect(0);
        simulation.join(0);
        simulation
    }

    /// What was logged becomes a batch; sometimes the oldest is written, and sometimes the process ends.
    pub(super) fn disk_or_kill(&mut self) {
        self.batches.extend(self.world.batch());
        match self.chance.below(40) {
            0 => self.kill(),
            1..=20 => {
                if let Some(batch) = self.batches.pop_front() {
                    self.world.commit(batch);
                }
            }
            _ => {}
        }
    }

    /// Writes all there is and says so; whether there was anything.
    pub(super) fn commit_all(&mut self) -> bool {
        self.batches.extend(self.world.batch());
        let some = !self.batches.is_empty();
        while let Some(batch) = self.batches.pop_front() {
            self.world.commit(batch);
        }
        some
    }

    /// End the process. Of the batches that wait to be written some may be on the disk already, the oldest first; nobody
    /// was told. Clients that come back know which QoS 2 packet ids they have.
    pub(super) fn kill(&mut self) {
        let waiting = self.world.disk.taken - self.world.disk.written;
        let written = self.world.disk.written + self.chance.below(waiting as usize + 1) as u64;
        self.world.disk.write_to(written);
        self.batches.clear();
        for member in &mut self.members {
            member.client = None;
            member.owed.clear();
        }
        self.world.kill(Duration::from_millis(10));
        self.publisher = self.world.connect(V5, "publisher");
        self.watcher = self.world.connect(V5, "watcher");
    }
}

#[test]
fn a_kill_loses_nothing_of_a_group_that_was_acknowledged_and_doubles_no_qos_2() {
    run_all(0..1000, Simulation::with_kills);
}
