//! Everything of one account in one region. Nothing here refers to another tenant.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    hash::{BuildHasher, DefaultHasher, RandomState},
    ops::Bound,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use parking_lot::Mutex;
use tidegate_ids::{Monotonic, SharedRate, Tenant};

use crate::{
    LastConnection, Principal,
    levels::topic_hash,
    memory::Memory,
    past::{PAST, Past, Pasts},
    persist::RecordLog,
    retained::Retained,
    router::Router,
    session::Session,
};

/// Locks that client ids are spread over.
const SHARDS: usize = 64;

/// What all sessions of a tenant count for, and where their changes are logged.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) tenant: Tenant,
    pub(crate) memory: Arc<Memory>,
    pub(crate) rates: Rates,
    /// `None`: nothing is kept on disk.
    pub(crate) records: Option<Arc<RecordLog>>,
}

/// Hashes with keys that are drawn once for all maps of the process: a map that every session has needs none of its own.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Seeded;

impl BuildHasher for Seeded {
    type Hasher = DefaultHasher;

    fn build_hasher(&self) -> DefaultHasher {
        static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        KEYS.build_hasher()
    }
}

/// Sessions, subscriptions and retained messages of one tenant.
#[derive(Debug)]
pub(crate) struct TenantState {
    pub(crate) tenant: Tenant,
    pub(crate) router: Router,
    pub(crate) retained: Retained,
    sessions: Box<[Mutex<Sessions>]>,
    /// How many there are.
    session_count: AtomicUsize,
    /// How many of them are connected.
    pub(crate) connected: AtomicUsize,
    pub(crate) account: Arc<Account>,
    principals: Mutex<HashMap<Arc<Principal>, HashSet<Arc<str>>>>,
}

/// What all clients of the tenant did in the last second.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    pub(crate) connects: SharedRate,
    pub(crate) subscribes: SharedRate,
    pub(crate) publishes: SharedRate,
    pub(crate) outbound: SharedRate,
    pub(crate) retained: SharedRate,
    pub(crate) queued: SharedRate,
}

/// Sessions by client id, and what is remembered of some that have ended.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    by_name: BTreeMap<Arc<str>, Arc<Session>>,
    past: Pasts,
}

impl Sessions {
    /// The session named `client_id`.
    pub(crate) fn get(&self, client_id: &str) -> Option<&Arc<Session>> {
        self.by_name.get(client_id)
    }

    /// What is remembered of `client_id`, whose session ended.
    pub(crate) fn past(&self, client_id: &str, now: Monotonic) -> Option<&Past> {
        self.past.get(client_id, now)
    }
}

impl Account {
    pub(crate) fn new(tenant: Tenant, memory: Arc<Memory>, records: Option<Arc<RecordLog>>) -> Self {
        Self { tenant, memory, rates: Rates::default(), records }
    }
}

impl TenantState {
    pub(crate) fn new(account: Account) -> Self {
        Self {
            tenant: account.tenant,
            router: Router::default(),
            retained: Retained::new(account.memory.clone()),
            sessions: (0..SHARDS).map(|_| Mutex::default()).collect(),
            session_count: AtomicUsize::new(0),
            connected: AtomicUsize::new(0),
            account: Arc::new(account),
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
            let behind = sessions.by_name.range::<str, _>((from, Bound::Unbounded));
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
        sessions.past.forget(session.client_id());
        if sessions.by_name.insert(session.client_id().clone(), session.clone()).is_none() {
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

    /// The last connection of a client id whose session ended.
    pub(crate) fn last_connection(&self, client_id: &str, now: Monotonic) -> Option<Arc<LastConnection>> {
        self.shard(client_id).lock().past(client_id, now)?.last.clone()
    }

    /// Forget `session`, unless its name belongs to another one by now.
    pub(crate) fn forget(&self, session: &Arc<Session>, now: Monotonic) {
        let mut sessions = self.shard(session.client_id()).lock();
        if sessions.get(session.client_id()).is_some_and(|known| Arc::ptr_eq(known, session)) {
            sessions.by_name.remove(session.client_id());
            let (version_number, connects) = session.history();
            let past = Past { version_number, connects, last: session.last(), ends_at: now + PAST };
            sessions.past.keep(session.client_id(), past, now);
            self.session_count.fetch_sub(1, Relaxed);
        }
    }

    /// All sessions.
    pub(crate) fn all(&self) -> Vec<Arc<Session>> {
        self.sessions.iter().flat_map(|shard| shard.lock().by_name.values().cloned().collect::<Vec<_>>()).collect()
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
