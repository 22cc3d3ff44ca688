use super::{material::Ca, races::together, *};
use crate::{RegistryError, Tag, TaggedResource};

const DOCUMENT: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:Connect","Resource":"*"}]}"#;

fn tag(key: &str, value: &str) -> Tag {
    Tag { key: key.into(), value: value.into() }
}

fn policy(name: &str) -> TaggedResource {
    TaggedResource::Policy(name.parse().unwrap())
}

async fn create(registry: &Registry, name: &str, tags: Vec<Tag>) {
    registry.create_policy(tenant(A), name.parse().unwrap(), DOCUMENT.into(), tags, at(1)).await.unwrap();
}

async fn tags(registry: &Registry, resource: &TaggedResource) -> Vec<Tag> {
    registry.list_tags_for_resource(tenant(A), resource, None).await.unwrap()
}

#[tokio::test]
async fn tags_given_at_creation_are_the_ones_that_are_listed_and_changed() {
    let registry = registry().await;
    let ca = Ca::new("ca");
    let request = crate::RegisterCaCertificate { tags: vec![tag("a", "1")], ..ca.sni_only() };
    registry.register_ca_certificate(tenant(A), request, at(1)).await.unwrap();
    create(&registry, "p", vec![tag("a", "1")]).await;
    let group = crate::CreateThingGroup { tags: vec![tag("a", "1")], ..super::thing_groups::request("g", None) };
    registry.create_thing_group(tenant(A), group, at(1)).await.unwrap();
    let properties = crate::ThingTypeProperties::default();
    registry.create_thing_type(tenant(A), "t".parse().unwrap(), properties, vec![tag("a", "1")], at(1)).await.unwrap();
    for resource in [
        TaggedResource::CaCertificate(ca.id()),
        policy("p"),
        TaggedResource::ThingGroup("g".parse().unwrap()),
        TaggedResource::ThingType("t".parse().unwrap()),
    ] {
        assert_eq!(tags(&registry, &resource).await, [tag("a", "1")]);
        registry.tag_resource(tenant(A), &resource, &[tag("b", ""), tag("a", "2")]).await.unwrap();
        assert_eq!(tags(&registry, &resource).await, [tag("a", "2"), tag("b", "")]);
        registry.untag_resource(tenant(A), &resource, &["a".into(), "none".into()]).await.unwrap();
        assert_eq!(tags(&registry, &resource).await, [tag("b", "")]);
        let forged = registry.list_tags_for_resource(tenant(A), &resource, Some("x")).await;
        assert!(matches!(forged, Err(RegistryError::InvalidMarker)));
    }
    let described = registry.get_policy(tenant(A), &"p".parse().unwrap()).await.unwrap();
    assert_eq!((described.tags, described.modified), (vec![tag("b", "")], at(1).wall));
}

#[tokio::test]
async fn a_refused_change_of_tags_changes_nothing() {
    let registry = registry().await;
    create(&registry, "p", (0..49).map(|n| tag(&n.to_string(), "v")).collect()).await;
    let before = tags(&registry, &policy("p")).await;
    for (new, limit) in [
        (vec![tag("x", "v"), tag("y", "v")], true),
        (vec![tag("x", "v"), tag("x", "w")], false),
        (vec![tag("aws:x", "v")], false),
        (vec![tag("0", &"v".repeat(257))], false),
    ] {
        let error = registry.tag_resource(tenant(A), &policy("p"), &new).await.unwrap_err();
        assert_eq!(matches!(error, RegistryError::TooManyTags), limit, "{error}");
        assert_eq!(matches!(error, RegistryError::InvalidRequest(_)), !limit, "{error}");
        assert_eq!(tags(&registry, &policy("p")).await, before);
    }
    for owner in [tenant(A), tenant(B)] {
        let name = policy(if owner == tenant(A) { "none" } else { "p" });
        let errors = [
            registry.tag_resource(owner, &name, &[tag("k", "v")]).await.unwrap_err(),
            registry.untag_resource(owner, &name, &["k".into()]).await.unwrap_err(),
            registry.list_tags_for_resource(owner, &name, None).await.unwrap_err(),
        ];
        assert!(errors.iter().all(|error| matches!(error, RegistryError::PolicyNotFound(_))), "{errors:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tags_given_at_the_same_moment_are_all_there_and_never_too_many() {
    let registry = registry().await;
    create(&registry, "p", Vec::new()).await;
    let outcomes = together(60, |number| {
        let registry = registry.clone();
        Box::pin(async move {
            let tag = [tag(&number.to_string(), "v")];
            loop {
                match registry.tag_resource(tenant(A), &policy("p"), &tag).await {
                    Err(RegistryError::Contended) => {}
                    outcome => return outcome,
                }
            }
        })
    })
    .await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), crate::TAGS_MAX);
    assert_eq!(tags(&registry, &policy("p")).await.len(), crate::TAGS_MAX);
}
