//! Temporary credentials: made once, sealed into their own token, kept by nobody here.
//!
//! AWS: API_AssumeRole, API_GetSessionToken of STS.

use std::{fmt, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use tidegate_ids::{AccessKeyId, AccountId, Now, Timestamp};
use tidegate_pki::seal::MasterKey;
use tidegate_policy::Trust;
use zeroize::Zeroizing;

use super::{IdentityKind, Refuser, Verdict};
use crate::{
    Registry,
    operations::{new_access_key_id, new_secret},
};

/// Longest token that is looked at. AWS says that none should assume a size; ours are below 4 096 characters.
const TOKEN_CHARACTERS_MAX: usize = 8192;
/// What tokens are sealed for.
const PLACE: &[u8] = b"session-token";

/// Whose session it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionOf {
    /// The account's root.
    Root,
    /// A user or a role: its name, and its id, which nobody else ever has.
    Identity {
        /// Which of the two.
        role: bool,
        /// Its name.
        name: String,
        /// Its id.
        id: String,
        /// Who took the role on, in their own words. AWS: `RoleSessionName`.
        session_name: Option<String>,
    },
}

impl SessionOf {
    pub(crate) fn kind(role: bool) -> IdentityKind {
        if role { IdentityKind::Role } else { IdentityKind::User }
    }
}

/// What a token holds. Its `Debug` form shows no secret.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SessionToken {
    pub(crate) key: AccessKeyId,
    #[serde(with = "hidden")]
    pub(crate) secret: Zeroizing<String>,
    pub(crate) account: AccountId,
    pub(crate) of: SessionOf,
    pub(crate) issued: Timestamp,
    pub(crate) expires: Timestamp,
    /// The key that asked for it, without which it means nothing. `None`: a role's.
    pub(crate) parent: Option<AccessKeyId>,
    /// What narrows it. AWS: `Policy`.
    pub(crate) policy: Option<String>,
}

/// A secret on its way into what is sealed, and out of it.
mod hidden {
    use serde::{Deserialize, Deserializer, Serializer};
    use zeroize::Zeroizing;

    pub(super) fn serialize<S: Serializer>(secret: &Zeroizing<String>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(secret)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Zeroizing<String>, D::Error> {
        String::deserialize(from).map(Zeroizing::new)
    }
}

impl SessionToken {
    /// What is sealed in `text`, if this broker sealed it.
    pub(crate) fn open(text: &str, master_key: &MasterKey) -> Option<Self> {
        if text.len() > TOKEN_CHARACTERS_MAX {
            return None;
        }
        let sealed = STANDARD.decode(text).ok()?;
        let opened = master_key.open(PLACE, &sealed).ok()?;
        serde_json::from_slice(&opened).ok()
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionToken").field("key", &self.key).field("of", &self.of).finish_non_exhaustive()
    }
}

/// Temporary credentials: the only moment at which they are handed out. `Debug` hides secret and token.
#[derive(Clone, PartialEq, Eq)]
pub struct NewSession {
    /// `ASIA` and 16 letters and digits.
    pub access_key_id: AccessKeyId,
    /// 40 characters.
    pub secret: Zeroizing<String>,
    /// Goes with every request.
    pub token: Zeroizing<String>,
    /// When they end.
    pub expires: Timestamp,
}

impl fmt::Debug for NewSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewSession").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// Whether somebody may take on a role: what the role's trust policy says of them, whether they are of its account, and
/// what their own policies say.
///
/// AWS: IAM user guide, "Policy evaluation logic": a role that names somebody of its own account needs no policy of theirs;
/// all others need both.
pub fn may_assume(trust: Trust, same_account: bool, own: Verdict) -> bool {
    match (trust, own) {
        (Trust::Nobody | Trust::Denied, _) | (_, Verdict::ExplicitDeny(_)) => false,
        (Trust::Named | Trust::Account, Verdict::Allowed) => true,
        (Trust::Named, Verdict::ImplicitDeny(Refuser::Identity)) => same_account,
        (Trust::Named, Verdict::ImplicitDeny(Refuser::Session)) | (Trust::Account, Verdict::ImplicitDeny(_)) => false,
    }
}

impl Registry {
    /// Makes temporary credentials. Who may have them has been decided; nothing is stored.
    pub fn new_session(
        &self,
        account: AccountId,
        of: SessionOf,
        parent: Option<AccessKeyId>,
        policy: Option<String>,
        duration: Duration,
        now: Now,
    ) -> NewSession {
        let access_key_id = new_access_key_id("ASIA", self.chance().bytes());
        let secret = new_secret(Zeroizing::new(self.chance().bytes()));
        let expires = now.wall + duration;
        let token = SessionToken {
            key: access_key_id.clone(),
            secret: secret.clone(),
            account,
            of,
            issued: now.wall,
            expires,
            parent,
            policy,
        };
        let text = Zeroizing::new(serde_json::to_vec(&token).expect("a token is JSON"));
        let token = Zeroizing::new(STANDARD.encode(self.master_key().seal(PLACE, &text)));
        NewSession { access_key_id, secret, token, expires }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_take_on_a_role() {
        use {Refuser::*, Trust::*, Verdict::*};
        for (trust, same_account, own, expected) in [
            (Named, true, Allowed, true),
            (Named, true, ImplicitDeny(Identity), true),
            (Named, true, ImplicitDeny(Session), false),
            (Named, true, ExplicitDeny(Identity), false),
            (Named, false, Allowed, true),
            (Named, false, ImplicitDeny(Identity), false),
            (Account, true, Allowed, true),
            (Account, true, ImplicitDeny(Identity), false),
            (Account, false, Allowed, true),
            (Account, false, ExplicitDeny(Session), false),
            (Nobody, true, Allowed, false),
            (Denied, true, Allowed, false),
        ] {
            assert_eq!(may_assume(trust, same_account, own), expected, "{trust:?} {same_account} {own:?}");
        }
    }
}
