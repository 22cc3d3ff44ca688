//! What the broker calls by HTTP, with bounds on where, how long and how much.
//!
//! ```text
//! Client::post(Target, headers, body) ─▶ resolve ─▶ addresses that may be called ─▶ TCP ─▶ TLS ─▶ HTTP/1.1 ─▶ Answer
//! ```
//!
//! * A call goes to an address that was looked at, not to a name that may mean another a moment later: addresses of private networks,
//!   of this machine and of clouds' metadata services are refused unless they are allowed ([`addresses`]).
//! * A call ends within its deadline, whatever the other side does, and reads no more than its bound.
//! * No redirect is followed: an answer of 3xx is an answer.
//! * What is sent may be signed, so that the receiver knows the sender ([`signature`]).
//!
//! **Invariant:** no body, header or secret is in an error or a log line.

pub mod addresses;
pub mod backoff;
mod client;
mod error;
mod roots;
pub mod signature;
mod target;

pub use client::{Answer, Client, Limits};
pub use error::CallError;
pub use roots::Roots;
pub use target::{BadTarget, Target};

#[cfg(test)]
mod tests;
