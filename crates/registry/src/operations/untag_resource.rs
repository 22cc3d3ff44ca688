//! AWS: API_UntagResource.

use tidegate_ids::Tenant;

use super::tag_resource::change_tags;
use crate::{Registry, RegistryError, TaggedResource, tags::untagged};

impl Registry {
    /// Removes the tags of these keys from a resource; a key that it does not have counts as removed.
    ///
    /// # Errors
    /// `CaCertificateNotFound`, `PolicyNotFound`, `ThingGroupNotFound`, `ThingTypeNotFound`.
    pub async fn untag_resource(
        &self,
        tenant: Tenant,
        resource: &TaggedResource,
        keys: &[String],
    ) -> Result<(), RegistryError> {
        self.change(|read| async move { change_tags(&read, tenant, resource, |old| Ok(untagged(old, keys))).await })
            .await
    }
}
