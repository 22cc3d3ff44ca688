//! After any operations on things: memory equals the rows, every index agrees with its rows, and whoever follows a thing has
//! heard of each change.

use std::{collections::BTreeSet, sync::LazyLock};

use proptest::prelude::*;
use tidegate_ids::{CertificateId, ThingName, ThingTypeName};
use tidegate_kv::{Direction, Key, KeyRange, Record, Snapshot, Table, single_writer::FeedBounds};

use super::{material::self_signed, *};
use crate::{
    Admitted, AttributePayload, BoundThing, ConnectionGrants, CreateThing, Grants, ThingPrincipal, ThingPrincipalType,
    ThingTypeProperties, UpdateThing,
    tables::{
        CERTIFICATES, EXCLUSIVE_THINGS, PRINCIPALS_OF_THING, THING_TYPES, THINGS, THINGS_BY_ATTRIBUTE, THINGS_BY_TYPE,
        THINGS_OF_PRINCIPAL,
    },
};

/// Certificates are costly to make: a few for all cases.
static LEAVES: LazyLock<Vec<String>> = LazyLock::new(|| (0..2).map(|n| self_signed(&n.to_string())).collect());
const THING_NAMES: [&str; 3] = ["t0", "t1", "t2"];
const TYPES: [&str; 2] = ["k0", "k1"];

#[derive(Debug, Clone)]
enum Step {
    Register { leaf: usize },
    Delete { leaf: usize },
    Transfer { leaf: usize },
    CreateType { kind: usize },
    Deprecate { kind: usize, undo: bool },
    DeleteType { kind: usize },
    Create { name: usize, kind: Option<usize>, attributes: Vec<(usize, usize)> },
    Update { name: usize, kind: Option<usize>, remove: bool, attributes: Vec<(usize, usize)>, merge: bool },
    DeleteThing { name: usize },
    Attach { name: usize, leaf: usize, exclusive: bool },
    Detach { name: usize, leaf: usize },
}

fn step() -> impl Strategy<Value = Step> {
    use Step::*;
    let (name, kind, leaf) = (0..3usize, 0..2usize, 0..2usize);
    let kinds = || prop::option::of(0..2usize);
    let attributes = || prop::collection::vec((0..5usize, 0..3usize), 0..5);
    prop_oneof![
        2 => leaf.clone().prop_map(|leaf| Register { leaf }),
        1 => leaf.clone().prop_map(|leaf| Delete { leaf }),
        1 => leaf.clone().prop_map(|leaf| Transfer { leaf }),
        2 => kind.clone().prop_map(|kind| CreateType { kind }),
        1 => (kind.clone(), any::<bool>()).prop_map(|(kind, undo)| Deprecate { kind, undo }),
        1 => kind.prop_map(|kind| DeleteType { kind }),
        4 => (name.clone(), kinds(), attributes())
            .prop_map(|(name, kind, attributes)| Create { name, kind, attributes }),
        4 => (name.clone(), kinds(), any::<bool>(), attributes(), any::<bool>()).prop_map(
            |(name, kind, remove, attributes, merge)| Update { name, kind, remove, attributes, merge }
        ),
        1 => name.clone().prop_map(|name| DeleteThing { name }),
        5 => (name.clone(), leaf.clone(), any::<bool>())
            .prop_map(|(name, leaf, exclusive)| Attach { name, leaf, exclusive }),
        2 => (name, leaf).prop_map(|(name, leaf)| Detach { name, leaf }),
    ]
}

fn thing(name: usize) -> ThingName {
    THING_NAMES[name].parse().unwrap()
}

fn type_name(kind: usize) -> ThingTypeName {
    TYPES[kind].parse().unwrap()
}

fn id(leaf: usize) -> CertificateId {
    tidegate_pki::ClientLeaf::from_pem(&LEAVES[leaf]).unwrap().certificate_id()
}

fn payload(pairs: &[(usize, usize)], merge: bool) -> AttributePayload {
    let value = |value: usize| if value == 0 { String::new() } else { value.to_string() };
    let attributes = pairs.iter().map(|(name, of)| (format!("a{name}"), value(*of))).collect();
    AttributePayload { attributes: Some(attributes), merge }
}

