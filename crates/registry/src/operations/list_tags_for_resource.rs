//! AWS: API_ListTagsForResource.

use tidegate_ids::Tenant;

use super::tag_resource::read_tags;
use crate::{Registry, RegistryError, Tag, TaggedResource};

impl Registry {
    /// All tags of a resource, at most [`crate::TAGS_MAX`], in the order they were given: a single page, so no
    /// token is ever answered, and none is taken.
    ///
    /// # Errors
    /// `CaCertificateNotFound`, `PolicyNotFound`, `ThingGroupNotFound`, `ThingTypeNotFound`, `InvalidMarker`.
    pub async fn list_tags_for_resource(
        &self,
        tenant: Tenant,
        resource: &TaggedResource,
        token: Option<&str>,
    ) -> Result<Vec<Tag>, RegistryError> {
        let tags = read_tags(&self.read().await?, tenant, resource).await?;
        if token.is_some() { Err(RegistryError::InvalidMarker) } else { Ok(tags) }
    }
}
