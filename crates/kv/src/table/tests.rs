use serde::{Deserialize, Serialize};
use tidegate_ids::{CertificateId, Tenant};

use super::*;
use crate::{CommitError, MigrationError, Store, memory::MemoryStore};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Certificate {
    status: String,
    generation: u32,
}

/// Schema 1 had `active: bool`, schema 2 `status`, schema 3 has `generation`, too.
impl Record for Certificate {
    const SCHEMA: u8 = 3;

    fn migrate(from: u8, mut value: serde_json::Value) -> Result<serde_json::Value, MigrationError> {
        let row = value.as_object_mut().ok_or_else(|| MigrationError("not an object".to_owned()))?;
        match from {
            1 => {
                let active = row.remove("active").and_then(|active| active.as_bool());
                let active = active.ok_or_else(|| MigrationError("`active` is missing".to_owned()))?;
                row.insert("status".to_owned(), if active { "ACTIVE" } else { "INACTIVE" }.into());
            }
            2 => _ = row.insert("generation".to_owned(), 1.into()),
            _ => return Err(MigrationError(format!("no schema {from}"))),
        }
        Ok(value)
    }
}

type CertificateKey = (Tenant, CertificateId);
static CERTIFICATES: Table<CertificateKey, Certificate> = Table::new("certificates");
static BY_STATUS: Table<(Tenant, String, CertificateId), ()> = Table::new("certificates-by-status");

fn tenant(account: u64) -> Tenant {
    let account = tidegate_ids::AccountId::from_number(account);
    Tenant { account, region: "eu-central-1".parse().unwrap() }
}

fn id(n: u8) -> CertificateId {
    CertificateId::from_bytes([n; 32])
}

fn certificate(status: &str) -> Certificate {
    Certificate { status: status.to_owned(), generation: 1 }
}

/// A row and its index entry, in one transaction.
fn insert(transaction: &mut Transaction, tenant: Tenant, id: CertificateId, row: &Certificate) {
    CERTIFICATES.insert(transaction, &(tenant, id), row);
    BY_STATUS.put(transaction, &(tenant, row.status.clone(), id), &());
}

async fn store_of(rows: &[(Tenant, CertificateId, &str)]) -> MemoryStore {
    let store = MemoryStore::new();
    let mut transaction = Transaction::new();
    for (tenant, id, status) in rows {
        insert(&mut transaction, *tenant, *id, &certificate(status));
    }
    store.commit(transaction).await.unwrap();
    store
}

#[tokio::test]
async fn a_row_comes_back_with_its_revision_and_an_index_finds_it() {
    let store =
        store_of(&[(tenant(1), id(1), "ACTIVE"), (tenant(1), id(2), "INACTIVE"), (tenant(2), id(3), "ACTIVE")]).await;
    let snapshot = store.snapshot().await.unwrap();
    let row = CERTIFICATES.get(&snapshot, &(tenant(1), id(1))).await.unwrap().unwrap();
    assert_eq!(row, Versioned { value: certificate("ACTIVE"), revision: snapshot.revision() });
    assert_eq!(CERTIFICATES.get(&snapshot, &(tenant(2), id(1))).await.unwrap(), None);
    let active = BY_STATUS.under(&(tenant(1), "ACTIVE".to_owned()));
    let found = BY_STATUS.scan(&snapshot, &active, 10, Direction::Ascending).await.unwrap();
    assert!(found.iter().map(|row| row.key.2).eq([id(1)]));
}

#[tokio::test]
async fn pages_go_on_behind_the_last_row() {
    let rows: Vec<_> = (0..9).map(|n| (tenant(1), id(n), "ACTIVE")).collect();
    let store = store_of(&rows).await;
    let snapshot = store.snapshot().await.unwrap();
    let all = CERTIFICATES.under(&tenant(1));
    for (direction, expected) in
        [(Direction::Ascending, [[0, 1, 2, 3], [4, 5, 6, 7]]), (Direction::Descending, [[8, 7, 6, 5], [4, 3, 2, 1]])]
    {
        let mut range = all.clone();
        for expected in expected {
            let page = CERTIFICATES.scan(&snapshot, &range, 4, direction).await.unwrap();
            assert!(page.iter().map(|row| row.key.1).eq(expected.map(id)), "{direction:?}: {page:?}");
            let last = &page[3].key;
            range = match direction {
                Direction::Ascending => range.after(last),
                Direction::Descending => range.before(last),
            };
        }
    }
}

#[tokio::test]
async fn each_visits_every_row_once_over_many_pages() {
    let store = MemoryStore::new();
    let numbers: Table<(u8, u32), u64> = Table::new("numbers");
    for count in [0u32, 1, 32, 33, 1_000, 1_032, 1_033, 2_500] {
        let mut transaction = Transaction::new();
        (0..count).for_each(|n| numbers.put(&mut transaction, &(1, n), &u64::from(n)));
        numbers.put(&mut transaction, &(2, 0), &0);
        store.commit(transaction).await.unwrap();
        let mut seen = Vec::new();
        let snapshot = store.snapshot().await.unwrap();
        numbers.each(&snapshot, numbers.under(&1u8), |row| seen.push(row.key.1)).await.unwrap();
        assert!(seen.into_iter().eq(0..count), "{count}");
    }
}

