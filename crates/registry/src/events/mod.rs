//! Events that the registry causes.

pub mod thing;
pub mod transfer;
pub mod wire;
