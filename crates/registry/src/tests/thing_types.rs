use super::{
    things::{change, new, payload, thing},
    *,
};
use crate::{
    AttributePayload, CreateThing, PropagatingAttribute, RegistryError, Tag, ThingFilter, ThingTypeProperties,
    UpdateThing,
};
use tidegate_ids::ThingTypeName;

fn type_name(text: &str) -> ThingTypeName {
    text.parse().unwrap()
}

fn searchable(names: &[&str]) -> ThingTypeProperties {
    let searchable_attributes = names.iter().map(|name| (*name).into()).collect();
    ThingTypeProperties { description: Some("d".into()), searchable_attributes, propagating_attributes: None }
}

async fn make_type(registry: &Registry, name: &str, names: &[&str]) {
    registry.create_thing_type(tenant(A), type_name(name), searchable(names), Vec::new(), at(1)).await.unwrap();
}

fn typed(name: &str, kind: &str, pairs: &[(&str, &str)]) -> CreateThing {
    CreateThing { thing_type: Some(type_name(kind)), ..new(name, pairs) }
}

/// `count` attributes.
fn many(count: usize) -> Vec<(String, String)> {
    (0..count).map(|n| (format!("a{n}"), "v".to_owned())).collect()
}

fn pairs(of: &[(String, String)]) -> Vec<(&str, &str)> {
    of.iter().map(|(name, value)| (&**name, &**value)).collect()
}

#[tokio::test]
async fn a_thing_type_is_made_once_deprecated_and_deleted_after_five_minutes() {
    let registry = registry().await;
    let (owner, name) = (tenant(A), type_name("bulb"));
    let create =
        async |properties| registry.create_thing_type(owner, name.clone(), properties, Vec::new(), at(1)).await;
    let made = create(searchable(&["a", "b"])).await.unwrap();
    assert_eq!(made.arn().to_string(), format!("arn:aws:iot:eu-central-1:{A}:thingtype/bulb"));
    assert_eq!(create(searchable(&["b", "a"])).await.unwrap(), made);
    for other in [searchable(&["a"]), ThingTypeProperties { description: None, ..searchable(&["a", "b"]) }] {
        assert!(matches!(create(other).await, Err(RegistryError::ThingTypeExists(..))));
    }
    let delete = async |seconds| registry.delete_thing_type(owner, &name, at(seconds)).await;
    assert!(matches!(delete(2).await, Err(RegistryError::ThingTypeNotDeprecated(_))));
    registry.deprecate_thing_type(owner, &name, false, at(10)).await.unwrap();
    registry.deprecate_thing_type(owner, &name, false, at(100)).await.unwrap(); // keeps its date
    let lately = delete(309).await.unwrap_err();
    assert_eq!(
        lately.to_string(),
        "Cannot delete thing type : bulb. Please wait for 5 minutes after deprecation and then retry"
    );
    registry.deprecate_thing_type(owner, &name, true, at(309)).await.unwrap();
    assert!(matches!(delete(310).await, Err(RegistryError::ThingTypeNotDeprecated(_))));
    registry.deprecate_thing_type(owner, &name, false, at(400)).await.unwrap();
    assert!(matches!(delete(699).await, Err(RegistryError::ThingTypeDeprecatedLately(_))));
    delete(700).await.unwrap();
    for gone in [
        registry.describe_thing_type(owner, name.clone()).await.map(drop),
        registry.deprecate_thing_type(owner, &name, false, at(701)).await,
        registry.update_thing_type(owner, &name, ThingTypeProperties::default()).await,
        delete(701).await,
    ] {
        assert!(matches!(gone, Err(RegistryError::ThingTypeNotFound(_))), "{gone:?}");
    }
}

