use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use serde_json::json;
use tidegate_ids::Tenant;
use tidegate_kv::{BoxFuture, Changes, Snapshot, StoreError, memory::MemoryStore};
use uuid::Uuid;

use super::*;
use crate::{Identity, Lookup, NotingStore, Verification};

fn tenant(account: &str) -> Tenant {
    Tenant { account: account.parse().unwrap(), region: "us-east-1".parse().unwrap() }
}

fn call(number: u64) -> ApiCall {
    ApiCall {
        tenant: tenant(if number.is_multiple_of(2) { "111111111111" } else { "222222222222" }),
        at: Timestamp::from_millis(number * 1000),
        identity: Identity::Signer {
            kind: "Root",
            arn: "arn:aws:iam::1:root".into(),
            access_key_id: format!("KEY{number}"),
        },
        source_ip: "10.0.0.1".into(),
        user_agent: "test".into(),
        service: "iot",
        operation: format!("Create{number}"),
        parameters: json!({ "n": number }),
        request_id: Uuid::from_u128(number.into()),
        error: None,
    }
}

async fn filled(count: u64) -> Arc<Trail> {
    let trail = Arc::new(Trail::new(Arc::new(MemoryStore::new())));
    for number in 0..count {
        trail.append(&call(number), None).await.unwrap();
    }
    trail
}

async fn problems(trail: &Trail) -> Vec<String> {
    Verification::of(&*trail.store).await.unwrap().problems
}

async fn tamper(trail: &Trail, change: impl FnOnce(&mut Transaction)) {
    let mut transaction = Transaction::new();
    change(&mut transaction);
    trail.store.commit(transaction).await.unwrap();
}

async fn row(trail: &Trail, number: u64) -> Row {
    ROWS.get(&trail.store.snapshot().await.unwrap(), &number).await.unwrap().unwrap().value
}

#[tokio::test]
async fn calls_at_once_make_one_unbroken_chain() {
    let trail = filled(0).await;
    let calls = (0..200).map(|number| {
        let trail = Arc::clone(&trail);
        tokio::spawn(async move { trail.append(&call(number), None).await })
    });
    for done in calls.collect::<Vec<_>>() {
        done.await.unwrap().unwrap();
    }
    let found = Verification::of(&*trail.store).await.unwrap();
    assert_eq!((found.records, found.problems), (200, Vec::new()));
    assert_eq!(Verification::of(&MemoryStore::new()).await.unwrap(), Verification::default());
}

#[tokio::test]
async fn a_changed_missing_or_moved_record_is_found() {
    for (what, expected) in [
        ("changed", "record 3 was changed"),
        ("other account", "record 3 was changed"),
        ("missing", "records 3 to 3 are missing"),
        ("first missing", "records 0 to 0 are missing"),
        ("last missing", "records 9 to 9 are missing"),
        ("swapped", "record 3 was changed"),
    ] {
        let trail = filled(10).await;
        assert_eq!(problems(&trail).await, [""; 0]);
        let (third, fourth) = (row(&trail, 3).await, row(&trail, 4).await);
        tamper(&trail, |transaction| match what {
            "changed" => ROWS.put(transaction, &3, &Row { event: third.event.replace("Create3", "Create4"), ..third }),
            "other account" => ROWS.put(transaction, &3, &Row { tenant: tenant("111111111111"), ..third }),
            "missing" => ROWS.delete(transaction, &3),
            "first missing" => ROWS.delete(transaction, &0),
            "last missing" => ROWS.delete(transaction, &9),
            _ => {
                ROWS.put(transaction, &3, &fourth);
                ROWS.put(transaction, &4, &third);
            }
        })
        .await;
        let found = problems(&trail).await;
        assert!(found.first().is_some_and(|problem| problem.starts_with(expected)), "{what}: {found:?}");
    }
}

