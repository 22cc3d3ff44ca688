//! Which rows were written or deleted lately.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    ops::Bound,
};

use bytes::Bytes;

use crate::{KeyRange, Revision, Transaction};

/// The newest revision of every row touched lately, deleted rows included, per table: what `UnchangedSince` is
/// judged on without reading the range.
///
/// Each table remembers a bounded number of changes. What was forgotten raises the table's floor; a question about
/// the time before the floor gets the safe answer, "may have changed". One busy table does not shorten the
/// memory of another.
#[derive(Debug)]
pub struct Recent {
    tables: HashMap<&'static str, Touched>,
    /// Nothing is known about the time before this.
    start: Revision,
    changes_max: usize,
    bytes_max: usize,
}

#[derive(Debug)]
struct Touched {
    rows: BTreeMap<Bytes, Revision>,
    /// In the order of their revisions; a row touched again leaves its older mark behind.
    order: VecDeque<(Revision, Bytes)>,
    bytes: usize,
    floor: Revision,
}

impl Recent {
    /// Changes remembered per table, by default: far more than any table sees while one decision is taken, and
    /// some 3 MiB of a table that is busy.
    pub const CHANGES_MAX: usize = 16_384;

    /// Bytes of keys remembered per table, by default.
    pub const BYTES_MAX: usize = 4 * 1024 * 1024;

    /// Remembers from `start` on, normally the revision of the store when it was opened.
    pub fn new(start: Revision) -> Self {
        Self::with_bounds(start, Self::CHANGES_MAX, Self::BYTES_MAX)
    }

    /// With bounds of one's own, per table.
    pub fn with_bounds(start: Revision, changes_max: usize, bytes_max: usize) -> Self {
        Self { tables: HashMap::new(), start, changes_max, bytes_max }
    }

    /// Notes what an accepted transaction writes. Revisions come in ascending order.
    ///
    /// Of a [quiet](Transaction::quiet) one the tables alone are noted: nobody keeps a copy of its rows, so that nobody asks
    /// since when they have stayed the same; who did would hear "may have changed".
    pub fn note(&mut self, revision: Revision, transaction: &Transaction) {
        for write in transaction.writes() {
            let table = self.tables.entry(write.table).or_insert_with(|| Touched {
                rows: BTreeMap::new(),
                order: VecDeque::new(),
                bytes: 0,
                floor: self.start,
            });
            if transaction.is_quiet() {
                table.floor = revision;
                continue;
            }
            table.rows.insert(write.key.clone(), revision);
            table.order.push_back((revision, write.key.clone()));
            table.bytes += write.key.len();
            while table.order.len() > self.changes_max || table.bytes > self.bytes_max {
                table.forget_oldest();
            }
        }
    }

    /// Whether it is certain that no row of the range was touched after `since`.
    pub fn surely_unchanged(&self, table: &str, range: &KeyRange, since: Revision) -> bool {
        let Some(table) = self.tables.get(table) else { return since >= self.start };
        let end = range.end().map_or(Bound::Unbounded, Bound::Excluded);
        since >= table.floor
            && table.rows.range::<[u8], _>((Bound::Included(range.start()), end)).all(|(_, touched)| *touched <= since)
    }
}

impl Touched {
    fn forget_oldest(&mut self) {
        let Some((revision, key)) = self.order.pop_front() else { return };
        self.bytes -= key.len();
        self.floor = revision;
        if self.rows.get(&key) == Some(&revision) {
            self.rows.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(recent: &mut Recent, revision: u64, key: &'static str) {
        let mut transaction = Transaction::new();
        recent.note(Revision(revision), transaction.delete("t", key));
    }

    #[test]
    fn a_range_is_unchanged_when_no_row_of_it_was_touched_since() {
        let mut recent = Recent::new(Revision(10));
        touch(&mut recent, 11, "b");
        touch(&mut recent, 12, "d");
        touch(&mut recent, 13, "b");
        let range = |from: &str, to: &str| KeyRange::new(from.into(), Some(to.into()));
        for (from, to, since, unchanged) in [
            ("a", "c", 13, true),
            ("a", "c", 12, false),
            ("c", "e", 12, true),
            ("c", "e", 11, false),
            ("x", "z", 10, true),
            ("x", "z", 9, false), // before the store was opened
        ] {
            assert_eq!(
                recent.surely_unchanged("t", &range(from, to), Revision(since)),
                unchanged,
                "{from}-{to}@{since}"
            );
        }
        assert!(recent.surely_unchanged("other", &KeyRange::all(), Revision(10)));
        assert!(!recent.surely_unchanged("other", &KeyRange::all(), Revision(9)));
    }

    #[test]
    fn what_was_written_quietly_counts_as_changed() {
        let (mut recent, mut quiet) = (Recent::new(Revision(10)), Transaction::quiet());
        touch(&mut recent, 11, "a");
        recent.note(Revision(12), quiet.put("t", "b", "1").put("t", "c", "1"));
        touch(&mut recent, 13, "a");
        let elsewhere = KeyRange::new(b"x".to_vec(), None);
        assert!(!recent.surely_unchanged("t", &elsewhere, Revision(11)));
        assert!(recent.surely_unchanged("t", &elsewhere, Revision(12)));
        assert!(!recent.surely_unchanged("t", &KeyRange::all(), Revision(12)), "of the others each row is known");
        assert!(recent.surely_unchanged("other", &elsewhere, Revision(10)));
    }

    #[test]
    fn what_is_forgotten_counts_as_changed() {
        let mut recent = Recent::with_bounds(Revision(0), 2, 1_000);
        for (revision, key) in [(1, "a"), (2, "a"), (3, "b"), (4, "c")] {
            touch(&mut recent, revision, key);
        }
        let elsewhere = KeyRange::new(b"x".to_vec(), None);
        assert!(recent.surely_unchanged("t", &elsewhere, Revision(2)));
        assert!(!recent.surely_unchanged("t", &elsewhere, Revision(1)), "the change of revision 2 is forgotten");
        assert_eq!(recent.tables["t"].rows.len(), 2);

        let mut recent = Recent::with_bounds(Revision(0), 1_000, 3);
        touch(&mut recent, 1, "aa");
        touch(&mut recent, 2, "bb");
        assert!(!recent.surely_unchanged("t", &elsewhere, Revision(0)), "bounded in bytes, too");
        assert!(recent.surely_unchanged("t", &elsewhere, Revision(1)));
    }
}
