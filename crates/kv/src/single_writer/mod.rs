//! Parts for a store with one writer, such as [`memory`](crate::memory) and the embedded one: judging
//! preconditions, remembering recent changes, feeding consumers.

mod feed;
mod recent;

pub use feed::{Feed, FeedBounds};
pub use recent::Recent;

use crate::{Expected, KeyRange, Precondition, RangeExpected, Revision, StoreError};

/// The state that preconditions are judged on: what is stored, and what was accepted before in the same batch.
pub trait State {
    /// The revision of a row, if there is one.
    fn revision_of(&self, table: &'static str, key: &[u8]) -> Result<Option<Revision>, StoreError>;

    /// Whether the range holds any row.
    fn holds_any(&self, table: &'static str, range: &KeyRange) -> Result<bool, StoreError>;
}

/// Whether every precondition holds. Cost: one lookup each; none depends on the size of a table or range, except
/// that `UnchangedSince` passes over the rows changed recently in its range.
pub fn all_hold(conditions: &[Precondition], state: &impl State, recent: &Recent) -> Result<bool, StoreError> {
    for condition in conditions {
        let holds = match condition {
            Precondition::Key { table, key, expected } => {
                let actual = state.revision_of(table, key)?;
                match expected {
                    Expected::Absent => actual.is_none(),
                    Expected::Revision(read) => actual == Some(*read),
                }
            }
            Precondition::Range { range, .. } if range.is_empty() => true,
            Precondition::Range { table, range, expected: RangeExpected::Empty } => !state.holds_any(table, range)?,
            Precondition::Range { table, range, expected: RangeExpected::UnchangedSince(read) } => {
                recent.surely_unchanged(table, range, *read)
            }
        };
        if !holds {
            return Ok(false);
        }
    }
    Ok(true)
}
