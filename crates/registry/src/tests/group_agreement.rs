//! After any operations on groups, every live connection has what the rows say, however the changes came to the directory.

use proptest::prelude::*;
use tidegate_ids::{CertificateId, PolicyName, ThingGroupName, ThingName};
use tidegate_kv::{Direction, KeyRange, Snapshot, single_writer::FeedBounds};

use super::{
    memberships::Connection,
    thing_groups::{create, group_name},
    things::{certificate, new, thing},
    *,
};
use crate::{
    CertificateStatus, PolicyTarget, ThingPrincipal,
    ThingPrincipalType::{ExclusiveThing, NonExclusiveThing},
    tables,
};

const GROUPS: [&str; 4] = ["g0", "g1", "g2", "g3"];
const THINGS: [&str; 2] = ["t0", "t1"];
const POLICIES: [&str; 3] = ["p0", "p1", "p2"];
const TOPICS: [&str; 3] = ["a", "b", "c"];
const CLIENT_IDS: [&str; 3] = ["t0", "t1", "somebody"];

#[derive(Debug, Clone)]
enum Step {
    CreateGroup { group: usize, parent: Option<usize> },
    DeleteGroup { group: usize },
    CreateThing { thing: usize },
    DeleteThing { thing: usize },
    AttachThing { thing: usize, certificate: usize, exclusive: bool },
    DetachThing { thing: usize, certificate: usize },
    Regroup { thing: usize, add: Option<usize>, remove: Option<usize> },
    PutPolicy { policy: usize, topic: usize },
    DeletePolicy { policy: usize },
    Attach { policy: usize, group: usize },
    Detach { policy: usize, group: usize },
    AttachOwn { policy: usize, certificate: usize },
    DetachOwn { policy: usize, certificate: usize },
    Status { certificate: usize, active: bool },
}

fn step() -> impl Strategy<Value = Step> {
    use Step::*;
    let (group, thing, policy, topic, certificate) = (0..4usize, 0..2usize, 0..3usize, 0..3usize, 0..2usize);
    let some = |of: std::ops::Range<usize>| proptest::option::of(of);
    prop_oneof![
        4 => (group.clone(), some(0..4)).prop_map(|(group, parent)| CreateGroup { group, parent }),
        1 => group.clone().prop_map(|group| DeleteGroup { group }),
        3 => thing.clone().prop_map(|thing| CreateThing { thing }),
        1 => thing.clone().prop_map(|thing| DeleteThing { thing }),
        4 => (thing.clone(), certificate.clone(), any::<bool>())
            .prop_map(|(thing, certificate, exclusive)| AttachThing { thing, certificate, exclusive }),
        1 => (thing.clone(), certificate.clone()).prop_map(|(thing, certificate)| DetachThing { thing, certificate }),
        5 => (thing, some(0..4), some(0..4)).prop_map(|(thing, add, remove)| Regroup { thing, add, remove }),
        4 => (policy.clone(), topic).prop_map(|(policy, topic)| PutPolicy { policy, topic }),
        1 => policy.clone().prop_map(|policy| DeletePolicy { policy }),
        5 => (policy.clone(), group.clone()).prop_map(|(policy, group)| Attach { policy, group }),
        1 => (policy.clone(), group).prop_map(|(policy, group)| Detach { policy, group }),
        1 => (policy.clone(), certificate.clone()).prop_map(|(policy, certificate)| AttachOwn { policy, certificate }),
        1 => (policy, certificate.clone()).prop_map(|(policy, certificate)| DetachOwn { policy, certificate }),
        1 => (certificate, any::<bool>()).prop_map(|(certificate, active)| Status { certificate, active }),
    ]
}

fn document(topic: usize) -> String {
    let topic = TOPICS[topic];
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:eu-central-1:{A}:topic/{topic}"}}]}}"#
    )
}

fn policy_name(policy: usize) -> PolicyName {
    POLICIES[policy].parse().unwrap()
}

