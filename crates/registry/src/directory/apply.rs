//! From committed rows to what is kept in memory, and to what others are told.

use std::collections::{BTreeSet, HashMap, HashSet};

use tidegate_ids::{
    AccessKeyId, CaCertificateId, CertificateId, PolicyName, Tenant, ThingGroupName, ThingName, ThingTypeName,
};
use tidegate_kv::{Change, Committed, KeyRange, Snapshot, StoreError, TableChange};
use tidegate_pki::CaCertificate;

use super::{CaOwner, Directory, Owner, transfers};
use crate::{
    Authorizer, CaCertificateRecord, DeviceCertificateRecord, DomainConfiguration, PolicyRecord, PolicyTarget,
    RegistryChange, ThingPrincipal, ThingPrincipalType, ThingRecord, ThingTypeRecord,
    tables::{
        ACCESS_KEYS, ACCOUNTS, AUTHORIZERS, CA_CERTIFICATES, CERTIFICATES, CERTIFICATES_BY_SIGNED_PART,
        DEFAULT_AUTHORIZERS, DOMAIN_CONFIGURATIONS, GROUPS_OF_THING, IAM_IDENTITIES, IAM_POLICIES, POLICIES,
        POLICIES_OF_TARGET, SERVER_CERTIFICATES, THING_GROUPS, THING_TYPES, THINGS, THINGS_OF_PRINCIPAL,
    },
};

impl Directory {
    /// Applies one committed transaction. O(1) for each row; for a policy, as much as there are connected certificates with it.
    pub(super) fn apply(&self, committed: &Committed) -> Result<Vec<RegistryChange>, StoreError> {
        let mut told = Vec::new();
        for change in &committed.changes {
            self.apply_row(change, &mut told)?;
        }
        told.extend(transfers::told(committed)?);
        Ok(told)
    }

