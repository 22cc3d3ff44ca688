//! What a policy says, and where it says so.

/// Which statement of which policy: an index into the order in which policies were compiled, and one into the
/// document's statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Origin {
    /// Index of the policy; [`crate::PolicySet::policy`] knows its name and version.
    pub policy: u16,
    /// Index of the statement in its document, from 0.
    pub statement: u16,
}

/// What a policy says about one access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Allowed by this statement, and no statement denies it.
    Allowed(Origin),
    /// Denied by this statement, whatever others allow.
    ExplicitDeny(Origin),
    /// No statement speaks of it.
    ImplicitDeny,
}

impl Decision {
    /// Whether the access may go on.
    pub const fn is_allowed(self) -> bool {
        matches!(self, Self::Allowed(_))
    }

    /// The statement that decided, unless none did.
    pub const fn origin(self) -> Option<Origin> {
        match self {
            Self::Allowed(origin) | Self::ExplicitDeny(origin) => Some(origin),
            Self::ImplicitDeny => None,
        }
    }
}
