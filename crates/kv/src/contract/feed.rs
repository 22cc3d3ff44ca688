//! Promises about the change feed.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::*;
use crate::{Change, Changes, Committed, FeedError};

async fn next(changes: &mut Changes) -> Arc<Committed> {
    changes.next().await.expect("the feed goes on")
}

fn change(table: &'static str, key: &'static str, value: Option<&'static str>) -> Change {
    Change { table, key: key.into(), value: value.map(Bytes::from) }
}

/// One item per transaction, with its revision, its keys and its values; a refused transaction is not among them;
/// the consumer may be waiting before there is anything.
pub async fn the_feed_tells_every_change_in_order(subject: &dyn Subject) {
    let store = fresh(subject).await;
    let mut changes = store.changes(store.snapshot().await.expect("the store reads").revision());
    let waiting = tokio::spawn(async move { (next(&mut changes).await, changes) });
    let first = commit(&*store, |t| _ = t.put("t", "a", "1").put("u", "b", "2")).await;
    let (told, mut changes) = waiting.await.expect("a consumer");
    let expected = vec![change("t", "a", Some("1")), change("u", "b", Some("2"))];
    assert_eq!(*told, Committed { revision: first, changes: expected });

    let refused = try_commit(&*store, |t| _ = t.put("t", "c", "1").require("t", "a", crate::Expected::Absent));
    assert!(conflicts(refused.await));
    let second = commit(&*store, |t| _ = t.delete("t", "a").put("t", "b", "")).await;
    let expected = vec![change("t", "a", None), change("t", "b", Some(""))];
    assert_eq!(*next(&mut changes).await, Committed { revision: second, changes: expected });

    drop(store);
    assert_eq!(changes.next().await, Err(FeedError::Closed));
}

/// Of a quiet transaction the feed tells the revision alone; it is committed, and judged, as any other.
pub async fn a_quiet_transaction_is_told_without_its_changes(subject: &dyn Subject) {
    let store = fresh(subject).await;
    let mut changes = store.changes(store.snapshot().await.expect("the store reads").revision());
    let mut quiet = Transaction::quiet();
    quiet.put("t", "a", "1").require("t", "a", crate::Expected::Absent);
    let revision = store.commit(quiet.clone()).await.expect("a commit");
    assert_eq!(*next(&mut changes).await, Committed { revision, changes: Vec::new() });
    assert_eq!(value(&*store, "t", "a").await.as_deref(), Some("1"));
    assert!(conflicts(store.commit(quiet).await));
    let loud = commit(&*store, |t| _ = t.put("t", "a", "2")).await;
    let expected = vec![change("t", "a", Some("2"))];
    assert_eq!(*next(&mut changes).await, Committed { revision: loud, changes: expected });
}

/// From a snapshot's revision on: nothing twice, nothing left out.
pub async fn a_feed_goes_on_from_any_revision_it_remembers(subject: &dyn Subject) {
    let store = fresh(subject).await;
    let mut revisions = vec![store.snapshot().await.expect("the store reads").revision()];
    for _ in 0..5 {
        revisions.push(commit(&*store, |t| _ = t.put("t", "k", "1")).await);
    }
    for from in 0..5 {
        let mut changes = store.changes(revisions[from]);
        for expected in &revisions[from + 1..] {
            assert_eq!(next(&mut changes).await.revision, *expected, "from {from}");
        }
    }
}

/// Consumers do not take from each other, and a `next` that was given up loses nothing.
pub async fn every_consumer_gets_everything(subject: &dyn Subject) {
    let store = fresh(subject).await;
    let from = store.snapshot().await.expect("the store reads").revision();
    let consumers: Vec<_> = (0..3)
        .map(|_| {
            let mut changes = store.changes(from);
            tokio::spawn(async move {
                let mut seen = Vec::new();
                while seen.len() < 20 {
                    tokio::select! {
                        biased;
                        committed = changes.next() => seen.push(committed.expect("the feed goes on").revision),
                        () = tokio::task::yield_now() => {} // gives the `next` up
                    }
                }
                seen
            })
        })
        .collect();
    let mut expected = Vec::new();
    for n in 0..20 {
        expected.push(commit(&*store, |t| _ = t.put("t", format!("{n}"), "1")).await);
    }
    for consumer in consumers {
        assert_eq!(consumer.await.expect("a consumer"), expected);
    }
}