    fn apply_row(&self, change: &Change, told: &mut Vec<RegistryChange>) -> Result<(), StoreError> {
        let table = change.table;
        if table == CERTIFICATES.name() {
            match CERTIFICATES.change(change)? {
                Some(TableChange::Put((tenant, id), record)) => told.extend(self.put_certificate(tenant, id, &record)),
                Some(TableChange::Delete((tenant, id))) => told.extend(self.remove_certificate(tenant, id)),
                None => {}
            }
        } else if table == CERTIFICATES_BY_SIGNED_PART.name() {
            match CERTIFICATES_BY_SIGNED_PART.change(change)? {
                Some(TableChange::Put((part, _, _, id), _)) => self.forms.put(&part, id),
                // Another account may have it still. What is left behind in error belongs to nobody, hence means nothing.
                Some(TableChange::Delete((part, _, _, id))) if self.certificates.owners(id).is_empty() => {
                    self.forms.remove(&part, id);
                }
                Some(TableChange::Delete(_)) | None => {}
            }
        } else if table == POLICIES_OF_TARGET.name() {
            match POLICIES_OF_TARGET.change(change)? {
                Some(TableChange::Put((tenant, target, name), ())) => told.extend(self.attach(tenant, &target, &name)),
                Some(TableChange::Delete((tenant, target, name))) => told.extend(self.detach(tenant, &target, &name)),
                None => {}
            }
        } else if table == POLICIES.name() {
            match POLICIES.change(change)? {
                Some(TableChange::Put((tenant, name), record)) => told.extend(self.put_policy(tenant, name, &record)),
                Some(TableChange::Delete((tenant, name))) => told.extend(self.remove_policy(tenant, name)),
                None => {}
            }
        } else if table == THINGS.name() {
            match THINGS.change(change)? {
                Some(TableChange::Put((tenant, name), record)) => self.put_thing(tenant, &name, record),
                Some(TableChange::Delete((tenant, name))) => self.remove_thing(tenant, &name),
                None => {}
            }
        } else if table == THINGS_OF_PRINCIPAL.name() {
            match THINGS_OF_PRINCIPAL.change(change)? {
                Some(TableChange::Put((tenant, principal, name), attachment)) => {
                    self.attach_thing(tenant, principal, &name, attachment.kind);
                }
                Some(TableChange::Delete((tenant, principal, name))) => self.detach_thing(tenant, principal, &name),
                None => {}
            }
        } else if table == GROUPS_OF_THING.name() {
            match GROUPS_OF_THING.change(change)? {
                Some(TableChange::Put((tenant, thing, group), ())) => self.join_group(tenant, &thing, &group),
                Some(TableChange::Delete((tenant, thing, group))) => self.leave_group(tenant, &thing, &group),
                None => {}
            }
        } else if table == THING_GROUPS.name() {
            match THING_GROUPS.change(change)? {
                Some(TableChange::Put((tenant, name), record)) => self.groups.put(tenant, &name, &record.above),
                Some(TableChange::Delete((tenant, name))) => self.groups.remove(tenant, &name),
                None => {}
            }
        } else if table == THING_TYPES.name() {
            match THING_TYPES.change(change)? {
                Some(TableChange::Put((tenant, name), record)) => self.put_thing_type(tenant, &name, &record),
                Some(TableChange::Delete((tenant, name))) => self.remove_thing_type(tenant, &name),
                None => {}
            }
        } else if table == CA_CERTIFICATES.name() {
            match CA_CERTIFICATES.change(change)? {
                Some(TableChange::Put((tenant, id), record)) => told.extend(self.put_ca(tenant, id, &record)?),
                Some(TableChange::Delete((tenant, id))) => told.extend(self.remove_ca(tenant, id)),
                None => {}
            }
        } else if table == ACCESS_KEYS.name() {
            match ACCESS_KEYS.change(change)? {
                Some(TableChange::Put(id, record)) => {
                    told.push(RegistryChange::Credentials { account: record.account });
                    self.access_keys.put(id, record);
                }
                Some(TableChange::Delete(id)) => told.extend(self.remove_access_key(&id)),
                None => {}
            }
        } else if table == IAM_IDENTITIES.name() {
            match IAM_IDENTITIES.change(change)? {
                Some(TableChange::Put(key, record)) => {
                    told.push(RegistryChange::Credentials { account: key.0 });
                    self.identities.put(key, record);
                }
                Some(TableChange::Delete(key)) => {
                    told.push(RegistryChange::Credentials { account: key.0 });
                    self.identities.remove(&key);
                }
                None => {}
            }
        } else if table == IAM_POLICIES.name() {
            match IAM_POLICIES.change(change)? {
                Some(TableChange::Put((account, name), record)) => self.identities.put_policy(account, name, &record),
                Some(TableChange::Delete((account, name))) => self.identities.remove_policy(account, name),
                None => {}
            }
        } else if table == ACCOUNTS.name() {
            match ACCOUNTS.change(change)? {
                Some(TableChange::Put(account, _)) => self.endpoints.put(account),
                Some(TableChange::Delete(account)) => self.endpoints.remove(account),
                None => {}
            }
        } else if table == AUTHORIZERS.name() {
            match AUTHORIZERS.change(change)? {
                Some(TableChange::Put((tenant, name), record)) => {
                    self.authorizers.put(Authorizer { tenant, name, record });
                }
                Some(TableChange::Delete((tenant, name))) => self.authorizers.remove(tenant, &name),
                None => {}
            }
        } else if table == DEFAULT_AUTHORIZERS.name() {
            match DEFAULT_AUTHORIZERS.change(change)? {
                Some(TableChange::Put(tenant, record)) => self.authorizers.set_default(tenant, Some(record.name)),
                Some(TableChange::Delete(tenant)) => self.authorizers.set_default(tenant, None),
                None => {}
            }
        } else if table == SERVER_CERTIFICATES.name() {
            match SERVER_CERTIFICATES.change(change)? {
                Some(TableChange::Put(name, record)) => {
                    self.domains.put_certificate(name.clone(), record);
                    told.push(RegistryChange::ServerCertificate { name });
                }
                Some(TableChange::Delete(name)) => {
                    self.domains.remove_certificate(&name);
                    told.push(RegistryChange::ServerCertificate { name });
                }
                None => {}
            }
        } else if table == DOMAIN_CONFIGURATIONS.name() {
            match DOMAIN_CONFIGURATIONS.change(change)? {
                Some(TableChange::Put((tenant, name), record)) => {
                    self.domains.put(DomainConfiguration { tenant, name, record });
                }
                Some(TableChange::Delete((tenant, name))) => self.domains.remove(tenant, &name),
                None => {}
            }
        }
        Ok(())
    }

