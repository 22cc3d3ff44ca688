//! The shell around a decision: read, decide, commit, and again on conflict.

use crate::{CommitError, Revision, Snapshot, Store, StoreError, Transaction};

/// How often a decision is taken before [`commit_with`] gives up with `Conflict`. Each attempt waits for the commit
/// that beat it, so this many others have written the same rows meanwhile.
pub const ATTEMPTS_MAX: usize = 100;

/// Reads a snapshot, lets `decide` make a transaction of it, commits, and decides again on `Conflict`.
///
/// `decide` should be a few reads around a pure function, and must add to the transaction what its decision rests on
/// ([`Table::require_as_read`](crate::Table::require_as_read) and its kin). It may be called several times; only
/// the last answer counts. An empty transaction is not committed: its answer is returned with the revision read.
///
/// ```
/// # use tidegate_kv::{*, memory::MemoryStore};
/// # static COUNTERS: Table<String, u64> = Table::new("counters");
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), CommitError> {
/// # let store = MemoryStore::new();
/// let key = &String::from("visits"); // a reference, which every attempt can use again
/// let (visits, _revision) = commit_with(&store, |snapshot| async move {
///     let read = COUNTERS.get(&snapshot, key).await?;
///     let visits = read.as_ref().map_or(0, |row| row.value) + 1;
///     let mut transaction = Transaction::new();
///     COUNTERS.require_as_read(&mut transaction, key, read.as_ref());
///     COUNTERS.put(&mut transaction, key, &visits);
///     Ok::<_, CommitError>((transaction, visits))
/// }).await?;
/// assert_eq!(visits, 1);
/// # Ok(())
/// # }
/// ```
pub async fn commit_with<T, E, D>(store: &dyn Store, mut decide: impl FnMut(Snapshot) -> D) -> Result<(T, Revision), E>
where
    D: Future<Output = Result<(Transaction, T), E>>,
    E: From<CommitError> + From<StoreError>,
{
    for _ in 0..ATTEMPTS_MAX {
        let snapshot = store.snapshot().await?;
        let read = snapshot.revision();
        let (transaction, answer) = decide(snapshot).await?;
        if transaction.is_empty() {
            return Ok((answer, read));
        }
        match store.commit(transaction).await {
            Ok(revision) => return Ok((answer, revision)),
            Err(CommitError::Conflict) => {}
            Err(error @ CommitError::Store(_)) => return Err(error.into()),
        }
    }
    Err(CommitError::Conflict.into())
}

#[cfg(test)]
mod tests;