/// Refusals are as good as successes here: only what is left behind counts.
async fn take(registry: &Registry, step: &Step, now: Now) {
    use Step::*;
    let owner = tenant(A);
    match step {
        Register { leaf } => {
            let _ = registry.register_certificate_without_ca(owner, &LEAVES[*leaf], None, now).await;
        }
        Delete { leaf } => {
            let _ = registry.delete_certificate(owner, id(*leaf), true).await;
        }
        Transfer { leaf } => {
            let _ = registry.transfer_certificate(owner, id(*leaf), B.parse().unwrap(), None, now).await;
            let _ = registry.cancel_certificate_transfer(owner, id(*leaf), now).await;
        }
        CreateType { kind } => {
            let searchable_attributes = vec!["a0".into(), format!("a{}", kind + 1)];
            let properties = ThingTypeProperties { searchable_attributes, ..Default::default() };
            let _ = registry.create_thing_type(owner, type_name(*kind), properties, Vec::new(), now).await;
        }
        Deprecate { kind, undo } => {
            let _ = registry.deprecate_thing_type(owner, &type_name(*kind), *undo, now).await;
        }
        DeleteType { kind } => {
            let _ = registry.delete_thing_type(owner, &type_name(*kind), at(100_000)).await;
        }
        Create { name, kind, attributes } => {
            let (thing_type, attributes) = (kind.map(type_name), payload(attributes, false));
            let _ = registry.create_thing(owner, CreateThing { name: thing(*name), thing_type, attributes }, now).await;
        }
        Update { name, kind, remove, attributes, merge } => {
            let request = UpdateThing {
                name: thing(*name),
                thing_type: kind.map(type_name),
                remove_thing_type: *remove,
                attributes: payload(attributes, *merge),
                expected_version: None,
            };
            let _ = registry.update_thing(owner, request, now).await;
        }
        DeleteThing { name } => {
            let _ = registry.delete_thing(owner, thing(*name), None).await;
        }
        Attach { name, leaf, exclusive } => {
            use ThingPrincipalType::*;
            let kind = if *exclusive { ExclusiveThing } else { NonExclusiveThing };
            let principal = ThingPrincipal::Certificate(id(*leaf));
            let _ = registry.attach_thing_principal(owner, &thing(*name), principal, kind).await;
        }
        Detach { name, leaf } => {
            let principal = ThingPrincipal::Certificate(id(*leaf));
            let _ = registry.detach_thing_principal(owner, &thing(*name), principal).await;
        }
    }
}

/// The client ids of connections: of things, and one that names none.
fn client_ids() -> impl Iterator<Item = (usize, &'static str)> {
    (0..LEAVES.len())
        .flat_map(|leaf| THING_NAMES.into_iter().chain(["no/thing"]).map(move |client_id| (leaf, client_id)))
}

/// What every connection would stand for.
fn bound(registry: &Registry) -> Vec<Option<BoundThing>> {
    let directory = registry.directory();
    client_ids().map(|(leaf, client_id)| directory.bound_thing(tenant(A), id(leaf), client_id)).collect()
}

/// A connection, the generation it bound its policies under, and the thing it bound.
struct Follower {
    grants: Arc<Grants>,
    certificate_id: CertificateId,
    connection: ConnectionGrants,
    generation: u64,
    thing: Option<BoundThing>,
}

impl Follower {
    fn of(registry: &Registry, leaf: usize, client_id: &str) -> Option<Self> {
        let (tenant, certificate_id) = (tenant(A), id(leaf));
        let grants = registry.directory().grants(tenant, certificate_id)?;
        let admitted = Admitted { tenant, certificate_id, grants: Arc::clone(&grants) };
        let connection = ConnectionGrants::new(registry.directory(), admitted, client_id);
        let (generation, thing) = (connection.generation(), connection.thing());
        Some(Self { grants, certificate_id, connection, generation, thing })
    }

    /// Whether its certificate was not deleted, which ends connections.
    fn lives(&self, registries: [&Registry; 2]) -> bool {
        let grants = registries.map(|registry| registry.directory().grants(tenant(A), self.certificate_id));
        grants.iter().flatten().any(|grants| Arc::ptr_eq(grants, &self.grants))
    }

    /// Binds anew as the gateway does: only when the generation has moved.
    fn hear(&mut self) {
        let generation = self.connection.generation();
        assert!(generation >= self.generation, "a generation counts up");
        if generation > self.generation {
            (self.generation, self.thing) = (generation, self.connection.thing());
        }
        assert_eq!(self.thing, self.connection.thing(), "a change that was not told");
    }
}

async fn rows<K: Key, V: Record>(read: &Snapshot, table: &'static Table<K, V>) -> Vec<(K, V)> {
    let rows = table.scan(read, &KeyRange::all(), 1000, Direction::Ascending).await.unwrap();
    rows.into_iter().map(|row| (row.key, row.value)).collect()
}