    /// Makes this what the snapshot says, and tells the differences: at the start, and after the feed was lost.
    pub(super) async fn read_all(&self, at: &Snapshot) -> Result<Vec<RegistryChange>, StoreError> {
        let mut told = Vec::new();
        let mut failed = None;
        told.extend(self.read_accounts(at).await?);

        let mut cas = HashSet::new();
        CA_CERTIFICATES
            .each(at, KeyRange::all(), |row| {
                cas.insert(row.key);
                match self.put_ca(row.key.0, row.key.1, &row.value) {
                    Ok(change) => told.extend(change),
                    Err(error) => failed = Some(error),
                }
            })
            .await?;
        if let Some(error) = failed {
            return Err(error);
        }
        for (tenant, id) in self.issuers.absent(|tenant, id| cas.contains(&(tenant, id))) {
            told.extend(self.remove_ca(tenant, id));
        }

        let mut policies = HashSet::new();
        POLICIES
            .each(at, KeyRange::all(), |row| {
                told.extend(self.put_policy(row.key.0, row.key.1.clone(), &row.value));
                policies.insert(row.key);
            })
            .await?;
        for (tenant, name) in self.policies.absent(|tenant, name| policies.contains(&(tenant, name.clone()))) {
            told.extend(self.remove_policy(tenant, name));
        }

        let mut certificates = HashSet::new();
        CERTIFICATES
            .each(at, KeyRange::all(), |row| {
                certificates.insert(row.key);
                told.extend(self.put_certificate(row.key.0, row.key.1, &row.value));
            })
            .await?;
        for (tenant, id) in self.certificates.absent(|tenant, id| certificates.contains(&(tenant, id))) {
            told.extend(self.remove_certificate(tenant, id));
        }
        let mut with_forms = HashSet::new();
        CERTIFICATES_BY_SIGNED_PART
            .each(at, KeyRange::all(), |row| {
                let (part, _, _, id) = row.key;
                self.forms.put(&part, id);
                with_forms.insert(id);
            })
            .await?;
        self.forms.retain(&with_forms);

        self.read_thing_types(at).await?;
        self.read_things(at).await?;
        self.read_thing_groups(at).await?;
        self.read_authorizers(at).await?;
        self.read_domains(at).await?;

        let (mut attached, mut attached_to_groups) = (HashSet::new(), HashSet::new());
        POLICIES_OF_TARGET
            .each(at, KeyRange::all(), |row| {
                let (tenant, target, name) = row.key;
                told.extend(self.attach(tenant, &target, &name));
                let slot = self.policies.slot(tenant, &name);
                match target {
                    PolicyTarget::Certificate(id) => drop(attached.insert((tenant, id, slot))),
                    PolicyTarget::ThingGroup(group) => drop(attached_to_groups.insert((tenant, group, slot))),
                }
            })
            .await?;
        let kept = |tenant, id, slot| attached.contains(&(tenant, id, slot));
        for (tenant, certificate_id) in self.certificates.detach_absent(&self.policies, kept) {
            told.push(RegistryChange::PoliciesOfCertificate { tenant, certificate_id });
        }
        for (tenant, name, slot) in self.groups.detached(&attached_to_groups) {
            if self.groups.detach(tenant, &name, slot) {
                told.push(RegistryChange::PoliciesOfThingGroup { tenant, name });
            }
        }
        Ok(told)
    }

