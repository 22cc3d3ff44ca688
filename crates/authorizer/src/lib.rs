//! Custom authorizers: which one is asked about a client, with what, and what its answer means.
//!
//! ```text
//!   user name, headers, query ─▶ Presented ─┬▶ choose ─▶ whose function
//!                                           ├▶ token and signature, checked with the authorizer's keys
//!                                           └▶ event (JSON) ─▶ Functions (port) ─▶ answer ─▶ Permit, or a Refusal
//! ```
//!
//! Pure, but for the call of the port: whoever calls keeps the authorizers, the connection and the time.
//!
//! **Invariant:** no function is asked about a token whose signature is wrong. **Invariant:** no token, signature or password is
//! in an error, nor in a `Debug` form.
//!
//! AWS: developer guide, "Custom authentication and authorization".

mod answer;
mod choice;
mod consult;
mod event;
pub mod fuzz;
mod port;
mod presented;

pub use answer::{ANSWER_BYTES_MAX, BadAnswer, Bounds, POLICIES_MAX, POLICY_CHARS_MAX, Permit};
pub use choice::{Domain, NoAuthorizer, choose};
pub use consult::{Questioned, Refusal, consult};
pub use port::{Answer, FunctionError, Functions};
pub use presented::{Certificate, Http, Mqtt, NAME_KEY, Presented, SIGNATURE_KEY};

#[cfg(test)]
mod tests;
