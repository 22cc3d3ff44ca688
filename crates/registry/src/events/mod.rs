//! Events that the registry causes.

pub mod wire;
