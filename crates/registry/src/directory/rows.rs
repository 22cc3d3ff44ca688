//! What one row changes in memory, and what others are told of it.

use tidegate_ids::{
    AccessKeyId, CaCertificateId, CertificateId, PolicyName, Tenant, ThingGroupName, ThingName, ThingTypeName,
};
use tidegate_kv::StoreError;
use tidegate_pki::CaCertificate;

use super::{CaOwner, Directory, Owner};
use crate::{
    CaCertificateRecord, DeviceCertificateRecord, PolicyRecord, PolicyTarget, RegistryChange, ThingPrincipal,
    ThingPrincipalType, ThingRecord, ThingTypeRecord, tables::CA_CERTIFICATES,
};

impl Directory {
    pub(super) fn remove_access_key(&self, id: &AccessKeyId) -> Option<RegistryChange> {
        self.access_keys.remove(id).map(|account| RegistryChange::Credentials { account })
    }

    pub(super) fn put_certificate(
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

    pub(super) fn remove_certificate(&self, tenant: Tenant, certificate_id: CertificateId) -> Option<RegistryChange> {
        let removed = self.certificates.remove(tenant, certificate_id);
        removed.then_some(RegistryChange::CertificateDeleted { tenant, certificate_id })
    }

    pub(super) fn attach(&self, tenant: Tenant, target: &PolicyTarget, name: &PolicyName) -> Option<RegistryChange> {
        let changed = match target {
            PolicyTarget::Certificate(id) => self.certificates.attach(tenant, *id, name, &self.policies),
            PolicyTarget::ThingGroup(group) => self.groups.attach(tenant, group, self.policies.slot(tenant, name)),
        };
        changed.then(|| policies_of(tenant, target))
    }

    pub(super) fn detach(&self, tenant: Tenant, target: &PolicyTarget, name: &PolicyName) -> Option<RegistryChange> {
        let changed = match target {
            PolicyTarget::Certificate(id) => self.certificates.detach(tenant, *id, name, &self.policies),
            PolicyTarget::ThingGroup(group) => {
                let slot = self.policies.known_slot(tenant, name);
                slot.is_some_and(|slot| self.groups.detach(tenant, group, slot))
            }
        };
        changed.then(|| policies_of(tenant, target))
    }

    pub(super) fn join_group(&self, tenant: Tenant, thing: &ThingName, group: &ThingGroupName) {
        if self.things.join(tenant, thing, self.groups.slot(tenant, group)) {
            self.touch_exclusive(tenant, thing);
        }
    }

    pub(super) fn leave_group(&self, tenant: Tenant, thing: &ThingName, group: &ThingGroupName) {
        let Some(slot) = self.groups.known_slot(tenant, group) else { return };
        if self.things.leave(tenant, thing, slot) {
            self.touch_exclusive(tenant, thing);
        }
    }

    /// Connections of certificates whose only thing this is follow it under any client id.
    pub(super) fn touch_exclusive(&self, tenant: Tenant, name: &ThingName) {
        self.things.exclusive_of(tenant, name).into_iter().for_each(|id| self.certificates.touch(tenant, id));
    }

    /// Connections hear of it with what concerns the account's groups: it is rare.
    pub(super) fn put_thing_type(&self, tenant: Tenant, name: &ThingTypeName, record: &ThingTypeRecord) {
        let attributes = record.properties.propagating_attributes.as_deref().unwrap_or_default();
        if self.enrichments.put(tenant, name, attributes) {
            self.groups.count(tenant);
        }
    }

    pub(super) fn remove_thing_type(&self, tenant: Tenant, name: &ThingTypeName) {
        if self.enrichments.remove(tenant, name) {
            self.groups.count(tenant);
        }
    }

    pub(super) fn put_thing(&self, tenant: Tenant, name: &ThingName, record: ThingRecord) {
        if self.things.put(tenant, name, record) {
            self.touch_exclusive(tenant, name);
        }
    }

    pub(super) fn remove_thing(&self, tenant: Tenant, name: &ThingName) {
        let exclusive_of = self.things.exclusive_of(tenant, name);
        self.things.remove(tenant, name);
        exclusive_of.into_iter().for_each(|id| self.certificates.touch(tenant, id));
    }

    pub(super) fn attach_thing(
        &self,
        tenant: Tenant,
        principal: ThingPrincipal,
        name: &ThingName,
        kind: ThingPrincipalType,
    ) {
        match principal {
            ThingPrincipal::Certificate(id) => {
                if self.things.attach(tenant, id, name, kind) {
                    self.certificates.touch(tenant, id);
                }
            }
        }
    }

    pub(super) fn detach_thing(&self, tenant: Tenant, principal: ThingPrincipal, name: &ThingName) {
        match principal {
            ThingPrincipal::Certificate(id) => {
                if self.things.detach(tenant, id, name) {
                    self.certificates.touch(tenant, id);
                }
            }
        }
    }

    pub(super) fn put_policy(&self, tenant: Tenant, name: PolicyName, record: &PolicyRecord) -> Option<RegistryChange> {
        let changed = self.policies.put(tenant, &name, record.default_version, &record.document);
        changed.then(|| self.policy_changed(tenant, name))
    }

    pub(super) fn remove_policy(&self, tenant: Tenant, name: PolicyName) -> Option<RegistryChange> {
        self.policies.remove(tenant, &name).then_some(RegistryChange::PolicyChanged { tenant, name })
    }

    /// Tells those who have the policy through a thing group; the others know.
    fn policy_changed(&self, tenant: Tenant, name: PolicyName) -> RegistryChange {
        if let Some(slot) = self.policies.known_slot(tenant, &name) {
            self.groups.policy_changed(tenant, slot);
        }
        RegistryChange::PolicyChanged { tenant, name }
    }

    pub(super) fn put_ca(
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

    pub(super) fn remove_ca(&self, tenant: Tenant, ca_certificate_id: CaCertificateId) -> Option<RegistryChange> {
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
