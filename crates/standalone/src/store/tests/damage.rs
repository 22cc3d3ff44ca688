//! What damage and `kill -9` leave behind.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use super::*;

const ROWS: u64 = 60;

/// A store that was closed in order, with one row per revision.
async fn written(path: &Path) {
    let store = StandaloneStore::open(Options::new(path)).unwrap();
    for row in 0..ROWS {
        put(&store, "t", &format!("{row:04}"), &"v".repeat(100)).await;
    }
}

fn journal(path: &Path) -> std::path::PathBuf {
    let mut journals: Vec<_> = fs::read_dir(path.join("fjall")).unwrap().map(|entry| entry.unwrap().path()).collect();
    journals.retain(|path| path.extension().is_some_and(|extension| extension == "jnl"));
    assert_eq!(journals.len(), 1, "{journals:?}");
    journals.remove(0)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else if entry.path().extension().is_some_and(|extension| extension == "jnl") {
            let bytes = fs::read(entry.path()).unwrap();
            let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            fs::write(to, &bytes[..end]).unwrap();
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// What a store has lost without a word; `None` when it says so, or has everything.
async fn silent_loss(path: &Path) -> Option<String> {
    let store = match StandaloneStore::open(Options::new(path)) {
        Ok(store) => store,
        Err(StoreError::Damaged { expected_at_least, found, .. }) if found < expected_at_least => return None,
        Err(StoreError::Unreadable { .. } | StoreError::Corrupt { .. }) => return None,
        Err(error) => return Some(format!("a damaged store is refused with {error:?}")),
    };
    let rows = store.scan("t", &KeyRange::all(), 1_000, Direction::Ascending).await.unwrap();
    (rows.len() as u64 != ROWS).then(|| format!("{} of {ROWS} rows", rows.len()))
}

#[tokio::test]
async fn a_damaged_journal_is_never_taken_for_a_shorter_one() {
    let home = tempfile::tempdir().unwrap();
    let whole = home.path().join("whole");
    written(&whole).await;
    let bytes = fs::read(journal(&whole)).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    // The first batch (its tag, number of rows, sequence number; a row's tag, kind, table, lengths, key, value), and
    // some of one in the middle and of the last.
    let first = [0, 1, 5, 12, 13, 14, 16, 24, 26, 34, 40];
    let later = [end / 2, end / 2 + 7, end / 2 + 40, end - 60, end - 10, end - 1];
    let mut losses = Vec::new();
    for at in first.into_iter().chain(later) {
        let hurt = home.path().join("hurt");
        copy(&whole, &hurt);
        let mut bytes = bytes[..end].to_vec();
        bytes[at] ^= if at % 2 == 0 { 0xff } else { 0x01 };
        fs::write(journal(&hurt), bytes).unwrap();
        losses.extend(silent_loss(&hurt).await.map(|what| format!("byte {at}: {what}")));
        fs::remove_dir_all(&hurt).unwrap();
    }
    assert_eq!(losses, Vec::<String>::new());
}

#[tokio::test]
async fn a_lost_store_is_refused_until_somebody_decides() {
    let home = tempfile::tempdir().unwrap();
    written(home.path()).await;
    fs::remove_dir_all(home.path().join("fjall")).unwrap();
    for _ in 0..2 {
        let refused = StandaloneStore::open(Options::new(home.path())).map(drop).unwrap_err();
        assert!(matches!(refused, StoreError::Damaged { found: Revision(0), .. }), "{refused:?}");
        let said = refused.to_string();
        assert!(said.contains(&*home.path().to_string_lossy()) && said.contains("from a backup"), "{said}");
    }
    fs::remove_file(home.path().join("newest")).unwrap();
    StandaloneStore::open(Options::new(home.path())).unwrap();
}

#[tokio::test]
async fn what_is_noted_was_committed_and_a_close_notes_all_of_it() {
    let home = tempfile::tempdir().unwrap();
    let store = StandaloneStore::open(Options::new(home.path())).unwrap();
    let mut newest = Revision(0);
    for row in 0..200 {
        newest = put(&store, "t", &format!("{row:04}"), "v").await;
        let noted = store.engine.directory().noted().unwrap();
        assert!(noted <= Some(newest), "{noted:?} > {newest}");
    }
    drop(store);
    assert_eq!(fs::read_to_string(home.path().join("newest")).unwrap(), format!("{newest}\n"));
}

/// Not a test of its own: what the next one starts, and kills.
#[tokio::test]
async fn child_that_writes_until_it_is_killed() {
    let Ok(path) = env::var("TIDEGATE_TEST_STORE") else { return };
    let store = StandaloneStore::open(Options::new(path)).unwrap();
    for row in 0.. {
        let revision = put(&store, "t", &format!("{row:08}"), &"v".repeat(1_000)).await;
        println!("at {revision}");
    }
}

#[tokio::test]
async fn kill_9_loses_nothing_answered_and_is_never_taken_for_damage() {
    let home = tempfile::tempdir().unwrap();
    let mut answered = 0;
    for round in 0..12 {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "store::tests::damage::child_that_writes_until_it_is_killed", "--nocapture"])
            .env("TIDEGATE_TEST_STORE", home.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let revisions = lines.filter_map(|line| line.rsplit_once("at ").and_then(|(_, number)| number.parse().ok()));
        answered = revisions.take(20 + round * 7).last().expect("it opens and writes");
        child.kill().unwrap();
        child.wait().unwrap();
        if round % 3 != 0 {
            continue; // the next child finds what the kill has left
        }
        let store = StandaloneStore::open(Options::new(home.path())).unwrap();
        let found = store.snapshot().await.unwrap().revision();
        assert!(found >= Revision(answered), "round {round}: {found} < {answered}");
    }
    assert!(answered > 0);
}
