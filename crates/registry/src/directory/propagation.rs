//! What has reached the devices' edge, where changes take their time, as they do at AWS: a directory of its own, which is given what
//! was committed when it has waited long enough.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::{Mutex, RwLock};
use tidegate_ids::Monotonic;
use tidegate_kv::{Change, Committed, Revision, Snapshot, StoreError, TableChange};
use tokio::sync::Notify;

use super::{Directory, Listener};
use crate::{
    CertificateStatus, RegistryChange,
    tables::{
        CA_CERTIFICATES, CERTIFICATES, CERTIFICATES_BY_SIGNED_PART, GROUPS_OF_THING, POLICIES, POLICIES_OF_TARGET,
        THING_GROUPS, THING_TYPES, THINGS, THINGS_OF_PRINCIPAL,
    },
};

/// Changes that are applied before others may look at the line.
const STEP_MAX: usize = 256;

/// How much may wait; what is beyond it makes the oldest arrive early.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    changes_max: usize,
    bytes_max: usize,
}

const BOUNDS: Bounds = Bounds { changes_max: 131_072, bytes_max: 128 * 1024 * 1024 };

/// What [`Registry::propagate`](crate::Registry::propagate) has done, and when it is to be called again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Propagated {
    /// Until the next change has waited long enough; `None`: nothing waits.
    pub next: Option<Duration>,
    /// Changes that arrived before their time since the last call, because too many waited.
    pub early: u64,
}

/// The way of changes to the devices' edge.
///
/// Its directory is brought forward by the feed's reader (what need not wait) and by whoever calls [`Self::carry`], one at a time: the
/// lock on the line is held meanwhile.
pub(crate) struct Propagation {
    directory: Arc<Directory>,
    line: Mutex<Line>,
    /// The directory shows this transaction and all before it.
    shown: AtomicU64,
    listeners: RwLock<Vec<Listener>>,
    joined: Notify,
}

impl Propagation {
    /// Begins with what is stored: what was changed before has arrived.
    pub(super) async fn open(
        directory: Arc<Directory>,
        delay: Duration,
        snapshot: &Snapshot,
    ) -> Result<Self, StoreError> {
        directory.read_all(snapshot).await?;
        Ok(Self {
            directory,
            line: Mutex::new(Line::new(delay, BOUNDS, snapshot.revision())),
            shown: AtomicU64::new(snapshot.revision().0),
            listeners: RwLock::default(),
            joined: Notify::new(),
        })
    }

    pub(super) fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    pub(super) fn on_change(&self, listener: Listener) {
        self.listeners.write().push(listener);
    }

    pub(super) fn shown(&self) -> Revision {
        Revision(self.shown.load(Ordering::Acquire))
    }

    /// How many changes wait.
    pub(super) fn waiting(&self) -> usize {
        self.line.lock().waiting.len()
    }

    /// How long each waits.
    pub(super) fn delay(&self) -> Duration {
        self.line.lock().delay
    }

    /// Returns when changes have joined the line since this returned last.
    pub(super) async fn joined(&self) {
        self.joined.notified().await;
    }

    /// The next transaction of the feed: shows what need not wait, and lets the rest join the line.
    pub(super) fn take(&self, committed: &Committed) -> Result<(), StoreError> {
        let mut line = self.line.lock();
        let at_once = self.at_once(committed)?;
        if !at_once.changes.is_empty() {
            self.show(&at_once)?;
        }
        let joined = line.join(committed);
        while let Some(first) = line.crowded_out() {
            self.show(&first)?;
        }
        self.shown.store(line.shown().0, Ordering::Release);
        if joined {
            self.joined.notify_one();
        }
        Ok(())
    }

    /// Shows what has waited long enough; those that joined since the last call wait from now on.
    pub(super) fn carry(&self, now: Monotonic) -> Result<Propagated, StoreError> {
        self.line.lock().time(now);
        loop {
            let mut line = self.line.lock();
            for _ in 0..STEP_MAX {
                let Some(first) = line.due(now) else {
                    return Ok(Propagated { next: line.next(now), early: std::mem::take(&mut line.early) });
                };
                self.show(&first)?;
                self.shown.store(line.shown().0, Ordering::Release);
            }
        }
    }

    /// The feed was lost: everything has arrived. Called by the feed's reader, who brings nothing else meanwhile.
    pub(super) async fn start_again(&self, snapshot: &Snapshot) -> Result<(), StoreError> {
        self.line.lock().clear(snapshot.revision());
        let told = self.directory.read_all(snapshot).await?;
        self.tell(&told);
        self.shown.store(snapshot.revision().0, Ordering::Release);
        Ok(())
    }

