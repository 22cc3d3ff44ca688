//! Typed tables over the ordered map.

use std::marker::PhantomData;

use crate::{
    Change, Direction, Entry, Expected, Key, KeyRange, PrefixOf, RangeExpected, Record, Revision, Snapshot, StoreError,
    Transaction, Versioned, record,
};

/// A named map from `K` to `V`; a constant of the program.
///
/// ```
/// # use tidegate_kv::{Record, Table};
/// # use tidegate_ids::{CertificateId, Tenant};
/// # use serde::{Deserialize, Serialize};
/// #[derive(Serialize, Deserialize)]
/// struct Certificate { pem: String }
/// impl Record for Certificate { const SCHEMA: u8 = 1; }
///
/// static CERTIFICATES: Table<(Tenant, CertificateId), Certificate> = Table::new("certificates");
/// ```
///
/// A secondary index is a table whose key says what is looked up and which row has it, and whose value is `()`; write
/// it in the same transaction as the row.
pub struct Table<K, V> {
    name: &'static str,
    types: PhantomData<fn(K) -> V>,
}

/// A row of a typed scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<K, V> {
    /// Its key.
    pub key: K,
    /// Its value.
    pub value: V,
    /// The revision that wrote it.
    pub revision: Revision,
}

/// What a committed transaction did to one row of a typed table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableChange<K, V> {
    /// The row now has this value.
    Put(K, V),
    /// The row is gone (or was never there).
    Delete(K),
}

/// Rows read by [`Table::each`] in its first step: most ranges hold fewer, and stores read few rows where they are asked.
const FIRST_PAGE_ROWS: usize = 32;
/// Rows read in each further step.
const PAGE_ROWS: usize = 1_000;

impl<K: Key, V: Record> Table<K, V> {
    /// The table of this name, which must be unique in the program and is part of the stored format.
    pub const fn new(name: &'static str) -> Self {
        assert!(!name.is_empty() && name.len() < 200, "a table has a short name");
        Self { name, types: PhantomData }
    }

    /// The name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The row of this key.
    pub async fn get(&self, at: &Snapshot, key: &K) -> Result<Option<Versioned<V>>, StoreError> {
        let Some(row) = at.get(self.name, &key.to_bytes()).await? else { return Ok(None) };
        Ok(Some(Versioned { value: record::decode(self.name, &row.value)?, revision: row.revision }))
    }

    /// Up to `limit` rows of the range.
    pub async fn scan(
        &self,
        at: &Snapshot,
        range: &KeyRange,
        limit: usize,
        direction: Direction,
    ) -> Result<Vec<Row<K, V>>, StoreError> {
        at.scan(self.name, range, limit, direction).await?.into_iter().map(|entry| self.row(&entry)).collect()
    }

    /// Hands every row of the range to `visit`, in ascending order, reading a bounded number at a time.
    pub async fn each(
        &self,
        at: &Snapshot,
        mut range: KeyRange,
        mut visit: impl FnMut(Row<K, V>),
    ) -> Result<(), StoreError> {
        let mut limit = FIRST_PAGE_ROWS;
        loop {
            let page = at.scan(self.name, &range, limit, Direction::Ascending).await?;
            for entry in &page {
                visit(self.row(entry)?);
            }
            match page.last() {
                Some(last) if page.len() == limit => range = range.after_bytes(&last.key),
                _ => return Ok(()),
            }
            limit = PAGE_ROWS;
        }
    }

    /// The range of all keys that begin with `prefix`.
    pub fn under<P: PrefixOf<K>>(&self, prefix: &P) -> KeyRange {
        KeyRange::under(prefix)
    }

    /// Writes a row.
    pub fn put(&self, to: &mut Transaction, key: &K, value: &V) {
        to.put(self.name, key.to_bytes(), record::encode(value));
    }

    /// Deletes a row.
    pub fn delete(&self, from: &mut Transaction, key: &K) {
        from.delete(self.name, key.to_bytes());
    }

    /// Writes a row that must not be there yet.
    pub fn insert(&self, into: &mut Transaction, key: &K, value: &V) {
        self.require(into, key, Expected::Absent);
        self.put(into, key, value);
    }

    /// Writes a row that must still be the one read.
    pub fn replace(&self, to: &mut Transaction, key: &K, read: Revision, value: &V) {
        self.require(to, key, Expected::Revision(read));
        self.put(to, key, value);
    }

    /// Deletes a row that must still be the one read.
    pub fn remove(&self, from: &mut Transaction, key: &K, read: Revision) {
        self.require(from, key, Expected::Revision(read));
        self.delete(from, key);
    }

    /// Commit only if the key is as expected.
    pub fn require(&self, of: &mut Transaction, key: &K, expected: Expected) {
        of.require(self.name, key.to_bytes(), expected);
    }

    /// Commit only if the key is as it was read: at its revision, or absent. Enough to make a decision that only
    /// read the row safe.
    pub fn require_as_read<T>(&self, of: &mut Transaction, key: &K, read: Option<&Versioned<T>>) {
        self.require(of, key, read.map_or(Expected::Absent, |row| Expected::Revision(row.revision)));
    }

    /// Commit only if no row is in the range.
    pub fn require_empty(&self, of: &mut Transaction, range: KeyRange) {
        of.require_range(self.name, range, RangeExpected::Empty);
    }

    /// Commit only if no row of the range was written or deleted since `read`.
    pub fn require_unchanged(&self, of: &mut Transaction, range: KeyRange, read: &Snapshot) {
        self.require_unchanged_since(of, range, read.revision());
    }

    /// Commit only if no row of the range was written or deleted after `revision`: for decisions made from memory that
    /// shows everything up to it.
    pub fn require_unchanged_since(&self, of: &mut Transaction, range: KeyRange, revision: Revision) {
        of.require_range(self.name, range, RangeExpected::UnchangedSince(revision));
    }

    /// The change, if it is one of this table's rows.
    pub fn change(&self, change: &Change) -> Result<Option<TableChange<K, V>>, StoreError> {
        if change.table != self.name {
            return Ok(None);
        }
        let key = self.key(&change.key)?;
        Ok(Some(match &change.value {
            Some(value) => TableChange::Put(key, record::decode(self.name, value)?),
            None => TableChange::Delete(key),
        }))
    }

    fn row(&self, entry: &Entry) -> Result<Row<K, V>, StoreError> {
        let Versioned { value, revision } = &entry.row;
        Ok(Row { key: self.key(&entry.key)?, value: record::decode(self.name, value)?, revision: *revision })
    }

    fn key(&self, bytes: &[u8]) -> Result<K, StoreError> {
        K::from_bytes(bytes)
            .ok_or_else(|| StoreError::Corrupt { table: self.name, what: format!("a key of {} bytes", bytes.len()) })
    }
}

/// The value of an index, whose key says it all.
impl Record for () {
    const SCHEMA: u8 = 1;
}

/// A plain number, such as a counter.
impl Record for u64 {
    const SCHEMA: u8 = 1;
}

#[cfg(test)]
mod tests;