#[tokio::test]
async fn a_thing_type_says_how_its_things_may_be() {
    let registry = registry().await;
    let owner = tenant(A);
    make_type(&registry, "bulb", &["a0"]).await;
    make_type(&registry, "lamp", &[]).await;
    for (count, kind, valid) in [(3, None, true), (4, None, false), (50, Some("bulb"), true), (51, Some("bulb"), false)]
    {
        let attributes = many(count);
        let request = CreateThing { thing_type: kind.map(type_name), ..new(&format!("t{count}"), &pairs(&attributes)) };
        let outcome = registry.create_thing(owner, request, at(1)).await;
        assert_eq!(outcome.is_ok(), valid, "{count} {kind:?}");
    }
    let update = |name: &str, kind: Option<&str>, remove| UpdateThing {
        thing_type: kind.map(type_name),
        remove_thing_type: remove,
        ..change(name, AttributePayload::default())
    };
    // Fifty attributes are too many without a type.
    let bare = registry.update_thing(owner, update("t50", None, true), at(2)).await;
    assert!(matches!(bare, Err(RegistryError::InvalidRequest(_))), "{bare:?}");
    registry.update_thing(owner, update("t3", Some("lamp"), false), at(2)).await.unwrap();
    registry.deprecate_thing_type(owner, &type_name("lamp"), false, at(3)).await.unwrap();
    // Who has the type keeps it; nobody else is given it.
    registry.update_thing(owner, update("t3", Some("lamp"), false), at(4)).await.unwrap();
    let refused = registry.update_thing(owner, update("t50", Some("lamp"), false), at(4)).await.unwrap_err();
    assert_eq!(refused.to_string(), "Can not update a thing to use deprecated thing type: lamp");
    let refused = registry.create_thing(owner, typed("new", "lamp", &[]), at(4)).await.unwrap_err();
    assert_eq!(refused.to_string(), "Can not create new thing with deprecated thing type:lamp");
    let held = registry.delete_thing_type(owner, &type_name("lamp"), at(1000)).await;
    assert!(matches!(held, Err(RegistryError::ThingTypeHasThings(_))));
    registry.update_thing(owner, update("t3", None, true), at(5)).await.unwrap();
    assert_eq!(registry.describe_thing(owner, thing("t3")).await.unwrap().record.thing_type, None);
    registry.delete_thing_type(owner, &type_name("lamp"), at(1000)).await.unwrap();
    let gone = registry.update_thing(owner, update("t3", Some("lamp"), false), at(6)).await;
    assert!(matches!(gone, Err(RegistryError::ThingTypeNotFound(_))));
}

#[tokio::test]
async fn of_a_thing_type_only_the_mqtt_5_configuration_is_changed() {
    let registry = registry().await;
    let (owner, name) = (tenant(A), type_name("bulb"));
    make_type(&registry, "bulb", &["a"]).await;
    let property = |thing_attribute: Option<&str>, connection_attribute: Option<&str>| PropagatingAttribute {
        user_property_key: Some("k".into()),
        thing_attribute: thing_attribute.map(Into::into),
        connection_attribute: connection_attribute.map(Into::into),
    };
    let propagating = |attributes: Vec<PropagatingAttribute>| ThingTypeProperties {
        propagating_attributes: Some(attributes),
        ..ThingTypeProperties::default()
    };
    let good = vec![property(Some("a"), None), property(None, Some("iot:ClientId"))];
    registry.update_thing_type(owner, &name, propagating(good.clone())).await.unwrap();
    let seen = registry.describe_thing_type(owner, name.clone()).await.unwrap().record.properties;
    assert_eq!(seen, ThingTypeProperties { propagating_attributes: Some(good), ..searchable(&["a"]) });
    for wrong in [
        vec![property(None, None)],
        vec![property(Some("a"), Some("iot:ClientId"))],
        vec![property(Some("a"), None); 21],
    ] {
        let refused = registry.update_thing_type(owner, &name, propagating(wrong)).await;
        assert!(matches!(refused, Err(RegistryError::InvalidRequest(_))));
    }
    let refused = registry.update_thing_type(owner, &name, searchable(&["a"])).await.unwrap_err();
    assert_eq!(refused.to_string(), "Can only update mqtt5Configuration.");
    let tag = Tag { key: "k".into(), value: "v".into() };
    for (properties, tags) in [
        (searchable(&["a", "b", "c", "d"]), vec![]),
        (searchable(&["a", "a"]), vec![]),
        (searchable(&["a b"]), vec![]),
        (searchable(&[""]), vec![]),
        (searchable(&[]), vec![tag.clone(), tag]),
    ] {
        let refused = registry.create_thing_type(owner, type_name("new"), properties, tags, at(1)).await;
        assert!(matches!(refused, Err(RegistryError::InvalidRequest(_))), "{refused:?}");
    }
}

/// All pages of at most `size` things: their names, joined.
async fn listed(registry: &Registry, filter: &ThingFilter, size: u32) -> String {
    let mut request = PageRequest { size: Some(size), ascending: true, marker: None };
    let mut names = Vec::new();
    loop {
        let page = registry.list_things(tenant(A), filter.clone(), request.clone()).await.unwrap();
        assert!(page.items.len() <= size as usize);
        names.extend(page.items.into_iter().map(|thing| thing.name.to_string()));
        match page.next_marker {
            Some(marker) => request.marker = Some(marker),
            None => return names.join(" "),
        }
    }
}

fn filter(attribute: Option<&str>, value: Option<&str>, prefix: bool, kind: Option<&str>) -> ThingFilter {
    ThingFilter {
        attribute_name: attribute.map(Into::into),
        attribute_value: value.map(Into::into),
        use_prefix_attribute_value: prefix,
        thing_type: kind.map(type_name),
    }
}