    /// What the edge sees at once: what the delay is not about, and a certificate that waits for its activation, which can do
    /// nothing yet: its next CONNECT finds it and tells of it again.
    ///
    /// The latter joins the line all the same, so that it comes after what the edge has yet to hear of that certificate.
    fn at_once(&self, committed: &Committed) -> Result<Committed, StoreError> {
        let mut changes = Vec::new();
        for change in &committed.changes {
            if !waits(change) || self.is_registration(change)? {
                changes.push(change.clone());
            }
        }
        Ok(Committed { revision: committed.revision, changes })
    }

    /// Whether it is the row of a certificate that the edge has not heard of, and that waits for its activation.
    fn is_registration(&self, change: &Change) -> Result<bool, StoreError> {
        if change.table == CERTIFICATES_BY_SIGNED_PART.name() {
            return Ok(change.value.is_some()); // it means nothing without its certificate
        }
        let Some(TableChange::Put((tenant, id), record)) = CERTIFICATES.change(change)? else { return Ok(false) };
        Ok(record.status == CertificateStatus::PendingActivation
            && self.directory.certificate_status(tenant, id).is_none())
    }

    fn show(&self, committed: &Committed) -> Result<(), StoreError> {
        self.tell(&self.directory.apply(committed)?);
        Ok(())
    }

    fn tell(&self, changes: &[RegistryChange]) {
        let listeners = self.listeners.read();
        for change in changes {
            listeners.iter().for_each(|listener| listener(change));
        }
    }
}

/// Whether the row is of those that take their time: certificates, CA certificates, policies, things, and what joins them. Keys,
/// users, roles, accounts, authorizers and domain configurations do not.
fn waits(change: &Change) -> bool {
    [
        CERTIFICATES.name(),
        CERTIFICATES_BY_SIGNED_PART.name(),
        CA_CERTIFICATES.name(),
        POLICIES.name(),
        POLICIES_OF_TARGET.name(),
        THINGS.name(),
        THINGS_OF_PRINCIPAL.name(),
        GROUPS_OF_THING.name(),
        THING_GROUPS.name(),
        THING_TYPES.name(),
    ]
    .contains(&change.table)
}

/// What waits, in the order of the feed.
struct Line {
    delay: Duration,
    bounds: Bounds,
    waiting: VecDeque<Waiting>,
    bytes: usize,
    /// So many in front know when they are due.
    timed: usize,
    /// The newest transaction of the feed, whether it waits or not.
    seen: Revision,
    early: u64,
}

struct Waiting {
    committed: Committed,
    bytes: usize,
    due: Monotonic,
}

impl Line {
    fn new(delay: Duration, bounds: Bounds, seen: Revision) -> Self {
        Self { delay, bounds, waiting: VecDeque::new(), bytes: 0, timed: 0, seen, early: 0 }
    }

    /// Joins those of its rows that wait; whether there are any. They wait from the next call of [`Self::time`] on.
    fn join(&mut self, committed: &Committed) -> bool {
        self.seen = committed.revision;
        let changes: Vec<Change> = committed.changes.iter().filter(|change| waits(change)).cloned().collect();
        if changes.is_empty() {
            return false;
        }
        let of_row =
            |change: &Change| size_of::<Change>() + change.key.len() + change.value.as_ref().map_or(0, |v| v.len());
        let bytes = size_of::<Waiting>() + changes.iter().map(of_row).sum::<usize>();
        let committed = Committed { revision: committed.revision, changes };
        self.waiting.push_back(Waiting { committed, bytes, due: Monotonic::default() });
        self.bytes += bytes;
        true
    }

    fn time(&mut self, now: Monotonic) {
        let due = now + self.delay;
        self.waiting.range_mut(self.timed..).for_each(|waiting| waiting.due = due);
        self.timed = self.waiting.len();
    }

    /// The first, when it has waited long enough.
    fn due(&mut self, now: Monotonic) -> Option<Committed> {
        let first = self.waiting.front().filter(|first| self.timed > 0 && first.due <= now);
        first.is_some().then(|| self.leave()).flatten()
    }

    /// The first, when too much waits.
    fn crowded_out(&mut self) -> Option<Committed> {
        if self.waiting.len() <= self.bounds.changes_max && self.bytes <= self.bounds.bytes_max {
            return None;
        }
        self.early += 1;
        self.leave()
    }

