use std::sync::Arc;

use super::*;
use crate::{Table, memory::MemoryStore};

static COUNTERS: Table<String, u64> = Table::new("counters");

struct Counters {
    store: Arc<dyn Store>,
}

impl Counters {
    async fn count(&self, name: &str) -> Result<u64, CommitError> {
        let key = &name.to_owned();
        let decide = |snapshot: Snapshot| async move {
            let read = COUNTERS.get(&snapshot, key).await?;
            tokio::task::yield_now().await; // lets the others come in between
            let next = read.as_ref().map_or(0, |row| row.value) + 1;
            let mut transaction = Transaction::new();
            COUNTERS.require_as_read(&mut transaction, key, read.as_ref());
            COUNTERS.put(&mut transaction, key, &next);
            Ok::<_, CommitError>((transaction, next))
        };
        Ok(commit_with(&*self.store, decide).await?.0)
    }
}

#[tokio::test]
async fn a_decision_is_taken_again_until_nobody_came_between() {
    let counters = Arc::new(Counters { store: Arc::new(MemoryStore::new()) });
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let counters = counters.clone();
            tokio::spawn(async move { counters.count("n").await.unwrap() })
        })
        .collect();
    let mut counted = Vec::new();
    for task in tasks {
        counted.push(task.await.unwrap());
    }
    counted.sort_unstable();
    assert!(counted.into_iter().eq(1..=50));
}

#[tokio::test]
async fn an_empty_transaction_is_an_answer_without_a_commit() {
    let store = MemoryStore::new();
    let (answer, revision) =
        commit_with(&store, |_| async { Ok::<_, CommitError>((Transaction::new(), "nothing to do")) }).await.unwrap();
    assert_eq!((answer, revision), ("nothing to do", Revision(0)));
}

#[tokio::test]
async fn a_decision_that_always_conflicts_ends_with_conflict() {
    let store = MemoryStore::new();
    let mut attempts = 0;
    let result = commit_with(&store, |_| {
        attempts += 1;
        let mut transaction = Transaction::new();
        COUNTERS.require(&mut transaction, &"n".to_owned(), crate::Expected::Revision(Revision(99)));
        std::future::ready(Ok::<_, CommitError>((transaction, ())))
    });
    assert!(matches!(result.await, Err(CommitError::Conflict)));
    assert_eq!(attempts, ATTEMPTS_MAX);
}