/// Refusals are as good as successes here: only what is left behind counts.
async fn take(registry: &Registry, certificates: &[CertificateId], step: &Step, now: Now) {
    use Step::*;
    let owner = tenant(A);
    let named = |group: Option<usize>| group.map(|group| group_name(GROUPS[group]));
    let of_group = |group: usize| PolicyTarget::ThingGroup(group_name(GROUPS[group]));
    let own = |number: usize| PolicyTarget::Certificate(certificates[number]);
    let principal = |number: usize| ThingPrincipal::Certificate(certificates[number]);
    match *step {
        CreateGroup { group, parent } => {
            let _ = create(registry, GROUPS[group], parent.map(|parent| GROUPS[parent])).await;
        }
        DeleteGroup { group } => {
            let _ = registry.delete_thing_group(owner, group_name(GROUPS[group]), None).await;
        }
        CreateThing { thing } => {
            let _ = registry.create_thing(owner, new(THINGS[thing], &[]), now).await;
        }
        DeleteThing { thing: number } => {
            let _ = registry.delete_thing(owner, thing(THINGS[number]), None).await;
        }
        AttachThing { thing: number, certificate, exclusive } => {
            let kind = if exclusive { ExclusiveThing } else { NonExclusiveThing };
            let _ = registry.attach_thing_principal(owner, &thing(THINGS[number]), principal(certificate), kind).await;
        }
        DetachThing { thing: number, certificate } => {
            let _ = registry.detach_thing_principal(owner, &thing(THINGS[number]), principal(certificate)).await;
        }
        Regroup { thing: number, add, remove } => {
            let (add, remove) = (Vec::from_iter(named(add)), Vec::from_iter(named(remove)));
            let _ = registry.update_thing_groups_for_thing(owner, &thing(THINGS[number]), &add, &remove).await;
        }
        PutPolicy { policy, topic } => {
            let made = registry.create_policy(owner, policy_name(policy), document(topic), Vec::new(), now).await;
            if made.is_err() {
                let _ = registry.create_policy_version(owner, policy_name(policy), document(topic), true, now).await;
            }
        }
        DeletePolicy { policy } => {
            let _ = registry.delete_policy(owner, &policy_name(policy)).await;
        }
        Attach { policy, group } => {
            let _ = registry.attach_policy(owner, &policy_name(policy), of_group(group)).await;
        }
        Detach { policy, group } => {
            let _ = registry.detach_policy(owner, &policy_name(policy), of_group(group)).await;
        }
        AttachOwn { policy, certificate } => {
            let _ = registry.attach_policy(owner, &policy_name(policy), own(certificate)).await;
        }
        DetachOwn { policy, certificate } => {
            let _ = registry.detach_policy(owner, &policy_name(policy), own(certificate)).await;
        }
        Status { certificate, active } => {
            let status = if active { CertificateStatus::Active } else { CertificateStatus::Inactive };
            let _ = registry.update_certificate(owner, certificates[certificate], status, now).await;
        }
    }
}

async fn keys<K: tidegate_kv::Key, V: tidegate_kv::Record>(
    read: &Snapshot,
    table: &'static tidegate_kv::Table<K, V>,
) -> Vec<(K, V)> {
    let rows = table.scan(read, &KeyRange::all(), 1000, Direction::Ascending).await.unwrap();
    rows.into_iter().map(|row| (row.key, row.value)).collect()
}

/// What the rows say about one connection, by the words of the rule alone.
async fn by_the_rows(read: &Snapshot, id: CertificateId, client_id: &str) -> [bool; 3] {
    let owner = tenant(A);
    let things: Vec<_> = keys(read, &tables::THINGS_OF_PRINCIPAL)
        .await
        .into_iter()
        .filter(|((_, principal, _), _)| *principal == ThingPrincipal::Certificate(id))
        .map(|((_, _, name), row)| (name, row.kind))
        .collect();
    let exclusive = things.iter().find(|(_, kind)| *kind == ExclusiveThing);
    let bound = exclusive.or_else(|| things.iter().find(|(name, _)| name.as_str() == client_id));
    let mut targets = vec![PolicyTarget::Certificate(id)];
    for ((_, thing, group), ()) in keys(read, &tables::GROUPS_OF_THING).await {
        if bound.is_some_and(|(name, _)| *name == thing) {
            let row =
                tables::THING_GROUPS.get(read, &(owner, group.clone())).await.unwrap().expect("the group is there");
            targets.extend(row.value.above.into_iter().chain([group]).map(PolicyTarget::ThingGroup));
        }
    }
    let certificate = tables::CERTIFICATES.get(read, &(owner, id)).await.unwrap().unwrap().value;
    let mut allowed = [false; 3];
    for ((_, target, name), ()) in keys(read, &tables::POLICIES_OF_TARGET).await {
        if targets.contains(&target) && certificate.status == CertificateStatus::Active {
            let policy = tables::POLICIES.get(read, &(owner, name)).await.unwrap().expect("the policy is there").value;
            for (topic, is) in allowed.iter_mut().enumerate() {
                *is |= policy.document == document(topic);
            }
        }
    }
    allowed
}

