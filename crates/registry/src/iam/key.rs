//! How users and roles are found.

use tidegate_ids::AccountId;
use tidegate_kv::Key;

/// A user or a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentityKind {
    /// Has access keys of its own.
    User,
    /// Is taken on by others.
    Role,
}

impl IdentityKind {
    /// As in an ARN: `user`, `role`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Role => "role",
        }
    }
}

/// A user or a role of an account: which, and its name in small letters.
pub(crate) type IdentityKey = (AccountId, IdentityKind, String);

/// Where the user or role of this name is, if there is one.
pub(crate) fn identity_key(account: AccountId, kind: IdentityKind, name: &str) -> IdentityKey {
    (account, kind, name.to_ascii_lowercase())
}

/// One byte.
impl Key for IdentityKind {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(match self {
            Self::User => 1,
            Self::Role => 2,
        });
    }
    fn decode(bytes: &mut &[u8]) -> Option<Self> {
        match u8::decode(bytes)? {
            1 => Some(Self::User),
            2 => Some(Self::Role),
            _ => None,
        }
    }
}
