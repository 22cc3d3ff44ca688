//! AWS: API_UpdateThing.

use tidegate_ids::{Now, Tenant, ThingName, ThingTypeName};
use tidegate_kv::{Expected, Transaction};

use super::{
    create_thing::{check_count, put_thing, remove_from_indexes, require_type},
    describe_thing::read_thing,
};
use crate::{
    AttributePayload, Registry, RegistryError,
    tables::{THING_TYPES, THINGS},
};

/// What is to become of a thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateThing {
    /// Which.
    pub name: ThingName,
    /// A type for it; `None` leaves it with what it has.
    pub thing_type: Option<ThingTypeName>,
    /// Whether it is to have no type any more.
    pub remove_thing_type: bool,
    /// Its attributes.
    pub attributes: AttributePayload,
    /// The version that the caller knows; `None` changes whatever is there.
    pub expected_version: Option<i64>,
}

impl Registry {
    /// Changes a thing's type and attributes; its version counts up.
    ///
    /// Unverified: that the version counts up when nothing differs; that a thing may be given again the deprecated type it
    /// has.
    ///
    /// # Errors
    /// `ThingNotFound`, `ThingVersionConflict`, `ThingTypeNotFound`, `ThingTypeDeprecated`, `InvalidRequest` for attributes,
    /// and when a type is both given and removed.
    pub async fn update_thing(&self, tenant: Tenant, request: UpdateThing, now: Now) -> Result<(), RegistryError> {
        if request.remove_thing_type && request.thing_type.is_some() {
            let text = "thingTypeName and removeThingType exclude each other";
            return Err(RegistryError::InvalidRequest(text.into()));
        }
        let request = &request;
        let key = &(tenant, request.name.clone());
        self.change(|read| async move {
            let row = read_thing(&read, tenant, &request.name).await?;
            check_version(&request.name, row.value.version, request.expected_version)?;
            let mut transaction = Transaction::new();
            remove_from_indexes(&mut transaction, key, &row.value);
            let mut record = row.value;
            let given = request.thing_type.as_ref().filter(|given| record.thing_type.as_ref() != Some(given));
            let thing_type = match (given, &record.thing_type) {
                (Some(given), _) => {
                    let deprecated = RegistryError::ThingTypeDeprecated;
                    Some(require_type(&read, &mut transaction, tenant, given, deprecated).await?)
                }
                (None, Some(_)) if request.remove_thing_type => None,
                // It cannot be deleted while things have it, and what is searchable is never changed.
                (None, Some(kept)) => THING_TYPES.get(&read, &(tenant, kept.clone())).await?.map(|row| row.value),
                (None, None) => None,
            };
            if request.remove_thing_type {
                record.thing_type = None;
            } else if let Some(given) = given {
                record.thing_type = Some(given.clone());
            }
            record.attributes = request.attributes.applied_to(&record.attributes)?;
            check_count(record.thing_type.is_some(), &record.attributes)?;
            record.version = record.version.saturating_add(1);
            record.modified = now.wall;
            THINGS.require(&mut transaction, key, Expected::Revision(row.revision));
            put_thing(&mut transaction, key, &record, thing_type.as_ref());
            Ok((transaction, ()))
        })
        .await
    }
}

/// Refuses a change of another version than the caller knows.
pub(super) fn check_version(name: &ThingName, version: u64, expected: Option<i64>) -> Result<(), RegistryError> {
    match expected {
        Some(expected) if u64::try_from(expected) != Ok(version) => {
            Err(RegistryError::ThingVersionConflict(name.clone()))
        }
        Some(_) | None => Ok(()),
    }
}