/// Every row has its index rows, and there are no others.
async fn check_indexes(read: &Snapshot) {
    let owner = tenant(A);
    let groups = keys(read, &tables::THING_GROUPS).await;
    let (mut roots, mut children, mut below) = (Vec::new(), Vec::new(), Vec::new());
    for ((_, name), row) in &groups {
        match row.parent() {
            None => roots.push((owner, name.clone())),
            Some(parent) => {
                let (_, above) = groups.iter().find(|((_, other), _)| other == parent).expect("the parent is there");
                assert_eq!([&above.above[..], std::slice::from_ref(parent)].concat(), row.above);
                children.push((owner, parent.clone(), name.clone()));
            }
        }
        below.extend(row.above.iter().map(|above| (owner, above.clone(), name.clone())));
    }
    let sorted = |mut rows: Vec<(Tenant, ThingGroupName, ThingGroupName)>| {
        rows.sort();
        rows
    };
    let index: Vec<_> = keys(read, &tables::ROOT_THING_GROUPS).await.into_iter().map(|(key, ())| key).collect();
    assert_eq!(index, roots);
    let index: Vec<_> = keys(read, &tables::THING_GROUPS_OF_PARENT).await.into_iter().map(|(key, ())| key).collect();
    assert_eq!(index, sorted(children));
    let index: Vec<_> = keys(read, &tables::THING_GROUPS_BELOW).await.into_iter().map(|(key, ())| key).collect();
    assert_eq!(index, sorted(below));

    let things = keys(read, &tables::THINGS).await;
    let (mut direct, mut within): (Vec<(Tenant, ThingGroupName, ThingName)>, Vec<_>) = (Vec::new(), Vec::new());
    for ((_, thing, group), ()) in keys(read, &tables::GROUPS_OF_THING).await {
        assert!(things.iter().any(|((_, name), _)| *name == thing));
        let (_, row) = groups.iter().find(|((_, name), _)| *name == group).expect("the group is there");
        within.extend(row.above.iter().chain([&group]).map(|group| (owner, group.clone(), thing.clone())));
        direct.push((owner, group, thing));
    }
    direct.sort();
    within.sort();
    let index: Vec<_> = keys(read, &tables::THINGS_OF_GROUP).await.into_iter().map(|(key, ())| key).collect();
    assert_eq!(index, direct);
    let index: Vec<_> = keys(read, &tables::THINGS_WITHIN_GROUP).await.into_iter().map(|(key, ())| key).collect();
    assert_eq!(index, within, "no thing is twice in a hierarchy");
    let mut targets: Vec<_> = keys(read, &tables::POLICIES_OF_TARGET)
        .await
        .into_iter()
        .map(|((tenant, target, name), ())| (tenant, name, target))
        .collect();
    targets.sort_by_key(tidegate_kv::Key::to_bytes);
    let index: Vec<_> = keys(read, &tables::TARGETS_OF_POLICY).await.into_iter().map(|(key, ())| key).collect();
    assert_eq!(index, targets);
}

fn connections(registry: &Registry, certificates: &[CertificateId]) -> Vec<(CertificateId, &'static str, Connection)> {
    let pairs = certificates.iter().flat_map(|id| CLIENT_IDS.map(|client_id| (*id, client_id)));
    pairs.map(|(id, client_id)| (id, client_id, Connection::new(registry, id, client_id).unwrap())).collect()
}

async fn check(read: &Snapshot, connections: &mut [(CertificateId, &'static str, Connection)], what: &str) {
    for (id, client_id, connection) in connections {
        let may = TOPICS.map(|topic| connection.may(topic));
        assert_eq!(may, by_the_rows(read, *id, client_id).await, "{what}: {client_id}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_live_connection_has_what_the_rows_say(steps in prop::collection::vec(step(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            // So few that a follower loses the feed.
            let bounds = FeedBounds { transactions_max: 8, bytes_max: 1 << 20 };
            let store: Arc<dyn Store> = Arc::new(MemoryStore::with_feed_bounds(bounds));
            let registry = open(Arc::clone(&store), Box::new(())).await;
            let certificates = [certificate(&registry, "one").await, certificate(&registry, "two").await];
            for id in certificates {
                registry.update_certificate(tenant(A), id, CertificateStatus::Active, at(0)).await.unwrap();
            }
            let follower = open(Arc::clone(&store), Box::new(())).await;
            let mut live = connections(&registry, &certificates);
            let mut followed = connections(&follower, &certificates);
            for (number, step) in steps.iter().enumerate() {
                take(&registry, &certificates, step, at(number as u64)).await;
                let read = store.snapshot().await.unwrap();
                check(&read, &mut live, "live").await;
                if number % 20 == 3 {
                    follower.show().await.unwrap();
                    check(&read, &mut followed, "follower").await;
                }
            }
            let read = store.snapshot().await.unwrap();
            check_indexes(&read).await;
            follower.show().await.unwrap();
            check(&read, &mut followed, "follower, at the end").await;
            let fresh = open(Arc::clone(&store), Box::new(())).await;
            check(&read, &mut connections(&fresh, &certificates), "opened again").await;
            assert_eq!(registry.directory().counts(), fresh.directory().counts());
            assert_eq!(registry.directory().counts(), follower.directory().counts());
        });
    }
}
