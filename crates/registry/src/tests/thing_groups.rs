use tidegate_ids::ThingGroupName;
use tidegate_kv::{Direction, KeyRange};

use super::{races::together, *};
use crate::{
    AttributePayload, Attributes, CreateThingGroup, RegistryError, THING_GROUP_CHILDREN_MAX, THING_GROUP_DEPTH_MAX,
    ThingGroup, ThingGroupFilter, UpdateThingGroup, tables,
};

pub(super) fn group_name(text: &str) -> ThingGroupName {
    text.parse().unwrap()
}

pub(super) fn attributes(pairs: &[(&str, &str)]) -> Attributes {
    pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
}

pub(super) fn request(name: &str, parent: Option<&str>) -> CreateThingGroup {
    CreateThingGroup {
        name: group_name(name),
        parent: parent.map(group_name),
        description: None,
        attributes: AttributePayload::default(),
        tags: Vec::new(),
    }
}

pub(super) async fn create(registry: &Registry, name: &str, parent: Option<&str>) -> Result<ThingGroup, RegistryError> {
    registry.create_thing_group(tenant(A), request(name, parent), at(1)).await
}

async fn listed(registry: &Registry, parent: Option<&str>, recursive: bool, prefix: Option<&str>) -> Vec<String> {
    let filter = ThingGroupFilter { parent: parent.map(group_name), recursive, name_prefix: prefix.map(group_name) };
    let (mut all, mut marker) = (Vec::new(), None);
    loop {
        let page = PageRequest { size: Some(2), marker, ascending: true };
        let page = registry.list_thing_groups(tenant(A), &filter, page).await.unwrap();
        assert!(page.items.len() <= 2);
        all.extend(page.items.iter().map(ToString::to_string));
        marker = page.next_marker;
        if marker.is_none() {
            return all;
        }
    }
}

#[tokio::test]
async fn a_group_knows_the_way_from_its_root() {
    let registry = registry().await;
    let mut parent: Option<String> = None;
    for level in 0..THING_GROUP_DEPTH_MAX {
        let name = format!("level-{level}");
        let made = create(&registry, &name, parent.as_deref()).await.unwrap();
        assert_eq!(made.record.above.len(), level);
        assert_eq!(made.record.parent().map(ToString::to_string), parent);
        assert_eq!(made.record.root(&made.name).as_str(), "level-0");
        assert_eq!(registry.describe_thing_group(tenant(A), group_name(&name)).await.unwrap(), made);
        parent = Some(name);
    }
    let deeper = create(&registry, "deeper", parent.as_deref()).await;
    assert!(matches!(deeper, Err(RegistryError::ThingGroupTooDeep(_))));
    let orphan = create(&registry, "orphan", Some("nobody")).await;
    assert!(matches!(orphan, Err(RegistryError::ParentThingGroupNotFound(_))));
    for name in ["deeper", "orphan"] {
        let none = registry.describe_thing_group(tenant(A), group_name(name)).await;
        assert!(matches!(none, Err(RegistryError::ThingGroupNotFound(_))));
    }
    let elsewhere = registry.describe_thing_group(tenant(B), group_name("level-0")).await;
    assert!(matches!(elsewhere, Err(RegistryError::ThingGroupNotFound(_))));
}

