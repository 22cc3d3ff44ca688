//! When absent sessions need attention: one entry per session at most, so that no client can make it grow.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;
use tidegate_ids::Monotonic;

use crate::session::Session;

/// Sessions by the moment at which a delayed will or their expiry is due.
#[derive(Debug, Default)]
pub(crate) struct Deadlines(Mutex<BTreeMap<(Monotonic, u64), Arc<Session>>>);

impl Deadlines {
    /// Move `session`'s entry from `old` to `new`; `None` is no entry. The session's lock is held by the caller, so that
    /// what the session remembers and what is here agree: this lock is taken last, and only for the length of this call.
    pub(crate) fn set(&self, session: &Arc<Session>, old: Option<Monotonic>, new: Option<Monotonic>) {
        if old == new {
            return;
        }
        let mut entries = self.0.lock();
        if let Some(old) = old {
            entries.remove(&(old, session.serial()));
        }
        if let Some(new) = new {
            entries.insert((new, session.serial()), session.clone());
        }
    }

    /// The session with the earliest deadline, if that has come. The entry stays until the session moves it.
    pub(crate) fn due(&self, now: Monotonic) -> Option<Arc<Session>> {
        let entries = self.0.lock();
        let (&(at, _), session) = entries.first_key_value()?;
        (at <= now).then(|| session.clone())
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.lock().len()
    }

    /// The earliest deadline.
    pub(crate) fn next(&self) -> Option<Monotonic> {
        self.0.lock().first_key_value().map(|(&(at, _), _)| at)
    }
}
