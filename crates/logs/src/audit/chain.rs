//! The chain: rows, and whether each is what the next one says it was.

use serde::{Deserialize, Serialize};
use tidegate_ids::Tenant;
use tidegate_kv::{Direction, KeyRange, Record, Store, StoreError, Table, key::Only};

/// Rows read at once.
const PAGE: usize = 256;
/// Problems that are told one by one.
const PROBLEMS_MAX: usize = 20;

/// A row of the trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) tenant: Tenant,
    /// Milliseconds since the epoch.
    pub(super) at: u64,
    /// The record, as JSON.
    pub(super) event: String,
    /// SHA-256 of the hash before and of this row, in hexadecimal digits.
    pub(super) hash: String,
}

impl Record for Row {
    const SCHEMA: u8 = 1;
}

/// A place in the chain: the number of the next row, and the hash before it.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) number: u64,
    pub(super) hash: String,
}

impl Record for Place {
    const SCHEMA: u8 = 1;
}

pub(super) static ROWS: Table<u64, Row> = Table::new("audit");
/// Behind the last row.
pub(super) static HEAD: Table<Only, Place> = Table::new("audit-head");
/// Before the first row that is left.
pub(super) static ANCHOR: Table<Only, Place> = Table::new("audit-anchor");
/// The rows of each account and region.
pub(super) static OF_TENANT: Table<(Tenant, u64), ()> = Table::new("audit-by-tenant");

/// The hash of row `number`, behind the hash `before`.
pub(super) fn hash(before: &str, number: u64, tenant: Tenant, at: u64, event: &str) -> String {
    let text = format!("{before}\n{number}\n{tenant}\n{at}\n{event}");
    tidegate_pki::sha256(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a look at the whole trail found.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verification {
    /// Rows that are there.
    pub records: u64,
    /// Number of the first row that should be there; rows before it were too old.
    pub first: u64,
    /// The last hash: who notes it elsewhere can tell later whether the end was taken off.
    pub head: String,
    /// What is wrong, in words; nothing when all is well.
    pub problems: Vec<String>,
}

impl Verification {
    /// Reads the whole trail of a store.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn of(store: &dyn Store) -> Result<Self, StoreError> {
        let snapshot = store.snapshot().await?;
        let anchor = ANCHOR.get(&snapshot, &Only).await?.map(|row| row.value).unwrap_or_default();
        let head = HEAD.get(&snapshot, &Only).await?.map(|row| row.value).unwrap_or_default();
        let mut found = Self { first: anchor.number, head: head.hash.clone(), ..Self::default() };
        let (mut next, mut before) = (anchor.number, anchor.hash);
        let mut range = KeyRange::all();
        loop {
            let page = ROWS.scan(&snapshot, &range, PAGE, Direction::Ascending).await?;
            for row in &page {
                range = range.after(&row.key);
                found.records += 1;
                let (number, value) = (row.key, &row.value);
                if number != next {
                    found.problem(format!("records {next} to {} are missing", number.wrapping_sub(1)));
                }
                let expected = hash(&before, number, value.tenant, value.at, &value.event);
                if number == next && expected != value.hash {
                    found.problem(format!("record {number} was changed, or is not the one that was written there"));
                }
                before = value.hash.clone();
                next = number + 1;
            }
            if page.len() < PAGE {
                break;
            }
        }
        if next != head.number {
            found.problem(format!("records {next} to {} are missing", head.number.wrapping_sub(1)));
        } else if before != head.hash {
            found.problem("the last record is not the one that was written last".to_owned());
        }
        Ok(found)
    }

    fn problem(&mut self, text: String) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(text);
        }
    }
}