#[tokio::test]
async fn the_same_request_again_answers_the_same_group_and_another_is_refused() {
    let registry = registry().await;
    create(&registry, "parent", None).await.unwrap();
    let payload = |pairs: &[(&str, &str)]| AttributePayload { attributes: Some(attributes(pairs)), merge: false };
    let first = CreateThingGroup {
        description: Some("lights".into()),
        attributes: payload(&[("a", "1")]),
        ..request("g", Some("parent"))
    };
    let made = registry.create_thing_group(tenant(A), first.clone(), at(1)).await.unwrap();
    assert_eq!(registry.create_thing_group(tenant(A), first.clone(), at(2)).await.unwrap(), made);
    for other in [
        CreateThingGroup { parent: None, ..first.clone() },
        CreateThingGroup { parent: Some(group_name("nobody")), ..first.clone() },
        CreateThingGroup { description: None, ..first.clone() },
        CreateThingGroup { attributes: payload(&[("a", "2")]), ..first.clone() },
        CreateThingGroup { attributes: AttributePayload::default(), ..first.clone() },
    ] {
        let error = registry.create_thing_group(tenant(A), other.clone(), at(2)).await.unwrap_err();
        assert!(
            matches!(&error, RegistryError::ThingGroupExists(_, _, id) if *id == made.record.id),
            "{other:?}: {error}"
        );
    }
    let many: Attributes = (0..51).map(|n| (n.to_string(), "v".into())).collect();
    let many = CreateThingGroup {
        attributes: AttributePayload { attributes: Some(many), merge: false },
        ..request("many", None)
    };
    assert!(matches!(registry.create_thing_group(tenant(A), many, at(2)).await, Err(RegistryError::InvalidRequest(_))));
}

#[tokio::test]
async fn an_update_merges_or_replaces_and_counts_versions() {
    let registry = registry().await;
    create(&registry, "g", None).await.unwrap();
    let update =
        |pairs: Option<&[(&str, &str)]>, merge, description: Option<&str>, expected_version| UpdateThingGroup {
            name: group_name("g"),
            description: description.map(Into::into),
            attributes: AttributePayload { attributes: pairs.map(attributes), merge },
            expected_version,
        };
    let steps = [
        (update(Some(&[("a", "1"), ("b", "2")]), false, None, None), &[("a", "1"), ("b", "2")][..], None),
        (update(Some(&[("b", "3"), ("a", "")]), true, Some("d"), Some(2)), &[("b", "3")], Some("d")),
        (update(None, false, None, Some(3)), &[("b", "3")], Some("d")),
        (update(Some(&[]), false, Some(""), None), &[], Some("")),
    ];
    for (number, (request, expected, description)) in (2..).zip(steps) {
        assert_eq!(registry.update_thing_group(tenant(A), request).await.unwrap(), number);
        let group = registry.describe_thing_group(tenant(A), group_name("g")).await.unwrap().record;
        assert_eq!((group.attributes, group.version), (attributes(expected), number));
        assert_eq!(group.description.as_deref(), description);
    }
    for wrong in [4, 0, -1, i64::MAX] {
        let error = registry.update_thing_group(tenant(A), update(None, false, None, Some(wrong))).await.unwrap_err();
        assert!(matches!(error, RegistryError::ThingGroupVersionConflict(_)), "{wrong}");
        let error = registry.delete_thing_group(tenant(A), group_name("g"), Some(wrong)).await.unwrap_err();
        assert!(matches!(error, RegistryError::ThingGroupVersionConflict(_)), "{wrong}");
    }
    registry.delete_thing_group(tenant(A), group_name("g"), Some(5)).await.unwrap();
    let gone = registry.update_thing_group(tenant(A), update(None, false, None, None)).await;
    assert!(matches!(gone, Err(RegistryError::ThingGroupNotFound(_))));
}