    /// Thing groups and which things are in them. Things come before.
    async fn read_thing_groups(&self, at: &Snapshot) -> Result<(), StoreError> {
        let mut groups = HashSet::new();
        THING_GROUPS
            .each(at, KeyRange::all(), |row| {
                let (tenant, name) = row.key;
                self.groups.put(tenant, &name, &row.value.above);
                groups.insert((tenant, name));
            })
            .await?;
        for (tenant, name) in self.groups.absent(&groups) {
            self.groups.remove(tenant, &name);
        }
        let mut of_things: HashMap<_, BTreeSet<_>> = HashMap::new();
        GROUPS_OF_THING
            .each(at, KeyRange::all(), |row| {
                let (tenant, thing, group) = row.key;
                of_things.entry((tenant, thing)).or_default().insert(self.groups.slot(tenant, &group));
            })
            .await?;
        for (tenant, thing) in self.things.regroup(of_things) {
            self.touch_exclusive(tenant, &thing);
        }
        Ok(())
    }

    async fn read_authorizers(&self, at: &Snapshot) -> Result<(), StoreError> {
        let (mut there, mut defaults) = (HashSet::new(), HashSet::new());
        AUTHORIZERS
            .each(at, KeyRange::all(), |row| {
                there.insert(row.key.clone());
                let (tenant, name) = row.key;
                self.authorizers.put(Authorizer { tenant, name, record: row.value });
            })
            .await?;
        DEFAULT_AUTHORIZERS
            .each(at, KeyRange::all(), |row| {
                defaults.insert(row.key);
                self.authorizers.set_default(row.key, Some(row.value.name));
            })
            .await?;
        self.authorizers.retain(&there, &defaults);
        Ok(())
    }

    async fn read_domains(&self, at: &Snapshot) -> Result<(), StoreError> {
        let (mut configurations, mut certificates) = (Vec::new(), Vec::new());
        SERVER_CERTIFICATES.each(at, KeyRange::all(), |row| certificates.push((row.key, row.value))).await?;
        DOMAIN_CONFIGURATIONS
            .each(at, KeyRange::all(), |row| {
                let (tenant, name) = row.key;
                configurations.push(DomainConfiguration { tenant, name, record: row.value });
            })
            .await?;
        self.domains.replace(configurations, certificates);
        Ok(())
    }

    async fn read_thing_types(&self, at: &Snapshot) -> Result<(), StoreError> {
        let mut types = HashSet::new();
        THING_TYPES
            .each(at, KeyRange::all(), |row| {
                self.put_thing_type(row.key.0, &row.key.1, &row.value);
                types.insert(row.key);
            })
            .await?;
        for (tenant, name) in self.enrichments.absent(|tenant, name| types.contains(&(tenant, name.clone()))) {
            self.remove_thing_type(tenant, &name);
        }
        Ok(())
    }

    async fn read_things(&self, at: &Snapshot) -> Result<(), StoreError> {
        let mut things = HashSet::new();
        THINGS
            .each(at, KeyRange::all(), |row| {
                self.put_thing(row.key.0, &row.key.1, row.value);
                things.insert(row.key);
            })
            .await?;
        let mut attached = HashSet::new();
        THINGS_OF_PRINCIPAL
            .each(at, KeyRange::all(), |row| {
                let (tenant, principal, name) = row.key;
                self.attach_thing(tenant, principal, &name, row.value.kind);
                match principal {
                    ThingPrincipal::Certificate(id) => attached.insert((tenant, id, name)),
                };
            })
            .await?;
        for (tenant, id, name) in self.things.detached(&attached) {
            self.detach_thing(tenant, ThingPrincipal::Certificate(id), &name);
        }
        for (tenant, name) in self.things.absent(&things) {
            self.remove_thing(tenant, &name);
        }
        Ok(())
    }

