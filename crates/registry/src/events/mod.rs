//! Events that the registry causes.

pub mod transfer;
pub mod wire;
