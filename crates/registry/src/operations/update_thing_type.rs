//! AWS: API_UpdateThingType.

use tidegate_ids::{Tenant, ThingTypeName};
use tidegate_kv::Transaction;

use super::{create_thing_type::check_propagating, describe_thing_type::read_thing_type};
use crate::{Registry, RegistryError, ThingTypeProperties, tables::THING_TYPES};

impl Registry {
    /// Changes what MQTT 5 messages of the type's things are enriched with. Nothing else of a thing type can be changed.
    ///
    /// Unverified: that without properties nothing happens.
    ///
    /// # Errors
    /// `ThingTypeNotFound`, `ThingTypePropertiesFixed` for a description or searchable attributes, `InvalidRequest`.
    pub async fn update_thing_type(
        &self,
        tenant: Tenant,
        name: &ThingTypeName,
        properties: ThingTypeProperties,
    ) -> Result<(), RegistryError> {
        let ThingTypeProperties { description, searchable_attributes, propagating_attributes } = properties;
        check_propagating(propagating_attributes.as_deref().unwrap_or_default())?;
        let is_fixed = description.is_some() || !searchable_attributes.is_empty();
        let propagating = &propagating_attributes;
        self.change(|read| async move {
            let row = read_thing_type(&read, tenant, name).await?;
            if is_fixed {
                return Err(RegistryError::ThingTypePropertiesFixed);
            }
            let mut transaction = Transaction::new();
            let mut record = row.value;
            if propagating.is_some() {
                record.properties.propagating_attributes.clone_from(propagating);
                THING_TYPES.replace(&mut transaction, &(tenant, name.clone()), row.revision, &record);
            }
            Ok((transaction, ()))
        })
        .await
    }
}
