//! Promises about single transactions.

use super::*;
use crate::{Expected, StoreError, TRANSACTION_STEPS_MAX, VALUE_BYTES_MAX};

/// Writes to several tables come together, and a precondition that fails keeps all of them away.
pub async fn a_transaction_is_committed_whole_or_not_at_all(subject: &dyn Subject) {
    let store = fresh(subject).await;
    commit(&*store, |t| {
        t.put("a", "1", "one").put("b", "2", "two");
    })
    .await;
    assert_eq!(value(&*store, "a", "1").await.as_deref(), Some("one"));
    assert_eq!(value(&*store, "b", "2").await.as_deref(), Some("two"));

    let refused = try_commit(&*store, |t| {
        t.put("a", "3", "three").delete("b", "2").require("a", "1", Expected::Absent);
    });
    assert!(conflicts(refused.await));
    assert_eq!(value(&*store, "a", "3").await, None, "a refused transaction wrote");
    assert_eq!(value(&*store, "b", "2").await.as_deref(), Some("two"), "a refused transaction deleted");
}

/// `Absent` and `Revision` hold exactly when the row is absent, or was written by that revision.
pub async fn a_key_must_be_as_it_was_read(subject: &dyn Subject) {
    let store = fresh(subject).await;
    let older = commit(&*store, |t| _ = t.put("t", "changed", "1")).await;
    let newer = commit(&*store, |t| _ = t.put("t", "changed", "2").put("t", "deleted", "1")).await;
    commit(&*store, |t| _ = t.delete("t", "deleted")).await;
    for (key, expected, holds) in [
        ("changed", Expected::Revision(newer), true),
        ("changed", Expected::Revision(older), false),
        ("changed", Expected::Absent, false),
        ("deleted", Expected::Absent, true),
        ("deleted", Expected::Revision(newer), false),
        ("never", Expected::Absent, true),
        ("never", Expected::Revision(newer), false),
    ] {
        let result = try_commit(&*store, |t| _ = t.require("t", key, expected)).await;
        assert_eq!(conflicts(result), !holds, "{key}: {expected:?}");
    }
    let unknown_table = try_commit(&*store, |t| _ = t.require("unknown", "k", Expected::Absent)).await;
    assert!(!conflicts(unknown_table), "a table that does not exist yet has no rows");
    let own_write = try_commit(&*store, |t| _ = t.put("t", "own", "1").require("t", "own", Expected::Absent)).await;
    assert!(!conflicts(own_write), "preconditions are judged before the transaction's own writes");
}

/// Without preconditions the last write wins, between transactions and within one.
pub async fn blind_writes_need_nothing_and_the_last_counts(subject: &dyn Subject) {
    let store = fresh(subject).await;
    commit(&*store, |t| _ = t.put("t", "k", "1")).await;
    commit(&*store, |t| _ = t.put("t", "k", "2")).await;
    assert_eq!(value(&*store, "t", "k").await.as_deref(), Some("2"));
    commit(&*store, |t| {
        _ = t.put("t", "k", "3").delete("t", "k").put("t", "k", "4").put("t", "l", "1").delete("t", "l")
    })
    .await;
    assert_eq!(value(&*store, "t", "k").await.as_deref(), Some("4"));
    assert_eq!(value(&*store, "t", "l").await, None);
    commit(&*store, |t| _ = t.delete("t", "never").delete("unknown", "never")).await;
    commit(&*store, |_| ()).await; // an empty transaction is a valid one
}

