//! Who signs a request, and what they may do.

use std::sync::Arc;

use tidegate_ids::{AccessKeyId, AccountId, Arn, Region, Tenant, Timestamp};
use tidegate_policy::{AttachedPolicy, Decision, Document, PolicySet, RequestContext, Variables, keys};

use super::{IdentityKind, SessionOf, SessionToken, USER_POLICY_CHARACTERS_MAX, identity_key};
use crate::{Directory, directory::Identity};

/// Who signs: known once the signature has been checked, claimed before.
#[derive(Debug, Clone)]
pub struct Credential {
    /// The account that they act in.
    pub account: AccountId,
    /// The key that is signed with.
    pub access_key_id: AccessKeyId,
    /// Root, user or session.
    pub kind: SignerKind,
    arn: Arn,
    user_id: Box<str>,
    session: Option<Session>,
}

/// What a credential stands for.
#[derive(Debug, Clone)]
pub enum SignerKind {
    /// The account's root, which may do all.
    Root,
    /// A user, by a key or a session of its own.
    User {
        /// What it may do.
        identity: Arc<Identity>,
        /// Its name.
        name: Box<str>,
    },
    /// Somebody who has taken on a role.
    Role {
        /// What the role may do.
        identity: Arc<Identity>,
        /// The role's own ARN.
        role_arn: Arn,
    },
}

/// What temporary credentials have beside.
#[derive(Debug, Clone)]
struct Session {
    issued: Timestamp,
    expires: Timestamp,
    parent: Option<AccessKeyId>,
    /// The id of the user or role; empty for root.
    identity_id: Box<str>,
    /// What narrows it; `Err` is a document that cannot be read, which allows nothing.
    policy: Option<Option<Arc<Document>>>,
}

/// Why there is no credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialRefused {
    /// No such key, or it is inactive; or the token is not of this broker, of this key, or of anybody who exists.
    Unknown,
    /// The session is over.
    Expired,
}

/// What a credential's policies say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// They allow it.
    Allowed,
    /// One of these denies it.
    ExplicitDeny(Refuser),
    /// None of these allows it.
    ImplicitDeny(Refuser),
}

/// Which policies refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refuser {
    /// Those of the user or role.
    Identity,
    /// That of the session.
    Session,
}

impl Credential {
    /// The account's root, by a key of its own.
    pub(crate) fn root(account: AccountId, access_key_id: AccessKeyId) -> Self {
        let user_id = account.as_str().into();
        Self { account, access_key_id, kind: SignerKind::Root, arn: Arn::root(account), user_id, session: None }
    }

    /// A user, by one of its keys; `None` once it is deleted.
    pub(crate) fn user(account: AccountId, access_key_id: AccessKeyId, identity: Arc<Identity>) -> Option<Self> {
        let record = identity.record()?;
        let (arn, user_id) = (record.arn(account), record.id.as_str().into());
        let kind = SignerKind::User { identity, name: record.name.into() };
        Some(Self { account, access_key_id, kind, arn, user_id, session: None })
    }

    /// Who holds `token`; `None` when the user or role behind it is not there any more.
    pub(crate) fn session(token: SessionToken, directory: &Directory) -> Option<Self> {
        let SessionToken { key, account, of, issued, expires, parent, policy, .. } = token;
        let narrowing =
            policy.map(|text| Document::parse_identity(&text, USER_POLICY_CHARACTERS_MAX).ok().map(Arc::new));
        let mut session = Session { issued, expires, parent, identity_id: Box::default(), policy: narrowing };
        let mut credential = match of {
            SessionOf::Root => Self::root(account, key),
            SessionOf::Identity { role, name, id, session_name } => {
                let identity = directory.identity(&identity_key(account, SessionOf::kind(role), &name))?;
                let record = identity.record().filter(|record| record.id == id)?;
                session.identity_id = id.as_str().into();
                match session_name {
                    None => Self::user(account, key, identity)?,
                    Some(session_name) => Self {
                        account,
                        access_key_id: key,
                        arn: Arn::assumed_role(account, &record.name, &session_name),
                        user_id: format!("{id}:{session_name}").into(),
                        kind: SignerKind::Role { identity, role_arn: record.arn(account) },
                        session: None,
                    },
                }
            }
        };
        credential.session = Some(session);
        Some(credential)
    }

