//! What a store takes. The same everywhere, so that a row which one store accepts is accepted by the others.

/// Longest key, in bytes after encoding. An issuer's distinguished name is the longest that occurs.
pub const KEY_BYTES_MAX: usize = 8 * 1024;

/// Longest value, in bytes after encoding.
pub const VALUE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Most preconditions and writes together in one transaction.
pub const TRANSACTION_STEPS_MAX: usize = 10_000;

/// Most bytes of keys and values in one transaction.
pub const TRANSACTION_BYTES_MAX: usize = 32 * 1024 * 1024;
