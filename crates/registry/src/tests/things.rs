use super::{material::self_signed, *};
use crate::{
    Admitted, AttributePayload, Attributes, ConnectionGrants, CreateThing, RegistryError, ThingPrincipal,
    ThingPrincipalType::{ExclusiveThing, NonExclusiveThing},
    UpdateThing,
};
use tidegate_ids::{CertificateId, ThingName};

pub(super) fn thing(text: &str) -> ThingName {
    text.parse().unwrap()
}

pub(super) fn payload(pairs: &[(&str, &str)], merge: bool) -> AttributePayload {
    let attributes = pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    AttributePayload { attributes: Some(attributes), merge }
}

pub(super) fn new(name: &str, pairs: &[(&str, &str)]) -> CreateThing {
    CreateThing { name: thing(name), thing_type: None, attributes: payload(pairs, false) }
}

pub(super) fn change(name: &str, attributes: AttributePayload) -> UpdateThing {
    UpdateThing { name: thing(name), thing_type: None, remove_thing_type: false, attributes, expected_version: None }
}

pub(super) async fn certificate(registry: &Registry, name: &str) -> CertificateId {
    registry.register_certificate_without_ca(tenant(A), &self_signed(name), None, at(1)).await.unwrap()
}

#[tokio::test]
async fn a_thing_is_made_once_and_answered_again() {
    let registry = registry().await;
    let owner = tenant(A);
    let made = registry.create_thing(owner, new("t", &[("a", "1"), ("b", "")]), at(1)).await.unwrap();
    assert_eq!(made.arn().to_string(), format!("arn:aws:iot:eu-central-1:{A}:thing/t"));
    assert_eq!((made.record.version, made.record.attributes.len()), (1, 1));
    // The same configuration, whatever `merge` says.
    let mut again = new("t", &[("a", "1")]);
    again.attributes.merge = true;
    assert_eq!(registry.create_thing(owner, again, at(2)).await.unwrap(), made);
    assert_eq!(registry.describe_thing(owner, thing("t")).await.unwrap(), made);
    let other = registry.create_thing(owner, new("t", &[("a", "2")]), at(2)).await.unwrap_err();
    assert_eq!(other.to_string(), "Thing t already exists in account with different attributes");
    // Another account's thing of the same name is another thing.
    let of_b = registry.create_thing(tenant(B), new("t", &[]), at(3)).await.unwrap();
    assert_ne!(of_b.record.id, made.record.id);
    assert!(matches!(registry.describe_thing(owner, thing("x")).await, Err(RegistryError::ThingNotFound(_))));
    let untyped = CreateThing { thing_type: Some("tt".parse().unwrap()), ..new("u", &[]) };
    let missing = registry.create_thing(owner, untyped, at(3)).await;
    assert!(matches!(missing, Err(RegistryError::ThingTypeNotFound(_))));
}

