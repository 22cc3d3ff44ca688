//! A shadow as it is stored.

use serde::{Deserialize, Serialize};
use tidegate_shadow::Shadow;

/// The document, deleted ones too: their version is remembered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct ShadowRecord(pub(crate) Shadow);
