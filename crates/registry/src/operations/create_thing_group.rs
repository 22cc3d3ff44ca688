//! AWS: API_CreateThingGroup.

use tidegate_ids::{Now, Tenant, ThingGroupName};
use tidegate_kv::{Direction, Expected, Snapshot, Transaction};

use super::describe_thing_group::ThingGroup;
use crate::{
    AttributePayload, Attributes, Registry, RegistryError, THING_GROUP_ATTRIBUTES_MAX, THING_GROUP_CHILDREN_MAX,
    THING_GROUP_DEPTH_MAX, Tag,
    records::ThingGroupRecord,
    tables::{ROOT_THING_GROUPS, THING_GROUPS, THING_GROUPS_BELOW, THING_GROUPS_OF_PARENT},
    tags::check_tags,
};

/// A thing group to be made.
#[derive(Debug, Clone)]
pub struct CreateThingGroup {
    /// Its name.
    pub name: ThingGroupName,
    /// The group it is to be in; `None` makes a root. Never changed afterwards.
    pub parent: Option<ThingGroupName>,
    /// For people. The service model has its bounds.
    pub description: Option<String>,
    /// Its attributes. `merge` means nothing here.
    pub attributes: AttributePayload,
    /// Labels.
    pub tags: Vec<Tag>,
}

impl Registry {
    /// Makes a thing group. One that is there already with this parent, description and attributes is answered as it is.
    ///
    /// AWS: "If the ThingGroup that you create has the exact same attributes as an existing ThingGroup, you will get a 200
    /// success response." Unverified: that other tags do not matter then.
    ///
    /// # Errors
    /// `ThingGroupExists`, `ParentThingGroupNotFound`, `ThingGroupTooDeep`, `TooManyChildThingGroups`; `InvalidRequest` for
    /// attributes and tags.
    pub async fn create_thing_group(
        &self,
        tenant: Tenant,
        request: CreateThingGroup,
        now: Now,
    ) -> Result<ThingGroup, RegistryError> {
        check_tags(&request.tags)?;
        let CreateThingGroup { name, parent, description, attributes, tags } = request;
        let attributes = attributes.applied_to(&Attributes::new())?;
        check_count(&attributes)?;
        let (id, created) = (self.resource_id(), now.wall);
        let new = &ThingGroupRecord { id, above: Vec::new(), description, attributes, version: 1, created, tags };
        let (key, parent) = (&(tenant, name), parent.as_ref());
        let record = self
            .change(|read| async move {
                if let Some(there) = THING_GROUPS.get(&read, key).await? {
                    let there = there.value;
                    return match is_same(&there, new, parent) {
                        true => Ok((Transaction::new(), there)),
                        false => Err(RegistryError::ThingGroupExists(tenant, key.1.clone(), there.id)),
                    };
                }
                let mut transaction = Transaction::new();
                let above = match parent {
                    Some(parent) => require_parent(&read, &mut transaction, tenant, parent).await?,
                    None => Vec::new(),
                };
                let record = ThingGroupRecord { above, ..new.clone() };
                put_new(&mut transaction, key, &record);
                Ok((transaction, record))
            })
            .await?;
        let (tenant, name) = key.clone();
        Ok(ThingGroup { tenant, name, record })
    }
}

/// Refuses more attributes than a thing group may have. AWS: quota.
pub(super) fn check_count(attributes: &Attributes) -> Result<(), RegistryError> {
    let found = attributes.len();
    if found > THING_GROUP_ATTRIBUTES_MAX {
        let text = format!("A thing group has at most {THING_GROUP_ATTRIBUTES_MAX} attributes, not {found}");
        return Err(RegistryError::InvalidRequest(text));
    }
    Ok(())
}

/// Whether a repeated request asks for what is there.
fn is_same(there: &ThingGroupRecord, new: &ThingGroupRecord, parent: Option<&ThingGroupName>) -> bool {
    there.parent() == parent && there.description == new.description && there.attributes == new.attributes
}

/// The groups above a new child of `parent`, which may have one more when the transaction commits.
async fn require_parent(
    read: &Snapshot,
    transaction: &mut Transaction,
    tenant: Tenant,
    parent: &ThingGroupName,
) -> Result<Vec<ThingGroupName>, RegistryError> {
    let key = (tenant, parent.clone());
    let row = THING_GROUPS.get(read, &key).await?;
    let row = row.ok_or_else(|| RegistryError::ParentThingGroupNotFound(parent.clone()))?;
    let mut above = row.value.above;
    above.push(parent.clone());
    if above.len() >= THING_GROUP_DEPTH_MAX {
        return Err(RegistryError::ThingGroupTooDeep(parent.clone()));
    }
    let children = THING_GROUPS_OF_PARENT.under(&key);
    let found = THING_GROUPS_OF_PARENT.scan(read, &children, THING_GROUP_CHILDREN_MAX, Direction::Ascending).await?;
    if found.len() >= THING_GROUP_CHILDREN_MAX {
        return Err(RegistryError::TooManyChildThingGroups(parent.clone()));
    }
    THING_GROUPS.require(transaction, &key, Expected::Revision(row.revision));
    THING_GROUPS_OF_PARENT.require_unchanged(transaction, children, read);
    Ok(above)
}

/// Writes the rows of a group that is not there yet.
fn put_new(transaction: &mut Transaction, key: &(Tenant, ThingGroupName), record: &ThingGroupRecord) {
    let (tenant, name) = key;
    THING_GROUPS.insert(transaction, key, record);
    match record.parent() {
        Some(parent) => THING_GROUPS_OF_PARENT.put(transaction, &(*tenant, parent.clone(), name.clone()), &()),
        None => ROOT_THING_GROUPS.put(transaction, key, &()),
    }
    for above in &record.above {
        THING_GROUPS_BELOW.put(transaction, &(*tenant, above.clone(), name.clone()), &());
    }
}
