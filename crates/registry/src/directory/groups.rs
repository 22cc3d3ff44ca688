//! Thing groups: their hierarchy and policies. Which things are in which is kept with the things.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicU64, Ordering},
};

use parking_lot::RwLock;
use tidegate_ids::{Tenant, ThingGroupName};

use super::policies::PolicySlot;

/// Counters that accounts share: 8 KiB.
const STRIPES: usize = 1024;

/// A group's place here: small, for there is one in each of its things. Used again only after all others, when nobody can
/// remember it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct GroupSlot(u32);

/// Which counter tells of changes to the policies of an account's groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct GroupStripe(usize);

/// All thing groups of all accounts. Some 200 bytes for one.
///
/// **Invariant:** connections leave no trace here: they compare a counter for each account, so a change of a group's policies
/// costs its author nothing for each of its things, and makes every connection of the account bind anew, once.
pub(crate) struct Groups {
    inner: RwLock<Inner>,
    hasher: RandomState,
    generations: Box<[AtomicU64]>,
}

#[derive(Default)]
struct Inner {
    slots: HashMap<(Tenant, ThingGroupName), GroupSlot>,
    groups: HashMap<GroupSlot, Group>,
    next: u32,
    /// How many groups each policy is attached to: at least one.
    attachments: HashMap<PolicySlot, usize>,
}

#[derive(Default)]
struct Group {
    /// The groups above it. Never changed.
    above: Box<[GroupSlot]>,
    /// Few, in no order.
    policies: Vec<PolicySlot>,
}

