//! The one shape of durable state: ordered keys, typed tables, atomic commits, a change feed.
