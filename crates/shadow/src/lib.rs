//! Device Shadow documents: what a device reports of itself, what is desired of it, and the difference.
//!
//! ```text
//!   topic ─▶ Place, Operation        payload ─▶ Update ─┐
//!                                    stored Shadow ─────┴▶ Shadow::update ─▶ the next Shadow, or a Rejection
//!                                                                         └▶ wire: accepted, documents, delta
//! ```
//!
//! Pure: time is an argument, and whoever calls keeps the documents. A stored document is one value; its version counts the
//! updates, over deletions too.
//!
//! **Invariant:** nothing recurses over what a peer sends before its depth was measured.
//!
//! AWS: developer guide, "AWS IoT Device Shadow service".

mod document;
pub mod fuzz;
mod pace;
mod port;
mod rejection;
mod request;
mod section;
mod topic;
pub mod wire;

pub use document::{STATE_BYTES_MAX, Sections, Shadow};
pub use pace::{Pace, Paces};
pub use port::{Answer, Request, Shadows};
pub use rejection::Rejection;
pub use request::{Change, DEPTH_MAX, Demand, REQUEST_BYTES_MAX, Update};
pub use section::Section;
pub use topic::{Operation, Place};

#[cfg(test)]
mod tests;
