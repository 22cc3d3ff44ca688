//! The operators' edge: AWS-shaped HTTPS.
//!
//! ```text
//!   serve ──▶ dispatch ──▶ authenticate (sigv4) ──▶ service ──▶ binding ──▶ authorize ──▶ constraint ──▶ iot::create_policy …
//!                │          who, which service     operation   values      policies      checked            │
//!                └◀── answer ◀── error ◀───────────────────────────────────────────── registry ◀─┘
//! ```
//!
//! One port serves all services. [`dispatch`] tells them apart by the credential scope of the signature, the operation by
//! `X-Amz-Target`, `Action=`, or method and undecoded path. `generated` holds what the service models say: a route table
//! of all operations, types and constraints of the served ones (`cargo xtask codegen`). Each served operation is one file
//! with one function, named as the operation, in a folder named as its service. `extensions` is what AWS does not have.
//!
//! **Invariant:** the AWS name and HTTP status of a failure are decided in `error` alone. **Invariant:** nothing of a
//! request is decoded before its signature has been checked. **Invariant:** no operation sees its input before the policies of
//! who signed have allowed it: [`authorize`] lies on the only way there.

mod answer;
mod api;
mod audit;
mod authenticate;
mod authorize;
mod binding;
mod call;
mod cloudtrail;
mod constraint;
mod dispatch;
mod error;
mod extensions;
mod generated;
mod iam;
mod impatient;
mod iot;
mod iot_data;
mod logs;
mod seats;
mod serve;
mod service;
mod sts;
mod wire;

pub use api::{Api, DataPlane, Readiness, Settings};
pub use extensions::{Question, explain};
pub use serve::{CONNECTIONS_MAX, CONNECTIONS_PER_ADDRESS_MAX, Listener, Serving, serve};

pub(crate) use error::ApiError;

#[cfg(test)]
mod tests;
