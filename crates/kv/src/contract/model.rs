//! Random transactions, compared with the simplest thing that could be right.

use std::collections::BTreeMap;

use super::*;
use crate::{Entry, Expected, RangeExpected, Versioned};

/// Every row that ever was: its revision, and its value unless it is deleted.
type Model = BTreeMap<(&'static str, Vec<u8>), (Revision, Option<Vec<u8>>)>;

const TABLES: [&str; 2] = ["t", "u"];

/// Many transactions of random preconditions and writes: each is accepted or refused as the model says, and at the
/// end the tables are equal. A failure names the seed and the step.
pub async fn random_transactions_do_what_the_model_does(subject: &dyn Subject) {
    let seed = 20_260_101;
    let store = fresh(subject).await;
    let mut chance = Chance(seed);
    let mut model = Model::new();
    let mut revisions = vec![store.snapshot().await.expect("the store reads").revision()];
    let mut accepted = 0;
    for step in 0..400 {
        let (transaction, holds) = random_transaction(&mut chance, &model, &revisions);
        let writes = transaction.writes().to_vec();
        match store.commit(transaction.clone()).await {
            Ok(revision) => {
                assert!(holds, "seed {seed}, step {step}: accepted {transaction:?}");
                accepted += 1;
                revisions.push(revision);
                for write in writes {
                    let value = write.value.map(|value| value.to_vec());
                    model.insert((write.table, write.key.to_vec()), (revision, value));
                }
            }
            Err(CommitError::Conflict) => assert!(!holds, "seed {seed}, step {step}: refused {transaction:?}"),
            Err(CommitError::Store(error)) => panic!("seed {seed}, step {step}: {error}"),
        }
    }
    assert!((50..350).contains(&accepted), "{accepted} of 400 accepted: the dice are loaded");
    for table in TABLES {
        let found = store.scan(table, &KeyRange::all(), usize::MAX, Direction::Ascending).await.expect("a scan");
        let expected = model.iter().filter(|((of, _), _)| *of == table).filter_map(|((_, key), (revision, value))| {
            let row = Versioned { value: value.clone()?.into(), revision: *revision };
            Some(Entry { key: key.clone().into(), row })
        });
        assert!(found.into_iter().eq(expected), "seed {seed}: table {table} differs");
    }
}

fn random_transaction(chance: &mut Chance, model: &Model, revisions: &[Revision]) -> (Transaction, bool) {
    let mut transaction = Transaction::new();
    let mut holds = true;
    for _ in 0..chance.below(3) {
        let table = TABLES[chance.below(2) as usize];
        // Mostly recent: what was true lately is often still true.
        let back = chance.below(revisions.len().min(12) as u64) as usize;
        let since = revisions[revisions.len() - 1 - back];
        match chance.below(3) {
            0 => {
                let key = random_key(chance);
                let row = model.get(&(table, key.clone()));
                let actual = row.filter(|(_, value)| value.is_some()).map(|(revision, _)| *revision);
                let expected = match (chance.below(4), actual) {
                    (0, _) => Expected::Absent,
                    (1, _) | (_, None) => Expected::Revision(since),
                    (_, Some(revision)) => Expected::Revision(revision),
                };
                holds &= match expected {
                    Expected::Absent => actual.is_none(),
                    Expected::Revision(revision) => actual == Some(revision),
                };
                transaction.require(table, key, expected);
            }
            kind => {
                let (a, b) = (random_key(chance), random_key(chance));
                let range = KeyRange::new(a.clone().min(b.clone()), Some(a.max(b)));
                let rows = || model.iter().filter(|((of, key), _)| *of == table && range.contains(key));
                let expected = if kind == 1 { RangeExpected::Empty } else { RangeExpected::UnchangedSince(since) };
                holds &= match expected {
                    RangeExpected::Empty => rows().all(|(_, (_, value))| value.is_none()),
                    RangeExpected::UnchangedSince(since) => rows().all(|(_, (revision, _))| *revision <= since),
                };
                transaction.require_range(table, range, expected);
            }
        }
    }
    for _ in 0..chance.below(4) {
        let (table, key) = (TABLES[chance.below(2) as usize], random_key(chance));
        if chance.below(3) == 0 {
            transaction.delete(table, key);
        } else {
            transaction.put(table, key, chance.below(u64::MAX).to_be_bytes().to_vec());
        }
    }
    (transaction, holds)
}

fn random_key(chance: &mut Chance) -> Vec<u8> {
    let length = 1 + chance.below(2);
    (0..length).map(|_| [0, b'a', b'b', b'c', 0xff][chance.below(5) as usize]).collect()
}
