//! Processes that end in the middle of commits: `kill -9`, and a disk that takes no more.
//!
//! This file's program starts itself again as the writer that is to end; see [`writer`].

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStderr, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use tidegate_kv::{Direction, Expected, KeyRange, Revision, Snapshot, Store, Transaction, VALUE_BYTES_MAX};
use tidegate_standalone::{EXIT_FATAL, Options, StandaloneStore};
use tokio::task::JoinSet;

const KILLS: u64 = 30;
const SEED: u64 = 20_260_102;

/// Writers in the child; each has keys of its own and waits for every answer, so it has one commit under way.
const WRITERS: u64 = 16;

/// Rows that each writer keeps; with every new one it deletes the one that many before.
const KEPT: u64 = 20;

/// What a child is told through its environment: `kill:DIRECTORY` or `full:DIRECTORY`.
const ROLE: &str = "TIDEGATE_CRASH_TEST_ROLE";

/// Kills a process that commits all the time, at points chosen by a seed, and compares what it had been told was
/// committed with what is there afterwards: all of it, and nothing by halves.
#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_half_there_after_kill_9() {
    let home = tempfile::tempdir().unwrap();
    let mut chance = SEED;
    let (mut acknowledged, mut beyond, mut rows) = (0, 0, 0);
    let mut last = [0; WRITERS as usize];
    let mut newest = Revision::default();
    for kill in 0..KILLS {
        let context = format!("seed {SEED}, kill {kill}");
        let mut child = start("kill", home.path());
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        // Some die while they open the store, the others after so many answers and a moment more.
        let answers = if kill % 6 == 5 { 0 } else { 1 + random(&mut chance, 600) };
        let told = read_answers(&mut lines, answers);
        let moment = Duration::from_micros(random(&mut chance, if answers == 0 { 60_000 } else { 3_000 }));
        let since = Instant::now();
        while since.elapsed() < moment {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it wrote before it died is still in the pipe.
        for (writer, n, revision) in told.into_iter().chain(read_answers(&mut lines, u64::MAX)) {
            assert_eq!(n, last[writer as usize] + 1, "{context}: writer {writer} did not go on where it was");
            last[writer as usize] = n;
            newest = newest.max(Revision(revision));
            acknowledged += 1;
        }
        let found = inspect(home.path(), &last, newest, &context);
        for (last, found) in last.iter_mut().zip(&found.counted) {
            beyond += found - *last;
            *last = *found;
        }
        newest = found.newest;
        rows += found.rows;
    }
    assert!(acknowledged > 1_000, "the children hardly wrote: {acknowledged}");
    println!(
        "{KILLS} kills: {acknowledged} acknowledged transactions, 0 lost; {beyond} more were committed before their \
         answer was; {rows} rows compared, 0 half-written"
    );
}

/// When the disk takes no more, the process ends with 70; what it had acknowledged is there when it starts again.
#[test]
fn a_failed_write_ends_the_process_with_70_and_loses_nothing_acknowledged() {
    let home = tempfile::tempdir().unwrap();
    let mut child = start("full", home.path());
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let told = read_answers(&mut lines, u64::MAX);
    assert_eq!(child.wait().unwrap().code(), Some(EXIT_FATAL));
    assert!(!told.is_empty(), "nothing was acknowledged before the disk was full");
    let store = StandaloneStore::open(Options::new(home.path())).unwrap();
    for (_, n, _) in told {
        let row = runtime().block_on(store.get("large", &n.to_be_bytes())).unwrap();
        assert!(row.is_some_and(|row| row.value == large(n)), "value {n} is lost or damaged");
    }
}

/// The child's part: writes until it ends. In the parent there is no role and this does nothing.
#[test]
fn writer() {
    let Ok(role) = env::var(ROLE) else { return };
    let (role, home) = role.split_once(':').unwrap();
    let store = Arc::new(StandaloneStore::open(Options::new(home)).unwrap());
    match role {
        "kill" => runtime().block_on(write_until_killed(store)),
        "full" => runtime().block_on(write_until_the_disk_is_full(store)),
        other => panic!("no such role: {other}"),
    }
}

async fn write_until_killed(store: Arc<StandaloneStore>) {
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let store = store.clone();
        writers.spawn(async move {
            let key = writer.to_be_bytes();
            loop {
                let counted = store.get("counters", &key).await.unwrap();
                let n = counted.as_ref().map_or(0, |row| number(&row.value)) + 1;
                let expected = counted.map_or(Expected::Absent, |row| Expected::Revision(row.revision));
                let mut transaction = Transaction::new();
                transaction.require("counters", key.to_vec(), expected);
                transaction.put("counters", key.to_vec(), n.to_be_bytes().to_vec());
                transaction.put("rows", row_key(writer, n), row_value(writer, n));
                transaction.put("index", row_key(n, writer), vec![]);
                if n > KEPT {
                    transaction.delete("rows", row_key(writer, n - KEPT));
                    transaction.delete("index", row_key(n - KEPT, writer));
                }
                let revision = store.commit(transaction).await.unwrap();
                acknowledge(writer, n, revision);
            }
        });
    }
    writers.join_all().await;
}

