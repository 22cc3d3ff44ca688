//! Device certificates: who owns them, in which status, with which policies.

use std::{
    collections::{HashMap, hash_map},
    sync::{Arc, Weak},
};

use parking_lot::RwLock;
use tidegate_ids::{CaCertificateId, CertificateId, PolicyName, Tenant, Timestamp};

use super::{
    Grants,
    policies::{Policies, PolicySlot},
};
use crate::{CertificateMode, CertificateStatus, DeviceCertificateRecord};

/// Parts that are locked separately. A power of two.
const SHARDS: usize = 64;

/// What decides about a CONNECT: one account's row of a device certificate, without the certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) tenant: Tenant,
    pub(crate) mode: CertificateMode,
    pub(crate) status: CertificateStatus,
    pub(crate) registered: Timestamp,
    pub(crate) ca_certificate_id: Option<CaCertificateId>,
}

impl Owner {
    pub(crate) fn new(tenant: Tenant, record: &DeviceCertificateRecord) -> Self {
        Self {
            tenant,
            mode: record.mode,
            status: record.status,
            registered: record.created,
            ca_certificate_id: record.ca_certificate_id,
        }
    }
}

/// A certificate in one account.
struct Entry {
    owner: Owner,
    /// In ascending order.
    policies: Box<[PolicySlot]>,
    /// Alive while somebody is connected.
    grants: Weak<Grants>,
}

/// A certificate's accounts: nearly always one.
enum Entries {
    One(Entry),
    Several(Vec<Entry>),
}

pub(crate) struct Certificates {
    shards: Box<[RwLock<HashMap<CertificateId, Entries>>]>,
}

impl Certificates {
    pub(super) fn new() -> Self {
        Self { shards: (0..SHARDS).map(|_| RwLock::default()).collect() }
    }

    /// The accounts that own a certificate. O(1).
    pub(crate) fn owners(&self, id: CertificateId) -> Vec<Owner> {
        let shard = self.shard(id).read();
        shard.get(&id).map_or_else(Vec::new, |entries| entries.as_slice().iter().map(|entry| entry.owner).collect())
    }

    /// See [`Directory::grants`](super::Directory::grants).
    pub(super) fn grants(&self, tenant: Tenant, id: CertificateId, policies: &Arc<Policies>) -> Option<Arc<Grants>> {
        let connected = |entry: &Entry| entry.grants.upgrade();
        if let Some(grants) = self.shard(id).read().get(&id)?.of(tenant).and_then(connected) {
            return Some(grants);
        }
        let mut shard = self.shard(id).write();
        let entry = shard.get_mut(&id)?.of_mut(tenant)?;
        if let Some(grants) = connected(entry) {
            return Some(grants);
        }
        let grants = Arc::new(Grants::none(tenant, Arc::clone(policies)));
        entry.grants = Arc::downgrade(&grants);
        entry.refresh(&grants, policies);
        Some(grants)
    }

    /// The certificate is registered, or changed. Returns its former state.
    pub(super) fn put(&self, id: CertificateId, owner: Owner, policies: &Policies) -> Option<Owner> {
        let mut shard = self.shard(id).write();
        let entries = match shard.entry(id) {
            hash_map::Entry::Vacant(vacant) => {
                vacant.insert(Entries::One(Entry::new(owner)));
                return None;
            }
            hash_map::Entry::Occupied(occupied) => occupied.into_mut(),
        };
        let Some(entry) = entries.of_mut(owner.tenant) else {
            entries.push(Entry::new(owner));
            return None;
        };
        let former = std::mem::replace(&mut entry.owner, owner);
        if former.status != owner.status
            && let Some(grants) = entry.grants.upgrade()
        {
            entry.refresh(&grants, policies);
        }
        Some(former)
    }

    /// The account no longer has the certificate. Returns whether it had.
    pub(super) fn remove(&self, tenant: Tenant, id: CertificateId) -> bool {
        let mut shard = self.shard(id).write();
        let Some(entries) = shard.get_mut(&id) else { return false };
        let Some(entry) = entries.take(tenant) else { return false };
        if entries.as_slice().is_empty() {
            shard.remove(&id);
        }
        if let Some(grants) = entry.grants.upgrade() {
            grants.attach(false, Box::default(), 0);
        }
        true
    }

    /// The policy is attached. Returns whether it was not before.
    pub(super) fn attach(&self, tenant: Tenant, id: CertificateId, name: &PolicyName, policies: &Policies) -> bool {
        let slot = policies.slot(tenant, name);
        self.change_policies(tenant, id, policies, |slots| match slots.binary_search(&slot) {
            Ok(_) => false,
            Err(at) => {
                slots.insert(at, slot);
                true
            }
        })
    }

    /// The policy is detached. Returns whether it was attached.
    pub(super) fn detach(&self, tenant: Tenant, id: CertificateId, name: &PolicyName, policies: &Policies) -> bool {
        let Some(slot) = policies.known_slot(tenant, name) else { return false };
        self.change_policies(tenant, id, policies, |slots| match slots.binary_search(&slot) {
            Ok(at) => {
                slots.remove(at);
                true
            }
            Err(_) => false,
        })
    }

