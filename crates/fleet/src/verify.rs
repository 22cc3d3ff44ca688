//! Whether messages arrive: what was published, by whom it has to be received, what came.
//!
//! A *stream* is one publication of one device: messages on one topic, with sequence numbers. Each device that subscribes
//! keeps an [`Inbox`]: for every stream that one of its filters matches, which numbers have come.
//!
//! * What is published after a subscription was acknowledged has to arrive; what was on its way then may.
//! * When a session ends with its connection, what had not come yet is excused.
//! * What a publisher never knew the fate of (its own session ended before the acknowledgement) is excused.
//! * QoS 0 may be lost: such losses are counted apart, and fail nothing.

mod inbox;
mod streams;

pub(crate) use inbox::{Inbox, Seen};
pub(crate) use streams::{Stream, Streams};

use serde_json::{Value, json};

/// What verification came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Deliveries that had to come, at QoS 1 or 2, or came at QoS 0.
    pub verified: u64,
    /// QoS 1 or 2, and never came.
    pub lost: u64,
    /// QoS 0, and never came: allowed.
    pub lost_qos0: u64,
    /// Came again although that may not be.
    pub duplicated: u64,
    /// Came again as QoS 1 allows: with DUP, or because its publisher sent it again.
    pub redelivered: u64,
    /// Came after a later one.
    pub reordered: u64,
    /// Came on another topic than it was published to.
    pub misrouted: u64,
    /// Came to somebody who does not subscribe to it.
    pub unexpected: u64,
    /// Came because it was retained, or before the subscription was acknowledged, or by a shared subscription: not judged.
    pub unjudged: u64,
    /// Without a mark, or with that of another run: not judged.
    pub foreign: u64,
}

impl Verdict {
    /// Whether nothing is wrong.
    pub fn is_good(&self) -> bool {
        self.lost + self.duplicated + self.reordered + self.misrouted + self.unexpected == 0
    }

    /// Adds another one.
    pub(crate) fn add(&mut self, other: &Self) {
        self.verified += other.verified;
        self.lost += other.lost;
        self.lost_qos0 += other.lost_qos0;
        self.duplicated += other.duplicated;
        self.redelivered += other.redelivered;
        self.reordered += other.reordered;
        self.misrouted += other.misrouted;
        self.unexpected += other.unexpected;
        self.unjudged += other.unjudged;
        self.foreign += other.foreign;
    }

    /// What is wrong, in words; empty when nothing is.
    pub fn faults(&self) -> Vec<String> {
        let faults = [
            (self.lost, "lost"),
            (self.duplicated, "duplicated"),
            (self.reordered, "reordered"),
            (self.misrouted, "on a wrong topic"),
            (self.unexpected, "to somebody who does not subscribe"),
        ];
        faults.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect()
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "verified": self.verified, "lost": self.lost, "lostQos0": self.lost_qos0, "duplicated": self.duplicated,
            "redelivered": self.redelivered, "reordered": self.reordered, "misrouted": self.misrouted,
            "unexpected": self.unexpected, "unjudged": self.unjudged, "foreign": self.foreign,
        })
    }
}

#[cfg(test)]
mod tests;