async fn write_until_the_disk_is_full(store: Arc<StandaloneStore>) {
    for n in 0u64.. {
        let mut transaction = Transaction::new();
        transaction.put("large", n.to_be_bytes().to_vec(), large(n));
        match store.commit(transaction).await {
            Ok(revision) => acknowledge(0, n, revision),
            // The process is about to end; this task must not end it first, in its own way.
            Err(_) => std::future::pending().await,
        }
    }
}

/// One line in one write, so that a kill leaves whole lines, or half a one at the end.
fn acknowledge(writer: u64, n: u64, revision: Revision) {
    std::io::stderr().write_all(format!("{writer} {n} {revision}\n").as_bytes()).unwrap();
}

fn start(role: &str, home: &Path) -> Child {
    let mut command = match role {
        // 64 MiB, in blocks of 512 bytes: what the journal is made with. The value that goes beyond it fails with
        // EFBIG, as the signal that would end the process is ignored.
        "full" => {
            let mut shell = Command::new("sh");
            shell.args(["-c", "trap '' XFSZ; ulimit -f 131072; exec \"$0\" \"$@\""]).arg(env::current_exe().unwrap());
            shell
        }
        _ => Command::new(env::current_exe().unwrap()),
    };
    command.args(["--exact", "writer", "--nocapture", "--test-threads", "1"]);
    command.env(ROLE, format!("{role}:{}", home.display()));
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Up to `count` whole lines of `writer n revision`. Others, such as a last message, are passed over.
fn read_answers(lines: &mut BufReader<ChildStderr>, count: u64) -> Vec<(u64, u64, u64)> {
    let mut answers = Vec::new();
    let mut line = String::new();
    while (answers.len() as u64) < count {
        line.clear();
        if lines.read_line(&mut line).unwrap() == 0 || !line.ends_with('\n') {
            break;
        }
        let mut numbers = line.split_whitespace().map(str::parse);
        match (numbers.next(), numbers.next(), numbers.next(), numbers.next()) {
            (Some(Ok(writer)), Some(Ok(n)), Some(Ok(revision)), None) => answers.push((writer, n, revision)),
            _ => eprint!("the writer said: {line}"),
        }
    }
    answers
}

struct Found {
    counted: Vec<u64>,
    newest: Revision,
    rows: usize,
}

/// Opens the store and checks it against the last number that each writer was told is committed. A writer may be one
/// further: committed, and killed before the answer.
fn inspect(home: &Path, last: &[u64], newest: Revision, context: &str) -> Found {
    let store = StandaloneStore::open(Options::new(home)).unwrap();
    runtime().block_on(async {
        let snapshot = store.snapshot().await.unwrap();
        assert!(
            snapshot.revision() >= newest,
            "{context}: {newest} was acknowledged, {} is there",
            snapshot.revision()
        );
        let mut counted = Vec::new();
        let (mut rows, mut index) = (Vec::new(), Vec::new());
        for (writer, &last) in (0..).zip(last) {
            let row = snapshot.get("counters", &writer_key(writer)).await.unwrap();
            let n = row.map_or(0, |row| number(&row.value));
            assert!(n >= last, "{context}: writer {writer} was told of {last}, {n} is there: acknowledged and lost");
            assert!(n <= last + 1, "{context}: writer {writer} never asked for {n}, {last} was its last");
            counted.push(n);
            for n in n.saturating_sub(KEPT) + 1..=n {
                rows.push((row_key(writer, n), row_value(writer, n)));
                index.push((row_key(n, writer), vec![]));
            }
        }
        index.sort();
        compare(&snapshot, "rows", &rows, context).await;
        compare(&snapshot, "index", &index, context).await;
        Found { counted, newest: snapshot.revision(), rows: rows.len() + index.len() }
    })
}

/// Any difference from the counters is a transaction that is there by half.
async fn compare(snapshot: &Snapshot, table: &'static str, expected: &[(Vec<u8>, Vec<u8>)], context: &str) {
    let found = snapshot.scan(table, &KeyRange::all(), usize::MAX, Direction::Ascending).await.unwrap();
    assert_eq!(found.len(), expected.len(), "{context}: rows of table {table}");
    for (entry, (key, value)) in found.iter().zip(expected) {
        assert!(entry.key == key && entry.row.value == value, "{context}: row {key:?} of table {table}");
    }
}

fn writer_key(writer: u64) -> [u8; 8] {
    writer.to_be_bytes()
}

fn row_key(a: u64, b: u64) -> Vec<u8> {
    [a.to_be_bytes(), b.to_be_bytes()].concat()
}

/// Mostly small, now and then large enough to make the engine write tables out.
fn row_value(writer: u64, n: u64) -> Vec<u8> {
    let mut chance = writer << 32 | n;
    let bytes = if random(&mut chance, 20) == 0 { 60_000 } else { random(&mut chance, 500) };
    noise(bytes as usize, chance)
}

fn large(n: u64) -> Vec<u8> {
    noise(VALUE_BYTES_MAX, n)
}

/// Bytes that do not compress.
fn noise(bytes: usize, mut seed: u64) -> Vec<u8> {
    let mut noise = Vec::with_capacity(bytes + 8);
    while noise.len() < bytes {
        noise.extend_from_slice(&random(&mut seed, u64::MAX).to_be_bytes());
    }
    noise.truncate(bytes);
    noise
}

fn number(bytes: &[u8]) -> u64 {
    u64::from_be_bytes(bytes.try_into().unwrap())
}

/// splitmix64, below `n`.
fn random(state: &mut u64, n: u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) % n
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap()
}
