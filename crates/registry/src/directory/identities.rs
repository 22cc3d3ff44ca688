//! Users, roles and managed policies: what decides about signed requests.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwapOption;
use parking_lot::{Mutex, RwLock};
use tidegate_ids::{AccountId, PolicyName, Region, Tenant};
use tidegate_policy::{AttachedPolicy, Document, PolicySet};

use crate::{
    IdentityDetail, IdentityRecord, ManagedPolicyRecord,
    iam::{IdentityKey, ROLE_POLICY_CHARACTERS_MAX, aws_managed},
};

/// All users, roles and managed policies.
#[derive(Default)]
pub(super) struct Identities {
    by_key: RwLock<HashMap<IdentityKey, Arc<Identity>>>,
    /// Documents by account and name in small letters.
    policies: RwLock<HashMap<(AccountId, String), ManagedPolicy>>,
}

struct ManagedPolicy {
    arn: String,
    document: Arc<str>,
}

/// A user or a role, for as long as it exists, and what its policies say, now and after each change.
///
/// A connection binds [`Self::policies`] once, remembers [`Self::generation`], and binds anew when the number differs.
pub struct Identity {
    generation: AtomicU64,
    account: AccountId,
    /// `None` once it is deleted: whoever is made under its name later is somebody else.
    state: ArcSwapOption<State>,
}

/// What its row says.
struct State {
    record: IdentityRecord,
    /// `None`: one of its policies cannot be read; its statements might deny, so nothing is allowed.
    documents: Option<Vec<AttachedPolicy>>,
    /// Compiled for the regions in which it was asked about lately.
    compiled: Mutex<Vec<(Region, PolicySet)>>,
}

/// Most regions for which an identity's policies stay compiled.
const REGIONS_MAX: usize = 4;

impl Identities {
    pub(super) fn get(&self, key: &IdentityKey) -> Option<Arc<Identity>> {
        self.by_key.read().get(key).cloned()
    }

    /// Its row is this one now. Managed policies come before.
    pub(super) fn put(&self, key: IdentityKey, record: IdentityRecord) {
        let account = key.0;
        let documents = self.documents(account, &record);
        let state = Arc::new(State { record, documents, compiled: Mutex::default() });
        let identity = {
            let mut all = self.by_key.write();
            let same = |known: &Arc<Identity>| known.record().is_some_and(|known| known.id == state.record.id);
            match all.get(&key).filter(|known| same(known)) {
                Some(known) => Arc::clone(known),
                None => {
                    let new =
                        Arc::new(Identity { generation: AtomicU64::new(0), account, state: ArcSwapOption::empty() });
                    if let Some(former) = all.insert(key, Arc::clone(&new)) {
                        former.set(None);
                    }
                    new
                }
            }
        };
        identity.set(Some(state));
    }

    pub(super) fn remove(&self, key: &IdentityKey) {
        if let Some(identity) = self.by_key.write().remove(key) {
            identity.set(None);
        }
    }

    pub(super) fn retain(&self, keep: &HashSet<IdentityKey>) {
        self.by_key.write().retain(|key, identity| {
            let kept = keep.contains(key);
            if !kept {
                identity.set(None);
            }
            kept
        });
    }

    pub(super) fn put_policy(&self, account: AccountId, name: String, record: &ManagedPolicyRecord) {
        let policy = ManagedPolicy { arn: record.arn(account).to_string(), document: record.document.as_str().into() };
        self.policies.write().insert((account, name), policy);
    }

    pub(super) fn remove_policy(&self, account: AccountId, name: String) {
        self.policies.write().remove(&(account, name));
    }

    pub(super) fn retain_policies(&self, keep: &HashSet<(AccountId, String)>) {
        self.policies.write().retain(|key, _| keep.contains(key));
    }

    /// All documents of an identity, read; `None` when one of them is missing or cannot be read.
    fn documents(&self, account: AccountId, record: &IdentityRecord) -> Option<Vec<AttachedPolicy>> {
        let policies = self.policies.read();
        let attached = record.attached_policies.iter().map(|arn| {
            let name = arn.rsplit('/').next().unwrap_or_default();
            let text: Option<Arc<str>> = match aws_managed(arn) {
                Some(policy) => Some(policy.document.into()),
                None => {
                    let policy = policies.get(&(account, name.to_ascii_lowercase()));
                    policy.filter(|policy| policy.arn == *arn).map(|policy| Arc::clone(&policy.document))
                }
            };
            Some((name.parse::<PolicyName>().ok()?, text?))
        });
        let own = record.inline_policies.iter().map(|(name, text)| Some((name.clone(), text.as_str().into())));
        let read = |policy: Option<(PolicyName, Arc<str>)>| {
            let (name, text) = policy?;
            let document = Document::parse_identity(&text, ROLE_POLICY_CHARACTERS_MAX).ok()?;
            Some(AttachedPolicy { name, version: 1, document: Arc::new(document) })
        };
        attached.chain(own).map(read).collect()
    }
}

impl Identity {
    /// Counts the changes of its row, its end among them.
    ///
    /// Read it before [`Self::policies`]: policies bound under a generation are never older than it.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Its row; `None` once it is deleted.
    pub fn record(&self) -> Option<IdentityRecord> {
        self.state.load().as_ref().map(|state| state.record.clone())
    }

    /// Whether it is there, and is the one with this id.
    pub fn exists(&self, id: &str) -> bool {
        self.state.load().as_ref().is_some_and(|state| state.record.id == id)
    }

    /// Its policies, compiled: none, which allows nothing, once it is deleted.
    pub fn policies(&self, region: Region) -> PolicySet {
        let tenant = Tenant { account: self.account, region };
        let state = self.state.load();
        let Some(State { documents: Some(documents), compiled, .. }) = state.as_deref() else {
            return PolicySet::compile(tenant, []);
        };
        let mut compiled = compiled.lock();
        if let Some((_, set)) = compiled.iter().find(|(known, _)| *known == region) {
            return set.clone();
        }
        let set = PolicySet::compile(tenant, documents.iter().cloned());
        if compiled.len() >= REGIONS_MAX {
            compiled.remove(0);
        }
        compiled.push((region, set.clone()));
        set
    }

    /// Longest session of a role, in seconds, and who may take it on.
    pub fn as_role(&self) -> Option<(u32, String)> {
        match self.record()?.detail {
            IdentityDetail::Role { trust_policy, max_session_seconds, .. } => Some((max_session_seconds, trust_policy)),
            IdentityDetail::User { .. } => None,
        }
    }

    fn set(&self, state: Option<Arc<State>>) {
        self.state.store(state);
        self.generation.fetch_add(1, Ordering::Release);
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("account", &self.account).field("generation", &self.generation()).finish()
    }
}
