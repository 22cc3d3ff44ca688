//! The audit trail: every call of the API that changes something, in a chain of hashes, append-only.
//!
//! ```text
//!   ApiCall ──▶ Trail::append ── one commit for all that wait ──▶ rows 1, 2, 3 …  each with SHA-256(hash before, row)
//! ```
//!
//! **Invariants:** a row is durable before its call is answered; a row that is changed, taken out or moved breaks the chain; what is
//! too old goes from the beginning only, and the anchor says which hash came before what is left.
//!
//! AWS: CloudTrail user guide, "CloudTrail record contents".

mod api_call;
mod chain;
mod lookup;
mod trail;

pub use api_call::{ApiCall, Identity};
pub use chain::Verification;
pub use lookup::{LookedUp, Lookup, Recorded};
pub use trail::Trail;
