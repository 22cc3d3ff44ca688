//! Whether a connection may receive messages of a topic: asked for every delivery, hence remembered twice.
//!
//! With the route of the publisher's topic ([`Asked`]): a publisher has few topics, and its next message goes the same way. And
//! by topic name with the connection ([`Decisions`]): for messages that waited in a queue, and for routes that changed.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::{link::Rights, ports::Access, topic_cache::Decisions};

/// The last stamp that was given, in this process.
static STAMPS: AtomicU64 = AtomicU64::new(0);

/// What a connection's policies say about receiving.
#[derive(Debug, Default)]
pub(crate) struct Receive {
    /// Of the policies, when `stamp` was given.
    generation: u64,
    /// Names this connection with its policies of that generation, and nothing else in this process; 0: none yet.
    stamp: u64,
    decisions: Decisions,
}

/// Answers that were given for one topic name, to the `N` connections that asked last; of more, some are forgotten.
///
/// Each is a stamp and, in the lowest bit, whether the answer was yes. Stamps are given in turn, so that they end in different
/// bits where connections came one after the other.
#[derive(Debug)]
pub(crate) struct Asked<const N: usize>([AtomicU64; N]);

impl Receive {
    /// Whether messages of `topic_name`, with its `topic_hash`, may be received, as `rights` say now. `asked` are answers
    /// given for that topic name, if some are kept.
    pub(crate) fn allows(&mut self, rights: &Rights, topic_name: &str, hash: u64, asked: &[AtomicU64]) -> bool {
        // Read before the policies are asked: an answer is never older than its stamp.
        let generation = rights.0.generation();
        if generation != self.generation || self.stamp == 0 {
            self.generation = generation;
            self.stamp = STAMPS.fetch_add(1, Relaxed) + 1;
        }
        let Some(answer) = asked.get(self.stamp as usize & asked.len().wrapping_sub(1)) else {
            return self.decisions.allows(rights, Access::Receive, topic_name, hash);
        };
        let known = answer.load(Relaxed);
        if known >> 1 == self.stamp {
            return known & 1 == 1;
        }
        let allowed = self.decisions.allows(rights, Access::Receive, topic_name, hash);
        answer.store(self.stamp << 1 | u64::from(allowed), Relaxed);
        allowed
    }
}

impl<const N: usize> Asked<N> {
    pub(crate) fn answers(&self) -> &[AtomicU64] {
        &self.0
    }
}

impl<const N: usize> Default for Asked<N> {
    fn default() -> Self {
        const { assert!(N.is_power_of_two(), "the lowest bits of a stamp pick its answer") }
        Self([const { AtomicU64::new(0) }; N])
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, atomic::AtomicBool};

    use super::*;
    use crate::{levels::topic_hash, ports::Authorize};

    /// Allows what it is told to, and counts how often it is asked.
    #[derive(Default)]
    struct Switch {
        generation: AtomicU64,
        open: AtomicBool,
        asked: AtomicU64,
    }

    impl Authorize for Switch {
        fn generation(&self) -> u64 {
            self.generation.load(Relaxed)
        }

        fn allows(&self, access: Access, _topic: &str) -> bool {
            assert_eq!(access, Access::Receive);
            self.asked.fetch_add(1, Relaxed);
            self.open.load(Relaxed)
        }
    }

    impl Switch {
        fn turn(&self, open: bool) {
            self.open.store(open, Relaxed);
            self.generation.fetch_add(1, Relaxed);
        }
    }

    fn ask(receive: &mut Receive, switch: &Arc<Switch>, topic_name: &str, asked: &[AtomicU64]) -> bool {
        receive.allows(&Rights(switch.clone()), topic_name, topic_hash(topic_name), asked)
    }

    #[test]
    fn an_answer_holds_until_the_policies_change() {
        let switch = Arc::new(Switch::default());
        let (mut receive, asked) = (Receive::default(), Asked::<1>::default());
        for (open, questions) in [(false, 1), (true, 2), (false, 3)] {
            switch.turn(open);
            for _ in 0..3 {
                assert_eq!(ask(&mut receive, &switch, "a", asked.answers()), open);
                assert_eq!(ask(&mut receive, &switch, "a", &[]), open);
            }
            assert_eq!(switch.asked.load(Relaxed), questions);
        }
    }

    /// A route outlives the connections that it leads to.
    #[test]
    fn an_answer_is_for_one_connection_only() {
        let (open, closed) = (Arc::new(Switch::default()), Arc::new(Switch::default()));
        open.turn(true);
        closed.turn(false);
        let asked = Asked::<1>::default();
        for _ in 0..2 {
            assert!(ask(&mut Receive::default(), &open, "a", asked.answers()));
            assert!(!ask(&mut Receive::default(), &closed, "a", asked.answers()));
        }
    }

    /// Members of a group take turns: each has its place.
    #[test]
    fn neighbours_have_places_of_their_own() {
        let switch = Arc::new(Switch::default());
        switch.turn(true);
        let asked = Asked::<8>::default();
        let mut members: Vec<_> = (0..8).map(|_| Receive::default()).collect();
        for member in &mut members {
            // Other tests take stamps, too.
            member.generation = 1;
        }
        for (member, stamp) in members.iter_mut().zip(1 << 40..) {
            member.stamp = stamp;
            assert!(ask(member, &switch, "a", asked.answers()));
        }
        let kept = asked.answers().iter().filter(|answer| answer.load(Relaxed) != 0).count();
        assert_eq!(kept, 8);
    }
}