#[tokio::test]
async fn an_update_counts_the_version_up_and_another_version_is_refused() {
    let registry = registry().await;
    let owner = tenant(A);
    registry.create_thing(owner, new("t", &[("a", "1"), ("b", "2")]), at(1)).await.unwrap();
    registry.update_thing(owner, change("t", payload(&[("b", ""), ("c", "3")], true)), at(2)).await.unwrap();
    let seen = registry.describe_thing(owner, thing("t")).await.unwrap().record;
    let expected: Attributes = [("a", "1"), ("c", "3")].map(|(n, v)| (n.to_owned(), v.to_owned())).into();
    assert_eq!((seen.attributes, seen.version, seen.modified), (expected.clone(), 2, at(2).wall));
    let expecting = |version| UpdateThing { expected_version: Some(version), ..change("t", payload(&[], false)) };
    for wrong in [1, 3, 0, -1, i64::MAX] {
        let refused = registry.update_thing(owner, expecting(wrong), at(3)).await;
        assert!(matches!(refused, Err(RegistryError::ThingVersionConflict(_))), "{wrong}: {refused:?}");
        let refused = registry.delete_thing(owner, thing("t"), Some(wrong)).await;
        assert!(matches!(refused, Err(RegistryError::ThingVersionConflict(_))), "{wrong}: {refused:?}");
    }
    for refused in [
        registry.update_thing(owner, change("t", payload(&[("d", "4"), ("e", "5")], true)), at(3)).await, // four
        registry.update_thing(owner, change("t", payload(&[("d e", "4")], true)), at(3)).await,
        registry
            .update_thing(
                owner,
                UpdateThing {
                    thing_type: Some("tt".parse().unwrap()),
                    remove_thing_type: true,
                    ..change("t", AttributePayload::default())
                },
                at(3),
            )
            .await,
    ] {
        assert!(matches!(refused, Err(RegistryError::InvalidRequest(_))), "{refused:?}");
    }
    assert_eq!(registry.describe_thing(owner, thing("t")).await.unwrap().record.attributes, expected);
    registry.update_thing(owner, expecting(2), at(4)).await.unwrap();
    assert!(registry.describe_thing(owner, thing("t")).await.unwrap().record.attributes.is_empty());
    registry.delete_thing(owner, thing("t"), Some(3)).await.unwrap();
    for version in [None, Some(3)] {
        registry.delete_thing(owner, thing("t"), version).await.unwrap(); // what is not there counts as deleted
    }
    let gone = registry.update_thing(owner, change("t", payload(&[], false)), at(5)).await;
    assert!(matches!(gone, Err(RegistryError::ThingNotFound(_))));
}

#[tokio::test]
async fn attachments_are_seen_from_both_sides_and_hold_both_ends() {
    let registry = registry().await;
    let owner = tenant(A);
    let id = certificate(&registry, "d").await;
    let principal = ThingPrincipal::Certificate(id);
    for name in ["t", "u"] {
        registry.create_thing(owner, new(name, &[]), at(1)).await.unwrap();
        for _ in 0..2 {
            registry.attach_thing_principal(owner, &thing(name), principal, NonExclusiveThing).await.unwrap();
        }
    }
    let things = registry.list_principal_things(owner, principal, None, first_page()).await.unwrap().items;
    assert_eq!(things, [(thing("u"), NonExclusiveThing), (thing("t"), NonExclusiveThing)]);
    let principals = registry.list_thing_principals(owner, &thing("t"), None, first_page()).await.unwrap().items;
    assert_eq!(principals, [(principal, NonExclusiveThing)]);
    let exclusive = Some(ExclusiveThing);
    let none = registry.list_thing_principals(owner, &thing("t"), exclusive, first_page()).await.unwrap().items;
    assert!(none.is_empty());
    let held = registry.delete_thing(owner, thing("t"), None).await.unwrap_err();
    assert_eq!(held.to_string(), "Cannot delete. Thing t is still attached to one or more principals");
    let held = registry.delete_certificate(owner, id, true).await.unwrap_err();
    assert_eq!(
        held.to_string(),
        format!("Things must be detached before deletion (arn: arn:aws:iot:eu-central-1:{A}:cert/{id})")
    );
    let held = registry.transfer_certificate(owner, id, B.parse().unwrap(), None, at(2)).await;
    assert!(matches!(held, Err(RegistryError::TransferThingsAttached(..))), "{held:?}");
    for name in ["t", "u"] {
        for _ in 0..2 {
            registry.detach_thing_principal(owner, &thing(name), principal).await.unwrap();
        }
        registry.delete_thing(owner, thing(name), None).await.unwrap();
    }
    registry.transfer_certificate(owner, id, B.parse().unwrap(), None, at(2)).await.unwrap();
    registry.create_thing(owner, new("t", &[]), at(3)).await.unwrap();
    let moving = registry.attach_thing_principal(owner, &thing("t"), principal, NonExclusiveThing).await;
    assert!(matches!(moving, Err(RegistryError::TargetInTransfer(_))));
}

