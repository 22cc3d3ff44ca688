//! Promises about many at once.

use tokio::task::JoinSet;

use super::*;
use crate::{Expected, RangeExpected, Snapshot, Table, commit_with};

/// Deleting a policy requires that it is attached to nothing; attaching requires that the policy is there. In either
/// order, and at the same time, one of the two wins and the other sees it.
pub async fn either_a_policy_is_deleted_or_attached(subject: &dyn Subject) {
    let store = fresh(subject).await;
    fn delete(t: &mut Transaction, policy: &str, read: Revision) {
        let attachments = KeyRange::prefix(format!("{policy}/").into());
        t.require("policies", policy.to_owned(), Expected::Revision(read));
        t.require_range("attachments", attachments, RangeExpected::Empty);
        t.delete("policies", policy.to_owned());
    }
    fn attach(t: &mut Transaction, policy: &str, read: Revision) {
        t.require("policies", policy.to_owned(), Expected::Revision(read));
        t.put("attachments", format!("{policy}/target"), "1");
    }

    let p = commit(&*store, |t| _ = t.put("policies", "p", "1")).await;
    assert!(!conflicts(try_commit(&*store, |t| attach(t, "p", p)).await));
    assert!(conflicts(try_commit(&*store, |t| delete(t, "p", p)).await), "deleted though attached");

    let q = commit(&*store, |t| _ = t.put("policies", "q", "1")).await;
    assert!(!conflicts(try_commit(&*store, |t| delete(t, "q", q)).await));
    assert!(conflicts(try_commit(&*store, |t| attach(t, "q", q)).await), "attached though deleted");

    for round in 0..20 {
        let policy = format!("r{round}");
        let read = commit(&*store, |t| _ = t.put("policies", policy.clone(), "1")).await;
        let both = [true, false].map(|deletes| {
            let (store, policy) = (store.clone(), policy.clone());
            tokio::spawn(async move {
                let build = if deletes { delete } else { attach };
                conflicts(try_commit(&*store, |t| build(t, &policy, read)).await)
            })
        });
        let [first, second] = both;
        let lost = [first.await.expect("a task"), second.await.expect("a task")];
        assert_eq!(lost.iter().filter(|lost| **lost).count(), 1, "round {round}: {lost:?}");
        let there = value(&*store, "policies", &policy).await.is_some();
        let attached = value(&*store, "attachments", &format!("{policy}/target")).await.is_some();
        assert_eq!(there, attached, "round {round}: an attachment to nothing, or nothing done");
    }
}

/// Each inserts a row of its own into a range that it requires to be empty: a phantom would let two of them in.
pub async fn one_of_many_finds_the_range_empty(subject: &dyn Subject) {
    let store = fresh(subject).await;
    let mut tasks = JoinSet::new();
    for n in 0..30 {
        let store = store.clone();
        tasks.spawn(async move {
            let range = KeyRange::prefix(b"claim/".to_vec());
            let claim = try_commit(&*store, |t| {
                t.require_range("t", range, RangeExpected::Empty).put("t", format!("claim/{n:02}"), "1");
            });
            !conflicts(claim.await)
        });
    }
    let won = tasks.join_all().await.into_iter().filter(|won| *won).count();
    assert_eq!(won, 1, "that many found the range empty");
    assert_eq!(keys(&*store, "t", KeyRange::prefix(b"claim/".to_vec())).await.len(), 1);
}

static COUNTERS: Table<String, u64> = Table::new("counters");

/// Many count in one row, each on what it read.
pub async fn no_update_is_lost(subject: &dyn Subject) {
    let store = fresh(subject).await;
    let mut tasks = JoinSet::new();
    for _ in 0..10 {
        let store = store.clone();
        tasks.spawn(async move {
            for _ in 0..5 {
                let key = &"n".to_owned();
                let count = |snapshot: Snapshot| async move {
                    let read = COUNTERS.get(&snapshot, key).await?;
                    let mut transaction = Transaction::new();
                    COUNTERS.require_as_read(&mut transaction, key, read.as_ref());
                    COUNTERS.put(&mut transaction, key, &(read.map_or(0, |row| row.value) + 1));
                    Ok::<_, CommitError>((transaction, ()))
                };
                commit_with(&*store, count).await.expect("counted");
            }
        });
    }
    tasks.join_all().await;
    let snapshot = store.snapshot().await.expect("the store reads");
    let row = COUNTERS.get(&snapshot, &"n".to_owned()).await.expect("the store reads").expect("counted");
    assert_eq!(row.value, 50);
}

/// Money moves between accounts in two tables while others add it up: every snapshot has the whole sum, and what
/// the snapshot calls its revision is the newest thing in it.
pub async fn snapshots_during_commits_are_consistent(subject: &dyn Subject) {
    const ACCOUNTS: u64 = 8;
    const EACH: u64 = 100;
    fn table(account: u64) -> &'static str {
        if account.is_multiple_of(2) { "even" } else { "odd" }
    }
    async fn balance(snapshot: &Snapshot, account: u64) -> (u64, Revision) {
        let key = account.to_be_bytes();
        let row = snapshot.get(table(account), &key).await.expect("the store reads").expect("accounts are not closed");
        (u64::from_be_bytes(row.value[..].try_into().expect("eight bytes")), row.revision)
    }
    let store = fresh(subject).await;
    let put = |t: &mut Transaction, account: u64, balance: u64| {
        t.put(table(account), account.to_be_bytes().to_vec(), balance.to_be_bytes().to_vec());
    };
    commit(&*store, |t| (0..ACCOUNTS).for_each(|account| put(t, account, EACH))).await;

    let mut movers = JoinSet::new();
    for mover in 0..4 {
        let store = store.clone();
        movers.spawn(async move {
            let mut chance = Chance(mover);
            for _ in 0..25 {
                let (from, to) = (chance.below(ACCOUNTS), chance.below(ACCOUNTS));
                if from == to {
                    continue;
                }
                let store = &store;
                let transfer = |snapshot: Snapshot| async move {
                    let (source, source_read) = balance(&snapshot, from).await;
                    let (target, target_read) = balance(&snapshot, to).await;
                    let mut transaction = Transaction::new();
                    for (account, read) in [(from, source_read), (to, target_read)] {
                        transaction.require(table(account), account.to_be_bytes().to_vec(), Expected::Revision(read));
                    }
                    let amount = source.min(7);
                    put(&mut transaction, from, source - amount);
                    put(&mut transaction, to, target + amount);
                    Ok::<_, CommitError>((transaction, ()))
                };
                commit_with(&**store, transfer).await.expect("moved");
            }
        });
    }
    let mut last = Revision::default();
    let mut sums = 0;
    while sums < 50 || !movers.is_empty() {
        while let Some(done) = movers.try_join_next() {
            done.expect("a mover");
        }
        let snapshot = store.snapshot().await.expect("the store reads");
        let (mut sum, mut newest) = (0, Revision::default());
        for account in 0..ACCOUNTS {
            let (balance, revision) = balance(&snapshot, account).await;
            sum += balance;
            newest = newest.max(revision);
        }
        assert_eq!(sum, ACCOUNTS * EACH, "money appeared or vanished in snapshot {}", snapshot.revision());
        assert_eq!(newest, snapshot.revision(), "every commit here writes an account");
        assert!(snapshot.revision() >= last, "snapshots went back");
        last = snapshot.revision();
        sums += 1;
        tokio::task::yield_now().await;
    }
}
