//! Promises about ranges.

use super::*;
use crate::{Entry, RangeExpected};

/// In the order of the keys' bytes, up or down, within the range, up to the limit.
pub async fn scans_go_both_ways_and_stop_at_the_limit(subject: &dyn Subject) {
    use Direction::{Ascending, Descending};
    let store = fresh(subject).await;
    // Written in two transactions and out of order; bytes compare unsigned, and a prefix sorts first.
    let rows: [&[u8]; 7] = [b"\0", b"a", b"a\0", b"ab", b"b", b"\x80", b"\xff\xff"];
    commit(&*store, |t| rows.iter().rev().step_by(2).for_each(|key| _ = t.put("t", key.to_vec(), "1"))).await;
    commit(&*store, |t| rows.iter().rev().skip(1).step_by(2).for_each(|key| _ = t.put("t", key.to_vec(), "1"))).await;
    commit(&*store, |t| _ = t.put("t", "aa", "1")).await;
    commit(&*store, |t| _ = t.delete("t", "aa")).await;

    let range = |from: &[u8], to: &[u8]| KeyRange::new(from.to_vec(), Some(to.to_vec()));
    for (range, limit, direction, expected) in [
        (KeyRange::all(), 100, Ascending, &[0, 1, 2, 3, 4, 5, 6][..]),
        (KeyRange::all(), 100, Descending, &[6, 5, 4, 3, 2, 1, 0]),
        (KeyRange::all(), 2, Ascending, &[0, 1]),
        (KeyRange::all(), 2, Descending, &[6, 5]),
        (KeyRange::all(), 0, Ascending, &[]),
        (KeyRange::prefix(b"a".to_vec()), 100, Ascending, &[1, 2, 3]),
        (KeyRange::prefix(b"a".to_vec()), 2, Descending, &[3, 2]),
        (KeyRange::prefix(b"\xff".to_vec()), 100, Ascending, &[6]),
        (range(b"a\0", b"b"), 100, Ascending, &[2, 3]),
        (range(b"a\0", b"b"), 1, Descending, &[3]),
        (range(b"b", b"b"), 100, Ascending, &[]),
        (range(b"b", b"a"), 100, Descending, &[]),
        (KeyRange::new(b"b".to_vec(), None).after_bytes(b"b"), 100, Ascending, &[5, 6]),
        (KeyRange::all().before_bytes(b"a\0"), 100, Descending, &[1, 0]),
    ] {
        let found = store.scan("t", &range, limit, direction).await.expect("the store scans");
        let expected: Vec<&[u8]> = expected.iter().map(|&n: &usize| rows[n]).collect();
        assert!(found.iter().map(|e: &Entry| &*e.key).eq(expected), "{range:?} {limit} {direction:?}: {found:?}");
    }
}

/// The same key in two tables is two rows; a table that nobody wrote to is empty.
pub async fn tables_do_not_mix(subject: &dyn Subject) {
    let store = fresh(subject).await;
    commit(&*store, |t| _ = t.put("t", "k", "1").put("tt", "k", "2").put("u", "l", "3")).await;
    commit(&*store, |t| _ = t.delete("tt", "k")).await;
    assert_eq!(keys(&*store, "t", KeyRange::all()).await, ["k"]);
    assert_eq!(keys(&*store, "tt", KeyRange::all()).await, [""; 0]);
    assert_eq!(keys(&*store, "u", KeyRange::all()).await, ["l"]);
    assert_eq!(keys(&*store, "unknown", KeyRange::all()).await, [""; 0]);
    assert_eq!(value(&*store, "unknown", "k").await, None);
}

/// `Empty` fails exactly when a row is in the range.
pub async fn an_empty_range_is_a_precondition(subject: &dyn Subject) {
    let store = fresh(subject).await;
    commit(&*store, |t| _ = t.put("t", "b", "1").put("t", "d", "1").put("t", "gone", "1")).await;
    commit(&*store, |t| _ = t.delete("t", "gone")).await;
    for (table, range, empty) in [
        ("t", between("a", "b"), true), // the end is excluded
        ("t", between("a", "c"), false),
        ("t", between("b", "b\0"), false), // the start is included
        ("t", between("b\0", "d"), true),
        ("t", between("e", "z"), true), // what was deleted is not there
        ("t", between("z", "a"), true),
        ("t", KeyRange::all(), false),
        ("unknown", KeyRange::all(), true),
    ] {
        let result = try_commit(&*store, |t| _ = t.require_range(table, range.clone(), RangeExpected::Empty)).await;
        assert_eq!(conflicts(result), !empty, "{table} {range:?}");
    }
}

/// `UnchangedSince` fails when a row of the range was written, deleted or made since; and never fails for what
/// happened before the snapshot or outside the range.
pub async fn a_range_unchanged_since_a_snapshot_is_a_precondition(subject: &dyn Subject) {
    let store = fresh(subject).await;
    let start = store.snapshot().await.expect("the store reads").revision();
    let made = commit(&*store, |t| _ = t.put("t", "b", "1").put("t", "d", "1")).await;
    let changed = commit(&*store, |t| _ = t.put("t", "b", "2")).await;
    let deleted = commit(&*store, |t| _ = t.delete("t", "d")).await;
    let again = commit(&*store, |t| _ = t.put("t", "d", "1")).await;
    let elsewhere = commit(&*store, |t| _ = t.put("t", "x", "1").put("u", "b", "1")).await;
    for (range, since, unchanged) in [
        (between("a", "c"), start, false),
        (between("a", "c"), made, false),
        (between("a", "c"), changed, true),
        (between("c", "e"), made, false),
        (between("c", "e"), deleted, false),
        (between("c", "e"), again, true),
        (between("a", "e"), again, true),
        (KeyRange::all(), again, false),
        (KeyRange::all(), elsewhere, true),
        (between("e", "w"), start, true),
        (between("b", "a"), start, true),
    ] {
        let expected = RangeExpected::UnchangedSince(since);
        let result = try_commit(&*store, |t| _ = t.require_range("t", range.clone(), expected)).await;
        assert_eq!(conflicts(result), !unchanged, "{range:?} since {since}");
    }
    // A deleted row leaves nothing behind in the range but the fact that it was there.
    let snapshot = store.snapshot().await.expect("the store reads").revision();
    commit(&*store, |t| _ = t.delete("t", "d")).await;
    let expected = RangeExpected::UnchangedSince(snapshot);
    assert!(conflicts(try_commit(&*store, |t| _ = t.require_range("t", between("c", "e"), expected)).await));
}