#[tokio::test]
async fn things_are_listed_by_attribute_and_type() {
    let registry = registry().await;
    let owner = tenant(A);
    make_type(&registry, "bulb", &["room"]).await;
    for request in [
        new("b", &[("room", "1"), ("colour", "red")]),
        new("a", &[("room", "12")]),
        new("d", &[]),
        typed("c", "bulb", &[("room", "1"), ("colour", "red")]),
        typed("e", "bulb", &[("room", "2")]),
    ] {
        registry.create_thing(owner, request, at(1)).await.unwrap();
    }
    registry.create_thing(tenant(B), new("z", &[("room", "1")]), at(1)).await.unwrap();
    for (filter, expected) in [
        (filter(None, None, false, None), "a b c d e"),
        (filter(None, None, true, None), "a b c d e"),
        (filter(None, None, false, Some("bulb")), "c e"),
        (filter(None, None, false, Some("none")), ""),
        (filter(Some("room"), Some("1"), false, None), "b c"),
        (filter(Some("room"), Some("1"), true, None), "b c a"), // by value, then by name
        (filter(Some("room"), Some(""), true, None), "b c a e"),
        (filter(Some("room"), Some(""), false, None), ""),
        (filter(Some("room"), None, false, None), "b c a e"),
        (filter(Some("room"), Some("1"), false, Some("bulb")), "c"),
        (filter(Some("room"), None, false, Some("bulb")), "c e"),
        // Of a thing with a type, what the type does not name is not looked at.
        (filter(Some("colour"), Some("red"), false, None), "b"),
        (filter(Some("colo"), None, true, None), ""),
    ] {
        for size in [1, 2, 250] {
            assert_eq!(listed(&registry, &filter, size).await, expected, "{filter:?} {size}");
        }
    }
    // The indexes follow every change.
    registry.update_thing(owner, change("b", payload(&[("room", "3")], false)), at(2)).await.unwrap();
    let remove = UpdateThing { remove_thing_type: true, ..change("c", AttributePayload::default()) };
    registry.update_thing(owner, remove, at(2)).await.unwrap();
    registry.delete_thing(owner, thing("e"), None).await.unwrap();
    for (filter, expected) in [
        (filter(Some("room"), None, false, None), "c a b"),
        (filter(Some("colour"), Some("red"), false, None), "c"),
        (filter(None, None, false, Some("bulb")), ""),
    ] {
        assert_eq!(listed(&registry, &filter, 1).await, expected, "{filter:?}");
    }
    for wrong in [
        filter(None, Some("1"), false, None),
        filter(Some("a b"), None, false, None),
        filter(Some("a"), Some("\0"), true, None),
    ] {
        let refused = registry.list_things(owner, wrong.clone(), first_page()).await;
        assert!(matches!(refused, Err(RegistryError::InvalidRequest(_))), "{wrong:?}");
    }
}

#[tokio::test]
async fn a_token_belongs_to_its_filter_and_account() {
    let registry = registry().await;
    let owner = tenant(A);
    for name in ["a", "b", "c"] {
        registry.create_thing(owner, new(name, &[("room", "1")]), at(1)).await.unwrap();
    }
    let by_room = filter(Some("room"), Some("1"), false, None);
    let page = |marker: Option<String>| PageRequest { size: Some(1), ascending: true, marker };
    let first = registry.list_things(owner, by_room.clone(), page(None)).await.unwrap();
    let token = first.next_marker.unwrap();
    for (owner, filter) in [
        (owner, ThingFilter::default()),
        (owner, filter(Some("room"), Some("2"), false, None)),
        (tenant(B), by_room.clone()),
    ] {
        let refused = registry.list_things(owner, filter, page(Some(token.clone()))).await;
        assert!(matches!(refused, Err(RegistryError::InvalidMarker)), "{refused:?}");
    }
    let second = registry.list_things(owner, by_room, page(Some(token))).await.unwrap();
    assert_eq!(second.items[0].name, thing("b"));
}

#[tokio::test]
async fn one_call_looks_at_a_thousand_things_at_most() {
    let registry = registry().await;
    let owner = tenant(A);
    make_type(&registry, "bulb", &["room"]).await;
    for n in 0..1010 {
        registry.create_thing(owner, new(&format!("t{n:04}"), &[("room", "1")]), at(1)).await.unwrap();
    }
    registry.create_thing(owner, typed("z", "bulb", &[("room", "1")]), at(1)).await.unwrap();
    let both = filter(Some("room"), Some("1"), false, Some("bulb"));
    let request = PageRequest { ascending: true, ..first_page() };
    let empty = registry.list_things(owner, both.clone(), request).await.unwrap();
    assert!(empty.items.is_empty() && empty.next_marker.is_some());
    assert_eq!(listed(&registry, &both, 25).await, "z");
}