#[tokio::test]
async fn an_exclusive_thing_is_the_only_one() {
    let registry = registry().await;
    let owner = tenant(A);
    let principal = ThingPrincipal::Certificate(certificate(&registry, "d").await);
    for name in ["t", "u"] {
        registry.create_thing(owner, new(name, &[]), at(1)).await.unwrap();
    }
    let attach = async |name: &str, kind| registry.attach_thing_principal(owner, &thing(name), principal, kind).await;
    attach("t", ExclusiveThing).await.unwrap();
    for kind in [ExclusiveThing, NonExclusiveThing] {
        let refused = attach("u", kind).await;
        assert!(matches!(refused, Err(RegistryError::ExclusivelyAttached(..))), "{refused:?}");
    }
    attach("t", NonExclusiveThing).await.unwrap();
    attach("u", NonExclusiveThing).await.unwrap();
    let refused = attach("u", ExclusiveThing).await;
    assert!(matches!(refused, Err(RegistryError::AttachedToOthers(..))), "{refused:?}");
    registry.detach_thing_principal(owner, &thing("t"), principal).await.unwrap();
    attach("u", ExclusiveThing).await.unwrap();
    let things = registry.list_principal_things(owner, principal, None, first_page()).await.unwrap().items;
    assert_eq!(things, [(thing("u"), ExclusiveThing)]);
    // A thing may have several principals, each of which has no other thing.
    let second = ThingPrincipal::Certificate(certificate(&registry, "e").await);
    registry.attach_thing_principal(owner, &thing("u"), second, ExclusiveThing).await.unwrap();
    let principals = registry.list_thing_principals(owner, &thing("u"), None, first_page()).await.unwrap().items;
    assert_eq!(principals.len(), 2);
}

#[tokio::test]
async fn what_is_not_there_is_not_attached() {
    let registry = registry().await;
    let owner = tenant(A);
    let principal = ThingPrincipal::Certificate(certificate(&registry, "d").await);
    let nobody = ThingPrincipal::Certificate("ab".repeat(32).parse().unwrap());
    registry.create_thing(owner, new("t", &[]), at(1)).await.unwrap();
    for (name, principal) in [("x", principal), ("t", nobody)] {
        for outcome in [
            registry.attach_thing_principal(owner, &thing(name), principal, NonExclusiveThing).await,
            registry.detach_thing_principal(owner, &thing(name), principal).await,
        ] {
            use RegistryError::{CertificateNotFound, ThingNotFound};
            assert!(matches!(outcome, Err(CertificateNotFound(_) | ThingNotFound(_))), "{outcome:?}");
        }
    }
    let of_b = registry.attach_thing_principal(tenant(B), &thing("t"), principal, NonExclusiveThing).await;
    assert!(matches!(of_b, Err(RegistryError::ThingNotFound(_))));
    let listed = registry.list_thing_principals(owner, &thing("x"), None, first_page()).await.unwrap_err();
    assert_eq!(
        listed.to_string(),
        "Failed to list principals for thing x because the thing does not exist in your account"
    );
    let listed = registry.list_principal_things(owner, nobody, None, first_page()).await;
    assert!(matches!(listed, Err(RegistryError::CertificateNotFound(_))));
}

/// Name, a value of the attribute `a`, whether attached, whether exclusively.
fn seen(registry: &Registry, id: CertificateId, client_id: &str) -> Option<(String, Option<String>, bool, bool)> {
    let bound = registry.directory().bound_thing(tenant(A), id, client_id)?;
    let exclusively = bound.attached == Some(ExclusiveThing);
    Some((bound.name.to_string(), bound.state.attribute("a").map(str::to_owned), bound.attached.is_some(), exclusively))
}

