//! AWS: API_UpdateThingGroup.

use tidegate_ids::{Tenant, ThingGroupName};
use tidegate_kv::Transaction;

use super::{create_thing_group::check_count, describe_thing_group::read_group};
use crate::{AttributePayload, Registry, RegistryError, tables::THING_GROUPS};

/// What is to become of a thing group.
#[derive(Debug, Clone)]
pub struct UpdateThingGroup {
    /// Which.
    pub name: ThingGroupName,
    /// Another description; `None` leaves what there is.
    pub description: Option<String>,
    /// Its attributes.
    pub attributes: AttributePayload,
    /// The version that the caller knows; `None` changes whatever is there.
    pub expected_version: Option<i64>,
}

impl Registry {
    /// Changes a thing group's description and attributes. Answers its new version, which counts up whether or not
    /// anything differs. Name and parent never change.
    ///
    /// Unverified: that the version counts up when nothing differs, and that an absent description leaves the old one.
    ///
    /// # Errors
    /// `ThingGroupNotFound`, `ThingGroupVersionConflict`, `InvalidRequest` for the attributes.
    pub async fn update_thing_group(&self, tenant: Tenant, request: UpdateThingGroup) -> Result<u64, RegistryError> {
        let request = &request;
        self.change(|read| async move {
            let row = read_group(&read, tenant, &request.name).await?;
            check_version(&request.name, row.value.version, request.expected_version)?;
            let mut group = row.value;
            group.attributes = request.attributes.applied_to(&group.attributes)?;
            check_count(&group.attributes)?;
            if request.description.is_some() {
                group.description.clone_from(&request.description);
            }
            group.version += 1;
            let mut transaction = Transaction::new();
            THING_GROUPS.replace(&mut transaction, &(tenant, request.name.clone()), row.revision, &group);
            Ok((transaction, group.version))
        })
        .await
    }
}

/// Refuses a caller who knows another version.
pub(super) fn check_version(name: &ThingGroupName, version: u64, expected: Option<i64>) -> Result<(), RegistryError> {
    let agrees = expected.is_none_or(|expected| u64::try_from(expected) == Ok(version));
    if agrees { Ok(()) } else { Err(RegistryError::ThingGroupVersionConflict(name.clone())) }
}
