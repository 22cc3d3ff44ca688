//! Rows of earlier and newer programs, and rows that are damaged.

use std::num::NonZeroU32;

use proptest::prelude::*;
use tidegate_ids::Timestamp;
use tidegate_kv::{Key, Store, StoreError, memory::MemoryStore};
use tidegate_mqtt::QoS;

use super::{
    super::{
        ledger::Ledger,
        pending::{self, Table},
        recovery, rows, wire,
    },
    model::{Model, step},
    runtime, tenant,
};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 200, ..ProptestConfig::default() })]

    /// No bytes make a reader panic or take memory, and what it takes it writes back.
    #[test]
    fn rows_of_any_bytes_are_read_or_refused(mut row in prop::collection::vec(any::<u8>(), 0..120), first in any::<bool>()) {
        if let Some(byte) = row.first_mut().filter(|_| first) {
            *byte = 1;
        }
        if let Ok(session) = rows::read_session(tenant(), 1, &row) {
            prop_assert_eq!(rows::read_session(tenant(), 1, &rows::write_session(&session)), Ok(session));
        }
        if let Ok(progress) = rows::read_progress(&row) {
            prop_assert_eq!(rows::read_progress(&rows::write_progress(&progress)), Ok(progress));
        }
        if let Ok(retained) = rows::read_retained(&row) {
            prop_assert_eq!(rows::read_retained(&rows::write_retained(&retained)), Ok(retained));
        }
        let _ = (rows::read_chunk(&row), rows::split_segment(&row), rows::read_body(&row));
        let _ = rows::read_subscription("f".into(), &row);
    }

    /// Valid rows with a bit flipped.
    #[test]
    fn damaged_rows_are_read_or_refused(steps in prop::collection::vec(step(), 20..60), flip in any::<prop::sample::Index>()) {
        runtime().block_on(async {
            let (mut ledger, mut model, mut log) = (Ledger::default(), Model::default(), Vec::new());
            steps.iter().for_each(|step| model.take(step, &mut log));
            ledger.apply(log);
            let store = MemoryStore::new();
            let mut puts: Vec<_> = ledger.pending().transactions().into_iter().flat_map(|t| t.into_writes()).collect();
            puts.retain(|write| write.value.as_ref().is_some_and(|value| !value.is_empty()));
            if puts.is_empty() {
                return;
            }
            let at = flip.index(puts.len());
            let mut value = puts[at].value.clone().unwrap().to_vec();
            let bit = flip.index(value.len() * 8);
            value[bit / 8] ^= 1 << (bit % 8);
            puts[at].value = Some(value.into());
            let mut transaction = tidegate_kv::Transaction::new();
            for write in puts {
                transaction.put(write.table, write.key, write.value.unwrap());
            }
            store.commit(transaction).await.unwrap();
            let _ = recovery::read(&store.snapshot().await.unwrap(), Timestamp::default()).await;
        });
    }
}

/// Byte by byte, so that the rows of an earlier program stay readable.
#[test]
fn references_of_schema_1_are_read_as_those_of_no_group() {
    let reference = |sequence, group| rows::Reference {
        sequence,
        qos: QoS::ExactlyOnce,
        retain: true,
        identifiers: NonZeroU32::new(300).map(|identifier| [identifier].into()),
        group,
        segment: 5,
        index: 2,
    };
    assert_eq!(rows::read_chunk(&[1, 9, 2, 1, 1, 0xac, 2, 5, 2]), Ok(vec![reference(9, None)]));
    let of_a_group = [2, 9, 2, 3, 0, 0, 0, 0, 0, 0, 1, 2, 1, 0xac, 2, 5, 2, 10, 2, 1, 1, 0xac, 2, 5, 2];
    assert_eq!(rows::read_chunk(&of_a_group), Ok(vec![reference(9, Some(258)), reference(10, None)]));
    assert!(rows::read_chunk(&[2, 9, 2, 4, 1, 0xac, 2, 5, 2]).is_err());
}

#[test]
fn rows_of_a_newer_program_are_refused_by_name() {
    runtime().block_on(async {
        for table in [
            Table::Bodies,
            Table::Sessions,
            Table::Subscriptions,
            Table::Chunks,
            Table::Retained,
            Table::Progress,
        ] {
            let store = MemoryStore::new();
            let key = match table {
                Table::Bodies | Table::Progress => 1u64.to_bytes(),
                Table::Sessions => pending::session_key(tenant(), 1),
                Table::Subscriptions => pending::subscription_key(tenant(), 1, "f"),
                Table::Chunks => pending::chunk_key(1, 1),
                Table::Retained => pending::retained_key(tenant(), "t"),
            };
            let mut transaction = tidegate_kv::Transaction::new();
            transaction.put(table.name(), key, vec![9, 0, 0]);
            store.commit(transaction).await.unwrap();
            let refused = recovery::read(&store.snapshot().await.unwrap(), Timestamp::default()).await.unwrap_err();
            assert!(
                matches!(refused, StoreError::NewerRecord { table: named, found: 9, known: wire::SCHEMA } if named == table.name()),
                "{refused}"
            );
        }
    });
}