    /// Something that the certificate's connections follow has changed.
    pub(super) fn touch(&self, tenant: Tenant, id: CertificateId) {
        let shard = self.shard(id).read();
        if let Some(grants) = shard.get(&id).and_then(|entries| entries.of(tenant)).and_then(|e| e.grants.upgrade()) {
            grants.changed();
        }
    }

    fn change_policies(
        &self,
        tenant: Tenant,
        id: CertificateId,
        policies: &Policies,
        change: impl FnOnce(&mut Vec<PolicySlot>) -> bool,
    ) -> bool {
        let mut shard = self.shard(id).write();
        let Some(entry) = shard.get_mut(&id).and_then(|entries| entries.of_mut(tenant)) else { return false };
        let mut slots = std::mem::take(&mut entry.policies).into_vec();
        let changed = change(&mut slots);
        entry.policies = slots.into();
        if changed && let Some(grants) = entry.grants.upgrade() {
            entry.refresh(&grants, policies);
        }
        changed
    }

    /// Certificates of accounts that are not kept, and their slots.
    pub(super) fn absent(&self, keep: impl Fn(Tenant, CertificateId) -> bool) -> Vec<(Tenant, CertificateId)> {
        let mut absent = Vec::new();
        for shard in &self.shards {
            for (id, entries) in shard.read().iter() {
                let tenants = entries.as_slice().iter().map(|entry| entry.owner.tenant);
                absent.extend(tenants.filter(|tenant| !keep(*tenant, *id)).map(|tenant| (tenant, *id)));
            }
        }
        absent
    }

    /// Takes away all policies that are not kept. Returns whose.
    pub(super) fn detach_absent(
        &self,
        policies: &Policies,
        keep: impl Fn(Tenant, CertificateId, PolicySlot) -> bool,
    ) -> Vec<(Tenant, CertificateId)> {
        let mut changed = Vec::new();
        for shard in &self.shards {
            for (id, entries) in shard.write().iter_mut() {
                for entry in entries.as_mut_slice() {
                    let tenant = entry.owner.tenant;
                    let kept: Box<[_]> =
                        entry.policies.iter().copied().filter(|slot| keep(tenant, *id, *slot)).collect();
                    if kept.len() < entry.policies.len() {
                        entry.policies = kept;
                        changed.push((tenant, *id));
                        if let Some(grants) = entry.grants.upgrade() {
                            entry.refresh(&grants, policies);
                        }
                    }
                }
            }
        }
        changed
    }

    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.read().values().map(|e| e.as_slice().len()).sum::<usize>()).sum()
    }

    fn shard(&self, id: CertificateId) -> &RwLock<HashMap<CertificateId, Entries>> {
        // A digest's bytes are as good as a hash; whoever grinds certificates for one shard gains a busier lock.
        &self.shards[usize::from(id.as_bytes()[31]) % SHARDS]
    }
}

impl Entry {
    fn new(owner: Owner) -> Self {
        Self { owner, policies: Box::default(), grants: Weak::new() }
    }

    /// Tells the connected certificate what it has now.
    fn refresh(&self, grants: &Arc<Grants>, policies: &Policies) {
        policies.join(self.owner.status == CertificateStatus::Active, &self.policies, grants);
    }
}

impl Entries {
    fn as_slice(&self) -> &[Entry] {
        match self {
            Self::One(entry) => std::slice::from_ref(entry),
            Self::Several(entries) => entries,
        }
    }

    fn as_mut_slice(&mut self) -> &mut [Entry] {
        match self {
            Self::One(entry) => std::slice::from_mut(entry),
            Self::Several(entries) => entries,
        }
    }

    fn of(&self, tenant: Tenant) -> Option<&Entry> {
        self.as_slice().iter().find(|entry| entry.owner.tenant == tenant)
    }

    fn of_mut(&mut self, tenant: Tenant) -> Option<&mut Entry> {
        self.as_mut_slice().iter_mut().find(|entry| entry.owner.tenant == tenant)
    }

    fn push(&mut self, entry: Entry) {
        let mut entries = self.take_all();
        entries.push(entry);
        *self = Self::Several(entries);
    }

    fn take(&mut self, tenant: Tenant) -> Option<Entry> {
        let at = self.as_slice().iter().position(|entry| entry.owner.tenant == tenant)?;
        let mut entries = self.take_all();
        let taken = entries.swap_remove(at);
        *self = match entries.pop() {
            Some(only) if entries.is_empty() => Self::One(only),
            Some(last) => {
                entries.push(last);
                Self::Several(entries)
            }
            None => Self::Several(entries),
        };
        Some(taken)
    }

    fn take_all(&mut self) -> Vec<Entry> {
        match std::mem::replace(self, Self::Several(Vec::new())) {
            Self::One(entry) => vec![entry],
            Self::Several(entries) => entries,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_small() {
        assert!(size_of::<(CertificateId, Entries)>() <= 160, "{}", size_of::<(CertificateId, Entries)>());
    }
}
