//! What was committed is what is recovered, wherever the process ends.

mod keys;
mod model;
mod rows;

use proptest::prelude::*;
use tidegate_ids::{Tenant, Timestamp};
use tidegate_kv::{Direction, Key, KeyRange, Snapshot, Store, memory::MemoryStore};
use tokio::runtime::{Builder, Runtime};

use super::{ledger::Ledger, pending::Table, recovery};
use model::{Model, Step, step};

fn tenant() -> Tenant {
    Tenant { account: "123456789012".parse().unwrap(), region: "eu-central-1".parse().unwrap() }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

async fn rows_of(at: &Snapshot, table: Table) -> Vec<tidegate_kv::Entry> {
    at.scan(table.name(), &KeyRange::all(), usize::MAX, Direction::Ascending).await.unwrap()
}

async fn commit(ledger: &mut Ledger, store: &MemoryStore) {
    write(ledger, store).await;
    // What the commit made wasteful is written again by the next one.
    while let Some(number) = ledger.next_wasteful() {
        if let Some(row) = store.get(Table::Bodies.name(), &number.to_bytes()).await.unwrap() {
            ledger.compact(number, &row.value).unwrap();
        }
    }
    write(ledger, store).await;
}

async fn write(ledger: &mut Ledger, store: &MemoryStore) {
    for transaction in ledger.pending().transactions() {
        store.commit(transaction).await.unwrap();
    }
    ledger.pending().written();
}

/// No body is on disk for nobody, beyond what the bounds of garbage allow.
async fn check_garbage(model: &Model, ledger: &Ledger, store: &MemoryStore) {
    let at = store.snapshot().await.unwrap();
    let needed: usize = {
        let queued = model.clients.values().flat_map(|session| session.queue.values());
        queued.map(|one| one.message.held_bytes() + 40).sum()
    };
    let segments = rows_of(&at, Table::Bodies).await;
    let kept: usize = segments.iter().map(|entry| entry.row.value.len()).sum();
    // Bodies are shared, so what is needed counts more than once; a released message still has its body.
    let released: usize = model.clients.values().map(|session| session.released.len() * 31_000).sum();
    let allowed = needed * 4 + released * 4 + segments.len() * 17_000;
    assert!(kept <= allowed, "{kept} bytes are kept, {allowed} allowed");
    assert_eq!(ledger.sizes().1, segments.len());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn recovery_finds_what_was_committed(steps in prop::collection::vec(step(), 1..120)) {
        runtime().block_on(async {
            let store = MemoryStore::new();
            let (mut ledger, mut model, mut log) = (Ledger::default(), Model::default(), Vec::new());
            for step in &steps {
                model.take(step, &mut log);
                if !matches!(step, Step::Commit | Step::Restart) {
                    continue;
                }
                ledger.apply(log.drain(..));
                commit(&mut ledger, &store).await;
                check_garbage(&model, &ledger, &store).await;
                let at = store.snapshot().await.unwrap();
                let recovered = recovery::read(&at, Timestamp::default()).await.unwrap();
                if matches!(step, Step::Restart) {
                    let again = recovery::read(&at, Timestamp::default()).await.unwrap();
                    ledger = again.ledger;
                }
                model.check(recovered);
            }
        });
    }

    /// A crash between the transactions of one commit: everything but the last record of a session may be there, and
    /// the process starts.
    #[test]
    fn a_torn_commit_is_recovered(steps in prop::collection::vec(step(), 1..60), cut in any::<prop::sample::Index>()) {
        runtime().block_on(async {
            let store = MemoryStore::new();
            let (mut ledger, mut model, mut log) = (Ledger::default(), Model::default(), Vec::new());
            for step in &steps {
                model.take(step, &mut log);
            }
            let half = log.split_off(cut.index(log.len() + 1));
            ledger.apply(log);
            commit(&mut ledger, &store).await;
            ledger.apply(half);
            // Row by row, as if each were a transaction of its own.
            let writes: Vec<_> =
                ledger.pending().transactions().into_iter().flat_map(|transaction| transaction.into_writes()).collect();
            for write in writes.iter().take(cut.index(writes.len() + 1)) {
                let mut transaction = tidegate_kv::Transaction::new();
                match &write.value {
                    Some(value) => transaction.put(write.table, write.key.clone(), value.clone()),
                    None => transaction.delete(write.table, write.key.clone()),
                };
                store.commit(transaction).await.unwrap();
            }
            let mut recovered = recovery::read(&store.snapshot().await.unwrap(), Timestamp::default()).await.unwrap();
            let left = recovered.sessions.len();
            commit(&mut recovered.ledger, &store).await;
            let at = store.snapshot().await.unwrap();
            let again = recovery::read(&at, Timestamp::default()).await.unwrap();
            assert_eq!(again.sessions.len(), left);
            assert_eq!(rows_of(&at, Table::Sessions).await.len(), left);
            assert_eq!(again.ledger.sizes().1, rows_of(&at, Table::Bodies).await.len(), "nothing is left over");
        });
    }
}
