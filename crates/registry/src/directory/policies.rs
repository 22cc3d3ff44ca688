//! Policies, and the sets of them that connected certificates have.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Weak},
};

use parking_lot::Mutex;
use tidegate_ids::{PolicyName, Tenant};
use tidegate_policy::{AttachedPolicy, Document, PolicySet};

use super::Grants;
use crate::PolicyVersionId;

/// A policy's place here: small, for there is one in every certificate's entry for each attachment. Used again only after all others,
/// when nobody can remember it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct PolicySlot(u32);

/// All policies' documents in force, and what was compiled of them.
#[derive(Default)]
pub(super) struct Policies(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    slots: HashMap<(Tenant, PolicyName), PolicySlot>,
    policies: HashMap<PolicySlot, Policy>,
    next: u32,
    sets: HashMap<Slots, CompiledSet>,
    sets_made: u64,
    /// Those compiled last: devices that come one after the other, each for a moment, find them.
    lately: VecDeque<Arc<PolicySet>>,
    /// Sets nobody has are looked for when there are so many.
    sweep_at: usize,
}

/// In ascending order.
type Slots = Box<[PolicySlot]>;

struct Policy {
    name: PolicyName,
    /// What is in force; `None`: there is no such policy (any more).
    in_force: Option<InForce>,
    /// The sets with it.
    sets: HashSet<Slots>,
}

/// The version of a policy that decides.
struct InForce {
    version: PolicyVersionId,
    text: Box<str>,
}

/// One distinct set of policies, compiled once, and the connected certificates that have it.
struct CompiledSet {
    /// From 1; a member that follows another number has left.
    number: u64,
    /// Dead when nobody has it, or when a policy has changed since: then compiled again when somebody asks.
    set: Weak<PolicySet>,
    members: Vec<Weak<Grants>>,
}

/// Compiled sets that are kept though nobody has them.
const LATELY_MAX: usize = 16;
/// Fewest sets that are swept.
const SWEEP_AT_MIN: usize = 1024;

impl Policies {
    /// The slot of a policy; one is made for a policy that is not known (yet).
    pub(super) fn slot(&self, tenant: Tenant, name: &PolicyName) -> PolicySlot {
        self.0.lock().slot(tenant, name)
    }

    /// The slot of a policy that is known.
    pub(super) fn known_slot(&self, tenant: Tenant, name: &PolicyName) -> Option<PolicySlot> {
        self.0.lock().slots.get(&(tenant, name.clone())).copied()
    }

    /// The version in force is this one now. Returns whether it was another before.
    ///
    /// Costs one counter for each connected certificate with this policy.
    pub(super) fn put(&self, tenant: Tenant, name: &PolicyName, version: PolicyVersionId, text: &str) -> bool {
        let mut inner = self.0.lock();
        let slot = inner.slot(tenant, name);
        let policy = inner.policies.get_mut(&slot).expect("a slot has its policy");
        if policy.in_force.as_ref().is_some_and(|held| held.version == version && *held.text == *text) {
            return false;
        }
        policy.in_force = Some(InForce { version, text: text.into() });
        inner.tell(slot);
        true
    }

    /// There is no such policy any more. Returns whether there was one.
    ///
    /// A certificate that still has it, which the order of changes rules out, may do nothing until it is detached.
    pub(super) fn remove(&self, tenant: Tenant, name: &PolicyName) -> bool {
        let mut inner = self.0.lock();
        let Some(slot) = inner.slots.remove(&(tenant, name.clone())) else { return false };
        inner.tell(slot);
        inner.policies.remove(&slot).is_some()
    }

    /// The set of these policies of one tenant, compiled.
    pub(super) fn compiled(&self, tenant: Tenant, slots: &[PolicySlot]) -> Arc<PolicySet> {
        let mut inner = self.0.lock();
        inner.sweep();
        if let Some(set) = inner.set(slots).set.upgrade() {
            return set;
        }
        let set = Arc::new(inner.compile(tenant, slots));
        inner.set(slots).set = Arc::downgrade(&set);
        if inner.lately.len() == LATELY_MAX {
            inner.lately.pop_front();
        }
        inner.lately.push_back(Arc::clone(&set));
        set
    }

    /// `member` hears of changes of these policies from now on. O(1), amortized.
    pub(super) fn join(&self, active: bool, slots: &[PolicySlot], member: &Arc<Grants>) {
        let mut inner = self.0.lock();
        inner.sweep();
        let set = inner.set(slots);
        member.attach(active, slots.into(), set.number);
        if set.members.len() == set.members.capacity() {
            set.drop_strangers();
        }
        set.members.push(Arc::downgrade(member));
    }

    /// Policies whose names are not kept.
    pub(super) fn absent(&self, keep: impl Fn(Tenant, &PolicyName) -> bool) -> Vec<(Tenant, PolicyName)> {
        let inner = self.0.lock();
        inner.slots.keys().filter(|(tenant, name)| !keep(*tenant, name)).cloned().collect()
    }

    pub(super) fn len(&self) -> usize {
        self.0.lock().slots.len()
    }
}

