//! What one certificate may do, for the life of its connections.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use arc_swap::ArcSwap;
use tidegate_policy::PolicySet;

/// The compiled policies of one device certificate, shared by its connections and replaced when they change.
///
/// A connection binds [`Self::policies`] at CONNECT, remembers [`Self::generation`], and binds anew when the number differs:
/// one load for each packet.
#[derive(Debug)]
pub struct Grants {
    generation: AtomicU64,
    policies: ArcSwap<PolicySet>,
    /// The compiled set that it follows; see [`Policies`](super::policies::Policies).
    set: AtomicU64,
}

/// The number of the set that allows nothing and never changes.
const NO_SET: u64 = 0;

impl Grants {
    /// Nothing is allowed.
    pub(super) fn none(nothing: Arc<PolicySet>) -> Self {
        Self { generation: AtomicU64::new(0), policies: ArcSwap::new(nothing), set: AtomicU64::new(NO_SET) }
    }

    /// Counts the changes: of a policy's version in force, of attachments, of the certificate's status.
    ///
    /// Read it before [`Self::policies`]: policies bound under a generation are never older than it.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The policies in force: none, which allows nothing, while the certificate is not ACTIVE.
    pub fn policies(&self) -> Arc<PolicySet> {
        self.policies.load_full()
    }

    /// From now on the policies are these.
    pub(super) fn replace(&self, policies: Arc<PolicySet>) {
        self.policies.store(policies);
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// From now on the policies are those of another set, and change with it.
    pub(super) fn follow(&self, set: u64, policies: Arc<PolicySet>) {
        self.set.store(set, Ordering::Relaxed);
        self.replace(policies);
    }

    /// From now on nothing is allowed.
    pub(super) fn withdraw(&self, nothing: Arc<PolicySet>) {
        self.follow(NO_SET, nothing);
    }

    pub(super) fn follows(&self, set: u64) -> bool {
        self.set.load(Ordering::Relaxed) == set
    }
}
