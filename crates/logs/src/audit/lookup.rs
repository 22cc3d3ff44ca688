//! Looking calls up.

use serde_json::Value;
use tidegate_ids::{Tenant, Timestamp};
use tidegate_kv::{Direction, KeyRange, StoreError};

use super::{Trail, chain::OF_TENANT, chain::ROWS};

/// Rows looked at for one answer; whoever wants more asks again.
const LOOKED_AT_MAX: usize = 2000;
/// Rows of the index read at once.
const PAGE: usize = 100;

/// Which calls are wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Lookup {
    /// Whose.
    pub tenant: Tenant,
    /// Not before this moment.
    pub from: Timestamp,
    /// Not after this moment.
    pub to: Timestamp,
    /// AWS's `AttributeKey` and `AttributeValue`.
    pub attribute: Option<(String, String)>,
    /// Only rows before this one.
    pub before: Option<u64>,
    /// Most of them.
    pub max: usize,
}

impl Lookup {
    /// All of an account and region.
    pub fn all(tenant: Tenant) -> Self {
        let (from, to) = (Timestamp::from_millis(0), Timestamp::from_millis(u64::MAX));
        Self { tenant, from, to, attribute: None, before: None, max: 50 }
    }
}

/// A recorded call.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// When.
    pub at: Timestamp,
    /// The record.
    pub event: Value,
    /// The same as it was written.
    pub text: String,
}

/// What was found.
#[derive(Debug, Default)]
pub struct LookedUp {
    /// The newest first.
    pub events: Vec<Recorded>,
    /// Where looking ended before the end: go on before that row.
    pub more: Option<u64>,
}

impl Trail {
    /// The newest calls that are wanted, the newest first. An answer may be empty and not the last.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn lookup(&self, lookup: &Lookup) -> Result<LookedUp, StoreError> {
        let snapshot = self.store.snapshot().await?;
        let mut found = LookedUp::default();
        let mut range = KeyRange::under(&lookup.tenant);
        if let Some(before) = lookup.before {
            range = range.before(&(lookup.tenant, before));
        }
        for _ in 0..LOOKED_AT_MAX / PAGE {
            let page = OF_TENANT.scan(&snapshot, &range, PAGE, Direction::Descending).await?;
            for index in &page {
                range = range.before(&index.key);
                let number = index.key.1;
                let Some(row) = ROWS.get(&snapshot, &number).await? else { continue };
                let (at, text) = (Timestamp::from_millis(row.value.at), row.value.event);
                if at < lookup.from || at > lookup.to {
                    continue;
                }
                let Ok(event) = serde_json::from_str::<Value>(&text) else { continue };
                if lookup.wants(&event) {
                    found.events.push(Recorded { at, event, text });
                }
                if found.events.len() >= lookup.max {
                    found.more = Some(number);
                    return Ok(found);
                }
            }
            if page.len() < PAGE {
                found.more = None;
                return Ok(found);
            }
            found.more = page.last().map(|index| index.key.1);
        }
        Ok(found)
    }
}

impl Lookup {
    fn wants(&self, event: &Value) -> bool {
        let Some((key, value)) = &self.attribute else { return true };
        let found = match key.as_str() {
            "EventId" => &event["eventID"],
            "EventName" => &event["eventName"],
            "EventSource" => &event["eventSource"],
            "Username" => &event["userIdentity"]["userName"],
            "AccessKeyId" => &event["userIdentity"]["accessKeyId"],
            // Only what changes something is recorded.
            "ReadOnly" => return value == "false",
            _ => return false,
        };
        found.as_str() == Some(value)
    }
}
