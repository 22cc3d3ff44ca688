use tidegate_ids::{CertificateId, PolicyName, ThingGroupName, ThingName};
use tidegate_kv::{Direction, KeyRange};
use tidegate_policy::{Access, Decision, RequestContext, Variables};

use super::{
    races::together,
    thing_groups::{create, group_name},
    things::{certificate, new, thing},
    *,
};
use crate::{
    Admitted, CertificateStatus, ConnectionGrants, PolicyTarget, RegistryError, THING_GROUPS_OF_THING_MAX,
    ThingPrincipal,
    ThingPrincipalType::{ExclusiveThing, NonExclusiveThing},
    tables,
};

async fn make_things(registry: &Registry, names: &[&str]) {
    for name in names {
        registry.create_thing(tenant(A), new(name, &[]), at(1)).await.unwrap();
    }
}

async fn add(registry: &Registry, name: &str, group: &str) -> Result<(), RegistryError> {
    registry.add_thing_to_thing_group(tenant(A), &thing(name), &group_name(group)).await
}

async fn update(registry: &Registry, name: &str, add: &[&str], remove: &[&str]) -> Result<(), RegistryError> {
    let names = |list: &[&str]| list.iter().map(|name| group_name(name)).collect::<Vec<ThingGroupName>>();
    registry.update_thing_groups_for_thing(tenant(A), &thing(name), &names(add), &names(remove)).await
}

async fn groups_of(registry: &Registry, name: &str) -> Vec<String> {
    let found = registry.list_thing_groups_for_thing(tenant(A), &thing(name), ascending(None)).await.unwrap();
    assert_eq!(found.next_marker, None);
    found.items.iter().map(ToString::to_string).collect()
}

async fn things_in(registry: &Registry, group: &str, recursive: bool) -> Vec<String> {
    let (mut all, mut marker) = (Vec::new(), None);
    loop {
        let page = PageRequest { size: Some(2), marker, ascending: true };
        let page = registry.list_things_in_thing_group(tenant(A), &group_name(group), recursive, page).await.unwrap();
        all.extend(page.items.iter().map(ToString::to_string));
        marker = page.next_marker;
        if marker.is_none() {
            return all;
        }
    }
}

fn ascending(marker: Option<String>) -> PageRequest {
    PageRequest { size: None, marker, ascending: true }
}