#[tokio::test]
async fn what_is_too_old_goes_and_the_rest_is_still_a_chain() {
    let trail = filled(600).await;
    let day = Duration::from_secs(86_400);
    trail.trim(1, Timestamp::from_millis(500_000) + day).await.unwrap();
    let found = Verification::of(&*trail.store).await.unwrap();
    assert_eq!((found.first, found.records, found.problems.len()), (500, 100, 0));
    trail.trim(1, Timestamp::from_millis(u64::MAX)).await.unwrap();
    trail.append(&call(7), None).await.unwrap();
    let found = Verification::of(&*trail.store).await.unwrap();
    assert_eq!((found.first, found.records, found.problems.len()), (600, 1, 0));
    tamper(&trail, |transaction| ROWS.delete(transaction, &600)).await;
    assert_eq!(problems(&trail).await, ["records 600 to 600 are missing"]);
}

/// A store whose disk has room for so many commits.
#[derive(Default)]
struct Tight {
    store: MemoryStore,
    room: AtomicUsize,
    refused: AtomicUsize,
}

impl Store for Tight {
    fn snapshot(&self) -> BoxFuture<'_, Result<Snapshot, StoreError>> {
        self.store.snapshot()
    }

    fn commit(&self, transaction: Transaction) -> BoxFuture<'_, Result<Revision, CommitError>> {
        if self.room.fetch_update(Relaxed, Relaxed, |room| room.checked_sub(1)).is_ok() {
            return self.store.commit(transaction);
        }
        self.refused.fetch_add(1, Relaxed);
        let full = StoreError::Full { path: "disk".into(), free_bytes: 0, bytes_min: 1 };
        Box::pin(async { Err(full.into()) })
    }

    fn changes(&self, from: Revision) -> Changes {
        self.store.changes(from)
    }
}

#[tokio::test]
async fn a_full_disk_stops_trimming_at_once_without_a_loss_and_it_goes_on_where_there_is_room() {
    let store = Arc::new(Tight { room: AtomicUsize::new(600), ..Tight::default() });
    let trail = Trail::new(Arc::clone(&store) as _);
    for number in 0..600 {
        trail.append(&call(number), None).await.unwrap();
    }
    let now = Timestamp::from_millis(500_000) + Duration::from_secs(86_400);
    // Room for no commit, then for one: rows, index and anchor go together, or stay.
    for (room, first) in [(0, 0), (1, 256), (0, 256)] {
        store.room.store(room, Relaxed);
        store.refused.store(0, Relaxed);
        let refused = trail.trim(1, now).await.unwrap_err();
        assert!(matches!(refused, CommitError::Store(StoreError::Full { .. })), "{refused}");
        assert_eq!(store.refused.load(Relaxed), 1, "it does not ask again");
        let found = Verification::of(&*store).await.unwrap();
        assert_eq!((found.first, found.records, found.problems), (first, 600 - first, Vec::new()));
        let own = (first..600).filter(|number| number.is_multiple_of(2)).count();
        let lookup = Lookup { max: 600, ..Lookup::all(tenant("111111111111")) };
        assert_eq!(trail.lookup(&lookup).await.unwrap().events.len(), own);
    }
    store.room.store(usize::MAX, Relaxed);
    trail.append(&call(600), None).await.unwrap();
    trail.trim(1, now).await.unwrap();
    let found = Verification::of(&*store).await.unwrap();
    assert_eq!((found.first, found.records, found.problems), (500, 101, Vec::new()));
}

#[tokio::test]
async fn an_account_looks_up_its_own_calls_the_newest_first_page_by_page() {
    let trail = filled(20).await;
    let own = tenant("111111111111");
    let mut lookup = Lookup { max: 4, ..Lookup::all(own) };
    let mut names = Vec::new();
    loop {
        let found = trail.lookup(&lookup).await.unwrap();
        names.extend(found.events.iter().map(|event| event.event["eventName"].as_str().unwrap().to_owned()));
        match found.more {
            Some(more) => lookup.before = Some(more),
            None => break,
        }
    }
    let expected: Vec<String> = (0..20).rev().filter(|n| n % 2 == 0).map(|n| format!("Create{n}")).collect();
    assert_eq!(names, expected);
    let named = Lookup { attribute: Some(("AccessKeyId".into(), "KEY4".into())), ..Lookup::all(own) };
    assert_eq!(trail.lookup(&named).await.unwrap().events.len(), 1);
    let between = Lookup { from: Timestamp::from_millis(4000), to: Timestamp::from_millis(8000), ..Lookup::all(own) };
    assert_eq!(trail.lookup(&between).await.unwrap().events.len(), 3);
}

