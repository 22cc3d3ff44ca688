//! What one certificate may do, for the life of its connections.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwapOption;
use parking_lot::Mutex;
use tidegate_ids::Tenant;
use tidegate_policy::PolicySet;

use super::policies::{Policies, PolicySlot};

/// The policies of one device certificate, for all its connections.
///
/// A connection binds [`Self::policies`] at CONNECT, remembers [`Self::generation`], and binds anew when the number differs:
/// one load for each packet.
pub struct Grants {
    generation: AtomicU64,
    compiled: ArcSwapOption<Compiled>,
    attached: Mutex<Attached>,
    tenant: Tenant,
    policies: Arc<Policies>,
}

/// What was in force when somebody last asked, if anybody has.
struct Compiled {
    generation: u64,
    set: Arc<PolicySet>,
}

/// Which policies it has.
struct Attached {
    /// Nothing is allowed without this.
    active: bool,
    slots: Box<[PolicySlot]>,
    /// The number of the set of these policies, which tells of their changes.
    set: u64,
}

impl Grants {
    /// Nothing is allowed.
    pub(super) fn none(tenant: Tenant, policies: Arc<Policies>) -> Self {
        Self {
            generation: AtomicU64::new(0),
            compiled: ArcSwapOption::empty(),
            attached: Mutex::new(Attached { active: false, slots: Box::default(), set: 0 }),
            tenant,
            policies,
        }
    }

    /// Counts the changes: of a policy's version in force, of attachments, of the certificate's status.
    ///
    /// Read it before [`Self::policies`]: policies bound under a generation are never older than it.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The policies in force: none, which allows nothing, while the certificate is not ACTIVE.
    ///
    /// Cheap when nothing has changed. After a change the first connection with the same policies compiles them, which
    /// takes some tens of microseconds, so that a change of a policy costs its author little however many have it.
    pub fn policies(&self) -> Arc<PolicySet> {
        let generation = self.generation();
        if let Some(compiled) = &*self.compiled.load()
            && compiled.generation == generation
        {
            return Arc::clone(&compiled.set);
        }
        let slots = {
            let attached = self.attached.lock();
            attached.active.then(|| attached.slots.clone())
        };
        let set = match slots {
            Some(slots) => self.policies.compiled(self.tenant, &slots),
            None => Arc::new(PolicySet::compile(self.tenant, [])),
        };
        self.compiled.store(Some(Arc::new(Compiled { generation, set: Arc::clone(&set) })));
        set
    }

    /// As [`Self::policies`], with more. Never kept here; compiled once for all connections with the same policies.
    pub(super) fn policies_with(&self, mut more: BTreeSet<PolicySlot>) -> Arc<PolicySet> {
        if more.is_empty() {
            return self.policies();
        }
        {
            let attached = self.attached.lock();
            if !attached.active {
                return Arc::new(PolicySet::compile(self.tenant, []));
            }
            more.extend(&attached.slots);
        }
        self.policies.compiled(self.tenant, &more.into_iter().collect::<Box<[_]>>())
    }

    /// From now on the policies are these, if any.
    pub(super) fn attach(&self, active: bool, slots: Box<[PolicySlot]>, set: u64) {
        *self.attached.lock() = Attached { active, slots, set };
        self.changed();
    }

    /// The policies say something else than before.
    pub(super) fn changed(&self) {
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// Whether its policies are this set.
    pub(super) fn follows(&self, set: u64) -> bool {
        self.attached.lock().set == set
    }
}

impl fmt::Debug for Grants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grants").field("tenant", &self.tenant).field("generation", &self.generation()).finish()
    }
}
