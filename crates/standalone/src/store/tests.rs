use std::{io, sync::atomic::AtomicBool, sync::atomic::Ordering};

use tempfile::TempDir;
use tidegate_kv::{Direction, Expected, FeedError, KeyRange, RangeExpected, contract::Subject};

use super::*;

mod damage;

/// What the next commit runs into.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// The write to the disk fails.
    Disk,
    /// The commit thread panics.
    Panic,
}

pub(crate) fn strike(fault: &Mutex<Option<Fault>>) -> Result<(), StoreError> {
    match *fault.lock() {
        None => Ok(()),
        Some(Fault::Panic) => panic!("struck by a test"),
        Some(Fault::Disk) => {
            let source = io::Error::from_raw_os_error(5).into();
            Err(StoreError::Engine { doing: "writing to the disk", source })
        }
    }
}

/// Stores in directories that are removed with the subject.
#[derive(Default)]
struct Disk(Mutex<Vec<TempDir>>);

impl Subject for Disk {
    fn fresh(&self, feed: FeedBounds) -> BoxFuture<'_, Arc<dyn Store>> {
        let home = tempfile::tempdir().unwrap();
        let options = Options { feed, ..Options::new(home.path()) };
        self.0.lock().push(home);
        Box::pin(async move { Arc::new(StandaloneStore::open(options).unwrap()) as Arc<dyn Store> })
    }
}

mod contract {
    use super::Disk;

    tidegate_kv::contract_tests!(Disk::default());
}

async fn put(store: &StandaloneStore, table: &'static str, key: &str, value: &str) -> Revision {
    let mut transaction = Transaction::new();
    transaction.put(table, key.to_owned(), value.to_owned());
    store.commit(transaction).await.unwrap()
}

#[tokio::test]
async fn a_reopened_store_has_everything_and_goes_on_counting() {
    let home = tempfile::tempdir().unwrap();
    let store = StandaloneStore::open(Options::new(home.path())).unwrap();
    let kept = put(&store, "t", "kept", "1").await;
    put(&store, "u", "deleted", "1").await;
    let mut transaction = Transaction::new();
    transaction.delete("u", "deleted");
    let deleted = store.commit(transaction).await.unwrap();
    drop(store);

    let store = StandaloneStore::open(Options::new(home.path())).unwrap();
    assert_eq!(store.get("t", b"kept").await.unwrap().unwrap().revision, kept);
    assert!(store.scan("u", &KeyRange::all(), 10, Direction::Ascending).await.unwrap().is_empty());
    // The newest transaction left no row, and is counted all the same.
    assert_eq!(store.snapshot().await.unwrap().revision(), deleted);
    assert!(put(&store, "t", "next", "1").await > deleted);
}

#[tokio::test]
async fn what_happened_before_the_store_was_opened_is_not_taken_for_unchanged() {
    let home = tempfile::tempdir().unwrap();
    let store = StandaloneStore::open(Options::new(home.path())).unwrap();
    let older = put(&store, "t", "a", "1").await;
    let newest = put(&store, "t", "a", "2").await;
    drop(store);

    let store = StandaloneStore::open(Options::new(home.path())).unwrap();
    for (since, unchanged) in [(newest, true), (older, false)] {
        let mut transaction = Transaction::new();
        transaction.require_range("t", KeyRange::all(), RangeExpected::UnchangedSince(since));
        assert_eq!(store.commit(transaction).await.is_ok(), unchanged, "since {since}");
    }
    assert_eq!(store.changes(older).next().await, Err(FeedError::Gone));
}

#[tokio::test]
async fn a_second_process_is_refused_until_the_first_has_closed() {
    let home = tempfile::tempdir().unwrap();
    let store = StandaloneStore::open(Options::new(home.path())).unwrap();
    let second = StandaloneStore::open(Options::new(home.path())).map(|_| ()).unwrap_err();
    assert!(matches!(&second, StoreError::InUse { path } if path == home.path()), "{second:?}");
    drop(store);
    StandaloneStore::open(Options::new(home.path())).unwrap();
}

