//! Everything of one account in one region. Nothing here refers to another tenant.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    ops::Bound,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use parking_lot::Mutex;
use tidegate_ids::Tenant;

use crate::{Principal, levels::topic_hash, retained::Retained, router::Router, session::Session};

/// Locks that client ids are spread over.
const SHARDS: usize = 64;

/// Sessions, subscriptions and retained messages of one tenant.
#[derive(Debug)]
pub(crate) struct TenantState {
    pub(crate) tenant: Tenant,
    pub(crate) router: Router,
    pub(crate) retained: Retained,
    sessions: Box<[Mutex<Sessions>]>,
    /// How many there are.
    session_count: AtomicUsize,
    principals: Mutex<HashMap<Arc<Principal>, HashSet<Arc<str>>>>,
}

/// Sessions by client id.
pub(crate) type Sessions = BTreeMap<Arc<str>, Arc<Session>>;

impl TenantState {
    pub(crate) fn new(tenant: Tenant) -> Self {
        Self {
            tenant,
            router: Router::default(),
            retained: Retained::default(),
            sessions: (0..SHARDS).map(|_| Mutex::default()).collect(),
            session_count: AtomicUsize::new(0),
            principals: Mutex::default(),
        }
    }

    /// The part of the sessions that `client_id` belongs to. Its lock is taken before a session's, never after.
    pub(crate) fn shard(&self, client_id: &str) -> &Mutex<Sessions> {
        &self.sessions[Self::shard_number(client_id)]
    }

    fn shard_number(client_id: &str) -> usize {
        topic_hash(client_id) as usize % SHARDS
    }

    /// Up to `max` sessions behind the one named `after`, shard by shard and by name in each.
    pub(crate) fn sessions_after(&self, after: Option<&str>, max: usize) -> Vec<Arc<Session>> {
        let mut found = Vec::new();
        let first = after.map_or(0, Self::shard_number);
        let mut from = after.map_or(Bound::Unbounded, Bound::Excluded);
        for shard in &self.sessions[first..] {
            let sessions = shard.lock();
            let behind = sessions.range::<str, _>((from, Bound::Unbounded));
            found.extend(behind.take(max - found.len()).map(|(_, session)| session.clone()));
            if found.len() == max {
                break;
            }
            from = Bound::Unbounded;
        }
        found
    }

    /// Let `session` have its name; `sessions` is its shard.
    pub(crate) fn remember(&self, sessions: &mut Sessions, session: &Arc<Session>) {
        if sessions.insert(session.client_id().clone(), session.clone()).is_none() {
            self.session_count.fetch_add(1, Relaxed);
        }
    }

    /// How many sessions there are, connected or not.
    pub(crate) fn session_count(&self) -> usize {
        self.session_count.load(Relaxed)
    }

    /// The session named `client_id`.
    pub(crate) fn session(&self, client_id: &str) -> Option<Arc<Session>> {
        self.shard(client_id).lock().get(client_id).cloned()
    }

    /// Forget `session`, unless its name belongs to another one by now.
    pub(crate) fn forget(&self, session: &Arc<Session>) {
        let mut sessions = self.shard(session.client_id()).lock();
        if sessions.get(session.client_id()).is_some_and(|known| Arc::ptr_eq(known, session)) {
            sessions.remove(session.client_id());
            self.session_count.fetch_sub(1, Relaxed);
        }
    }

    /// All sessions.
    pub(crate) fn all(&self) -> Vec<Arc<Session>> {
        self.sessions.iter().flat_map(|shard| shard.lock().values().cloned().collect::<Vec<_>>()).collect()
    }

    /// Note that a connection named `client_id` acts for `principal`.
    pub(crate) fn note_principal(&self, principal: &Arc<Principal>, client_id: &Arc<str>) {
        self.principals.lock().entry(principal.clone()).or_default().insert(client_id.clone());
    }

    /// Note that no connection named `client_id` acts for `principal` any more.
    pub(crate) fn drop_principal(&self, principal: &Principal, client_id: &str) {
        let mut principals = self.principals.lock();
        if let Some(client_ids) = principals.get_mut(principal) {
            client_ids.remove(client_id);
            if client_ids.is_empty() {
                principals.remove(principal);
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn principal_count(&self) -> usize {
        self.principals.lock().len()
    }

    /// The client ids whose connections act for `principal`.
    pub(crate) fn client_ids_of(&self, principal: &Principal) -> Vec<Arc<str>> {
        self.principals.lock().get(principal).map_or_else(Vec::new, |client_ids| client_ids.iter().cloned().collect())
    }
}
