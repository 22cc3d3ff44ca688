//! AWS: API_DeleteThingGroup.

use tidegate_ids::{Tenant, ThingGroupName};
use tidegate_kv::{Direction, Snapshot, Transaction};

use super::{update_thing_group::check_version, update_thing_groups_for_thing::leave};
use crate::{
    POLICIES_PER_TARGET_MAX, PolicyTarget, Registry, RegistryError,
    records::ThingGroupRecord,
    tables::{
        POLICIES_OF_TARGET, ROOT_THING_GROUPS, TARGETS_OF_POLICY, THING_GROUPS, THING_GROUPS_BELOW,
        THING_GROUPS_OF_PARENT, THINGS_OF_GROUP,
    },
};

/// Things that leave the group in one transaction, each with up to nine rows.
const LEAVE_AT_ONCE: usize = 500;

impl Registry {
    /// Deletes a thing group without child groups; its things stay and its policies are detached. A group that is not
    /// there counts as deleted.
    ///
    /// A child made meanwhile, or a thing added, wins or loses as a whole. The things of a large group leave it
    /// some hundred at a time: what ends the process meanwhile leaves the group with those that have not left.
    /// AWS: DeleteThingGroup declares no ResourceNotFoundException. Unverified: that policies do not keep a group.
    ///
    /// # Errors
    /// `ThingGroupVersionConflict` when the caller expects another version, `ThingGroupHasChildren`.
    pub async fn delete_thing_group(
        &self,
        tenant: Tenant,
        name: ThingGroupName,
        expected_version: Option<i64>,
    ) -> Result<(), RegistryError> {
        let key = &(tenant, name);
        loop {
            let ended = self.change(|read| async move { deleted(&read, key, expected_version).await }).await?;
            if ended {
                return Ok(());
            }
        }
    }
}

/// The next transaction of a deletion, and whether it is the last.
async fn deleted(
    read: &Snapshot,
    key: &(Tenant, ThingGroupName),
    expected_version: Option<i64>,
) -> Result<(Transaction, bool), RegistryError> {
    let mut transaction = Transaction::new();
    let Some(row) = THING_GROUPS.get(read, key).await? else { return Ok((transaction, true)) };
    let (tenant, name) = key;
    check_version(name, row.value.version, expected_version)?;
    let children = THING_GROUPS_OF_PARENT.under(key);
    if !THING_GROUPS_OF_PARENT.scan(read, &children, 1, Direction::Ascending).await?.is_empty() {
        return Err(RegistryError::ThingGroupHasChildren(name.clone()));
    }
    THING_GROUPS_OF_PARENT.require_empty(&mut transaction, children);
    let things = THINGS_OF_GROUP.under(key);
    let members = THINGS_OF_GROUP.scan(read, &things, LEAVE_AT_ONCE, Direction::Ascending).await?;
    THINGS_OF_GROUP.require_unchanged(&mut transaction, things, read);
    // Before the group goes: the directory knows its things' groups by the group's number.
    for member in &members {
        leave(&mut transaction, *tenant, &member.key.2, name, &row.value);
    }
    if members.len() == LEAVE_AT_ONCE {
        return Ok((transaction, false));
    }
    THING_GROUPS.remove(&mut transaction, key, row.revision);
    remove_from_indexes(&mut transaction, key, &row.value);
    let target = PolicyTarget::ThingGroup(name.clone());
    let of_target = POLICIES_OF_TARGET.under(&(*tenant, target.clone()));
    let attached = POLICIES_OF_TARGET.scan(read, &of_target, POLICIES_PER_TARGET_MAX, Direction::Ascending).await?;
    POLICIES_OF_TARGET.require_unchanged(&mut transaction, of_target, read);
    for attachment in attached {
        TARGETS_OF_POLICY.delete(&mut transaction, &(*tenant, attachment.key.2.clone(), target.clone()));
        POLICIES_OF_TARGET.delete(&mut transaction, &attachment.key);
    }
    Ok((transaction, true))
}

/// Removes what places a group in its hierarchy.
fn remove_from_indexes(transaction: &mut Transaction, key: &(Tenant, ThingGroupName), group: &ThingGroupRecord) {
    let (tenant, name) = key;
    match group.parent() {
        Some(parent) => THING_GROUPS_OF_PARENT.delete(transaction, &(*tenant, parent.clone(), name.clone())),
        None => ROOT_THING_GROUPS.delete(transaction, key),
    }
    for above in &group.above {
        THING_GROUPS_BELOW.delete(transaction, &(*tenant, above.clone(), name.clone()));
    }
}