    /// Who it is. AWS: `Arn` of GetCallerIdentity.
    pub fn arn(&self) -> &Arn {
        &self.arn
    }

    /// AWS: `UserId` of GetCallerIdentity, `aws:userid`.
    pub fn user_id(&self) -> &str {
        &self.user_id
    }

    /// Whether it is temporary.
    pub fn is_session(&self) -> bool {
        self.session.is_some()
    }

    /// When it ends by itself.
    pub fn expires(&self) -> Option<Timestamp> {
        self.session.as_ref().map(|session| session.expires)
    }

    /// Whether it still counts: its key is active, its session not over, its user or role there.
    pub fn is_in_force(&self, directory: &Directory, now: Timestamp) -> bool {
        let Some(session) = &self.session else { return directory.access_key_is_active(&self.access_key_id) };
        let parent_counts = session.parent.as_ref().is_none_or(|key| directory.access_key_is_active(key));
        parent_counts && session.expires > now && self.identity().is_none_or(|it| it.exists(&session.identity_id))
    }

    /// The user or role whose policies decide; `None` for root.
    pub fn identity(&self) -> Option<&Arc<Identity>> {
        match &self.kind {
            SignerKind::Root => None,
            SignerKind::User { identity, .. } | SignerKind::Role { identity, .. } => Some(identity),
        }
    }

    /// What policies can ask about the signer.
    ///
    /// AWS: IAM user guide, "AWS global condition context keys".
    pub fn variables(&self) -> Variables {
        let mut variables = Variables::new();
        let (kind, principal) = match &self.kind {
            SignerKind::Root => ("Account", &self.arn),
            SignerKind::User { name, .. } => {
                variables.set(keys::USER_NAME, [&**name]);
                ("User", &self.arn)
            }
            SignerKind::Role { role_arn, .. } => ("AssumedRole", role_arn),
        };
        variables.set(keys::PRINCIPAL_ARN, [principal.to_string()]);
        variables.set(keys::PRINCIPAL_TYPE, [kind]).set(keys::PRINCIPAL_ACCOUNT, [self.account.as_str()]);
        variables.set(keys::USER_ID, [&*self.user_id]);
        if let Some(session) = &self.session {
            variables.set(keys::TOKEN_ISSUE_TIME, [session.issued.seconds().to_string()]);
        }
        variables
    }

    /// Whether its policies allow `action` on the resource with this ARN.
    pub fn decide(
        &self,
        region: Region,
        action: &str,
        resource_arn: &str,
        variables: &Variables,
        context: &RequestContext<'_>,
    ) -> Verdict {
        if let Some(identity) = self.identity() {
            match identity.policies(region).decide_arn(action, resource_arn, variables, context) {
                Decision::Allowed(_) => {}
                Decision::ExplicitDeny(_) => return Verdict::ExplicitDeny(Refuser::Identity),
                Decision::ImplicitDeny => return Verdict::ImplicitDeny(Refuser::Identity),
            }
        }
        let Some(narrowing) = self.session_policies(region) else { return Verdict::Allowed };
        match narrowing.decide_arn(action, resource_arn, variables, context) {
            Decision::Allowed(_) => Verdict::Allowed,
            Decision::ExplicitDeny(_) => Verdict::ExplicitDeny(Refuser::Session),
            Decision::ImplicitDeny => Verdict::ImplicitDeny(Refuser::Session),
        }
    }

    /// What narrows its session, if anything does.
    pub fn session_policies(&self, region: Region) -> Option<PolicySet> {
        let narrowing = self.session.as_ref()?.policy.as_ref()?;
        let tenant = Tenant { account: self.account, region };
        let name = || "session-policy".parse().expect("a policy name");
        let attached =
            narrowing.iter().map(|document| AttachedPolicy { name: name(), version: 1, document: document.clone() });
        Some(PolicySet::compile(tenant, attached))
    }
}

impl Directory {
    /// The user or role of this name.
    pub fn identity_named(&self, account: AccountId, kind: IdentityKind, name: &str) -> Option<Arc<Identity>> {
        let identity = self.identity(&identity_key(account, kind, name))?;
        identity.record().is_some_and(|record| record.name == name).then_some(identity)
    }
}
