//! AWS: API_UpdateThingGroupsForThing. What all who change a thing's groups share is here too.

use std::collections::BTreeMap;

use tidegate_ids::{Tenant, ThingGroupName, ThingName};
use tidegate_kv::{Direction, Expected, Snapshot, Transaction};

use super::{describe_thing::read_thing, describe_thing_group::read_group};
use crate::{
    Registry, RegistryError, THING_GROUPS_OF_THING_MAX,
    records::ThingGroupRecord,
    tables::{GROUPS_OF_THING, THING_GROUPS, THINGS, THINGS_OF_GROUP, THINGS_WITHIN_GROUP},
};

impl Registry {
    /// Puts a thing into some groups and takes it out of others, all at once or not at all. A group that has it already
    /// counts as added, one that does not have it as removed.
    ///
    /// AWS: quota, 10 groups of a thing; developer guide, "Static thing groups": "You can't add a thing to more than one group
    /// in the same hierarchy". Unverified: that both lists may not name one group.
    ///
    /// # Errors
    /// `ThingNotFound`, `ThingGroupNotFound` for either list, `TooManyGroupsOfThing`, `ThingInHierarchy`, `InvalidRequest`.
    pub async fn update_thing_groups_for_thing(
        &self,
        tenant: Tenant,
        thing: &ThingName,
        add: &[ThingGroupName],
        remove: &[ThingGroupName],
    ) -> Result<(), RegistryError> {
        if let Some(both) = add.iter().find(|name| remove.contains(name)) {
            let text = format!("Thing group {both} cannot be both added and removed");
            return Err(RegistryError::InvalidRequest(text));
        }
        self.change(|read| async move { Ok((changed(&read, tenant, thing, add, remove).await?, ())) }).await
    }
}

type Groups = BTreeMap<ThingGroupName, ThingGroupRecord>;

/// The transaction by which a thing is in other groups. Reads as many rows as are named and the thing has.
async fn changed(
    read: &Snapshot,
    tenant: Tenant,
    thing: &ThingName,
    add: &[ThingGroupName],
    remove: &[ThingGroupName],
) -> Result<Transaction, RegistryError> {
    let row = read_thing(read, tenant, thing).await?;
    let mut transaction = Transaction::new();
    THINGS.require(&mut transaction, &(tenant, thing.clone()), Expected::Revision(row.revision));
    let mut groups = groups_of_thing(read, tenant, thing).await?;
    GROUPS_OF_THING.require_unchanged(&mut transaction, GROUPS_OF_THING.under(&(tenant, thing.clone())), read);
    for name in remove {
        match groups.remove(name) {
            Some(group) => leave(&mut transaction, tenant, thing, name, &group),
            None => drop(read_group(read, tenant, name).await?),
        }
    }
    for name in add {
        if groups.contains_key(name) {
            continue;
        }
        let row = read_group(read, tenant, name).await?;
        check_may_join(&groups, thing, name, &row.value)?;
        THING_GROUPS.require(&mut transaction, &(tenant, name.clone()), Expected::Revision(row.revision));
        join(&mut transaction, tenant, thing, name, &row.value);
        groups.insert(name.clone(), row.value);
    }
    Ok(transaction)
}

/// The groups that a thing is in itself: at most [`THING_GROUPS_OF_THING_MAX`].
pub(super) async fn groups_of_thing(
    read: &Snapshot,
    tenant: Tenant,
    thing: &ThingName,
) -> Result<Groups, RegistryError> {
    let range = GROUPS_OF_THING.under(&(tenant, thing.clone()));
    let mut groups = Groups::new();
    for row in GROUPS_OF_THING.scan(read, &range, THING_GROUPS_OF_THING_MAX, Direction::Ascending).await? {
        let name = row.key.2;
        // A group that is gone took this row with it.
        if let Some(group) = THING_GROUPS.get(read, &(tenant, name.clone())).await? {
            groups.insert(name, group.value);
        }
    }
    Ok(groups)
}

/// Whether a thing in `groups` may join one more.
fn check_may_join(
    groups: &Groups,
    thing: &ThingName,
    name: &ThingGroupName,
    group: &ThingGroupRecord,
) -> Result<(), RegistryError> {
    if groups.len() >= THING_GROUPS_OF_THING_MAX {
        return Err(RegistryError::TooManyGroupsOfThing(thing.clone()));
    }
    let root = group.root(name);
    match groups.iter().find(|(other, record)| record.root(other) == root) {
        Some((other, _)) => Err(RegistryError::ThingInHierarchy(thing.clone(), other.clone())),
        None => Ok(()),
    }
}

/// Writes the rows of a membership.
fn join(
    transaction: &mut Transaction,
    tenant: Tenant,
    thing: &ThingName,
    name: &ThingGroupName,
    group: &ThingGroupRecord,
) {
    GROUPS_OF_THING.put(transaction, &(tenant, thing.clone(), name.clone()), &());
    THINGS_OF_GROUP.put(transaction, &(tenant, name.clone(), thing.clone()), &());
    for within in group.above.iter().chain([name]) {
        THINGS_WITHIN_GROUP.put(transaction, &(tenant, within.clone(), thing.clone()), &());
    }
}

/// Removes the rows of a membership.
pub(super) fn leave(
    transaction: &mut Transaction,
    tenant: Tenant,
    thing: &ThingName,
    name: &ThingGroupName,
    group: &ThingGroupRecord,
) {
    GROUPS_OF_THING.delete(transaction, &(tenant, thing.clone(), name.clone()));
    THINGS_OF_GROUP.delete(transaction, &(tenant, name.clone(), thing.clone()));
    for within in group.above.iter().chain([name]) {
        THINGS_WITHIN_GROUP.delete(transaction, &(tenant, within.clone(), thing.clone()));
    }
}
