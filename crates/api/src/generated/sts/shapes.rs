// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! Shapes that operations of sts share.

#[allow(unused_imports, reason = "the same head in every file")]
use {
    crate::{constraint::*, wire::EpochSeconds},
    serde::{Deserialize, Serialize},
};