/// 100 000 changes. A reader that keeps up builds the same table as the store has. A reader that is slow is told
/// `Gone` instead of a gap; it reads a snapshot again, goes on from there, and ends with the same table. Memory stays
/// bounded and no commit waits for it.
pub async fn a_slow_reader_misses_nothing_or_is_told(subject: &dyn Subject) {
    const TRANSACTIONS: u64 = 1_000;
    const CHANGES_EACH: u64 = 100;
    let store = subject.fresh(FeedBounds { transactions_max: 100, bytes_max: usize::MAX }).await;
    let start = store.snapshot().await.expect("the store reads").revision();

    let slow = tokio::spawn(follow(store.clone(), start, 40));
    let mut prompt = store.changes(start);
    let mut counted = 0;
    let mut table = BTreeMap::new();
    let mut last = start;
    for n in 0..TRANSACTIONS {
        last = commit(&*store, |t| {
            for change in 0..CHANGES_EACH {
                let key = (n * 31 + change * 7) % 5_000;
                if change % 5 == 4 {
                    t.delete("t", key.to_be_bytes().to_vec());
                } else {
                    t.put("t", key.to_be_bytes().to_vec(), n.to_be_bytes().to_vec());
                }
            }
        })
        .await;
        if n % 50 == 49 {
            for _ in 0..50 {
                let committed = next(&mut prompt).await;
                counted += committed.changes.len();
                apply(&mut table, &committed);
            }
        }
    }
    assert_eq!(counted as u64, TRANSACTIONS * CHANGES_EACH);
    let truth = read_all(&*store).await;
    assert!(table == truth, "the prompt reader's table differs from the store's");

    let (gone, slow_table) = {
        commit(&*store, |t| _ = t.put("end", "end", "1")).await;
        slow.await.expect("the slow reader")
    };
    assert!(gone > 0, "a reader this slow must have been too late at least once");
    assert!(slow_table == truth, "the slow reader's table differs from the store's");
    assert_eq!(store.changes(start).next().await, Err(FeedError::Gone));
    assert_eq!(next(&mut store.changes(last)).await.changes[0].table, "end");
}

type TableInMemory = BTreeMap<Bytes, Bytes>;

/// Follows the feed until the table `end` is written, handling one transaction for every `slowness` commits. Says how
/// often it was too late.
async fn follow(store: Arc<dyn Store>, start: Revision, slowness: u64) -> (u64, TableInMemory) {
    let (mut gone, mut table) = (0, TableInMemory::new());
    let mut changes = store.changes(start);
    // Its own clock: a second consumer that keeps up, so that no time is involved.
    let mut beat = store.changes(start);
    let mut beating = true;
    loop {
        for _ in 0..slowness {
            if beating {
                match beat.next().await {
                    Ok(committed) => beating = committed.changes[0].table != "end",
                    Err(_) => beat = store.changes(store.snapshot().await.expect("the store reads").revision()),
                }
            }
        }
        match changes.next().await {
            Ok(committed) if committed.changes[0].table == "end" => return (gone, table),
            Ok(committed) => apply(&mut table, &committed),
            Err(FeedError::Gone) => {
                gone += 1;
                let snapshot = store.snapshot().await.expect("the store reads");
                table = read(&snapshot).await;
                if snapshot.get("end", b"end").await.expect("the store reads").is_some() {
                    return (gone, table);
                }
                changes = store.changes(snapshot.revision());
            }
            Err(FeedError::Closed) => panic!("the store is still open"),
        }
    }
}

fn apply(table: &mut TableInMemory, committed: &Committed) {
    for change in &committed.changes {
        match &change.value {
            Some(value) => table.insert(change.key.clone(), value.clone()),
            None => table.remove(&change.key),
        };
    }
}

async fn read_all(store: &dyn Store) -> TableInMemory {
    read(&store.snapshot().await.expect("the store reads")).await
}

async fn read(snapshot: &crate::Snapshot) -> TableInMemory {
    let rows = snapshot.scan("t", &KeyRange::all(), usize::MAX, Direction::Ascending).await.expect("the store scans");
    rows.into_iter().map(|entry| (entry.key, entry.row.value)).collect()
}