impl Inner {
    fn slot(&mut self, tenant: Tenant, name: &PolicyName) -> PolicySlot {
        if let Some(slot) = self.slots.get(&(tenant, name.clone())) {
            return *slot;
        }
        // Whoever makes and deletes policies for days comes round.
        while self.policies.contains_key(&PolicySlot(self.next)) {
            self.next = self.next.wrapping_add(1);
        }
        let slot = PolicySlot(self.next);
        self.next = self.next.wrapping_add(1);
        self.slots.insert((tenant, name.clone()), slot);
        self.policies.insert(slot, Policy { name: name.clone(), in_force: None, sets: HashSet::new() });
        slot
    }

    fn set(&mut self, slots: &[PolicySlot]) -> &mut CompiledSet {
        if !self.sets.contains_key(slots) {
            for slot in slots {
                if let Some(policy) = self.policies.get_mut(slot) {
                    policy.sets.insert(slots.into());
                }
            }
            self.sets_made += 1;
            let set = CompiledSet { number: self.sets_made, set: Weak::new(), members: Vec::new() };
            self.sets.insert(slots.into(), set);
        }
        self.sets.get_mut(slots).expect("made above")
    }

    /// A set with a policy that cannot be read allows nothing: its statements might deny.
    fn compile(&self, tenant: Tenant, slots: &[PolicySlot]) -> PolicySet {
        let attached = |slot: &PolicySlot| {
            let policy = self.policies.get(slot)?;
            let InForce { version, text } = policy.in_force.as_ref()?;
            let document = Arc::new(Document::parse(text).ok()?);
            Some(AttachedPolicy { name: policy.name.clone(), version: version.number(), document })
        };
        let policies: Option<Vec<_>> = slots.iter().map(attached).collect();
        PolicySet::compile(tenant, policies.unwrap_or_default())
    }

    /// Tells everybody who has the policy that it has changed.
    fn tell(&mut self, slot: PolicySlot) {
        self.lately.clear();
        let Some(policy) = self.policies.get(&slot) else { return };
        for slots in &policy.sets {
            let Some(set) = self.sets.get_mut(slots) else { continue };
            set.set = Weak::new();
            let members = set.members.iter().filter_map(Weak::upgrade);
            members.filter(|member| member.follows(set.number)).for_each(|member| member.changed());
        }
    }

    /// Forgets the sets that nobody has, once they may be the greater part.
    fn sweep(&mut self) {
        if self.sets.len() < self.sweep_at.max(SWEEP_AT_MIN) {
            return;
        }
        let policies = &mut self.policies;
        self.sets.retain(|slots, set| {
            set.drop_strangers();
            let is_had = !set.members.is_empty() || set.set.strong_count() > 0;
            if !is_had {
                for slot in slots {
                    if let Some(policy) = policies.get_mut(slot) {
                        policy.sets.remove(slots);
                    }
                }
            }
            is_had
        });
        self.sweep_at = self.sets.len() * 2;
    }
}

impl CompiledSet {
    /// Forgets members that are gone or follow another set, and all but one mention of the others.
    fn drop_strangers(&mut self) {
        let number = self.number;
        self.members.retain(|member| member.upgrade().is_some_and(|member| member.follows(number)));
        self.members.sort_unstable_by_key(Weak::as_ptr);
        self.members.dedup_by_key(|member| member.as_ptr());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_in_use_is_not_given_again_when_the_numbers_come_round() {
        let tenant = Tenant { account: "111111111111".parse().unwrap(), region: "eu-central-1".parse().unwrap() };
        let policies = Policies::default();
        let slot = |name: &str| policies.slot(tenant, &name.parse().unwrap());
        let first = slot("first");
        policies.0.lock().next = u32::MAX;
        assert_eq!((slot("last"), slot("next")), (PolicySlot(u32::MAX), PolicySlot(1)));
        assert_eq!((first, slot("first")), (PolicySlot(0), PolicySlot(0)));
    }

    #[test]
    fn what_was_compiled_lately_is_found_though_nobody_has_it_until_a_policy_changes() {
        let tenant = Tenant { account: "111111111111".parse().unwrap(), region: "eu-central-1".parse().unwrap() };
        let policies = Policies::default();
        let slots: Vec<_> = (0..=LATELY_MAX)
            .map(|number| [policies.slot(tenant, &format!("policy-{number}").parse().unwrap())])
            .collect();
        let compiled = |slots: &[PolicySlot]| Arc::downgrade(&policies.compiled(tenant, slots));
        let first = compiled(&slots[0]);
        assert!(first.ptr_eq(&compiled(&slots[0])) && first.strong_count() == 1);
        slots[1..].iter().for_each(|slots| drop(compiled(slots)));
        assert_eq!(first.strong_count(), 0, "it was not among the last");
        let last = compiled(&slots[LATELY_MAX]);
        assert_eq!(last.strong_count(), 1);
        policies.put(tenant, &"policy-0".parse().unwrap(), "1".parse().unwrap(), "{}");
        assert_eq!(last.strong_count(), 0);
    }
}
