//! What the crate does as a whole.