    fn leave(&mut self) -> Option<Committed> {
        let Waiting { committed, bytes, .. } = self.waiting.pop_front()?;
        self.bytes -= bytes;
        self.timed = self.timed.saturating_sub(1);
        Some(committed)
    }

    /// Until the first of those that know is due.
    fn next(&self, now: Monotonic) -> Option<Duration> {
        let first = self.waiting.front().filter(|_| self.timed > 0)?;
        Some(first.due.since(now))
    }

    /// Up to which transaction everything has left the line, or never joined.
    fn shown(&self) -> Revision {
        self.waiting.front().map_or(self.seen, |first| Revision(first.committed.revision.0 - 1))
    }

    fn clear(&mut self, seen: Revision) {
        *self = Self { early: self.early, ..Self::new(self.delay, self.bounds, seen) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn committed(revision: u64, table: &'static str) -> Committed {
        let change = Change { table, key: vec![1; 10].into(), value: Some(vec![2; 100].into()) };
        Committed { revision: Revision(revision), changes: vec![change] }
    }

    fn at(seconds: u64) -> Monotonic {
        Monotonic::from_millis(seconds * 1000)
    }

    /// What leaves at each moment, as revisions.
    fn leave(line: &mut Line, now: Monotonic) -> Vec<u64> {
        line.time(now);
        std::iter::from_fn(|| line.due(now)).map(|committed| committed.revision.0).collect()
    }

    #[test]
    fn each_change_waits_its_time_and_none_overtakes() {
        let mut line = Line::new(Duration::from_secs(60), BOUNDS, Revision(9));
        // (at, what joins before, what leaves, up to where all is shown, when to look again)
        for (seconds, joins, leaves, shown, next) in [
            (0, vec![], vec![], 9, None),
            (1, vec![(10, "policies"), (11, "things")], vec![], 9, Some(60)),
            (31, vec![(12, "access_keys"), (13, "certificates")], vec![], 9, Some(30)),
            (60, vec![], vec![], 9, Some(1)),
            (61, vec![], vec![10, 11], 12, Some(30)),
            (90, vec![(14, "access_keys")], vec![], 12, Some(1)),
            (500, vec![(15, "policies")], vec![13], 14, Some(60)),
            (560, vec![], vec![15], 15, None),
            (561, vec![(16, "access_keys")], vec![], 16, None),
        ] {
            for (revision, table) in joins {
                line.join(&committed(revision, table));
            }
            assert_eq!(leave(&mut line, at(seconds)), leaves, "{seconds} s");
            assert_eq!(line.shown(), Revision(shown), "{seconds} s");
            assert_eq!(line.next(at(seconds)), next.map(Duration::from_secs), "{seconds} s");
        }
        assert_eq!((line.bytes, line.early), (0, 0));
    }

    #[test]
    fn beyond_the_bounds_the_oldest_arrive_early() {
        let three = Bounds { changes_max: 3, bytes_max: usize::MAX };
        let mut one = Line::new(Duration::from_secs(1), three, Revision(0));
        one.join(&committed(1, "policies"));
        let few_bytes = Bounds { changes_max: usize::MAX, bytes_max: one.bytes * 3 };
        for bounds in [three, few_bytes] {
            let mut line = Line::new(Duration::from_secs(60), bounds, Revision(0));
            let mut early = Vec::new();
            for revision in 1..=5 {
                line.join(&committed(revision, "policies"));
                if revision == 2 {
                    line.time(at(0));
                }
                early.extend(std::iter::from_fn(|| line.crowded_out()).map(|committed| committed.revision.0));
            }
            assert_eq!((early, line.early, line.shown()), (vec![1, 2], 2, Revision(2)), "{bounds:?}");
            // The others wait from when they were seen.
            assert_eq!(leave(&mut line, at(60)), Vec::<u64>::new());
            assert_eq!(leave(&mut line, at(120)), [3, 4, 5]);
        }
    }

    #[test]
    fn after_a_new_beginning_nothing_waits() {
        let mut line = Line::new(Duration::from_secs(60), BOUNDS, Revision(0));
        line.join(&committed(1, "policies"));
        line.time(at(0));
        line.join(&committed(2, "policies"));
        line.clear(Revision(7));
        assert_eq!((line.shown(), line.bytes, line.next(at(0))), (Revision(7), 0, None));
        assert_eq!(leave(&mut line, at(600)), Vec::<u64>::new());
    }
}
