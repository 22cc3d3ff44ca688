//! AWS: API_CreateThingType.

use tidegate_ids::{Now, Tenant, ThingTypeName};
use tidegate_kv::{Expected, Transaction};

use super::describe_thing_type::ThingType;
use crate::{
    PROPAGATING_ATTRIBUTES_MAX, PropagatingAttribute, Registry, RegistryError, SEARCHABLE_ATTRIBUTES_MAX, Tag,
    ThingTypeProperties, ThingTypeRecord, attributes::check_name, tables::THING_TYPES, tags::check_tags,
};

impl Registry {
    /// Makes a thing type. One that is there already with these properties is answered as it is, whatever its tags.
    ///
    /// # Errors
    /// `ThingTypeExists`, `InvalidRequest` for the properties and tags.
    pub async fn create_thing_type(
        &self,
        tenant: Tenant,
        name: ThingTypeName,
        properties: ThingTypeProperties,
        tags: Vec<Tag>,
        now: Now,
    ) -> Result<ThingType, RegistryError> {
        check_properties(&properties)?;
        check_tags(&tags)?;
        let record = &ThingTypeRecord { id: self.resource_id(), properties, created: now.wall, deprecated: None, tags };
        let key = &(tenant, name);
        let record = self
            .change(|read| async move {
                if let Some(there) = THING_TYPES.get(&read, key).await? {
                    if !is_same(&there.value.properties, &record.properties) {
                        return Err(RegistryError::ThingTypeExists(tenant, key.1.clone()));
                    }
                    return Ok((Transaction::new(), there.value));
                }
                let mut transaction = Transaction::new();
                THING_TYPES.require(&mut transaction, key, Expected::Absent);
                THING_TYPES.put(&mut transaction, key, record);
                Ok((transaction, record.clone()))
            })
            .await?;
        let (tenant, name) = key.clone();
        Ok(ThingType { tenant, name, record })
    }
}

/// Whether two thing types would be the same. The order of searchable attributes means nothing; nor does a configuration
/// without attributes.
fn is_same(one: &ThingTypeProperties, other: &ThingTypeProperties) -> bool {
    let searchable = |properties: &ThingTypeProperties| {
        let mut names = properties.searchable_attributes.clone();
        names.sort_unstable();
        names
    };
    let propagating = |properties: &ThingTypeProperties| properties.propagating_attributes.clone().unwrap_or_default();
    one.description.as_deref().unwrap_or_default() == other.description.as_deref().unwrap_or_default()
        && searchable(one) == searchable(other)
        && propagating(one) == propagating(other)
}

/// Refuses properties that no thing type may have. Lengths and characters of the rest are in the service model.
///
/// AWS: quota, 3 searchable attributes. Unverified: the sentences.
fn check_properties(properties: &ThingTypeProperties) -> Result<(), RegistryError> {
    let invalid = |why: String| Err(RegistryError::InvalidRequest(why));
    let mut names = properties.searchable_attributes.clone();
    if names.len() > SEARCHABLE_ATTRIBUTES_MAX {
        return invalid(format!("A thing type has at most {SEARCHABLE_ATTRIBUTES_MAX} searchable attributes"));
    }
    names.iter().try_for_each(|name| check_name(name))?;
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return invalid("A searchable attribute occurs more than once".into());
    }
    check_propagating(properties.propagating_attributes.as_deref().unwrap_or_default())
}

/// Refuses a configuration of user properties that says nothing or too much.
///
/// Unverified: AWS's bound on their number; that exactly one source is named.
pub(super) fn check_propagating(attributes: &[PropagatingAttribute]) -> Result<(), RegistryError> {
    let invalid = |why: String| Err(RegistryError::InvalidRequest(why));
    if attributes.len() > PROPAGATING_ATTRIBUTES_MAX {
        return invalid(format!("A thing type has at most {PROPAGATING_ATTRIBUTES_MAX} propagating attributes"));
    }
    for attribute in attributes {
        if attribute.thing_attribute.is_some() == attribute.connection_attribute.is_some() {
            return invalid("A propagating attribute has a thingAttribute or a connectionAttribute".into());
        }
    }
    Ok(())
}
