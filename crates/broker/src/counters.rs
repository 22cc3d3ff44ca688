//! What happened, counted: plain numbers where a core counts, atomic ones where they are summed.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Counts since the last hand-over of one core; since the start when read from `Broker::counters`.
        #[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
        pub struct Counters {
            $($(#[$doc])* pub $name: u64,)*
        }

        /// The sums of all cores.
        #[derive(Debug, Default)]
        pub(crate) struct Totals {
            $($name: AtomicU64,)*
        }

        impl Totals {
            /// Add what one core counted and start it at zero again.
            pub(crate) fn take(&self, counted: &mut Counters) {
                $(if counted.$name != 0 {
                    self.$name.fetch_add(counted.$name, Relaxed);
                })*
                *counted = Counters::default();
            }

            pub(crate) fn read(&self) -> Counters {
                Counters { $($name: self.$name.load(Relaxed),)* }
            }
        }
    };
}

counters! {
    /// PUBLISH packets accepted from clients.
    messages_received,
    /// Of these, those that were to be retained.
    retained_received,
    /// Messages that began to wait in sessions whose clients are away.
    queued,
    /// PUBLISH packets put into outboxes, resends included.
    messages_sent,
    /// Bytes that clients sent, as far as `Link::received` was told.
    bytes_received,
    /// Bytes taken from outboxes.
    bytes_sent,
    /// QoS 0 copies dropped because an outbox was full.
    dropped_qos0,
    /// QoS 1 and 2 copies dropped because a session's queue was full.
    dropped_queue_full,
    /// QoS 1 and 2 copies of a shared group that another member got because theirs left.
    rerouted,
    /// QoS 1 and 2 copies of a shared group dropped because no other member was left, or would have them.
    dropped_unrouted,
    /// Copies dropped because the message expired before it was sent.
    dropped_expired,
    /// Copies dropped because they exceed the client's Maximum Packet Size.
    dropped_too_large,
    /// Copies withheld because `iot:Receive` was not allowed.
    denied_receive,
    /// PUBLISH packets refused by policy.
    denied_publish,
    /// Subscriptions refused by policy.
    denied_subscribe,
    /// Connections that became sessions' links.
    connected,
    /// Links that ended.
    disconnected,
    /// CONNECT packets refused.
    connect_refused,
    /// Of these, because one client id connects too often.
    connect_client_throttled,
    /// Of these, because another quota is used up: of connections, sessions, connects of the account, memory.
    connect_throttled,
    /// PUBLISH packets dropped because there were too many in a second.
    publish_throttled,
    /// PUBLISH packets dropped because the memory budget is used up.
    dropped_memory,
    /// PUBLISH packets refused because their properties are too large.
    publish_oversized,
    /// Subscriptions refused because there were too many in a second.
    subscribe_throttled,
    /// Subscriptions granted.
    subscribed,
    /// Subscriptions given up by UNSUBSCRIBE.
    unsubscribed,
    /// PINGREQ packets answered.
    pings,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hand_over_adds_and_starts_again() {
        let totals = Totals::default();
        let mut core = Counters { messages_received: 3, ..Counters::default() };
        totals.take(&mut core);
        assert_eq!(core, Counters::default());
        core.messages_received = 2;
        totals.take(&mut core);
        assert_eq!(totals.read(), Counters { messages_received: 5, ..Counters::default() });
    }
}