#[tokio::test]
async fn a_failed_disk_and_a_panic_are_fatal_and_nobody_is_told_of_success() {
    for (fault, expected) in [
        (Fault::Disk, "writing to the disk failed: Input/output error (os error 5)"),
        (Fault::Panic, "the commit thread panicked: struck by a test"),
    ] {
        let home = tempfile::tempdir().unwrap();
        let told = Arc::new(Mutex::new(Vec::new()));
        let ends = told.clone();
        let on_fatal = Box::new(move |what: &str| ends.lock().push(what.to_owned()));
        let store = StandaloneStore::open(Options { on_fatal, ..Options::new(home.path()) }).unwrap();
        put(&store, "t", "before", "1").await;
        *store.fault.lock() = Some(fault);
        for key in ["during", "after"] {
            let mut transaction = Transaction::new();
            transaction.put("t", key, "1");
            let failed = store.commit(transaction).await;
            assert!(matches!(failed, Err(CommitError::Store(StoreError::Closed))), "{fault:?} {key}: {failed:?}");
        }
        assert_eq!(*told.lock(), [expected]);
        assert_eq!(store.get("t", b"before").await.unwrap().unwrap().value, "1");
        assert_eq!(store.get("t", b"during").await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_nearly_full_disk_takes_no_commit_and_is_read_all_the_same() {
    let home = tempfile::tempdir().unwrap();
    let store = StandaloneStore::open(Options::new(home.path())).unwrap();
    put(&store, "t", "before", "1").await;
    drop(store);

    let store = StandaloneStore::open(Options { free_bytes_min: u64::MAX, ..Options::new(home.path()) }).unwrap();
    let mut transaction = Transaction::new();
    transaction.put("t", "during", "1");
    let refused = store.commit(transaction).await.unwrap_err();
    assert!(matches!(refused, CommitError::Store(StoreError::Full { .. })), "{refused:?}");
    assert!(refused.to_string().starts_with("the disk is nearly full: "), "{refused}");
    assert_eq!(store.get("t", b"before").await.unwrap().unwrap().value, "1");
    drop(store);

    let store = StandaloneStore::open(Options::new(home.path())).unwrap();
    assert_eq!(store.get("t", b"during").await.unwrap(), None);
    put(&store, "t", "after", "1").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_arrives_during_one_fsync_is_one_batch_judged_in_order() {
    let home = tempfile::tempdir().unwrap();
    let store = Arc::new(StandaloneStore::open(Options::new(home.path())).unwrap());
    // Far more writers than the queue and a batch hold, each with a claim on a row that three others want, too.
    let writers: Vec<_> = (0..8_000u32)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut transaction = Transaction::new();
                let key = (n / 4).to_be_bytes().to_vec();
                transaction.require("claims", key.clone(), Expected::Absent);
                transaction.put("claims", key, n.to_be_bytes().to_vec());
                (n, store.commit(transaction).await)
            })
        })
        .collect();
    let (mut won, mut refused) = (Vec::new(), 0);
    for writer in writers {
        match writer.await.unwrap() {
            (n, Ok(revision)) => won.push((n, revision)),
            (_, Err(CommitError::Conflict)) => refused += 1,
            (n, Err(error)) => panic!("{n}: {error}"),
        }
    }
    assert_eq!((won.len(), refused), (2_000, 6_000));
    for (n, revision) in won {
        let row = store.get("claims", &(n / 4).to_be_bytes()).await.unwrap().unwrap();
        assert_eq!((row.value, row.revision), (n.to_be_bytes().to_vec().into(), revision));
    }
    assert_eq!(store.committing_for(), Duration::ZERO);
    assert_eq!(store.room.available_permits(), QUEUE_KIB_MAX, "all room is given back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_stays_as_it_is_while_the_engine_writes_tables_out_and_merges_them() {
    const KEYS: u64 = 200;
    let home = tempfile::tempdir().unwrap();
    let store = StandaloneStore::open(Options::new(home.path())).unwrap();
    // 32 kB that do not compress, different for every key and round: a dozen memtables over all rounds.
    let value = |round: u64, key: u64| {
        let mut state = round << 32 | key;
        let next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state ^ state >> 33).to_be_bytes()
        };
        std::iter::repeat_with(next).take(4_000).flatten().collect::<Vec<u8>>()
    };
    let mut snapshots = Vec::new();
    for round in 0..8 {
        for some in (0..KEYS).collect::<Vec<_>>().chunks(20) {
            let mut transaction = Transaction::new();
            for &key in some {
                if round % 4 == 3 && key % 3 == 0 {
                    transaction.delete("t", key.to_be_bytes().to_vec());
                } else {
                    transaction.put("t", key.to_be_bytes().to_vec(), value(round, key));
                }
            }
            store.commit(transaction).await.unwrap();
        }
        snapshots.push(store.snapshot().await.unwrap());
        if round == 4 {
            snapshots.truncate(2); // some end, some stay
        }
    }
    let check = async |round: u64, snapshot: &Snapshot| {
        let rows = snapshot.scan("t", &KeyRange::all(), 1_000, Direction::Ascending).await.unwrap();
        let expected: Vec<_> = (0..KEYS).filter(|key| round % 4 != 3 || key % 3 != 0).collect();
        assert_eq!(rows.len(), expected.len(), "round {round}");
        for (row, key) in rows.iter().zip(expected) {
            assert!(row.key[..] == key.to_be_bytes() && row.row.value == value(round, key), "round {round}, key {key}");
            let one = snapshot.get("t", &key.to_be_bytes()).await.unwrap();
            assert_eq!(one.as_ref(), Some(&row.row), "round {round}, key {key}");
        }
    };
    for (round, snapshot) in [0, 1, 5, 6, 7].into_iter().zip(&snapshots) {
        check(round, snapshot).await;
    }
    drop((snapshots, store));
    let store = StandaloneStore::open(Options::new(home.path())).unwrap();
    check(7, &store.snapshot().await.unwrap()).await;
}

#[test]
fn reads_work_without_a_runtime() {
    let home = tempfile::tempdir().unwrap();
    let store = StandaloneStore::open(Options::new(home.path())).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(put(&store, "t", "a", "1"));
    drop(runtime);
    struct Wakeless(AtomicBool);
    impl std::task::Wake for Wakeless {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let waker = Arc::new(Wakeless(AtomicBool::new(false))).into();
    let mut context = std::task::Context::from_waker(&waker);
    let range = KeyRange::all();
    let mut scan = store.scan("t", &range, 10, Direction::Ascending);
    let std::task::Poll::Ready(rows) = scan.as_mut().poll(&mut context) else { panic!("a scan in place is ready") };
    assert_eq!(rows.unwrap().len(), 1);
}
