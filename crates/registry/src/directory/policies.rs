//! Policies, and the sets of them that connected certificates have.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use parking_lot::Mutex;
use tidegate_ids::{PolicyName, Tenant};
use tidegate_policy::{Document, PolicySet};

use super::Grants;

/// A policy's place here: small, for there is one in every certificate's entry for each attachment. Never used twice.
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
    /// By the slots in ascending order.
    sets: HashMap<Box<[PolicySlot]>, CompiledSet>,
    sets_made: u64,
}

struct Policy {
    tenant: Tenant,
    name: PolicyName,
    text: String,
    /// `None`: there is no such policy (any more), or its text does not parse.
    document: Option<Arc<Document>>,
    /// The sets with it.
    sets: Vec<Box<[PolicySlot]>>,
}

/// One distinct set of policies, compiled once, and the connected certificates that have it.
struct CompiledSet {
    /// From 1; a member that follows another number has left.
    number: u64,
    set: Arc<PolicySet>,
    members: Vec<Weak<Grants>>,
}

impl CompiledSet {
    /// Forgets members that are gone or follow another set.
    fn drop_strangers(&mut self) {
        let number = self.number;
        self.members.retain(|member| member.upgrade().is_some_and(|member| member.follows(number)));
    }
}

impl Policies {
    /// The slot of a policy; one is made for a policy that is not known (yet).
    pub(super) fn slot(&self, tenant: Tenant, name: &PolicyName) -> PolicySlot {
        self.0.lock().slot(tenant, name)
    }

    /// The document in force is `text` now. Returns whether it was another before.
    ///
    /// Costs as much as there are connected certificates with this policy.
    pub(super) fn put(&self, tenant: Tenant, name: &PolicyName, text: &str) -> bool {
        let mut inner = self.0.lock();
        let slot = inner.slot(tenant, name);
        let policy = inner.policies.get_mut(&slot).expect("a slot has its policy");
        if policy.document.is_some() && policy.text == text {
            return false;
        }
        text.clone_into(&mut policy.text);
        policy.document = Document::parse(text).ok().map(Arc::new);
        inner.recompile(slot);
        true
    }

    /// There is no such policy any more. Returns whether there was one.
    pub(super) fn remove(&self, tenant: Tenant, name: &PolicyName) -> bool {
        let mut inner = self.0.lock();
        let Some(slot) = inner.slots.remove(&(tenant, name.clone())) else { return false };
        if let Some(policy) = inner.policies.get_mut(&slot) {
            policy.document = None;
        }
        inner.recompile(slot);
        // A set that still has the slot denies everything; certificates drop it with the attachment.
        inner.policies.remove(&slot).is_some()
    }

    /// `member` follows the set of these policies of one tenant from now on. O(1), but for the first member of a set.
    pub(super) fn join(&self, tenant: Tenant, slots: &[PolicySlot], member: &Arc<Grants>) {
        let mut inner = self.0.lock();
        let compiled = inner.set(tenant, slots);
        member.follow(compiled.number, Arc::clone(&compiled.set));
        if compiled.members.len() == compiled.members.capacity() {
            compiled.drop_strangers();
        }
        compiled.members.push(Arc::downgrade(member));
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
        let slot = PolicySlot(self.next);
        self.next = self.next.checked_add(1).expect("four thousand million policies are never made in one process");
        self.slots.insert((tenant, name.clone()), slot);
        let policy = Policy { tenant, name: name.clone(), text: String::new(), document: None, sets: Vec::new() };
        self.policies.insert(slot, policy);
        slot
    }

    fn set(&mut self, tenant: Tenant, slots: &[PolicySlot]) -> &mut CompiledSet {
        if !self.sets.contains_key(slots) {
            let set = Arc::new(self.compile(tenant, slots));
            for slot in slots {
                if let Some(policy) = self.policies.get_mut(slot) {
                    policy.sets.push(slots.into());
                }
            }
            self.sets_made += 1;
            self.sets.insert(slots.into(), CompiledSet { number: self.sets_made, set, members: Vec::new() });
        }
        self.sets.get_mut(slots).expect("made above")
    }

    /// A set with a policy that cannot be read allows nothing: its statements might deny.
    fn compile(&self, tenant: Tenant, slots: &[PolicySlot]) -> PolicySet {
        let policies: Option<Vec<_>> = slots
            .iter()
            .map(|slot| {
                let policy = self.policies.get(slot)?;
                Some((policy.name.clone(), Arc::clone(policy.document.as_ref()?)))
            })
            .collect();
        PolicySet::compile(tenant, policies.unwrap_or_default())
    }

    /// Compiles the sets with a policy anew and tells their members; forgets those without members.
    fn recompile(&mut self, slot: PolicySlot) {
        let Some(policy) = self.policies.get_mut(&slot) else { return };
        let (tenant, sets) = (policy.tenant, std::mem::take(&mut policy.sets));
        for slots in sets {
            let Some(compiled) = self.sets.get_mut(&slots) else { continue };
            compiled.drop_strangers();
            if compiled.members.is_empty() {
                self.forget(&slots);
                continue;
            }
            let set = Arc::new(self.compile(tenant, &slots));
            let compiled = self.sets.get_mut(&slots).expect("found above");
            compiled.set = Arc::clone(&set);
            for member in compiled.members.iter().filter_map(Weak::upgrade) {
                member.replace(Arc::clone(&set));
            }
            if let Some(policy) = self.policies.get_mut(&slot) {
                policy.sets.push(slots);
            }
        }
    }

    fn forget(&mut self, slots: &[PolicySlot]) {
        self.sets.remove(slots);
        for slot in slots {
            if let Some(policy) = self.policies.get_mut(slot) {
                policy.sets.retain(|set| **set != *slots);
            }
        }
    }
}
