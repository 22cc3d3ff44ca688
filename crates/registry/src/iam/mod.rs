//! IAM as far as scripts need it: users with access keys, roles that are taken on for a while, and their policies.
//!
//! ```text
//!   access key ──▶ root | user ─┐
//!   session token ──▶ root | user | role ─┴─▶ Credential ──▶ policies ──▶ Verdict
//! ```
//!
//! A [`Credential`] is who signs a request. The account's root may do all; a user or a role what its policies allow: its own
//! (inline) and the managed ones that are attached to it. All of an identity is one row; the directory compiles it when it
//! is asked for. Session tokens are sealed under the master key and kept by nobody but who holds them.
//!
//! AWS: IAM user guide; API reference of IAM and of STS. IAM is global: nothing here has a region.

mod access_keys;
mod aws_managed;
mod credential;
mod error;
mod identity_policies;
mod key;
mod key_uses;
mod managed_policies;
mod roles;
mod sessions;
mod users;

pub use access_keys::UserAccessKey;
pub(crate) use access_keys::remove_key;
pub use credential::{Credential, CredentialRefused, Refuser, SignerKind, Verdict};
pub use error::IamError;
pub use identity_policies::AttachedManagedPolicy;
pub use key::IdentityKind;
pub(crate) use key::{IdentityKey, identity_key};
pub(crate) use key_uses::KeyUses;
pub use managed_policies::{ManagedPolicy, NewManagedPolicy, PolicyScope};
pub use roles::NewRole;
pub(crate) use sessions::SessionToken;
pub use sessions::{NewSession, SessionOf, may_assume};

pub(crate) use aws_managed::{aws_managed, aws_managed_policies};

use tidegate_ids::{AccountId, Arn};
use tidegate_policy::MalformedPolicy;

use crate::{IdentityDetail, IdentityRecord, Registry, RegistryError};

/// Most access keys of a user. AWS: IAM quota, 2.
pub const ACCESS_KEYS_PER_USER_MAX: usize = 2;
/// Most users of an account. AWS: IAM quota, 5 000.
pub const USERS_PER_ACCOUNT_MAX: usize = 5000;
/// Most roles of an account. AWS: IAM quota, 1 000.
pub const ROLES_PER_ACCOUNT_MAX: usize = 1000;
/// Most managed policies of an account. AWS: IAM quota, 1 500.
pub const MANAGED_POLICIES_PER_ACCOUNT_MAX: usize = 1500;
/// Most managed policies that are attached to one user or role. AWS: IAM quota, 10.
pub const MANAGED_POLICIES_PER_IDENTITY_MAX: usize = 10;
/// Most characters of all inline policies of a user, white space not counted. AWS: IAM quota, 2 048.
pub const USER_POLICY_CHARACTERS_MAX: usize = 2048;
/// Most characters of all inline policies of a role, white space not counted. AWS: IAM quota, 10 240.
pub const ROLE_POLICY_CHARACTERS_MAX: usize = 10_240;
/// Most characters of a managed policy, white space not counted. AWS: IAM quota, 6 144.
pub const MANAGED_POLICY_CHARACTERS_MAX: usize = 6144;

impl IdentityRecord {
    /// `arn:aws:iam::ACCOUNT:user/PATH/NAME`, or `role/…`.
    pub fn arn(&self, account: AccountId) -> Arn {
        Arn::iam(account, format!("{}{}{}", self.kind().as_str(), self.path, self.name))
    }

    /// Which it is.
    pub fn kind(&self) -> IdentityKind {
        match self.detail {
            IdentityDetail::User { .. } => IdentityKind::User,
            IdentityDetail::Role { .. } => IdentityKind::Role,
        }
    }
}

/// A path begins and ends with a slash. AWS: pattern of `pathType`; the model's own check runs before.
fn checked_path(path: Option<String>) -> Result<String, RegistryError> {
    let path = path.unwrap_or_else(|| "/".to_owned());
    let legal =
        path.starts_with('/') && path.ends_with('/') && path.len() <= 512 && path.bytes().all(|b| b.is_ascii_graphic());
    if legal { Ok(path) } else { Err(IamError::InvalidPath(path).into()) }
}

/// Characters that count towards a limit.
fn characters(document: &str) -> usize {
    document.chars().filter(|c| !c.is_whitespace()).count()
}

/// What is wrong with a document, in IAM's words.
fn malformed(error: MalformedPolicy) -> RegistryError {
    IamError::MalformedPolicyDocument(error).into()
}

impl Registry {
    /// An id such as `AIDA…`: four letters that say of what, and 17 characters of base 32.
    fn new_iam_id(&self, of: &str) -> String {
        const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let random: [u8; 17] = self.chance().bytes();
        of.chars().chain(random.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)]))).collect()
    }
}
