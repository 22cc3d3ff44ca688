//! AWS: API_ListThings.

use tidegate_ids::{Tenant, ThingName, ThingTypeName};
use tidegate_kv::{Key, Record, Snapshot};

use super::describe_thing::Thing;
use crate::{
    Page, PageRequest, Registry, RegistryError,
    attributes::{check_name, check_value},
    page::Listing,
    tables::{THINGS, THINGS_BY_ATTRIBUTE, THINGS_BY_TYPE},
};

/// Which things are listed: those for which all that is given holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ThingFilter {
    /// They have this attribute, and it is searchable.
    pub attribute_name: Option<String>,
    /// The attribute has this value.
    pub attribute_value: Option<String>,
    /// The attribute's value only begins so.
    pub use_prefix_attribute_value: bool,
    /// They have this type.
    pub thing_type: Option<ThingTypeName>,
}

/// Most index rows that one call looks at: a page for which attribute and type are asked may end there, half empty.
const EXAMINED_MAX: usize = 1000;

const OPERATION: &str = "ListThings";

impl Registry {
    /// The account's things, by name; with an attribute, by its value and then by name.
    ///
    /// A page may hold fewer than asked for, or none, and still have a next one.
    /// AWS: developer guide, "Searchable attributes": of a thing with a type only those that the type names are looked at.
    /// Unverified: the order; that an attribute's name alone finds all things with it.
    ///
    /// # Errors
    /// `InvalidRequest`, also for a value without an attribute; `InvalidMarker`.
    pub async fn list_things(
        &self,
        tenant: Tenant,
        filter: ThingFilter,
        page: PageRequest,
    ) -> Result<Page<Thing>, RegistryError> {
        let read = self.read().await?;
        let ThingFilter { attribute_name, attribute_value, use_prefix_attribute_value, thing_type } = filter;
        match (attribute_name, attribute_value, thing_type) {
            (None, Some(_), _) => {
                Err(RegistryError::InvalidRequest("attributeValue needs an attributeName to belong to".into()))
            }
            (None, None, None) => {
                let (rows, next_marker) = Listing::new(&THINGS, &tenant, OPERATION).rows(&read, &page).await?;
                let items = rows.into_iter().map(|row| Thing { tenant, name: row.key.1, record: row.value });
                Ok(Page { items: items.collect(), next_marker })
            }
            (None, None, Some(thing_type)) => {
                let listing = Listing::new(&THINGS_BY_TYPE, &(tenant, thing_type), OPERATION);
                select(&read, tenant, &listing, |key| key.2, None, &page).await
            }
            (Some(name), value, thing_type) => {
                check_name(&name)?;
                let listing = match value {
                    None => Listing::new(&THINGS_BY_ATTRIBUTE, &(tenant, name), OPERATION),
                    Some(value) => {
                        check_value(&value)?;
                        match use_prefix_attribute_value {
                            false => Listing::new(&THINGS_BY_ATTRIBUTE, &(tenant, name, value), OPERATION),
                            true => Listing::beginning(&THINGS_BY_ATTRIBUTE, &(tenant, name), &value, OPERATION),
                        }
                    }
                };
                select(&read, tenant, &listing, |key| key.3, thing_type.as_ref(), &page).await
            }
        }
    }
}

/// One page of the things that an index names, those of one type if one is given.
///
/// Costs a row of the index and a thing for each that is looked at, [`EXAMINED_MAX`] at most.
async fn select<K: Key + Clone, V: Record>(
    read: &Snapshot,
    tenant: Tenant,
    index: &Listing<K, V>,
    name: fn(K) -> ThingName,
    thing_type: Option<&ThingTypeName>,
    page: &PageRequest,
) -> Result<Page<Thing>, RegistryError> {
    let size = page.size()?;
    let mut step = PageRequest { size: Some(PageRequest::SIZE_MAX as u32), ..page.clone() };
    let (mut items, mut examined) = (Vec::new(), 0);
    loop {
        let (rows, next_marker) = index.rows(read, &step).await?;
        let mut left = rows.len();
        for row in rows {
            let position = row.key.to_bytes();
            let name = name(row.key);
            if let Some(thing) = THINGS.get(read, &(tenant, name.clone())).await?
                && thing_type.is_none_or(|wanted| thing.value.thing_type.as_ref() == Some(wanted))
            {
                items.push(Thing { tenant, name, record: thing.value });
            }
            (examined, left) = (examined + 1, left - 1);
            if items.len() == size || examined == EXAMINED_MAX {
                let more = left > 0 || next_marker.is_some();
                let next_marker = more.then(|| index.marker(&position, page.ascending));
                return Ok(Page { items, next_marker });
            }
        }
        if next_marker.is_none() {
            return Ok(Page { items, next_marker });
        }
        step.marker = next_marker;
    }
}