impl Groups {
    pub(super) fn new() -> Self {
        Self {
            inner: RwLock::default(),
            hasher: RandomState::new(),
            generations: (0..STRIPES).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// The slot of a group; one is made for a group that is not known (yet).
    pub(super) fn slot(&self, tenant: Tenant, name: &ThingGroupName) -> GroupSlot {
        self.inner.write().slot(tenant, name)
    }

    /// The slot of a group that is known.
    pub(crate) fn known_slot(&self, tenant: Tenant, name: &ThingGroupName) -> Option<GroupSlot> {
        self.inner.read().slots.get(&(tenant, name.clone())).copied()
    }

    /// The group is there, below these.
    pub(super) fn put(&self, tenant: Tenant, name: &ThingGroupName, above: &[ThingGroupName]) {
        let mut inner = self.inner.write();
        let above = above.iter().map(|name| inner.slot(tenant, name)).collect();
        let slot = inner.slot(tenant, name);
        inner.groups.entry(slot).or_default().above = above;
    }

    /// There is no such group any more.
    pub(super) fn remove(&self, tenant: Tenant, name: &ThingGroupName) {
        let mut inner = self.inner.write();
        let Some(slot) = inner.slots.remove(&(tenant, name.clone())) else { return };
        let Some(group) = inner.groups.remove(&slot) else { return };
        group.policies.iter().for_each(|policy| inner.count_off(*policy));
        drop(inner);
        self.count(tenant);
    }

    /// The policy is attached. Returns whether it was not before.
    pub(super) fn attach(&self, tenant: Tenant, name: &ThingGroupName, policy: PolicySlot) -> bool {
        let mut inner = self.inner.write();
        let slot = inner.slot(tenant, name);
        let policies = &mut inner.groups.entry(slot).or_default().policies;
        if policies.contains(&policy) {
            return false;
        }
        policies.push(policy);
        *inner.attachments.entry(policy).or_default() += 1;
        drop(inner);
        self.count(tenant);
        true
    }

    /// The policy is detached. Returns whether it was attached.
    pub(super) fn detach(&self, tenant: Tenant, name: &ThingGroupName, policy: PolicySlot) -> bool {
        let mut inner = self.inner.write();
        let Some(slot) = inner.slots.get(&(tenant, name.clone())).copied() else { return false };
        let Some(group) = inner.groups.get_mut(&slot) else { return false };
        let Some(at) = group.policies.iter().position(|other| *other == policy) else { return false };
        group.policies.swap_remove(at);
        inner.count_off(policy);
        drop(inner);
        self.count(tenant);
        true
    }

    /// The policy says something else than before, or is gone.
    pub(super) fn policy_changed(&self, tenant: Tenant, policy: PolicySlot) {
        let attached = self.inner.read().attachments.contains_key(&policy);
        if attached {
            self.count(tenant);
        }
    }

    /// The policies of these groups and of all groups above them, each once. O(1) in the number of groups there are.
    pub(super) fn policies(&self, groups: &[GroupSlot]) -> BTreeSet<PolicySlot> {
        if groups.is_empty() {
            return BTreeSet::new();
        }
        let inner = self.inner.read();
        let known = |slot: &GroupSlot| inner.groups.get(slot);
        let with_above = groups.iter().filter_map(known).flat_map(|group| {
            let above = group.above.iter().filter_map(known);
            above.chain([group])
        });
        with_above.flat_map(|group| group.policies.iter().copied()).collect()
    }

    /// Whether `group` is one of these, or above one of them.
    pub(crate) fn has(&self, group: GroupSlot, these: &[GroupSlot]) -> bool {
        let inner = self.inner.read();
        let is_above = |below: &GroupSlot| inner.groups.get(below).is_some_and(|below| below.above.contains(&group));
        these.iter().any(|this| *this == group || is_above(this))
    }

    /// The counter for an account's groups.
    pub(super) fn stripe(&self, tenant: Tenant) -> GroupStripe {
        GroupStripe(self.hasher.hash_one(tenant) as usize % STRIPES)
    }

    /// How often the policies of groups of this stripe have changed.
    pub(super) fn generation(&self, stripe: GroupStripe) -> u64 {
        self.generations[stripe.0].load(Ordering::Acquire)
    }

    /// After the change that it tells of.
    pub(super) fn count(&self, tenant: Tenant) {
        self.generations[self.stripe(tenant).0].fetch_add(1, Ordering::Release);
    }

    /// Groups that are not kept.
    pub(super) fn absent(&self, keep: &HashSet<(Tenant, ThingGroupName)>) -> Vec<(Tenant, ThingGroupName)> {
        self.inner.read().slots.keys().filter(|key| !keep.contains(*key)).cloned().collect()
    }

    /// Attached policies that are not kept.
    pub(super) fn detached(
        &self,
        keep: &HashSet<(Tenant, ThingGroupName, PolicySlot)>,
    ) -> Vec<(Tenant, ThingGroupName, PolicySlot)> {
        let inner = self.inner.read();
        let attached = inner.slots.iter().flat_map(|((tenant, name), slot)| {
            let policies = inner.groups.get(slot).map_or(&[][..], |group| &group.policies);
            policies.iter().map(move |policy| (*tenant, name.clone(), *policy))
        });
        attached.filter(|key| !keep.contains(key)).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.inner.read().slots.len()
    }
}

impl Inner {
    fn slot(&mut self, tenant: Tenant, name: &ThingGroupName) -> GroupSlot {
        if let Some(slot) = self.slots.get(&(tenant, name.clone())) {
            return *slot;
        }
        // Whoever makes and deletes groups for days comes round.
        while self.groups.contains_key(&GroupSlot(self.next)) {
            self.next = self.next.wrapping_add(1);
        }
        let slot = GroupSlot(self.next);
        self.next = self.next.wrapping_add(1);
        self.slots.insert((tenant, name.clone()), slot);
        self.groups.insert(slot, Group::default());
        slot
    }

    /// One group less has the policy.
    fn count_off(&mut self, policy: PolicySlot) {
        if let Some(count) = self.attachments.get_mut(&policy) {
            *count -= 1;
            if *count == 0 {
                self.attachments.remove(&policy);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_in_use_is_not_given_again_when_the_numbers_come_round() {
        let tenant = Tenant { account: "111111111111".parse().unwrap(), region: "eu-central-1".parse().unwrap() };
        let groups = Groups::new();
        let slot = |name: &str| groups.slot(tenant, &name.parse().unwrap());
        let first = slot("first");
        groups.inner.write().next = u32::MAX;
        assert_eq!((slot("last"), slot("next")), (GroupSlot(u32::MAX), GroupSlot(1)));
        assert_eq!((first, slot("first")), (GroupSlot(0), GroupSlot(0)));
    }
}
