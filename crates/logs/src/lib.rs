//! What happened, kept: the entries of `AWSIotLogsV2` with their levels, and refusals with their evidence.
//!
//! ```text
//!   Entry ──▶ LogBook::write ── levels ──▶ bounded queue ──▶ LogBook::keep ──▶ Shelf (kv) ──▶ read, trim
//!             never waits       one Arc     counts drops      one commit        chunks by time
//! ```
//!
//! **Invariants:** writing an entry never waits and is bounded in memory; what an account's levels do not want, and is no
//! refusal, costs a look at the levels; what is read again is in the order in which it was committed.
//!
//! AWS: developer guide, "Monitor AWS IoT using CloudWatch Logs".

mod audit;
mod book;
mod case;
mod entry;
mod error;
pub mod fuzz;
mod level;
mod levels;
mod options;
mod pattern;
mod repeated;
mod settings;
mod shelf;
mod tallies;

pub use audit::{ApiCall, Identity, LookedUp, Lookup, Note, NotingStore, Recorded, Trail, Verification};
pub use book::{Batch, LogBook, Parts, Queued, Retention, ThingGroups};
pub use case::{CaMatch, Case, Leaf};
pub use entry::{Entry, Status, date};
pub use error::LogsError;
pub use level::LogLevel;
pub use levels::Subject;
pub use options::{EventConfiguration, LoggingOptions, Target, TargetType, V1Options, V2Options};
pub use pattern::{FilterPattern, PatternError};
pub use repeated::Repeated;
pub use shelf::{Event, Found, Position, Scope};
pub use tallies::Tallies;