    async fn read_accounts(&self, at: &Snapshot) -> Result<Vec<RegistryChange>, StoreError> {
        let mut accounts = HashSet::new();
        ACCOUNTS
            .each(at, KeyRange::all(), |row| {
                accounts.insert(row.key);
                self.endpoints.put(row.key);
            })
            .await?;
        self.endpoints.retain(|account| accounts.contains(&account));
        let mut keys = HashSet::new();
        ACCESS_KEYS
            .each(at, KeyRange::all(), |row| {
                keys.insert(row.key.clone());
                self.access_keys.put(row.key, row.value);
            })
            .await?;
        self.access_keys.retain(|id| keys.contains(id));
        self.read_identities(at).await?;
        // Whatever was signed with any of them is looked at again.
        Ok(accounts.into_iter().map(|account| RegistryChange::Credentials { account }).collect())
    }

    /// Managed policies, then those who have them.
    async fn read_identities(&self, at: &Snapshot) -> Result<(), StoreError> {
        let (mut policies, mut identities) = (HashSet::new(), HashSet::new());
        IAM_POLICIES
            .each(at, KeyRange::all(), |row| {
                let (account, name) = row.key;
                self.identities.put_policy(account, name.clone(), &row.value);
                policies.insert((account, name));
            })
            .await?;
        self.identities.retain_policies(&policies);
        IAM_IDENTITIES
            .each(at, KeyRange::all(), |row| {
                self.identities.put(row.key.clone(), row.value);
                identities.insert(row.key);
            })
            .await?;
        self.identities.retain(&identities);
        Ok(())
    }

    fn remove_access_key(&self, id: &AccessKeyId) -> Option<RegistryChange> {
        self.access_keys.remove(id).map(|account| RegistryChange::Credentials { account })
    }

    fn put_certificate(
        &self,
        tenant: Tenant,
        certificate_id: CertificateId,
        record: &DeviceCertificateRecord,
    ) -> Option<RegistryChange> {
        let owner = Owner::new(tenant, record);
        let former = self.certificates.put(certificate_id, owner, &self.policies);
        let changed = former.is_none_or(|former| former.status != owner.status);
        changed.then_some(RegistryChange::CertificateStatus { tenant, certificate_id, status: owner.status })
    }

    fn remove_certificate(&self, tenant: Tenant, certificate_id: CertificateId) -> Option<RegistryChange> {
        let removed = self.certificates.remove(tenant, certificate_id);
        removed.then_some(RegistryChange::CertificateDeleted { tenant, certificate_id })
    }

    fn attach(&self, tenant: Tenant, target: &PolicyTarget, name: &PolicyName) -> Option<RegistryChange> {
        let changed = match target {
            PolicyTarget::Certificate(id) => self.certificates.attach(tenant, *id, name, &self.policies),
            PolicyTarget::ThingGroup(group) => self.groups.attach(tenant, group, self.policies.slot(tenant, name)),
        };
        changed.then(|| policies_of(tenant, target))
    }

    fn detach(&self, tenant: Tenant, target: &PolicyTarget, name: &PolicyName) -> Option<RegistryChange> {
        let changed = match target {
            PolicyTarget::Certificate(id) => self.certificates.detach(tenant, *id, name, &self.policies),
            PolicyTarget::ThingGroup(group) => {
                let slot = self.policies.known_slot(tenant, name);
                slot.is_some_and(|slot| self.groups.detach(tenant, group, slot))
            }
        };
        changed.then(|| policies_of(tenant, target))
    }

    fn join_group(&self, tenant: Tenant, thing: &ThingName, group: &ThingGroupName) {
        if self.things.join(tenant, thing, self.groups.slot(tenant, group)) {
            self.touch_exclusive(tenant, thing);
        }
    }

    fn leave_group(&self, tenant: Tenant, thing: &ThingName, group: &ThingGroupName) {
        let Some(slot) = self.groups.known_slot(tenant, group) else { return };
        if self.things.leave(tenant, thing, slot) {
            self.touch_exclusive(tenant, thing);
        }
    }

    /// Connections of certificates whose only thing this is follow it under any client id.
    fn touch_exclusive(&self, tenant: Tenant, name: &ThingName) {
        self.things.exclusive_of(tenant, name).into_iter().for_each(|id| self.certificates.touch(tenant, id));
    }

