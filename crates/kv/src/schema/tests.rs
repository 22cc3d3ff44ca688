use super::*;
use crate::{MigrationError, memory::MemoryStore};

static OLD: Table<u32, u64> = Table::new("old");
static NEW: Table<u32, u64> = Table::new("new");

/// Moves every row of `old` to `new`, one transaction each, so that it can stop in between.
fn move_rows(store: &dyn Store) -> BoxFuture<'_, Result<(), StoreError>> {
    Box::pin(async move {
        let snapshot = store.snapshot().await?;
        for row in OLD.scan(&snapshot, &KeyRange::all(), 100, Direction::Ascending).await? {
            if row.value == 13 {
                return Err(StoreError::Closed); // as a kill would end it
            }
            let mut transaction = Transaction::new();
            OLD.delete(&mut transaction, &row.key);
            NEW.put(&mut transaction, &row.key, &(row.value * 10));
            blind(store, transaction).await?;
        }
        Ok(())
    })
}

fn nothing(_: &dyn Store) -> BoxFuture<'_, Result<(), StoreError>> {
    Box::pin(async { Ok(()) })
}

const MIGRATIONS: [Migration; 2] = [Migration { to: 2, run: move_rows }, Migration { to: 3, run: nothing }];

async fn marker(store: &dyn Store) -> (u32, Option<u32>) {
    let marker = MARKER.get(&store.snapshot().await.unwrap(), &Only).await.unwrap().unwrap().value;
    (marker.version, marker.migrating_to)
}

async fn put(store: &dyn Store, key: u32, value: u64) {
    let mut transaction = Transaction::new();
    OLD.put(&mut transaction, &key, &value);
    store.commit(transaction).await.unwrap();
}

#[tokio::test]
async fn an_empty_store_is_marked_and_needs_no_migration() {
    let store = MemoryStore::new();
    open(&store, 3, &MIGRATIONS).await.unwrap();
    assert_eq!(marker(&store).await, (3, None));
    open(&store, 3, &MIGRATIONS).await.unwrap();
}

#[tokio::test]
async fn a_newer_store_is_refused_untouched() {
    let store = MemoryStore::new();
    open(&store, 3, &MIGRATIONS).await.unwrap();
    let before = store.snapshot().await.unwrap().revision();
    let refused = open(&store, 2, &MIGRATIONS[..1]).await;
    assert!(matches!(refused, Err(StoreError::NewerFormat { found: 3, known: 2 })), "{refused:?}");
    assert_eq!(store.snapshot().await.unwrap().revision(), before);

    // Neither is one that a newer program has begun to migrate.
    mark(&store, Marker { version: 3, migrating_to: Some(4) }).await.unwrap();
    assert!(matches!(open(&store, 3, &MIGRATIONS).await, Err(StoreError::NewerFormat { found: 4, known: 3 })));
}

#[tokio::test]
async fn an_interrupted_migration_is_repeated_and_the_next_ones_follow() {
    let store = MemoryStore::new();
    open(&store, 1, &[]).await.unwrap();
    put(&store, 1, 1).await;
    put(&store, 2, 13).await;
    put(&store, 3, 3).await;
    let failed = open(&store, 3, &MIGRATIONS).await;
    assert!(matches!(failed, Err(StoreError::Migration { to: 2, .. })), "{failed:?}");
    assert_eq!(marker(&store).await, (1, Some(2)));

    put(&store, 2, 2).await;
    open(&store, 3, &MIGRATIONS).await.unwrap();
    assert_eq!(marker(&store).await, (3, None));
    let snapshot = store.snapshot().await.unwrap();
    let moved = NEW.scan(&snapshot, &KeyRange::all(), 10, Direction::Ascending).await.unwrap();
    assert!(moved.into_iter().map(|row| (row.key, row.value)).eq([(1, 10), (2, 20), (3, 30)]));
    assert!(OLD.scan(&snapshot, &KeyRange::all(), 10, Direction::Ascending).await.unwrap().is_empty());
}

#[derive(Serialize, Deserialize)]
struct Doubled(u64);

impl Record for Doubled {
    const SCHEMA: u8 = 2;

    fn migrate(_: u8, value: serde_json::Value) -> Result<serde_json::Value, MigrationError> {
        let number = value.as_u64().ok_or_else(|| MigrationError("not a number".to_owned()))?;
        Ok((number * 2).into())
    }
}

#[tokio::test]
async fn rewrite_brings_every_older_row_to_the_present_schema_once() {
    let store = MemoryStore::new();
    for n in 0..1_203u32 {
        put(&store, n, u64::from(n)).await;
    }
    static ROWS: Table<u32, Doubled> = Table::new("old");
    assert_eq!(rewrite(&store, &ROWS).await.unwrap(), 1_203);
    let snapshot = store.snapshot().await.unwrap();
    let mut sum = 0;
    ROWS.each(&snapshot, KeyRange::all(), |row| sum += row.value.0).await.unwrap();
    assert_eq!(sum, 2 * (0..1_203).sum::<u64>());
    assert_eq!(rewrite(&store, &ROWS).await.unwrap(), 0);
    assert_eq!(
        store.snapshot().await.unwrap().revision(),
        snapshot.revision(),
        "nothing to rewrite, nothing committed"
    );
}