#[tokio::test]
async fn groups_are_listed_by_level_parent_and_prefix() {
    let registry = registry().await;
    for (name, parent) in
        [("b", None), ("a", None), ("ab", Some("a")), ("aa", Some("a")), ("aab", Some("aa")), ("c", Some("aab"))]
    {
        create(&registry, name, parent).await.unwrap();
    }
    registry.create_thing_group(tenant(B), request("a", None), at(1)).await.unwrap();
    for (parent, recursive, prefix, expected) in [
        (None, true, None, &["a", "aa", "aab", "ab", "b", "c"][..]),
        (None, false, None, &["a", "b"]),
        (None, true, Some("aa"), &["aa", "aab"]),
        (None, true, Some("a:"), &[]),
        (None, false, Some("b"), &["b"]),
        (Some("a"), false, None, &["aa", "ab"]),
        (Some("a"), true, None, &["aa", "aab", "ab", "c"]),
        (Some("a"), true, Some("aa"), &["aa", "aab"]),
        (Some("aa"), true, None, &["aab", "c"]),
        (Some("c"), true, None, &[]),
    ] {
        assert_eq!(listed(&registry, parent, recursive, prefix).await, expected, "{parent:?} {recursive} {prefix:?}");
    }
    let filter = ThingGroupFilter { parent: Some(group_name("nobody")), ..Default::default() };
    let none = registry.list_thing_groups(tenant(A), &filter, first_page()).await;
    assert!(matches!(none, Err(RegistryError::ThingGroupNotFound(_))));
    // A marker of one listing is none of another.
    let page = |marker| PageRequest { size: Some(1), marker, ascending: true };
    let all = ThingGroupFilter { recursive: true, ..Default::default() };
    let marker = registry.list_thing_groups(tenant(A), &all, page(None)).await.unwrap().next_marker;
    let filtered = ThingGroupFilter { name_prefix: Some(group_name("a")), ..all.clone() };
    for (owner, filter) in [(A, &filtered), (B, &all), (A, &ThingGroupFilter::default())] {
        let error = registry.list_thing_groups(tenant(owner), filter, page(marker.clone())).await.unwrap_err();
        assert!(matches!(error, RegistryError::InvalidMarker), "{filter:?}");
    }
}

#[tokio::test]
async fn a_group_is_deleted_once_its_children_are_and_leaves_nothing() {
    let registry = registry().await;
    create(&registry, "a", None).await.unwrap();
    create(&registry, "aa", Some("a")).await.unwrap();
    create(&registry, "aaa", Some("aa")).await.unwrap();
    for name in ["a", "aa"] {
        let error = registry.delete_thing_group(tenant(A), group_name(name), None).await.unwrap_err();
        assert!(matches!(error, RegistryError::ThingGroupHasChildren(_)), "{error}");
    }
    for name in ["aaa", "aa", "a", "a", "never-there"] {
        registry.delete_thing_group(tenant(A), group_name(name), None).await.unwrap();
    }
    let read = registry.read().await.unwrap();
    let all = KeyRange::all();
    assert!(tables::THING_GROUPS.scan(&read, &all, 9, Direction::Ascending).await.unwrap().is_empty());
    assert!(tables::ROOT_THING_GROUPS.scan(&read, &all, 9, Direction::Ascending).await.unwrap().is_empty());
    assert!(tables::THING_GROUPS_OF_PARENT.scan(&read, &all, 9, Direction::Ascending).await.unwrap().is_empty());
    assert!(tables::THING_GROUPS_BELOW.scan(&read, &all, 9, Direction::Ascending).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn children_made_at_the_same_moment_never_are_too_many_or_orphans() {
    let registry = registry().await;
    create(&registry, "full", None).await.unwrap();
    let outcomes = together(THING_GROUP_CHILDREN_MAX + 8, |number| {
        let registry = registry.clone();
        Box::pin(async move {
            loop {
                match create(&registry, &format!("child-{number}"), Some("full")).await {
                    Err(RegistryError::Contended) => {}
                    outcome => return outcome.is_ok(),
                }
            }
        })
    })
    .await;
    assert_eq!(outcomes.into_iter().filter(|made| *made).count(), THING_GROUP_CHILDREN_MAX);
    for round in 0..32 {
        let parent = format!("parent-{round}");
        create(&registry, &parent, None).await.unwrap();
        let outcomes = together(2, |number| {
            let (registry, parent) = (registry.clone(), parent.clone());
            Box::pin(async move {
                match number {
                    0 => create(&registry, &format!("of-{parent}"), Some(&parent)).await.is_ok(),
                    _ => registry.delete_thing_group(tenant(A), group_name(&parent), None).await.is_ok(),
                }
            })
        })
        .await;
        assert_eq!(outcomes.into_iter().filter(|done| *done).count(), 1, "exactly one of both happens");
    }
}