/// Every row has its index rows, and there are no others; what refers to something finds it. Says what is wrong otherwise.
pub(super) async fn check_indexes(read: &Snapshot) -> Result<(), String> {
    let ensure = |holds: bool, what: &str| if holds { Ok(()) } else { Err(what.to_owned()) };
    let (things, types) = (rows(read, &THINGS).await, rows(read, &THING_TYPES).await);
    let (mut by_type, mut by_attribute) = (BTreeSet::new(), BTreeSet::new());
    for ((tenant, name), thing) in &things {
        let mut thing_type = None;
        if let Some(kind) = &thing.thing_type {
            by_type.insert((*tenant, kind.clone(), name.clone()).to_bytes());
            thing_type = types.iter().find(|(key, _)| *key == (*tenant, kind.clone())).map(|(_, row)| row);
            ensure(thing_type.is_some(), "a thing's type is not there")?;
        }
        let searchable =
            |attribute: &String| thing_type.is_none_or(|row| row.properties.searchable_attributes.contains(attribute));
        for (attribute, value) in thing.attributes.iter().filter(|(attribute, _)| searchable(attribute)) {
            by_attribute.insert((*tenant, attribute.clone(), value.clone(), name.clone()).to_bytes());
        }
        let max = if thing_type.is_some() { 50 } else { 3 };
        ensure(thing.attributes.len() <= max, "a thing has too many attributes")?;
    }
    let index: BTreeSet<_> = rows(read, &THINGS_BY_TYPE).await.iter().map(|(key, ())| key.to_bytes()).collect();
    ensure(index == by_type, "the index by type has other rows")?;
    let index: BTreeSet<_> = rows(read, &THINGS_BY_ATTRIBUTE).await.iter().map(|(key, ())| key.to_bytes()).collect();
    ensure(index == by_attribute, "the index by attribute has other rows")?;

    let attached = rows(read, &THINGS_OF_PRINCIPAL).await;
    let certificates = rows(read, &CERTIFICATES).await;
    let mut others: Vec<_> = rows(read, &PRINCIPALS_OF_THING).await;
    others.sort_by_key(|((tenant, name, principal), _)| (*tenant, *principal, name.clone()).to_bytes());
    let turned = others.into_iter().map(|((tenant, name, principal), row)| ((tenant, principal, name), row));
    ensure(turned.collect::<Vec<_>>() == attached, "an attachment is seen from one side only")?;
    let exclusive = attached.iter().filter(|(_, row)| row.kind == ThingPrincipalType::ExclusiveThing);
    let exclusive: Vec<_> =
        exclusive.map(|((tenant, principal, name), _)| ((*tenant, *principal), name.clone())).collect();
    let noted = rows(read, &EXCLUSIVE_THINGS).await.into_iter().map(|(key, row)| (key, row.thing));
    ensure(noted.collect::<Vec<_>>() == exclusive, "exclusive things are not those that are noted")?;
    for ((tenant, principal, name), row) in &attached {
        let thing = things.iter().any(|(key, _)| *key == (*tenant, name.clone()));
        ensure(thing, "a thing that is attached is not there")?;
        let ThingPrincipal::Certificate(id) = *principal;
        let certificate = certificates.iter().find(|(key, _)| *key == (*tenant, id)).map(|(_, row)| row);
        let free = certificate.is_some_and(|row| row.pending_transfer().is_none());
        ensure(free, "a certificate that is attached is not there, or on its way")?;
        let alone = attached.iter().filter(|((t, p, _), _)| (t, p) == (tenant, principal)).count() == 1;
        let exclusive = row.kind == ThingPrincipalType::ExclusiveThing;
        ensure(alone || !exclusive, "an exclusive thing is not the only one")?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn memory_indexes_and_followers_agree_with_the_rows(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            // Another node whose feed is soon lost.
            let bounds = FeedBounds { transactions_max: 2, bytes_max: 1 << 20 };
            let store: Arc<dyn Store> = Arc::new(MemoryStore::with_feed_bounds(bounds));
            let registry = open(Arc::clone(&store), Box::new(())).await;
            let other = open(Arc::clone(&store), Box::new(())).await;
            let mut followers = Vec::new();
            for (number, step) in steps.iter().enumerate() {
                take(&registry, step, at(number as u64)).await;
                if number % 7 == 0 {
                    other.show().await.unwrap();
                }
                followers.retain(|follower: &Follower| follower.lives([&registry, &other]));
                followers.iter_mut().for_each(Follower::hear);
                for (leaf, client_id) in client_ids() {
                    followers.extend(Follower::of(&registry, leaf, client_id));
                    followers.extend(Follower::of(&other, leaf, client_id));
                }
                followers.drain(..followers.len().saturating_sub(200));
            }
            check_indexes(&store.snapshot().await.unwrap()).await.unwrap();
            other.show().await.unwrap();
            followers.retain(|follower: &Follower| follower.lives([&registry, &other]));
                followers.iter_mut().for_each(Follower::hear);
            let fresh = open(Arc::clone(&store), Box::new(())).await;
            for told in [&registry, &other] {
                assert_eq!(bound(told), bound(&fresh));
                assert_eq!(told.directory().counts(), fresh.directory().counts());
            }
        });
    }
}
