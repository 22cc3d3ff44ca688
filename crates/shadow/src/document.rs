//! A stored document, and what an update makes of it.

use serde::{Deserialize, Serialize};
use tidegate_ids::Timestamp;

use crate::{
    Rejection, Section,
    request::{Change, Update},
    section::{difference, merge, stamps_of},
};

/// Most bytes of a state as JSON without blanks. Its metadata does not count.
///
/// AWS: general reference, "AWS IoT Core Device Shadow service endpoints and quotas".
pub const STATE_BYTES_MAX: usize = 8 * 1024;

/// `desired` and `reported`: of a state, or of the metadata beside it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sections {
    /// What it should be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired: Option<Section>,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported: Option<Section>,
}

/// One shadow of one thing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shadow {
    /// The values.
    pub state: Sections,
    /// When each of them was set.
    pub metadata: Sections,
    /// How many updates there were; a deletion is none.
    pub version: u64,
    /// When it was last changed.
    pub modified: Timestamp,
    /// Whether it was deleted: then it has no values, and only its version is remembered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}

impl Shadow {
    /// What `update` makes of what is stored; nothing stored, or a deleted shadow, is made anew.
    ///
    /// AWS: developer guide, "Device Shadow service documents"; a deletion does not reset the version.
    ///
    /// # Errors
    /// 409 when the caller expects another version, 413 when the state would be too large.
    pub fn update(stored: Option<&Self>, update: &Update, now: Timestamp) -> Result<Self, Rejection> {
        let version = stored.map_or(0, |stored| stored.version);
        check_version(update.version, version)?;
        let seconds = now.seconds();
        let (mut state, mut metadata) =
            stored.map_or_else(Default::default, |stored| (stored.state.clone(), stored.metadata.clone()));
        apply(&mut state.desired, &mut metadata.desired, &update.desired, seconds);
        apply(&mut state.reported, &mut metadata.reported, &update.reported, seconds);
        let bytes = serde_json::to_string(&state).map_or(usize::MAX, |text| text.len());
        if bytes > STATE_BYTES_MAX {
            return Err(Rejection::too_large());
        }
        Ok(Self { state, metadata, version: version.saturating_add(1), modified: now, deleted: false })
    }

    /// What is left of a shadow that is deleted.
    ///
    /// # Errors
    /// 409 when the caller expects another version.
    pub fn delete(&self, expected: Option<u64>, now: Timestamp) -> Result<Self, Rejection> {
        check_version(expected, self.version)?;
        let (state, metadata) = Default::default();
        Ok(Self { state, metadata, version: self.version, modified: now, deleted: true })
    }

    /// What is desired and not reported, and when that was desired; `None` when there is no such thing.
    pub fn delta(&self) -> Option<(Section, Section)> {
        let desired = self.state.desired.as_ref()?;
        let none = Section::new();
        let delta = difference(desired, self.state.reported.as_ref().unwrap_or(&none));
        if delta.is_empty() {
            return None;
        }
        let stamps = stamps_of(&delta, self.metadata.desired.as_ref().unwrap_or(&none));
        Some((delta, stamps))
    }
}

fn check_version(expected: Option<u64>, is: u64) -> Result<(), Rejection> {
    match expected {
        Some(expected) if expected != is => Err(Rejection::version_conflict()),
        Some(_) | None => Ok(()),
    }
}

fn apply(section: &mut Option<Section>, stamps: &mut Option<Section>, change: &Change, now: u64) {
    match change {
        Change::None => {}
        Change::Remove => (*section, *stamps) = (None, None),
        Change::Merge(patch) => {
            let values = section.get_or_insert_default();
            merge(values, stamps.get_or_insert_default(), patch, now);
            if values.is_empty() && !patch.is_empty() {
                (*section, *stamps) = (None, None);
            }
        }
    }
}
