//! AWS: API_TagResource. What the other operations on tags share is here too.

use tidegate_ids::Tenant;
use tidegate_kv::{Snapshot, Transaction};

use super::{
    describe_authorizer::read_authorizer, describe_ca_certificate::read_ca_certificate,
    describe_domain_configuration::read_domain_configuration, describe_thing_group::read_group,
    describe_thing_type::read_thing_type, get_policy::read_policy,
};
use crate::{
    Registry, RegistryError, Tag, TaggedResource,
    tables::{AUTHORIZERS, CA_CERTIFICATES, POLICIES, THING_GROUPS, THING_TYPES},
    tags::{check_tags, tagged},
};

impl Registry {
    /// Adds tags to a resource; those whose key it has already get the new value. All of them, or none.
    ///
    /// Versions, generation ids and dates of the resource stay as they are. Unverified.
    ///
    /// # Errors
    /// `AuthorizerNotFound`, `CaCertificateNotFound`, `DomainConfigurationNotFound`, `PolicyNotFound`, `ThingGroupNotFound`, `ThingTypeNotFound`; `InvalidRequest` for the tags, `TooManyTags`.
    pub async fn tag_resource(
        &self,
        tenant: Tenant,
        resource: &TaggedResource,
        tags: &[Tag],
    ) -> Result<(), RegistryError> {
        check_tags(tags)?;
        self.change(|read| async move { change_tags(&read, tenant, resource, |old| tagged(old, tags)).await }).await
    }
}

/// The tags of a resource.
pub(super) async fn read_tags(
    read: &Snapshot,
    tenant: Tenant,
    resource: &TaggedResource,
) -> Result<Vec<Tag>, RegistryError> {
    Ok(match resource {
        TaggedResource::CaCertificate(id) => read_ca_certificate(read, tenant, *id).await?.value.tags,
        TaggedResource::Policy(name) => read_policy(read, tenant, name).await?.value.tags,
        TaggedResource::ThingGroup(name) => read_group(read, tenant, name).await?.value.tags,
        TaggedResource::ThingType(name) => read_thing_type(read, tenant, name).await?.value.tags,
        TaggedResource::Authorizer(name) => read_authorizer(read, tenant, name).await?.value.tags,
        TaggedResource::DomainConfiguration(name) => read_domain_configuration(read, tenant, name).await?.record.tags,
    })
}

/// The transaction by which a resource has other tags. Nothing is written when they are the same.
pub(super) async fn change_tags(
    read: &Snapshot,
    tenant: Tenant,
    resource: &TaggedResource,
    change: impl FnOnce(&[Tag]) -> Result<Vec<Tag>, RegistryError>,
) -> Result<(Transaction, ()), RegistryError> {
    let mut transaction = Transaction::new();
    match resource {
        TaggedResource::CaCertificate(id) => {
            let row = read_ca_certificate(read, tenant, *id).await?;
            let mut ca = row.value;
            if exchange(&mut ca.tags, change)? {
                CA_CERTIFICATES.replace(&mut transaction, &(tenant, *id), row.revision, &ca);
            }
        }
        TaggedResource::Policy(name) => {
            let row = read_policy(read, tenant, name).await?;
            let mut policy = row.value;
            if exchange(&mut policy.tags, change)? {
                POLICIES.replace(&mut transaction, &(tenant, name.clone()), row.revision, &policy);
            }
        }
        TaggedResource::ThingGroup(name) => {
            let row = read_group(read, tenant, name).await?;
            let mut group = row.value;
            if exchange(&mut group.tags, change)? {
                THING_GROUPS.replace(&mut transaction, &(tenant, name.clone()), row.revision, &group);
            }
        }
        TaggedResource::ThingType(name) => {
            let row = read_thing_type(read, tenant, name).await?;
            let mut thing_type = row.value;
            if exchange(&mut thing_type.tags, change)? {
                THING_TYPES.replace(&mut transaction, &(tenant, name.clone()), row.revision, &thing_type);
            }
        }
        TaggedResource::Authorizer(name) => {
            let row = read_authorizer(read, tenant, name).await?;
            let mut authorizer = row.value;
            if exchange(&mut authorizer.tags, change)? {
                AUTHORIZERS.replace(&mut transaction, &(tenant, name.clone()), row.revision, &authorizer);
            }
        }
        TaggedResource::DomainConfiguration(name) => {
            let found = read_domain_configuration(read, tenant, name).await?;
            let mut record = found.record.clone();
            if exchange(&mut record.tags, change)? {
                found.replace(&mut transaction, &(tenant, name.clone()), &record);
            }
        }
    }
    Ok((transaction, ()))
}

/// Returns whether the tags are others now.
fn exchange(
    tags: &mut Vec<Tag>,
    change: impl FnOnce(&[Tag]) -> Result<Vec<Tag>, RegistryError>,
) -> Result<bool, RegistryError> {
    let new = change(tags)?;
    let changed = new != *tags;
    *tags = new;
    Ok(changed)
}