#[tokio::test]
async fn typed_preconditions_guard_what_was_read() {
    let store = store_of(&[(tenant(1), id(1), "ACTIVE")]).await;
    let key = (tenant(1), id(1));
    let snapshot = store.snapshot().await.unwrap();
    let read = CERTIFICATES.get(&snapshot, &key).await.unwrap();
    let revision = read.as_ref().unwrap().revision;
    let absent = (tenant(1), id(9));
    let missing: Option<Versioned<Certificate>> = None;
    type Build<'a> = &'a dyn Fn(&mut Transaction);
    let builds: [(&str, Build<'_>); 7] = [
        ("insert", &|t| CERTIFICATES.insert(t, &absent, &certificate("ACTIVE"))),
        ("replace", &|t| CERTIFICATES.replace(t, &key, revision, &certificate("REVOKED"))),
        ("remove", &|t| CERTIFICATES.remove(t, &key, revision)),
        ("as read", &|t| CERTIFICATES.require_as_read(t, &key, read.as_ref())),
        ("as read, absent", &|t| CERTIFICATES.require_as_read(t, &absent, missing.as_ref())),
        ("unchanged", &|t| CERTIFICATES.require_unchanged(t, CERTIFICATES.under(&tenant(1)), &snapshot)),
        ("empty", &|t| CERTIFICATES.require_empty(t, CERTIFICATES.under(&tenant(1)).after(&key))),
    ];
    let check = async |build: Build<'_>| {
        // With a condition that never holds, so that trying one changes nothing for the next.
        let mut only_checks = Transaction::new();
        build(&mut only_checks);
        let mut checks = Transaction::new();
        for condition in only_checks.preconditions() {
            match condition.clone() {
                crate::Precondition::Key { table, key, expected } => _ = checks.require(table, key, expected),
                crate::Precondition::Range { table, range, expected } => {
                    _ = checks.require_range(table, range, expected)
                }
            }
        }
        assert!(!checks.preconditions().is_empty());
        match store.commit(checks).await {
            Ok(_) => true,
            Err(CommitError::Conflict) => false,
            Err(CommitError::Store(error)) => panic!("{error}"),
        }
    };
    for (what, build) in builds {
        assert!(check(build).await, "{what} holds at first");
    }
    let mut others = Transaction::new();
    CERTIFICATES.put(&mut others, &key, &certificate("INACTIVE"));
    CERTIFICATES.put(&mut others, &absent, &certificate("INACTIVE"));
    store.commit(others).await.unwrap();
    for (what, build) in builds {
        assert!(!check(build).await, "{what} fails once others wrote");
    }
}

#[tokio::test]
async fn older_rows_are_migrated_when_read_newer_ones_refused_and_damaged_ones_named() {
    let store = MemoryStore::new();
    let mut transaction = Transaction::new();
    let rows: [(u8, &[u8]); 7] = [
        (1, b"\x01{\"active\":true}"),
        (2, b"\x02{\"status\":\"REVOKED\"}"),
        (3, b"\x03{\"status\":\"ACTIVE\",\"generation\":7}"),
        (4, b"\x04{}"),
        (5, b"\x01{}"),
        (6, b"\x03{\"status\":"),
        (7, b""),
    ];
    for (n, row) in rows {
        transaction.put(CERTIFICATES.name(), (tenant(1), id(n)).to_bytes(), row);
    }
    store.commit(transaction).await.unwrap();
    let snapshot = store.snapshot().await.unwrap();
    let get = async |n| CERTIFICATES.get(&snapshot, &(tenant(1), id(n))).await.map(|row| row.unwrap().value);
    assert_eq!(get(1).await.unwrap(), certificate("ACTIVE"));
    assert_eq!(get(2).await.unwrap(), certificate("REVOKED"));
    assert_eq!(get(3).await.unwrap(), Certificate { status: "ACTIVE".to_owned(), generation: 7 });
    assert!(matches!(get(4).await, Err(StoreError::NewerRecord { table: "certificates", found: 4, known: 3 })));
    for damaged in [5, 6, 7] {
        let error = get(damaged).await.unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { table: "certificates", .. }), "{damaged}: {error:?}");
    }
    let mut foreign = Transaction::new();
    foreign.put("certificates", "not a key", "\x03{}");
    store.commit(foreign).await.unwrap();
    let all = store.snapshot().await.unwrap();
    let scan = CERTIFICATES.scan(&all, &KeyRange::prefix(b"not".into()), 9, Direction::Ascending).await;
    assert!(matches!(scan, Err(StoreError::Corrupt { .. })));
}

#[tokio::test]
async fn changes_are_read_as_the_tables_they_belong_to() {
    let store = MemoryStore::new();
    let mut changes = store.changes(Revision(0));
    let mut transaction = Transaction::new();
    insert(&mut transaction, tenant(1), id(1), &certificate("ACTIVE"));
    CERTIFICATES.delete(&mut transaction, &(tenant(1), id(2)));
    store.commit(transaction).await.unwrap();
    let committed = changes.next().await.unwrap();
    let certificates = committed.changes.iter().filter_map(|change| CERTIFICATES.change(change).unwrap());
    let expected =
        [TableChange::Put((tenant(1), id(1)), certificate("ACTIVE")), TableChange::Delete((tenant(1), id(2)))];
    assert!(certificates.eq(expected));
    let index = committed.changes.iter().filter_map(|change| BY_STATUS.change(change).unwrap());
    assert!(index.eq([TableChange::Put((tenant(1), "ACTIVE".to_owned(), id(1)), ())]));
}