    /// Connections hear of it with what concerns the account's groups: it is rare.
    fn put_thing_type(&self, tenant: Tenant, name: &ThingTypeName, record: &ThingTypeRecord) {
        let attributes = record.properties.propagating_attributes.as_deref().unwrap_or_default();
        if self.enrichments.put(tenant, name, attributes) {
            self.groups.count(tenant);
        }
    }

    fn remove_thing_type(&self, tenant: Tenant, name: &ThingTypeName) {
        if self.enrichments.remove(tenant, name) {
            self.groups.count(tenant);
        }
    }

    fn put_thing(&self, tenant: Tenant, name: &ThingName, record: ThingRecord) {
        if self.things.put(tenant, name, record) {
            self.touch_exclusive(tenant, name);
        }
    }

    fn remove_thing(&self, tenant: Tenant, name: &ThingName) {
        let exclusive_of = self.things.exclusive_of(tenant, name);
        self.things.remove(tenant, name);
        exclusive_of.into_iter().for_each(|id| self.certificates.touch(tenant, id));
    }

    fn attach_thing(&self, tenant: Tenant, principal: ThingPrincipal, name: &ThingName, kind: ThingPrincipalType) {
        match principal {
            ThingPrincipal::Certificate(id) => {
                if self.things.attach(tenant, id, name, kind) {
                    self.certificates.touch(tenant, id);
                }
            }
        }
    }

    fn detach_thing(&self, tenant: Tenant, principal: ThingPrincipal, name: &ThingName) {
        match principal {
            ThingPrincipal::Certificate(id) => {
                if self.things.detach(tenant, id, name) {
                    self.certificates.touch(tenant, id);
                }
            }
        }
    }

    fn put_policy(&self, tenant: Tenant, name: PolicyName, record: &PolicyRecord) -> Option<RegistryChange> {
        let changed = self.policies.put(tenant, &name, record.default_version, &record.document);
        changed.then(|| self.policy_changed(tenant, name))
    }

    fn remove_policy(&self, tenant: Tenant, name: PolicyName) -> Option<RegistryChange> {
        self.policies.remove(tenant, &name).then_some(RegistryChange::PolicyChanged { tenant, name })
    }

    /// Tells those who have the policy through a thing group; the others know.
    fn policy_changed(&self, tenant: Tenant, name: PolicyName) -> RegistryChange {
        if let Some(slot) = self.policies.known_slot(tenant, &name) {
            self.groups.policy_changed(tenant, slot);
        }
        RegistryChange::PolicyChanged { tenant, name }
    }

    fn put_ca(
        &self,
        tenant: Tenant,
        ca_certificate_id: CaCertificateId,
        record: &CaCertificateRecord,
    ) -> Result<Option<RegistryChange>, StoreError> {
        let corrupt = |what: String| StoreError::Corrupt { table: CA_CERTIFICATES.name(), what };
        let ca = CaCertificate::from_pem(&record.pem).map_err(|error| corrupt(error.to_string()))?;
        let owner = CaOwner::new(tenant, record);
        let changed = self.issuers.put(ca, owner) != Some(owner);
        let CaOwner { status, auto_registration, .. } = owner;
        Ok(changed.then_some(RegistryChange::CaCertificate { tenant, ca_certificate_id, status, auto_registration }))
    }

    fn remove_ca(&self, tenant: Tenant, ca_certificate_id: CaCertificateId) -> Option<RegistryChange> {
        let removed = self.issuers.remove(tenant, ca_certificate_id);
        removed.then_some(RegistryChange::CaCertificateDeleted { tenant, ca_certificate_id })
    }
}

/// Other policies are attached to the target.
fn policies_of(tenant: Tenant, target: &PolicyTarget) -> RegistryChange {
    match target {
        PolicyTarget::Certificate(id) => RegistryChange::PoliciesOfCertificate { tenant, certificate_id: *id },
        PolicyTarget::ThingGroup(name) => RegistryChange::PoliciesOfThingGroup { tenant, name: name.clone() },
    }
}
