//! AWS: API_CreateThing. What all who write a thing's rows share is here too.

use tidegate_ids::{Now, Tenant, ThingName, ThingTypeName};
use tidegate_kv::{Expected, Snapshot, Transaction};

use super::describe_thing::Thing;
use crate::{
    AttributePayload, Attributes, Registry, RegistryError, THING_ATTRIBUTES_MAX, ThingRecord, ThingTypeRecord,
    UNTYPED_THING_ATTRIBUTES_MAX,
    tables::{THING_TYPES, THINGS, THINGS_BY_ATTRIBUTE, THINGS_BY_TYPE},
};

/// A thing to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateThing {
    /// Its name.
    pub name: ThingName,
    /// Its type, which must exist and not be deprecated.
    pub thing_type: Option<ThingTypeName>,
    /// Its attributes. `merge` means nothing here.
    pub attributes: AttributePayload,
}

impl Registry {
    /// Makes a thing. One that is there already with this type and these attributes is answered as it is.
    ///
    /// # Errors
    /// `ThingExists`, `ThingTypeNotFound`, `NewThingTypeDeprecated`, `InvalidRequest` for the attributes.
    pub async fn create_thing(&self, tenant: Tenant, request: CreateThing, now: Now) -> Result<Thing, RegistryError> {
        let CreateThing { name, thing_type, attributes } = request;
        let attributes = attributes.applied_to(&Attributes::new())?;
        check_count(thing_type.is_some(), &attributes)?;
        let (id, created) = (self.resource_id(), now.wall);
        let record = &ThingRecord { id, thing_type, attributes, version: 1, created, modified: created };
        let key = &(tenant, name);
        let record = self
            .change(|read| async move {
                if let Some(there) = THINGS.get(&read, key).await? {
                    let there = there.value;
                    if there.thing_type != record.thing_type || there.attributes != record.attributes {
                        return Err(RegistryError::ThingExists(tenant, key.1.clone()));
                    }
                    return Ok((Transaction::new(), there));
                }
                let mut transaction = Transaction::new();
                let thing_type = match &record.thing_type {
                    Some(name) => {
                        let deprecated = RegistryError::NewThingTypeDeprecated;
                        Some(require_type(&read, &mut transaction, tenant, name, deprecated).await?)
                    }
                    None => None,
                };
                THINGS.require(&mut transaction, key, Expected::Absent);
                put_thing(&mut transaction, key, record, thing_type.as_ref());
                Ok((transaction, record.clone()))
            })
            .await?;
        let (tenant, name) = key.clone();
        Ok(Thing { tenant, name, record })
    }
}

/// Refuses more attributes than a thing may have.
///
/// AWS: developer guide, "Thing types". Unverified: the sentence.
pub(super) fn check_count(typed: bool, attributes: &Attributes) -> Result<(), RegistryError> {
    let (kind, max) = if typed { ("with", THING_ATTRIBUTES_MAX) } else { ("without", UNTYPED_THING_ATTRIBUTES_MAX) };
    if attributes.len() > max {
        let text = format!("A thing {kind} a thing type has at most {max} attributes, not {}", attributes.len());
        return Err(RegistryError::InvalidRequest(text));
    }
    Ok(())
}

/// The type, which a thing may be given when the transaction commits; `deprecated` words the refusal otherwise.
pub(super) async fn require_type(
    read: &Snapshot,
    transaction: &mut Transaction,
    tenant: Tenant,
    name: &ThingTypeName,
    deprecated: fn(ThingTypeName) -> RegistryError,
) -> Result<ThingTypeRecord, RegistryError> {
    let key = (tenant, name.clone());
    let row = THING_TYPES.get(read, &key).await?.ok_or_else(|| RegistryError::ThingTypeNotFound(name.clone()))?;
    if row.value.deprecated.is_some() {
        return Err(deprecated(name.clone()));
    }
    THING_TYPES.require(transaction, &key, Expected::Revision(row.revision));
    Ok(row.value)
}

/// Writes a thing's row and index rows; `thing_type` is that of the record.
///
/// AWS: things with a type are found by its searchable attributes, others by all of theirs. Unverified for ListThings.
pub(super) fn put_thing(
    transaction: &mut Transaction,
    key: &(Tenant, ThingName),
    record: &ThingRecord,
    thing_type: Option<&ThingTypeRecord>,
) {
    let (tenant, name) = key;
    THINGS.put(transaction, key, record);
    if let Some(type_name) = &record.thing_type {
        THINGS_BY_TYPE.put(transaction, &(*tenant, type_name.clone(), name.clone()), &());
    }
    let searchable = |attribute: &String| {
        thing_type.is_none_or(|thing_type| thing_type.properties.searchable_attributes.contains(attribute))
    };
    for (attribute, value) in record.attributes.iter().filter(|(attribute, _)| searchable(attribute)) {
        THINGS_BY_ATTRIBUTE.put(transaction, &(*tenant, attribute.clone(), value.clone(), name.clone()), &());
    }
}

/// Removes the index rows that [`put_thing`] may have written.
pub(super) fn remove_from_indexes(transaction: &mut Transaction, key: &(Tenant, ThingName), record: &ThingRecord) {
    let (tenant, name) = key;
    if let Some(type_name) = &record.thing_type {
        THINGS_BY_TYPE.delete(transaction, &(*tenant, type_name.clone(), name.clone()));
    }
    for (attribute, value) in &record.attributes {
        THINGS_BY_ATTRIBUTE.delete(transaction, &(*tenant, attribute.clone(), value.clone(), name.clone()));
    }
}