#[tokio::test]
async fn a_connection_stands_for_the_exclusive_thing_or_for_the_one_named_as_its_client_id() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let registry = open(Arc::clone(&store), Box::new(())).await;
    let owner = tenant(A);
    let id = certificate(&registry, "d").await;
    let principal = ThingPrincipal::Certificate(id);
    assert_eq!(seen(&registry, id, "t"), None);
    for name in ["t", "u"] {
        registry.create_thing(owner, new(name, &[("a", name)]), at(1)).await.unwrap();
    }
    let of = |name: &str, attached, exclusive| Some((name.to_owned(), Some(name.to_owned()), attached, exclusive));
    assert_eq!(seen(&registry, id, "t"), of("t", false, false));
    for client_id in ["x", "", "t/1", "T"] {
        assert_eq!(seen(&registry, id, client_id), None, "{client_id}");
    }
    registry.attach_thing_principal(owner, &thing("t"), principal, NonExclusiveThing).await.unwrap();
    assert_eq!((seen(&registry, id, "t"), seen(&registry, id, "u")), (of("t", true, false), of("u", false, false)));
    registry.attach_thing_principal(owner, &thing("u"), principal, NonExclusiveThing).await.unwrap();
    assert_eq!((seen(&registry, id, "t"), seen(&registry, id, "u")), (of("t", true, false), of("u", true, false)));
    registry.detach_thing_principal(owner, &thing("t"), principal).await.unwrap();
    registry.attach_thing_principal(owner, &thing("u"), principal, ExclusiveThing).await.unwrap();
    for client_id in ["u", "t", "x", "t/1"] {
        assert_eq!(seen(&registry, id, client_id), of("u", true, true), "{client_id}");
        let reopened = open(Arc::clone(&store), Box::new(())).await;
        assert_eq!(seen(&reopened, id, client_id), of("u", true, true), "{client_id}, after a restart");
    }
    registry.detach_thing_principal(owner, &thing("u"), principal).await.unwrap();
    assert_eq!(seen(&registry, id, "x"), None);
    registry.delete_thing(owner, thing("u"), None).await.unwrap();
    assert_eq!(seen(&registry, id, "u"), None);
}

#[tokio::test]
async fn a_connection_hears_of_every_change_of_its_thing() {
    let registry = registry().await;
    let owner = tenant(A);
    let id = certificate(&registry, "d").await;
    let principal = ThingPrincipal::Certificate(id);
    let connection = |client_id: &str| {
        let grants = registry.directory().grants(owner, id).unwrap();
        let admitted = Admitted { tenant: owner, certificate_id: id, grants };
        ConnectionGrants::new(registry.directory(), admitted, client_id)
    };
    let (named, other) = (connection("t"), connection("no thing's name"));
    let mut last = (named.generation(), other.generation());
    let mut hears = |what: &str, expected: (bool, bool)| {
        let now = (named.generation(), other.generation());
        assert!(now.0 >= last.0 && now.1 >= last.1, "{what}: a generation counts up");
        assert_eq!((now.0 > last.0, now.1 > last.1), expected, "{what}");
        last = now;
    };
    registry.create_thing(owner, new("t", &[("a", "1")]), at(1)).await.unwrap();
    hears("made", (true, false));
    registry.create_thing(owner, new("t", &[("a", "1")]), at(1)).await.unwrap();
    hears("made again", (false, false));
    registry.update_thing(owner, change("t", payload(&[("a", "2")], false)), at(2)).await.unwrap();
    hears("changed", (true, false));
    registry.update_thing(owner, change("t", payload(&[("a", "2")], false)), at(2)).await.unwrap();
    hears("another version of the same", (false, false));
    registry.attach_thing_principal(owner, &thing("t"), principal, NonExclusiveThing).await.unwrap();
    hears("attached", (true, true));
    registry.attach_thing_principal(owner, &thing("t"), principal, ExclusiveThing).await.unwrap();
    hears("attached exclusively", (true, true));
    assert_eq!(other.thing().unwrap().state.attribute("a"), Some("2"));
    registry.update_thing(owner, change("t", payload(&[("a", "3")], false)), at(3)).await.unwrap();
    hears("changed, exclusive", (true, true));
    assert_eq!(other.thing().unwrap().state.attribute("a"), Some("3"));
    registry.detach_thing_principal(owner, &thing("t"), principal).await.unwrap();
    hears("detached", (true, true));
    assert_eq!(other.thing(), None);
    registry.delete_thing(owner, thing("t"), None).await.unwrap();
    hears("deleted", (true, false));
    assert_eq!(named.thing(), None);
}