/// Reading one's own writes: also with others committing at the same time.
pub async fn a_commit_that_returned_is_in_every_later_snapshot(subject: &dyn Subject) {
    let store = fresh(subject).await;
    let writers = (0..8).map(|writer| {
        let store = store.clone();
        tokio::spawn(async move {
            for round in 0..5 {
                let key = format!("{writer}");
                let revision = commit(&*store, |t| _ = t.put("t", key.clone(), format!("{round}"))).await;
                let snapshot = store.snapshot().await.expect("the store reads");
                assert!(snapshot.revision() >= revision, "{} lacks {revision}", snapshot.revision());
                let row = snapshot.get("t", key.as_bytes()).await.expect("the store reads").expect("just written");
                assert_eq!((row.value, row.revision), (format!("{round}").into(), revision));
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("a writer");
    }
}

/// Every transaction has a larger revision than those before it; rows carry that of their writer.
pub async fn revisions_rise_and_mark_the_rows_they_wrote(subject: &dyn Subject) {
    let store = fresh(subject).await;
    let start = store.snapshot().await.expect("the store reads").revision();
    let first = commit(&*store, |t| _ = t.put("t", "a", "1").put("u", "b", "1")).await;
    let second = commit(&*store, |t| _ = t.put("t", "c", "1")).await;
    let third = commit(&*store, |t| _ = t.delete("t", "c")).await;
    assert!(start < first && first < second && second < third, "{start} {first} {second} {third}");
    for (table, key, revision) in [("t", "a", first), ("u", "b", first)] {
        let row = store.get(table, key.as_bytes()).await.expect("the store reads").expect("written above");
        assert_eq!(row.revision, revision, "{table}/{key}");
    }
    assert_eq!(store.snapshot().await.expect("the store reads").revision(), third);
}

/// A snapshot sees neither later writes nor later deletes, in tables made later either.
pub async fn a_snapshot_stays_as_it_is(subject: &dyn Subject) {
    let store = fresh(subject).await;
    let before = commit(&*store, |t| _ = t.put("t", "a", "old").put("t", "b", "old")).await;
    let snapshot = store.snapshot().await.expect("the store reads");
    commit(&*store, |t| _ = t.put("t", "a", "new").delete("t", "b").put("t", "c", "new").put("later", "d", "new"))
        .await;
    assert_eq!(snapshot.revision(), before);
    let all = KeyRange::all();
    let seen = snapshot.scan("t", &all, 10, Direction::Ascending).await.expect("the store scans");
    assert!(seen.iter().map(|entry| (&*entry.key, &*entry.row.value)).eq([(&b"a"[..], &b"old"[..]), (b"b", b"old")]));
    assert_eq!(snapshot.get("t", b"a").await.expect("the store reads").map(|row| row.revision), Some(before));
    assert_eq!(snapshot.get("t", b"c").await.expect("the store reads"), None);
    assert_eq!(snapshot.get("later", b"d").await.expect("the store reads"), None);
}

/// Too long, too many, or no key at all: a typed error, and nothing of the transaction is there.
pub async fn what_exceeds_a_bound_is_refused_and_leaves_nothing(subject: &dyn Subject) {
    let store = fresh(subject).await;
    let mut cases: Vec<(&str, Transaction)> = Vec::new();
    let mut case = |what, build: &dyn Fn(&mut Transaction)| {
        let mut transaction = Transaction::new();
        transaction.put("t", "bystander", "1");
        build(&mut transaction);
        cases.push((what, transaction));
    };
    case("value bytes", &|t| _ = t.put("t", "k", vec![0; VALUE_BYTES_MAX + 1]));
    case("key bytes", &|t| _ = t.put("t", vec![1; crate::KEY_BYTES_MAX + 1], "1"));
    case("key bytes", &|t| _ = t.delete("t", vec![1; crate::KEY_BYTES_MAX + 1]));
    case("key bytes", &|t| _ = t.require("t", vec![1; crate::KEY_BYTES_MAX + 1], Expected::Absent));
    case("transaction bytes", &|t| (0..5u8).for_each(|n| _ = t.put("t", vec![n], vec![0; VALUE_BYTES_MAX])));
    case("transaction steps", &|t| (0..TRANSACTION_STEPS_MAX).for_each(|_| _ = t.put("t", "k", "1")));
    for (expected, transaction) in cases {
        match store.commit(transaction).await {
            Err(CommitError::Store(StoreError::TooLarge { what, actual, max })) => {
                assert_eq!(what, expected);
                assert!(actual > max);
            }
            other => panic!("{expected}: {other:?}"),
        }
    }
    let no_key = try_commit(&*store, |t| _ = t.put("t", "bystander", "1").put("t", "", "1")).await;
    assert!(matches!(no_key, Err(CommitError::Store(StoreError::EmptyKey { table: "t" }))), "{no_key:?}");
    assert_eq!(keys(&*store, "t", KeyRange::all()).await, [""; 0]);
}

/// From no byte to the bound, any bytes.
pub async fn values_of_every_size_come_back(subject: &dyn Subject) {
    let store = fresh(subject).await;
    for bytes in [0, 1, 7, 8, 9, 4096, 100_000, VALUE_BYTES_MAX] {
        let written: Vec<u8> = (0..bytes).map(|n| (n * 7 % 251) as u8).collect();
        let longest_key = vec![0xff; crate::KEY_BYTES_MAX];
        commit(&*store, |t| _ = t.put("t", longest_key.clone(), written.clone())).await;
        let read = store.get("t", &longest_key).await.expect("the store reads").expect("just written");
        assert!(read.value == written, "{bytes} bytes came back as {}", read.value.len());
    }
}