#[tokio::test]
async fn a_thing_is_in_one_group_of_a_hierarchy_and_seen_from_all_above() {
    let registry = registry().await;
    for (name, parent) in [("a", None), ("aa", Some("a")), ("ab", Some("a")), ("aaa", Some("aa")), ("b", None)] {
        create(&registry, name, parent).await.unwrap();
    }
    make_things(&registry, &["t1", "t2", "t3"]).await;
    for (name, group) in [("t1", "aaa"), ("t2", "ab"), ("t3", "a"), ("t1", "b"), ("t1", "aaa")] {
        add(&registry, name, group).await.unwrap();
    }
    for (group, direct, all) in [
        ("a", &["t3"][..], &["t1", "t2", "t3"][..]),
        ("aa", &[], &["t1"]),
        ("aaa", &["t1"], &["t1"]),
        ("ab", &["t2"], &["t2"]),
        ("b", &["t1"], &["t1"]),
    ] {
        assert_eq!(things_in(&registry, group, false).await, direct, "{group}");
        assert_eq!(things_in(&registry, group, true).await, all, "{group}");
    }
    for group in ["a", "aa", "ab"] {
        let error = add(&registry, "t1", group).await.unwrap_err();
        assert!(matches!(error, RegistryError::ThingInHierarchy(..)), "{group}: {error}");
    }
    assert_eq!(groups_of(&registry, "t1").await, ["aaa", "b"]);
    // Within one update, a thing moves in its hierarchy.
    update(&registry, "t1", &["ab"], &["aaa", "a"]).await.unwrap();
    assert_eq!(groups_of(&registry, "t1").await, ["ab", "b"]);
    for (add, remove) in [(&["aaa"][..], &[][..]), (&["aaa", "aa"], &["ab"]), (&["b"], &["b"]), (&["nobody"], &["ab"])]
    {
        update(&registry, "t1", add, remove).await.unwrap_err();
        assert_eq!(groups_of(&registry, "t1").await, ["ab", "b"], "all or nothing: {add:?} {remove:?}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_in_no_group() {
    let registry = registry().await;
    create(&registry, "g", None).await.unwrap();
    make_things(&registry, &["t"]).await;
    for (name, group) in [("t", "nobody"), ("nobody", "g")] {
        let (group_missing, name, group) = (group == "nobody", thing(name), group_name(group));
        for error in [
            registry.add_thing_to_thing_group(tenant(A), &name, &group).await.unwrap_err(),
            registry.remove_thing_from_thing_group(tenant(A), &name, &group).await.unwrap_err(),
        ] {
            assert_eq!(matches!(error, RegistryError::ThingGroupNotFound(_)), group_missing, "{error}");
            assert_eq!(matches!(error, RegistryError::ThingNotFound(_)), !group_missing, "{error}");
        }
    }
    let things = registry.list_things_in_thing_group(tenant(A), &group_name("nobody"), true, ascending(None)).await;
    assert!(matches!(things, Err(RegistryError::ThingGroupNotFound(_))));
    let groups = registry.list_thing_groups_for_thing(tenant(A), &thing("nobody"), ascending(None)).await;
    assert!(matches!(groups, Err(RegistryError::ThingNotFound(_))));
    registry.remove_thing_from_thing_group(tenant(A), &thing("t"), &group_name("g")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thing_never_is_in_too_many_groups_however_many_add_it_at_once() {
    let registry = registry().await;
    make_things(&registry, &["t"]).await;
    for number in 0..THING_GROUPS_OF_THING_MAX + 4 {
        create(&registry, &format!("g{number}"), None).await.unwrap();
    }
    let outcomes = together(THING_GROUPS_OF_THING_MAX + 4, |number| {
        let registry = registry.clone();
        Box::pin(async move {
            loop {
                match add(&registry, "t", &format!("g{number}")).await {
                    Err(RegistryError::Contended) => {}
                    Ok(()) => return true,
                    Err(RegistryError::TooManyGroupsOfThing(_)) => return false,
                    Err(error) => panic!("{error}"),
                }
            }
        })
    })
    .await;
    assert_eq!(outcomes.into_iter().filter(|added| *added).count(), THING_GROUPS_OF_THING_MAX);
    assert_eq!(groups_of(&registry, "t").await.len(), THING_GROUPS_OF_THING_MAX);
}

/// Rows of memberships that are left.
async fn rows(registry: &Registry) -> [usize; 3] {
    let (read, all) = (registry.read().await.unwrap(), KeyRange::all());
    [
        tables::GROUPS_OF_THING.scan(&read, &all, 9999, Direction::Ascending).await.unwrap().len(),
        tables::THINGS_OF_GROUP.scan(&read, &all, 9999, Direction::Ascending).await.unwrap().len(),
        tables::THINGS_WITHIN_GROUP.scan(&read, &all, 9999, Direction::Ascending).await.unwrap().len(),
    ]
}

#[tokio::test]
async fn a_deleted_thing_leaves_its_groups_and_a_deleted_group_is_left_by_its_things() {
    let registry = registry().await;
    create(&registry, "a", None).await.unwrap();
    create(&registry, "aa", Some("a")).await.unwrap();
    // More than leave in one transaction.
    let names: Vec<ThingName> = (0..1201).map(|number| thing(&format!("t{number}"))).collect();
    for name in &names {
        registry.create_thing(tenant(A), new(name.as_str(), &[]), at(1)).await.unwrap();
        registry.add_thing_to_thing_group(tenant(A), name, &group_name("aa")).await.unwrap();
    }
    registry.delete_thing(tenant(A), names[0].clone(), None).await.unwrap();
    assert_eq!(rows(&registry).await, [1200, 1200, 2400]);
    create_policy(&registry, "p", "t").await;
    attach(&registry, "p", "aa").await.unwrap();
    registry.delete_thing_group(tenant(A), group_name("aa"), None).await.unwrap();
    assert_eq!(rows(&registry).await, [0, 0, 0]);
    assert_eq!(groups_of(&registry, "t1").await, [""; 0]);
    registry.delete_policy(tenant(A), &"p".parse().unwrap()).await.unwrap();
    registry.delete_thing_group(tenant(A), group_name("a"), None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thing_added_while_either_side_is_deleted_leaves_nothing_behind() {
    let registry = registry().await;
    for round in 0..48 {
        create(&registry, "g", None).await.unwrap();
        make_things(&registry, &["t"]).await;
        let delete_group = round % 2 == 0;
        together(2, |number| {
            let registry = registry.clone();
            Box::pin(async move {
                match number {
                    0 => drop(add(&registry, "t", "g").await),
                    _ if delete_group => {
                        registry.delete_thing_group(tenant(A), group_name("g"), None).await.unwrap();
                    }
                    _ => registry.delete_thing(tenant(A), thing("t"), None).await.unwrap(),
                }
            })
        })
        .await;
        assert_eq!(rows(&registry).await, [0, 0, 0]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_policy_attached_while_either_side_is_deleted_leaves_nothing_behind() {
    let registry = registry().await;
    let p: PolicyName = "p".parse().unwrap();
    for round in 0..48 {
        create(&registry, "g", None).await.unwrap();
        create_policy(&registry, "p", "t").await;
        let delete_group = round % 2 == 0;
        let outcomes = together(2, |number| {
            let (registry, p) = (registry.clone(), p.clone());
            Box::pin(async move {
                match number {
                    0 => attach(&registry, "p", "g").await.is_ok(),
                    _ if delete_group => registry.delete_thing_group(tenant(A), group_name("g"), None).await.is_ok(),
                    _ => registry.delete_policy(tenant(A), &p).await.is_ok(),
                }
            })
        })
        .await;
        // A group takes its attachments with it, a policy stays while it has one.
        assert!(delete_group || outcomes[0] != outcomes[1], "{outcomes:?}");
        registry.delete_thing_group(tenant(A), group_name("g"), None).await.unwrap();
        let (read, all) = (registry.read().await.unwrap(), KeyRange::all());
        let of_target = tables::POLICIES_OF_TARGET.scan(&read, &all, 9, Direction::Ascending).await.unwrap();
        let of_policy = tables::TARGETS_OF_POLICY.scan(&read, &all, 9, Direction::Ascending).await.unwrap();
        assert_eq!((of_target.len(), of_policy.len()), (0, 0));
        let _ = registry.delete_policy(tenant(A), &p).await;
    }
}

async fn create_policy(registry: &Registry, name: &str, topic: &str) {
    let document = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:eu-central-1:{A}:topic/{topic}"}}]}}"#
    );
    registry.create_policy(tenant(A), name.parse().unwrap(), document, Vec::new(), at(1)).await.unwrap();
}

async fn attach(registry: &Registry, policy: &str, group: &str) -> Result<(), RegistryError> {
    let target = PolicyTarget::ThingGroup(group_name(group));
    registry.attach_policy(tenant(A), &policy.parse().unwrap(), target).await
}

/// A certificate that is ACTIVE.
async fn active(registry: &Registry, name: &str) -> CertificateId {
    let id = certificate(registry, name).await;
    registry.update_certificate(tenant(A), id, CertificateStatus::Active, at(1)).await.unwrap();
    id
}

async fn listed(registry: &Registry, target: &PolicyTarget, recursive: bool) -> Vec<String> {
    let (mut all, mut marker) = (Vec::new(), None);
    loop {
        let page = PageRequest { size: Some(1), marker, ascending: true };
        let page = registry.list_attached_policies(tenant(A), target.clone(), recursive, page).await.unwrap();
        all.extend(page.items.iter().map(PolicyName::to_string));
        marker = page.next_marker;
        if marker.is_none() {
            return all;
        }
    }
}

#[tokio::test]
async fn policies_of_groups_are_attached_listed_and_inherited() {
    let registry = registry().await;
    for (name, parent) in [("a", None), ("aa", Some("a")), ("b", None)] {
        create(&registry, name, parent).await.unwrap();
    }
    for name in ["p1", "p2", "p3", "p4"] {
        create_policy(&registry, name, name).await;
    }
    for (policy, group) in [("p2", "a"), ("p1", "a"), ("p1", "a"), ("p3", "aa"), ("p2", "aa"), ("p4", "b")] {
        attach(&registry, policy, group).await.unwrap();
    }
    assert!(matches!(attach(&registry, "p4", "a").await, Err(RegistryError::TooManyPolicies(2))));
    assert!(matches!(attach(&registry, "p4", "nobody").await, Err(RegistryError::ThingGroupNotFound(_))));
    let id = certificate(&registry, "d").await;
    make_things(&registry, &["t", "u"]).await;
    for (name, group) in [("t", "aa"), ("u", "b")] {
        add(&registry, name, group).await.unwrap();
        let principal = ThingPrincipal::Certificate(id);
        registry.attach_thing_principal(tenant(A), &thing(name), principal, NonExclusiveThing).await.unwrap();
    }
    let own = PolicyTarget::Certificate(id);
    registry.attach_policy(tenant(A), &"p4".parse().unwrap(), own.clone()).await.unwrap();
    let group = |name: &str| PolicyTarget::ThingGroup(group_name(name));
    for (target, recursive, expected) in [
        (group("a"), false, &["p1", "p2"][..]),
        (group("a"), true, &["p1", "p2"]),
        (group("aa"), false, &["p2", "p3"]),
        (group("aa"), true, &["p1", "p2", "p3"]),
        (own.clone(), false, &["p4"]),
        (own, true, &["p1", "p2", "p3", "p4"]),
    ] {
        assert_eq!(listed(&registry, &target, recursive).await, expected, "{target:?} {recursive}");
    }
    let p2: PolicyName = "p2".parse().unwrap();
    assert!(matches!(registry.delete_policy(tenant(A), &p2).await, Err(RegistryError::PolicyAttached(_))));
    let targets = registry.list_targets_for_policy(tenant(A), &p2, ascending(None)).await.unwrap().items;
    assert_eq!(targets, [group("a"), group("aa")]);
    for name in ["a", "aa", "aa", "b"] {
        registry.detach_policy(tenant(A), &p2, group(name)).await.unwrap();
    }
    registry.delete_policy(tenant(A), &p2).await.unwrap();
}

/// A connection as the gateway keeps it: what was bound holds until the generation is another.
pub(super) struct Connection {
    pub(super) grants: ConnectionGrants,
    generation: u64,
    bound: tidegate_policy::BoundPolicy,
}

impl Connection {
    pub(super) fn new(registry: &Registry, id: CertificateId, client_id: &str) -> Option<Self> {
        let (tenant, directory) = (tenant(A), registry.directory());
        let admitted = Admitted { tenant, certificate_id: id, grants: directory.grants(tenant, id)? };
        let grants = ConnectionGrants::new(directory, admitted, client_id);
        let (generation, bound) = (grants.generation(), grants.policies().bind(&Variables::new()));
        Some(Self { grants, generation, bound })
    }

    pub(super) fn may(&mut self, topic: &str) -> bool {
        let generation = self.grants.generation();
        if generation != self.generation {
            (self.generation, self.bound) = (generation, self.grants.policies().bind(&Variables::new()));
        }
        matches!(self.bound.decide(Access::Publish, topic, &RequestContext::at(at(0).wall)), Decision::Allowed(_))
    }
}

#[tokio::test]
async fn a_live_connection_has_what_its_attached_things_groups_allow_at_every_moment() {
    let registry = registry().await;
    let owner = tenant(A);
    for (name, parent) in [("root", None), ("leaf", Some("root")), ("other", None)] {
        create(&registry, name, parent).await.unwrap();
    }
    make_things(&registry, &["t", "u"]).await;
    for name in ["own", "of-root", "of-leaf", "of-other"] {
        create_policy(&registry, name, name).await;
    }
    let id = active(&registry, "d").await;
    registry.attach_policy(owner, &"own".parse().unwrap(), PolicyTarget::Certificate(id)).await.unwrap();
    let mut connections =
        ["t", "another client id"].map(|client_id| Connection::new(&registry, id, client_id).unwrap());
    let mut expect = |what: &str, named: &[&str], other: &[&str]| {
        for (connection, allowed) in connections.iter_mut().zip([named, other]) {
            for topic in ["own", "of-root", "of-leaf", "of-other", "changed"] {
                assert_eq!(connection.may(topic), allowed.contains(&topic), "{what}: {topic}");
            }
        }
    };
    let principal = ThingPrincipal::Certificate(id);
    let group = |name: &str| PolicyTarget::ThingGroup(group_name(name));
    expect("no groups", &["own"], &["own"]);
    attach(&registry, "of-root", "root").await.unwrap();
    attach(&registry, "of-leaf", "leaf").await.unwrap();
    expect("policies of groups that it is not in", &["own"], &["own"]);
    add(&registry, "t", "leaf").await.unwrap();
    expect("the thing is not attached", &["own"], &["own"]);
    registry.attach_thing_principal(owner, &thing("t"), principal, NonExclusiveThing).await.unwrap();
    expect("attached", &["own", "of-root", "of-leaf"], &["own"]);
    attach(&registry, "of-other", "other").await.unwrap();
    add(&registry, "t", "other").await.unwrap();
    expect("in two hierarchies", &["own", "of-root", "of-leaf", "of-other"], &["own"]);
    registry.detach_policy(owner, &"of-root".parse().unwrap(), group("root")).await.unwrap();
    expect("detached from the root", &["own", "of-leaf", "of-other"], &["own"]);
    update(&registry, "t", &["root"], &["leaf", "other"]).await.unwrap();
    expect("moved up", &["own"], &["own"]);
    registry.attach_thing_principal(owner, &thing("t"), principal, ExclusiveThing).await.unwrap();
    update(&registry, "t", &["leaf"], &["root"]).await.unwrap();
    expect("exclusive, whatever the client id", &["own", "of-leaf"], &["own", "of-leaf"]);
    let document = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:eu-central-1:{A}:topic/changed"}}]}}"#
    );
    registry.create_policy_version(owner, "of-leaf".parse().unwrap(), document, true, at(2)).await.unwrap();
    expect("another version in force", &["own", "changed"], &["own", "changed"]);
    registry.update_certificate(owner, id, CertificateStatus::Inactive, at(3)).await.unwrap();
    expect("inactive", &[], &[]);
    registry.update_certificate(owner, id, CertificateStatus::Active, at(3)).await.unwrap();
    expect("active again", &["own", "changed"], &["own", "changed"]);
    registry.delete_thing_group(owner, group_name("leaf"), None).await.unwrap();
    expect("the group is gone", &["own"], &["own"]);
}

#[tokio::test]
async fn connections_with_the_same_policies_through_groups_share_what_is_compiled() {
    let registry = registry().await;
    create(&registry, "g", None).await.unwrap();
    create_policy(&registry, "p", "t").await;
    attach(&registry, "p", "g").await.unwrap();
    let mut connections = Vec::new();
    for name in ["t1", "t2"] {
        make_things(&registry, &[name]).await;
        add(&registry, name, "g").await.unwrap();
        let id = active(&registry, name).await;
        let principal = ThingPrincipal::Certificate(id);
        registry.attach_thing_principal(tenant(A), &thing(name), principal, NonExclusiveThing).await.unwrap();
        connections.push(Connection::new(&registry, id, name).unwrap());
    }
    assert!(Arc::ptr_eq(&connections[0].grants.policies(), &connections[1].grants.policies()));
    assert!(connections.iter_mut().all(|connection| connection.may("t")));
}

/// A second registry on the same store stands for another node; each change reaches it by reading everything again.
#[tokio::test]
async fn each_change_is_followed_when_the_feed_was_lost_right_after_it() {
    use tidegate_kv::single_writer::FeedBounds;
    let bounds = FeedBounds { transactions_max: 2, bytes_max: 1 << 20 };
    let store: Arc<dyn Store> = Arc::new(MemoryStore::with_feed_bounds(bounds));
    let writer = open(Arc::clone(&store), Box::new(())).await;
    let owner = tenant(A);
    create(&writer, "root", None).await.unwrap();
    create(&writer, "leaf", Some("root")).await.unwrap();
    make_things(&writer, &["t"]).await;
    let id = active(&writer, "d").await;
    let principal = ThingPrincipal::Certificate(id);
    writer.attach_thing_principal(owner, &thing("t"), principal, NonExclusiveThing).await.unwrap();
    create_policy(&writer, "p", "a").await;
    let follower = open(Arc::clone(&store), Box::new(())).await;
    let mut connection = Connection::new(&follower, id, "t").unwrap();
    let (p, target) = ("p".parse().unwrap(), PolicyTarget::ThingGroup(group_name("root")));
    for (number, allowed) in [false, true, false, true, false, true, false].into_iter().enumerate() {
        match number {
            0 => attach(&writer, "p", "root").await.unwrap(),
            1 => add(&writer, "t", "leaf").await.unwrap(),
            2 => update(&writer, "t", &[], &["leaf"]).await.unwrap(),
            3 => update(&writer, "t", &["root"], &[]).await.unwrap(),
            4 => writer.detach_policy(owner, &p, target.clone()).await.unwrap(),
            5 => writer.attach_policy(owner, &p, target.clone()).await.unwrap(),
            _ => {
                writer.delete_thing_group(owner, group_name("leaf"), None).await.unwrap();
                writer.delete_thing_group(owner, group_name("root"), None).await.unwrap();
            }
        }
        for unrelated in 0..4 {
            create_policy(&writer, &format!("unrelated-{number}-{unrelated}"), "x").await;
        }
        follower.show().await.unwrap();
        assert_eq!(connection.may("a"), allowed, "step {number}");
        assert_eq!(follower.directory().counts(), writer.directory().counts());
    }
}
