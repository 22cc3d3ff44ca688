//! The audit trail: every call of the API that changes something, in a chain of hashes, append-only.
//!
//! ```text
//!   ApiCall ──▶ Note, in the commit of the change
//!          └──▶ Trail::append ── one commit for all that wait ──▶ rows 1, 2, 3 …  each with SHA-256(hash before, row)
//! ```
//!
//! **Invariants:** a change through the registry and the note of its call are one commit, and a note that is left becomes a record at the next
//! start; a row is durable before its call is answered; a row that is changed, taken out or moved breaks the chain; what is
//! too old goes from the beginning only, and the anchor says which hash came before what is left.
//!
//! AWS: CloudTrail user guide, "CloudTrail record contents".

mod api_call;
mod chain;
mod lookup;
mod note;
mod trail;

pub use api_call::{ApiCall, Identity};
pub use chain::Verification;
pub use lookup::{LookedUp, Lookup, Recorded};
pub use note::{Note, NotingStore};
pub use trail::Trail;
