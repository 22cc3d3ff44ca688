//! What every [`Store`] must do, as tests that an implementation runs on itself.
//!
//! ```text
//! mod contract {
//!     struct Mine;
//!     impl tidegate_kv::contract::Subject for Mine { … }
//!     tidegate_kv::contract_tests!(Mine);
//! }
//! ```
//!
//! A broken promise is a panic that says which. The functions are ordinary ones, so that a store can also be asked
//! from elsewhere.

mod commits;
mod feed;
mod model;
mod races;
mod scans;

pub use commits::*;
pub use feed::*;
pub use model::*;
pub use races::*;
pub use scans::*;

use std::sync::Arc;

use crate::{BoxFuture, CommitError, Direction, KeyRange, Revision, Store, Transaction, single_writer::FeedBounds};

/// Makes the stores that are tested.
pub trait Subject: Send + Sync {
    /// A new, empty store whose feed remembers no more than this. It lives as long as the subject.
    fn fresh(&self, feed: FeedBounds) -> BoxFuture<'_, Arc<dyn Store>>;
}

/// One test per promise, for the [`Subject`] that the expression makes. The crate needs tokio with `macros`.
#[macro_export]
macro_rules! contract_tests {
    ($subject:expr) => {
        $crate::contract_tests! { $subject =>
            a_transaction_is_committed_whole_or_not_at_all
            a_key_must_be_as_it_was_read
            blind_writes_need_nothing_and_the_last_counts
            a_commit_that_returned_is_in_every_later_snapshot
            revisions_rise_and_mark_the_rows_they_wrote
            a_snapshot_stays_as_it_is
            what_exceeds_a_bound_is_refused_and_leaves_nothing
            values_of_every_size_come_back
            scans_go_both_ways_and_stop_at_the_limit
            tables_do_not_mix
            an_empty_range_is_a_precondition
            a_range_unchanged_since_a_snapshot_is_a_precondition
            either_a_policy_is_deleted_or_attached
            one_of_many_finds_the_range_empty
            no_update_is_lost
            snapshots_during_commits_are_consistent
            the_feed_tells_every_change_in_order
            a_quiet_transaction_is_told_without_its_changes
            a_feed_goes_on_from_any_revision_it_remembers
            every_consumer_gets_everything
            a_slow_reader_misses_nothing_or_is_told
            random_transactions_do_what_the_model_does
        }
    };
    ($subject:expr => $($promise:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $promise() {
            $crate::contract::$promise(&$subject).await;
        }
    )*};
}

async fn fresh(subject: &dyn Subject) -> Arc<dyn Store> {
    subject.fresh(FeedBounds::default()).await
}

/// Commits what must succeed.
async fn commit(store: &dyn Store, build: impl FnOnce(&mut Transaction)) -> Revision {
    try_commit(store, build).await.expect("nothing stands against this commit")
}

async fn try_commit(store: &dyn Store, build: impl FnOnce(&mut Transaction)) -> Result<Revision, CommitError> {
    let mut transaction = Transaction::new();
    build(&mut transaction);
    store.commit(transaction).await
}

#[track_caller]
fn conflicts(result: Result<Revision, CommitError>) -> bool {
    match result {
        Ok(_) => false,
        Err(CommitError::Conflict) => true,
        Err(CommitError::Store(error)) => panic!("the store failed: {error}"),
    }
}

async fn value(store: &dyn Store, table: &'static str, key: &str) -> Option<String> {
    let row = store.get(table, key.as_bytes()).await.expect("the store reads");
    row.map(|row| String::from_utf8(row.value.to_vec()).expect("these tests write text"))
}

async fn keys(store: &dyn Store, table: &'static str, range: KeyRange) -> Vec<String> {
    let rows = store.scan(table, &range, usize::MAX, Direction::Ascending).await.expect("the store scans");
    rows.into_iter().map(|entry| String::from_utf8(entry.key.to_vec()).expect("these tests write text")).collect()
}

fn between(from: &str, to: &str) -> KeyRange {
    KeyRange::new(from.into(), Some(to.into()))
}

/// Numbers that look random and are the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}
