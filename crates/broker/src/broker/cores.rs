//! What cores owe each other after a turn: dirty links, and what callers that are no core left behind.

use std::sync::atomic::Ordering::{Acquire, Release};

use super::Broker;
use crate::{Effects, LifecycleEvent, Token};

/// What callers that are no core left for the next core that hands over.
#[derive(Debug, Default)]
pub(super) struct Left {
    events: Vec<LifecycleEvent>,
    token: Token,
}

impl Broker {
    /// After a turn: tell other cores about their dirty links, and add up what was counted.
    ///
    /// The events and the token of a caller that is no core ([`Effects::outside`]) go to the next core that calls this, and
    /// core 0 is woken for them: nothing is left in its buffer. So a core takes events and token after this call.
    pub fn hand_over(&self, effects: &mut Effects) {
        self.totals.take(&mut effects.counters);
        match effects.is_outside() {
            true => self.leave(effects),
            false if self.has_left.load(Acquire) => self.adopt(effects),
            false => {}
        }
        if effects.elsewhere.is_empty() {
            return;
        }
        effects.elsewhere.sort_unstable_by_key(|address| address.core);
        for links in effects.elsewhere.chunk_by(|a, b| a.core == b.core) {
            let core = links[0].core;
            let Some(mailbox) = self.mailboxes.get(usize::from(core)) else { continue };
            let mut slots = mailbox.lock();
            let was_empty = slots.is_empty();
            slots.extend(links.iter().map(|address| address.slot));
            drop(slots);
            if was_empty {
                self.wake.wake(core);
            }
        }
        effects.elsewhere.clear();
    }

    fn leave(&self, effects: &mut Effects) {
        effects.excesses.clear();
        if effects.events.is_empty() && effects.token.is_empty() {
            return;
        }
        let mut left = self.left.lock();
        left.events.append(&mut effects.events);
        left.token.append(&mut effects.token);
        self.has_left.store(true, Release);
        drop(left);
        self.wake.wake(0);
    }

    fn adopt(&self, effects: &mut Effects) {
        let mut left = self.left.lock();
        effects.events.append(&mut left.events);
        effects.token.append(&mut left.token);
        self.has_left.store(false, Release);
    }

    /// Move the slots of core `core` that others made dirty to the end of `slots`.
    pub fn collect(&self, core: u16, slots: &mut Vec<u32>) {
        if let Some(mailbox) = self.mailboxes.get(usize::from(core)) {
            slots.append(&mut mailbox.lock());
        }
    }

    /// Wake all cores: for a journal that has caught up.
    pub fn wake_all(&self) {
        (0..self.settings.cores).for_each(|core| self.wake.wake(core));
    }
}
