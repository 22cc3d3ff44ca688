//! The schema of a whole store: which tables there are and what their keys mean.
//!
//! A marker row holds the version. A migration leads from one version to the next; while it runs the marker says so,
//! and when the process is killed the next start runs it again. A store of a newer version is refused untouched.

use serde::{Deserialize, Serialize};

use crate::{
    BoxFuture, CommitError, Direction, Entry, Expected, Key, KeyRange, Record, Store, StoreError, Table, Transaction,
    key::Only, record,
};

/// One step: from schema `to - 1` to schema `to`.
pub struct Migration {
    /// The schema it leads to; the first migration leads to 2.
    pub to: u32,
    /// Does the work, in as many transactions as it likes. It may run on a store where it was interrupted before, so
    /// it must be able to repeat itself.
    pub run: fn(&dyn Store) -> BoxFuture<'_, Result<(), StoreError>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Marker {
    version: u32,
    /// The schema that a migration under way leads to.
    migrating_to: Option<u32>,
}

impl Record for Marker {
    const SCHEMA: u8 = 1;
}

static MARKER: Table<Only, Marker> = Table::new("schema");

/// Brings the store to schema `version`, whatever older one it has, and marks an empty store with it.
///
/// # Errors
/// [`StoreError::NewerFormat`] when the store has a newer schema (or is on its way there): nothing was changed.
/// [`StoreError::Migration`] when a migration failed: the next call repeats it.
///
/// # Panics
/// When `migrations` is not the unbroken row of steps 2, 3, … `version`, which is a mistake in the program.
pub async fn open(store: &dyn Store, version: u32, migrations: &[Migration]) -> Result<(), StoreError> {
    assert!(migrations.iter().map(|step| step.to).eq(2..=version), "migrations lead from schema 1 to the present one");
    let Some(marker) = MARKER.get(&store.snapshot().await?, &Only).await? else {
        return mark(store, Marker { version, migrating_to: None }).await;
    };
    let found = marker.value.migrating_to.unwrap_or(marker.value.version);
    if found > version {
        return Err(StoreError::NewerFormat { found, known: version });
    }
    for step in migrations.iter().filter(|step| step.to > marker.value.version) {
        mark(store, Marker { version: step.to - 1, migrating_to: Some(step.to) }).await?;
        let failed = |source| StoreError::Migration { to: step.to, source: Box::new(source) };
        (step.run)(store).await.map_err(failed)?;
        mark(store, Marker { version: step.to, migrating_to: None }).await?;
    }
    Ok(())
}

async fn mark(store: &dyn Store, marker: Marker) -> Result<(), StoreError> {
    let mut transaction = Transaction::new();
    MARKER.put(&mut transaction, &Only, &marker);
    blind(store, transaction).await
}

/// Commits a transaction without preconditions.
async fn blind(store: &dyn Store, transaction: Transaction) -> Result<(), StoreError> {
    match store.commit(transaction).await {
        Ok(_) => Ok(()),
        Err(CommitError::Store(error)) => Err(error),
        Err(CommitError::Conflict) => unreachable!("a transaction without preconditions cannot conflict"),
    }
}

/// Rows read, and rewritten in one transaction, per step.
const REWRITE_ROWS: usize = 500;

/// Bytes after which a transaction takes no further row.
const REWRITE_BYTES: usize = 4 * 1024 * 1024;

/// Rewrites every row of the table that has an older schema byte, so that the step from it can be retired one day.
/// A row that is changed meanwhile is read again. Says how many rows it rewrote.
pub async fn rewrite<K: Key, V: Record>(store: &dyn Store, table: &Table<K, V>) -> Result<u64, StoreError> {
    let mut range = KeyRange::all();
    let mut rewritten = 0;
    loop {
        let page = store.scan(table.name(), &range, REWRITE_ROWS, Direction::Ascending).await?;
        if page.is_empty() {
            return Ok(rewritten);
        }
        let mut transaction = Transaction::new();
        let (mut rest, mut rows, mut bytes) = (range.clone(), 0, 0);
        for Entry { key, row } in page {
            rest = rest.after_bytes(&key);
            if record::schema_of(&row.value) == Some(V::SCHEMA) {
                continue;
            }
            let value = record::encode(&record::decode::<V>(table.name(), &row.value)?);
            rows += 1;
            bytes += value.len();
            transaction.require(table.name(), key.clone(), Expected::Revision(row.revision));
            transaction.put(table.name(), key, value);
            if bytes >= REWRITE_BYTES {
                break;
            }
        }
        match if rows == 0 { Ok(()) } else { store.commit(transaction).await.map(drop) } {
            Ok(()) => (range, rewritten) = (rest, rewritten + rows),
            Err(CommitError::Conflict) => {} // the same page again
            Err(CommitError::Store(error)) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests;
