//! What an account hears of its things, types and groups: derived from the rows that a transaction writes.
//!
//! AWS: developer guide, "Registry events". Policies, certificates and jobs can be switched on as in AWS, and cause none: what
//! their events say is not documented.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tidegate_ids::{Arn, Tenant, ThingGroupName, ThingName, ThingTypeName, Timestamp};
use tidegate_kv::{Snapshot, StoreError, TableChange, Transaction};

use crate::{
    EventType, ThingGroupRecord, ThingRecord, ThingTypeRecord,
    tables::{EVENT_CONFIGURATIONS, GROUPS_OF_THING, THING_GROUPS, THING_TYPES, THINGS},
};

/// What became of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// It is new.
    Created,
    /// It differs from before.
    Updated,
    /// It is gone.
    Deleted,
    /// It belongs to something now.
    Added,
    /// It does no longer.
    Removed,
}

impl Operation {
    /// As AWS writes it; topics have it in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Updated => "UPDATED",
            Self::Deleted => "DELETED",
            Self::Added => "ADDED",
            Self::Removed => "REMOVED",
        }
    }
}

/// One event, durable when it is told. Its payload lacks the time and the event's id, which whoever publishes it adds.
#[derive(Debug, Clone, PartialEq)]
pub struct RegistryEvent {
    /// Whose topic it is published on.
    pub tenant: Tenant,
    /// Where.
    pub topic: String,
    members: Map<String, Value>,
}

impl RegistryEvent {
    fn new(tenant: Tenant, event_type: EventType, topic: String, operation: Operation, about: Value) -> Self {
        let mut members = Map::new();
        members.insert("eventType".into(), format!("{}_EVENT", event_type.as_str()).into());
        members.insert("operation".into(), operation.as_str().into());
        members.insert("accountId".into(), tenant.account.as_str().into());
        members.extend(about.as_object().cloned().unwrap_or_default());
        let topic = format!("$aws/events/{topic}/{}", operation.as_str().to_ascii_lowercase());
        Self { tenant, topic, members }
    }

    /// The payload. AWS: `eventId` is a UUID, `timestamp` milliseconds.
    pub fn json(&self, event_id: &str, at: Timestamp) -> String {
        let mut members = self.members.clone();
        members.insert("eventId".into(), event_id.into());
        members.insert("timestamp".into(), at.millis().into());
        Value::Object(members).to_string()
    }
}

/// The events of a transaction that was decided from `read`, in the order of its writes; none that the account has not switched
/// on. Costs one look at each write while nothing of it could cause one.
pub(crate) async fn of(read: &Snapshot, transaction: &Transaction) -> Result<Vec<RegistryEvent>, StoreError> {
    let causes = [THINGS.name(), THING_TYPES.name(), THING_GROUPS.name(), GROUPS_OF_THING.name()];
    let mut events = Vec::new();
    let mut switched_on = BTreeMap::new();
    for write in transaction.writes().iter().filter(|write| causes.contains(&write.table)) {
        let change = tidegate_kv::Change { table: write.table, key: write.key.clone(), value: write.value.clone() };
        let caused = if let Some(change) = THINGS.change(&change)? {
            of_thing(read, change).await?
        } else if let Some(change) = THING_TYPES.change(&change)? {
            of_type(read, change).await?
        } else if let Some(change) = THING_GROUPS.change(&change)? {
            of_group(read, change).await?
        } else if let Some(change) = GROUPS_OF_THING.change(&change)? {
            of_membership(read, change).await?
        } else {
            Vec::new()
        };
        for (event_type, event) in caused {
            let tenant = event.tenant;
            if let std::collections::btree_map::Entry::Vacant(unknown) = switched_on.entry(tenant) {
                let row = EVENT_CONFIGURATIONS.get(read, &tenant).await?;
                unknown.insert(row.map(|row| row.value.enabled).unwrap_or_default());
            }
            if switched_on[&tenant].contains(&event_type) {
                events.push(event);
            }
        }
    }
    Ok(events)
}

