//! Why a request to the shadow service is refused.

/// A refusal in AWS's words: an HTTP status and a sentence.
///
/// AWS: developer guide, "Device Shadow error messages".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// As an HTTP status.
    pub code: u16,
    /// For the caller.
    pub message: String,
}

impl Rejection {
    /// Any refusal.
    pub fn new(code: u16, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub(crate) fn bad(message: &'static str) -> Self {
        Self::new(400, message)
    }

    /// There is no such shadow. AWS: a classic shadow is named as its thing. Unverified: `THING~SHADOW` for a named one.
    pub fn not_found(place: &crate::Place) -> Self {
        let name = match &place.shadow {
            None => place.thing.to_string(),
            Some(shadow) => format!("{}~{shadow}", place.thing),
        };
        Self::new(404, format!("No shadow exists with name: '{name}'"))
    }

    /// The caller expects another version.
    pub fn version_conflict() -> Self {
        Self::new(409, "Version conflict")
    }

    /// The request, or the state that it would make, is too large.
    pub fn too_large() -> Self {
        Self::new(413, "The payload exceeds the maximum size allowed")
    }

    /// Too many requests wait. Unverified: the sentence.
    pub fn too_many() -> Self {
        Self::new(429, "Too many requests")
    }

    /// We failed.
    pub fn internal() -> Self {
        Self::new(500, "Internal service failure")
    }
}
