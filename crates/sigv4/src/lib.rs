//! AWS Signature Version 4: canonical form, sign, check.
//!
//! A request is checked in two steps, because the secret is looked up in between:
//!
//! 1. [`Credentials::parse`] reads the `Authorization` header (or the query of a presigned URL): which key, which scope,
//!    which headers, which signature. Nothing is proven yet.
//! 2. [`Credentials::check`] proves it, with the [`SigningKey`] derived from that key's secret. Derived keys live for one
//!    day, region and service; a caller may cache them.
//!
//! The rules are those of all services but S3: the path is encoded once more than it was sent, the payload is hashed.
//!
//! AWS: IAM user guide, "Create a signed AWS API request".

mod canonical;
mod credentials;
mod date;
mod error;
mod key;
mod request;
mod sign;

pub use credentials::{Credentials, Form};
pub use date::AmzDate;
pub use error::{Problem, SigV4Error};
pub use key::SigningKey;
pub use request::{EMPTY_PAYLOAD, PayloadHash, RequestParts};
pub use sign::{Signer, sign};

#[cfg(test)]
mod tests;
