//! A session of an earlier process.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use tidegate_ids::Now;
use tidegate_mqtt::QoS;

use super::{
    Away, Outbound, Session, Surroundings,
    outbound::{Earlier, Restored},
};
use crate::{Presence, QueuedRecord, RestoredSession, message::Stamped, restore::monotonic, router::Group};

impl Session {
    /// Become what the records say, with nobody connected. It is a member of `groups`.
    pub(crate) fn restore(
        self: &Arc<Self>,
        restored: RestoredSession,
        groups: &[Arc<Group>],
        around: Surroundings<'_>,
    ) {
        let now = around.now;
        let RestoredSession { record, queue, released, received, next_sequence, .. } = restored;
        let mut state = self.state.lock();
        state.expiry = record.expiry;
        state.will = record.will.map(Box::new);
        let sent_max = usize::from(state.profile.limits.send_maximum);
        // Up to where messages were sent, and from where on they were not.
        let (sent_to, unsent_from) = match record.presence {
            Presence::Connected => {
                let ends_at = record.expiry.duration().map(|expiry| now.monotonic + expiry);
                let will_at = state.will.as_ref().map(|will| now.monotonic + will.delay);
                let will_at = will_at.map(|at| ends_at.map_or(at, |ends_at| ends_at.min(at)));
                state.away = Away { will_at, ends_at, ..Away::default() }.into();
                // What was sent is not known. So many were at most, beside those that are done with and not known to be:
                // the end of those may not have been written.
                (queue.get(sent_max).map_or(next_sequence, |first| first.sequence), next_sequence)
            }
            Presence::Absent { ends_at, will_at, unsent_from } => {
                let ends_at = ends_at.map(|at| monotonic(at, now));
                let will_at = will_at.map(|at| monotonic(at, now)).filter(|_| state.will.is_some());
                state.away = Away { will_at, ends_at, ..Away::default() }.into();
                (unsent_from, unsent_from)
            }
        };
        self.kept.store(true, Relaxed);
        let earlier = |sequence| match sequence {
            sequence if sequence < sent_to => Earlier::Sent,
            sequence if sequence < unsent_from => Earlier::PerhapsSent,
            _ => Earlier::Unsent,
        };
        let mut outbound = restore_outbound(queue, &released, next_sequence, earlier, groups, now);
        outbound.keep(self.account.records.is_some());
        state.outbound = outbound.into();
        if !received.is_empty() {
            state.inbound.make().restore(received);
        }
        self.schedule(&mut state, around);
        self.update_load(&mut state);
    }
}

fn restore_outbound(
    queue: Vec<QueuedRecord>,
    released: &[u64],
    next_sequence: u64,
    earlier: impl Fn(u64) -> Earlier,
    groups: &[Arc<Group>],
    now: Now,
) -> Outbound {
    let mut outbound = Outbound::starting_at(next_sequence);
    let mut released = released.iter().copied().peekable();
    let groups: HashMap<u64, &Arc<Group>> = groups.iter().map(|group| (group.number(), group)).collect();
    for QueuedRecord { sequence, qos, retain, identifiers, expires_at, group, message } in queue {
        while let Some(before) = released.next_if(|&before| before < sequence) {
            outbound.restore_released(before);
        }
        let message = Stamped { message, qos, expires_at: expires_at.map(|at| monotonic(at, now)) };
        let group = group.and_then(|number| groups.get(&number).copied());
        debug_assert!(qos != QoS::AtMostOnce, "QoS 0 is never logged");
        let earlier = earlier(sequence);
        outbound.restore(Restored { sequence, message, qos, retain, identifiers, earlier, group });
    }
    released.for_each(|sequence| outbound.restore_released(sequence));
    outbound
}
