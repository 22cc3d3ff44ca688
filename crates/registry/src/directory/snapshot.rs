//! From all rows to what is kept in memory: at the start, and after the change feed was lost.

use std::collections::{BTreeSet, HashMap, HashSet};

use tidegate_kv::{KeyRange, Snapshot, StoreError};

use super::Directory;
use crate::{
    Authorizer, DomainConfiguration, PolicyTarget, RegistryChange, ThingPrincipal,
    tables::{
        ACCESS_KEYS, ACCOUNTS, AUTHORIZERS, CA_CERTIFICATES, CERTIFICATES, CERTIFICATES_BY_SIGNED_PART,
        DEFAULT_AUTHORIZERS, DOMAIN_CONFIGURATIONS, GROUPS_OF_THING, IAM_IDENTITIES, IAM_POLICIES, POLICIES,
        POLICIES_OF_TARGET, SERVER_CERTIFICATES, THING_GROUPS, THING_TYPES, THINGS, THINGS_OF_PRINCIPAL,
    },
};

impl Directory {
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
}