#[tokio::test]
async fn a_change_and_its_note_are_one_commit_and_what_is_left_of_a_killed_process_is_recorded_once() {
    static THINGS: tidegate_kv::Table<u64, u64> = tidegate_kv::Table::new("things");
    let memory = Arc::new(MemoryStore::new());
    let (store, trail) = (NotingStore::over(Arc::clone(&memory) as _), Trail::new(Arc::clone(&memory) as _));
    let change = async |number: u64| {
        let mut transaction = Transaction::new();
        THINGS.put(&mut transaction, &number, &number);
        store.commit(transaction).await.unwrap();
    };
    let notes = async || {
        let snapshot = memory.snapshot().await.unwrap();
        NOTES.scan(&snapshot, &KeyRange::all(), 10, Direction::Ascending).await.unwrap().len()
    };
    change(0).await;
    assert_eq!(notes().await, 0, "outside of a call");
    let (answered, killed, refused) = (Note::of(&call(2)), Note::of(&call(4)), Note::of(&call(6)));
    answered.around(change(1)).await;
    assert_eq!(notes().await, 1);
    trail.append(&call(2), Some(&answered)).await.unwrap();
    assert_eq!(notes().await, 0);
    refused.around(async {}).await;
    let error = Some(("Refused".to_owned(), "no".to_owned()));
    trail.append(&ApiCall { error, ..call(6) }, Some(&refused)).await.unwrap();
    let two_changes = async {
        change(2).await;
        tokio::task::yield_now().await;
        change(3).await;
    };
    let stranger = async {
        change(8).await;
        tokio::task::yield_now().await;
        change(9).await;
    };
    tokio::join!(killed.around(two_changes), stranger);
    assert_eq!(
        notes().await,
        1,
        "of several commits of a call one note is left, and none of others' commits meanwhile"
    );

    let again = Trail::new(Arc::clone(&memory) as _);
    let until = memory.snapshot().await.unwrap().revision();
    assert_eq!((again.recover(until).await.unwrap(), notes().await), (1, 0));
    assert_eq!(again.recover(until).await.unwrap(), 0);
    let found = again.lookup(&Lookup::all(tenant("111111111111"))).await.unwrap().events;
    let told =
        found.iter().map(|one| (one.event["eventName"].as_str().unwrap(), !one.event["additionalEventData"].is_null()));
    assert_eq!(told.collect::<Vec<_>>(), [("Create4", true), ("Create6", false), ("Create2", false)]);
    assert_eq!(found[0].at.millis(), 4000);
    assert_eq!(problems(&again).await, [""; 0]);
}

#[tokio::test]
async fn notes_of_an_earlier_process_are_recorded_late_and_those_of_calls_that_go_on_are_not() {
    static THINGS: tidegate_kv::Table<u64, u64> = tidegate_kv::Table::new("things");
    let memory = Arc::new(MemoryStore::new());
    let (store, trail) = (NotingStore::over(Arc::clone(&memory) as _), Trail::new(Arc::clone(&memory) as _));
    let change = async |note: &Arc<Note>, number: u64| {
        let mut transaction = Transaction::new();
        THINGS.put(&mut transaction, &number, &number);
        note.around(async { store.commit(transaction).await.unwrap() }).await;
    };
    for number in 0..200 {
        change(&Note::of(&call(number)), number).await;
    }
    let started = memory.snapshot().await.unwrap().revision();
    let goes_on: Vec<_> = (200..400).map(|number| (number, Note::of(&call(number)))).collect();
    for (number, note) in &goes_on {
        change(note, *number).await;
    }
    assert_eq!(trail.recover(started).await.unwrap(), 200);
    for (number, note) in &goes_on {
        trail.append(&call(*number), Some(note)).await.unwrap();
    }
    assert_eq!(trail.recover(memory.snapshot().await.unwrap().revision()).await.unwrap(), 0);
    assert_eq!(Verification::of(&*memory).await.unwrap().records, 400);
    let recovered = row(&trail, 0).await.event;
    assert!(recovered.contains(RECOVERED), "{recovered}");
    assert!(!row(&trail, 399).await.event.contains("recovered"));
}
