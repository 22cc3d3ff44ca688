//! X.509: parse, check signatures, issue, seal keys.
