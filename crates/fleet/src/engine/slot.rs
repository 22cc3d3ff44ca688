//! One device in its thread: its client, its connection if it has one, and what it waits for.
//!
//! ```text
//!   Waiting ─due─▶ Trying ─works─▶ In
//!      ▲              │             │ churn, a storm, the connection is lost
//!      ├── pause ─────┴─────────────┘
//!      └── has given up: Finished
//! ```

use super::link::Link;
use crate::client::Client;

/// How often a device is refused during the handshake, in a row, before it gives up: time does not heal that.
pub(super) const ALERTS_MAX: u32 = 3;

pub(super) struct Slot {
    pub(super) client: Client,
    pub(super) group: usize,
    pub(super) link: Option<Box<Link>>,
    pub(super) phase: Phase,
    /// The entry in the agenda that counts.
    pub(super) armed: u64,
    /// Attempts that failed, in a row.
    pub(super) failures: u32,
    /// Those of them that ended with an alert.
    pub(super) alerts: u32,
    /// When it tried for the first time.
    pub(super) first_attempt: Option<u64>,
    /// When the attempt began that is going on, or led to the connection.
    pub(super) began: u64,
    /// When it reconnects because of churn.
    pub(super) churn_at: u64,
    pub(super) churns: u32,
    /// There is more to read than one turn takes.
    pub(super) unread: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Connects at that time.
    Waiting(u64),
    /// Has to be in by that time.
    Trying(u64),
    In,
    Finished,
}

impl Slot {
    pub(super) fn new(client: Client, group: usize, connect_at: u64) -> Self {
        Self {
            client,
            group,
            link: None,
            phase: Phase::Waiting(connect_at),
            armed: u64::MAX,
            failures: 0,
            alerts: 0,
            first_attempt: None,
            began: 0,
            churn_at: u64::MAX,
            churns: 0,
            unread: false,
        }
    }
}
