//! A session that is kept on disk: its changes are logged, and what depends on them is promised.

use std::sync::{Arc, atomic::Ordering::Relaxed};

use super::Session;
use crate::{
    Effects, Record,
    persist::{Held, Place, Promise, RecordLog},
};

impl Session {
    /// Whether its changes are logged: it outlives its connection, and the broker keeps such sessions on disk.
    pub(crate) fn is_logged(&self) -> bool {
        self.kept.load(Relaxed) && self.account.records.is_some()
    }

    /// Log a change of a session that is kept on disk; where its record stands, if this is one. The lock of what changed is held.
    pub(crate) fn log(&self, effects: &mut Effects, record: impl FnOnce(u64) -> Record) -> Option<Place> {
        let records = self.kept_records()?;
        effects.token.logged = true;
        Some(records.push(record(self.serial)))
    }

    /// The same: that a message is done with, the record of which stood at `place`.
    pub(super) fn log_finished(&self, sequence: u64, place: Place, effects: &mut Effects) {
        if let Some(records) = self.kept_records() {
            effects.token.logged = true;
            records.finish(self.serial, sequence, place);
        }
    }

    /// Where changes are logged, while the session is kept on disk.
    fn kept_records(&self) -> Option<&RecordLog> {
        if self.kept.load(Relaxed) { self.account.records.as_deref() } else { None }
    }

    /// Keep `promise` to connection `epoch` once what was logged so far is durable.
    pub(crate) fn promise(self: &Arc<Self>, epoch: u64, promise: Promise, effects: &mut Effects) {
        effects.token.held.push(Held { session: self.clone(), epoch, promise });
    }

    /// The same: the PUBACKs that wait with numbers before `behind`. A promise to the same connection just before takes them along.
    pub(crate) fn promise_pubacks(self: &Arc<Self>, epoch: u64, behind: u64, effects: &mut Effects) {
        match effects.token.held.last_mut() {
            Some(Held { session, epoch: same, promise: Promise::PubAcks { behind: before } })
                if Arc::ptr_eq(session, self) && *same == epoch =>
            {
                *before = behind;
            }
            Some(_) | None => self.promise(epoch, Promise::PubAcks { behind }, effects),
        }
    }
}