type Caused = Vec<(EventType, RegistryEvent)>;

fn operation<T>(before: Option<&T>, after: Option<&T>) -> Option<Operation> {
    match (before, after) {
        (None, Some(_)) => Some(Operation::Created),
        (Some(_), Some(_)) => Some(Operation::Updated),
        (Some(_), None) => Some(Operation::Deleted),
        (None, None) => None,
    }
}

/// What was, and what will be.
fn both<K, V>(change: TableChange<K, V>) -> (K, Option<V>) {
    match change {
        TableChange::Put(key, value) => (key, Some(value)),
        TableChange::Delete(key) => (key, None),
    }
}

async fn of_thing(
    read: &Snapshot,
    change: TableChange<(Tenant, ThingName), ThingRecord>,
) -> Result<Caused, StoreError> {
    let (key, after) = both(change);
    let before = THINGS.get(read, &key).await?.map(|row| row.value);
    let (Some(operation), Some(thing)) =
        (operation(before.as_ref(), after.as_ref()), after.as_ref().or(before.as_ref()))
    else {
        return Ok(Vec::new());
    };
    let (tenant, name) = key;
    let about = json!({
        "thingId": thing.id,
        "thingName": name,
        "versionNumber": thing.version,
        "thingTypeName": thing.thing_type,
        "attributes": thing.attributes,
    });
    let event = RegistryEvent::new(tenant, EventType::Thing, format!("thing/{name}"), operation, about);
    let mut caused = vec![(EventType::Thing, event)];
    let type_of = |thing: Option<&ThingRecord>| thing.and_then(|thing| thing.thing_type.clone());
    let (old, new) = (type_of(before.as_ref()), type_of(after.as_ref()));
    if old != new {
        for (thing_type, operation) in [(old, Operation::Removed), (new, Operation::Added)] {
            let Some(thing_type) = thing_type else { continue };
            let topic = format!("thingTypeAssociation/thing/{name}/thingType/{thing_type}");
            let about = json!({ "thingId": thing.id, "thingName": name, "thingTypeName": thing_type });
            let event = RegistryEvent::new(tenant, EventType::ThingTypeAssociation, topic, operation, about);
            caused.push((EventType::ThingTypeAssociation, event));
        }
    }
    Ok(caused)
}

async fn of_type(
    read: &Snapshot,
    change: TableChange<(Tenant, ThingTypeName), ThingTypeRecord>,
) -> Result<Caused, StoreError> {
    let (key, after) = both(change);
    let before = THING_TYPES.get(read, &key).await?.map(|row| row.value);
    let (Some(operation), Some(kind)) =
        (operation(before.as_ref(), after.as_ref()), after.as_ref().or(before.as_ref()))
    else {
        return Ok(Vec::new());
    };
    let (tenant, name) = key;
    let propagating = kind.properties.propagating_attributes.as_deref().unwrap_or_default().iter().map(|attribute| {
        let mut members = Map::from_iter([("userPropertyKey".to_owned(), attribute.user_property_key.clone().into())]);
        members.extend(attribute.thing_attribute.clone().map(|name| ("thingAttribute".to_owned(), name.into())));
        members
            .extend(attribute.connection_attribute.clone().map(|name| ("connectionAttribute".to_owned(), name.into())));
        Value::Object(members)
    });
    let about = json!({
        "thingTypeId": kind.id,
        "thingTypeName": name,
        "isDeprecated": kind.deprecated.is_some(),
        "deprecationDate": kind.deprecated.map(Timestamp::millis),
        "searchableAttributes": kind.properties.searchable_attributes,
        "propagatingAttributes": propagating.collect::<Vec<_>>(),
        "description": kind.properties.description,
    });
    let event = RegistryEvent::new(tenant, EventType::ThingType, format!("thingType/{name}"), operation, about);
    Ok(vec![(EventType::ThingType, event)])
}

