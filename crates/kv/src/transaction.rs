//! What is to be written, and under which conditions.

use bytes::Bytes;

use crate::{
    KEY_BYTES_MAX, KeyRange, Revision, StoreError, TRANSACTION_BYTES_MAX, TRANSACTION_STEPS_MAX, VALUE_BYTES_MAX,
};

/// What a key must be for the transaction to be committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// There is no such row.
    Absent,
    /// The row is there and was written by this revision.
    Revision(Revision),
}

/// What a range must be for the transaction to be committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeExpected {
    /// No row is in it.
    Empty,
    /// No row of it was written or deleted after this revision, normally that of the snapshot it was read from. A
    /// store may say `Conflict` when the revision is so old that it does not remember.
    UnchangedSince(Revision),
}

/// One condition. All are judged on the state before the transaction's own writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// On one key.
    Key {
        /// The table.
        table: &'static str,
        /// The encoded key.
        key: Bytes,
        /// What it must be.
        expected: Expected,
    },
    /// On a range of keys.
    Range {
        /// The table.
        table: &'static str,
        /// The range.
        range: KeyRange,
        /// What it must be.
        expected: RangeExpected,
    },
}

/// One row written or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The table.
    pub table: &'static str,
    /// The encoded key.
    pub key: Bytes,
    /// The new value; `None` deletes the row.
    pub value: Option<Bytes>,
}

/// Preconditions and writes over any number of tables, committed together or not at all.
///
/// Writes without preconditions are blind: the last one wins. Of several writes to one key the last counts.
#[derive(Debug, Default, Clone)]
pub struct Transaction {
    preconditions: Vec<Precondition>,
    writes: Vec<Write>,
    quiet: bool,
}

impl Transaction {
    /// Without conditions and writes.
    pub fn new() -> Self {
        Self::default()
    }

    /// One whose changes the feed leaves out; that it was committed is told, and nothing more. For rows of which nobody keeps
    /// a copy in memory, so that the feed need not keep one either.
    pub fn quiet() -> Self {
        Self { quiet: true, ..Self::default() }
    }

    /// Commit only if the key is as expected.
    pub fn require(&mut self, table: &'static str, key: impl Into<Bytes>, expected: Expected) -> &mut Self {
        self.preconditions.push(Precondition::Key { table, key: key.into(), expected });
        self
    }

    /// Commit only if the range is as expected.
    pub fn require_range(&mut self, table: &'static str, range: KeyRange, expected: RangeExpected) -> &mut Self {
        self.preconditions.push(Precondition::Range { table, range, expected });
        self
    }

    /// Writes a row.
    pub fn put(&mut self, table: &'static str, key: impl Into<Bytes>, value: impl Into<Bytes>) -> &mut Self {
        self.writes.push(Write { table, key: key.into(), value: Some(value.into()) });
        self
    }

    /// Deletes a row; without effect when there is none.
    pub fn delete(&mut self, table: &'static str, key: impl Into<Bytes>) -> &mut Self {
        self.writes.push(Write { table, key: key.into(), value: None });
        self
    }

    /// Whether the feed leaves its changes out.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether it neither requires nor writes anything.
    pub fn is_empty(&self) -> bool {
        self.preconditions.is_empty() && self.writes.is_empty()
    }

    /// The conditions.
    pub fn preconditions(&self) -> &[Precondition] {
        &self.preconditions
    }

    /// The writes, in the order in which they were asked for.
    pub fn writes(&self) -> &[Write] {
        &self.writes
    }

    /// The writes alone, once the conditions have been judged.
    pub fn into_writes(self) -> Vec<Write> {
        self.writes
    }

    /// Bytes of all keys and values.
    pub fn bytes(&self) -> usize {
        let conditions = self.preconditions.iter().map(|condition| match condition {
            Precondition::Key { key, .. } => key.len(),
            Precondition::Range { range, .. } => range.start().len() + range.end().map_or(0, <[u8]>::len),
        });
        let writes = self.writes.iter().map(|write| write.key.len() + write.value.as_ref().map_or(0, Bytes::len));
        conditions.chain(writes).sum()
    }

    /// Refuses what exceeds the bounds of every store. A store calls it before it queues the transaction.
    pub fn check_bounds(&self) -> Result<(), StoreError> {
        let steps = self.preconditions.len() + self.writes.len();
        bounded("transaction steps", steps, TRANSACTION_STEPS_MAX)?;
        bounded("transaction bytes", self.bytes(), TRANSACTION_BYTES_MAX)?;
        for condition in &self.preconditions {
            match condition {
                Precondition::Key { table, key, .. } => check_key(table, key)?,
                Precondition::Range { range, .. } => {
                    // One byte more than a key: a range may begin just behind the longest.
                    bounded("key bytes", range.start().len(), KEY_BYTES_MAX + 1)?;
                    bounded("key bytes", range.end().map_or(0, <[u8]>::len), KEY_BYTES_MAX + 1)?;
                }
            }
        }
        for write in &self.writes {
            check_key(write.table, &write.key)?;
            bounded("value bytes", write.value.as_ref().map_or(0, Bytes::len), VALUE_BYTES_MAX)?;
        }
        Ok(())
    }
}

fn check_key(table: &'static str, key: &[u8]) -> Result<(), StoreError> {
    if key.is_empty() {
        return Err(StoreError::EmptyKey { table });
    }
    bounded("key bytes", key.len(), KEY_BYTES_MAX)
}

fn bounded(what: &'static str, actual: usize, max: usize) -> Result<(), StoreError> {
    if actual > max { Err(StoreError::TooLarge { what, actual, max }) } else { Ok(()) }
}