async fn of_group(
    read: &Snapshot,
    change: TableChange<(Tenant, ThingGroupName), ThingGroupRecord>,
) -> Result<Caused, StoreError> {
    let (key, after) = both(change);
    let before = THING_GROUPS.get(read, &key).await?.map(|row| row.value);
    let (Some(operation), Some(group)) =
        (operation(before.as_ref(), after.as_ref()), after.as_ref().or(before.as_ref()))
    else {
        return Ok(Vec::new());
    };
    let (tenant, name) = key;
    let mut above = Vec::new();
    for parent in &group.above {
        let id = group_id(read, tenant, parent).await?;
        above.push((parent, id));
    }
    let parent = above.last();
    let root_to_parent: Vec<_> = above
        .iter()
        .map(|(name, id)| json!({ "groupArn": Arn::thing_group(tenant, name).to_string(), "groupId": id }))
        .collect();
    let about = json!({
        "thingGroupId": group.id,
        "thingGroupName": name,
        "versionNumber": group.version,
        "parentGroupName": parent.map(|(name, _)| name),
        "parentGroupId": parent.map(|(_, id)| id),
        "description": group.description,
        "rootToParentThingGroups": root_to_parent,
        "attributes": group.attributes,
        "dynamicGroupMappingId": null,
    });
    let event = RegistryEvent::new(tenant, EventType::ThingGroup, format!("thingGroup/{name}"), operation, about);
    let mut caused = vec![(EventType::ThingGroup, event)];
    let hierarchy = match operation {
        Operation::Created => Some(Operation::Added),
        Operation::Deleted => Some(Operation::Removed),
        Operation::Updated | Operation::Added | Operation::Removed => None,
    };
    if let (Some(operation), Some((parent, parent_id))) = (hierarchy, parent) {
        let topic = format!("thingGroupHierarchy/thingGroup/{parent}/childThingGroup/{name}");
        let about = json!({
            "thingGroupId": parent_id,
            "thingGroupName": parent,
            "childGroupId": group.id,
            "childGroupName": name,
        });
        let event = RegistryEvent::new(tenant, EventType::ThingGroupHierarchy, topic, operation, about);
        caused.push((EventType::ThingGroupHierarchy, event));
    }
    Ok(caused)
}

async fn of_membership(
    read: &Snapshot,
    change: TableChange<(Tenant, ThingName, ThingGroupName), ()>,
) -> Result<Caused, StoreError> {
    let (key, after) = both(change);
    let before = GROUPS_OF_THING.get(read, &key).await?;
    let operation = match (before.is_some(), after.is_some()) {
        (false, true) => Operation::Added,
        (true, false) => Operation::Removed,
        (true, true) | (false, false) => return Ok(Vec::new()),
    };
    let (tenant, thing, group) = key;
    let thing_row = THINGS.get(read, &(tenant, thing.clone())).await?;
    let group_row = THING_GROUPS.get(read, &(tenant, group.clone())).await?;
    let (thing_id, group_id) = (thing_row.map(|row| row.value.id), group_row.map(|row| row.value.id));
    let topic = format!("thingGroupMembership/thingGroup/{group}/thing/{thing}");
    // Decision: AWS's membershipId is a UUID of its own; ours says what it stands for.
    let membership = thing_id.as_ref().zip(group_id.as_ref()).map(|(thing, group)| format!("{thing}:{group}"));
    let about = json!({
        "groupArn": Arn::thing_group(tenant, &group).to_string(),
        "groupId": group_id,
        "thingArn": Arn::thing(tenant, &thing).to_string(),
        "thingId": thing_id,
        "membershipId": membership,
    });
    let event = RegistryEvent::new(tenant, EventType::ThingGroupMembership, topic, operation, about);
    Ok(vec![(EventType::ThingGroupMembership, event)])
}

/// The id of a group that was there before.
async fn group_id(read: &Snapshot, tenant: Tenant, name: &ThingGroupName) -> Result<Option<String>, StoreError> {
    let row = THING_GROUPS.get(read, &(tenant, name.clone())).await?;
    Ok(row.map(|row| row.value.id.to_string()))
}
