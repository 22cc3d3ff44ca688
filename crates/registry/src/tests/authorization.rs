//! What is tested and explained is what live connections get.

use tidegate_ids::{CertificateId, PolicyName};
use tidegate_policy::{Access, Decision, PolicySet, RequestContext, Variables};

use super::{
    things::{certificate, new, thing},
    *,
};
use crate::{
    Admitted, CertificateStatus, ConnectionGrants, CreateThingGroup, PolicyTarget, RegistryError, Subject,
    ThingPrincipal,
    ThingPrincipalType::{self, ExclusiveThing, NonExclusiveThing},
};

fn names(policies: &PolicySet) -> Vec<String> {
    let mut names: Vec<String> = policies.policies().iter().map(|policy| policy.name.to_string()).collect();
    names.sort();
    names
}

fn may_publish(policies: &PolicySet, variables: &Variables, topic: &str) -> bool {
    let decision = policies.bind(variables).decide(Access::Publish, topic, &RequestContext::at(at(9).wall));
    matches!(decision, Decision::Allowed(_))
}

async fn policy(registry: &Registry, name: &str, topic: &str, target: PolicyTarget) {
    let arn = format!("arn:aws:iot:eu-central-1:{A}:topic/{topic}");
    let document = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"iot:Publish","Resource":"{arn}"}}]}}"#
    );
    let name: PolicyName = name.parse().unwrap();
    registry.create_policy(tenant(A), name.clone(), document, Vec::new(), at(1)).await.unwrap();
    registry.attach_policy(tenant(A), &name, target).await.unwrap();
}

/// The thing `lamp` in the group `floor` below `house`, each with a policy; a certificate with one, attached as said.
async fn world(attached: Option<ThingPrincipalType>) -> (Registry, CertificateId) {
    let registry = registry().await;
    let owner = tenant(A);
    let id = certificate(&registry, "leaf").await;
    registry.update_certificate(owner, id, CertificateStatus::Active, at(1)).await.unwrap();
    policy(&registry, "own", "own/${iot:ClientId}", PolicyTarget::Certificate(id)).await;
    for (group, parent) in [("house", None), ("floor", Some("house".parse().unwrap()))] {
        let request = CreateThingGroup {
            name: group.parse().unwrap(),
            parent,
            description: None,
            attributes: Default::default(),
            tags: Vec::new(),
        };
        registry.create_thing_group(owner, request, at(2)).await.unwrap();
        policy(
            &registry,
            group,
            &format!("{group}/${{iot:Connection.Thing.Attributes[room]}}"),
            PolicyTarget::ThingGroup(group.parse().unwrap()),
        )
        .await;
    }
    registry.create_thing(owner, new("lamp", &[("room", "r9")]), at(3)).await.unwrap();
    registry.add_thing_to_thing_group(owner, &thing("lamp"), &"floor".parse().unwrap()).await.unwrap();
    if let Some(kind) = attached {
        let principal = ThingPrincipal::Certificate(id);
        registry.attach_thing_principal(owner, &thing("lamp"), principal, kind).await.unwrap();
    }
    (registry, id)
}

#[tokio::test]
async fn a_subject_has_the_rights_of_a_live_connection() {
    let all = ["floor", "house", "own"];
    for (attached, client_id, policies, topic, allowed) in [
        (None, "lamp", &all[2..], "floor/r9", false),
        (None, "other", &all[2..], "own/other", true),
        (Some(NonExclusiveThing), "lamp", &all[..], "floor/r9", true),
        (Some(NonExclusiveThing), "lamp", &all[..], "house/r9", true),
        (Some(NonExclusiveThing), "lamp", &all[..], "house/r8", false),
        (Some(NonExclusiveThing), "other", &all[2..], "floor/r9", false),
        (Some(ExclusiveThing), "other", &all[..], "floor/r9", true),
        (Some(ExclusiveThing), "not a thing name", &all[..], "own/not a thing name", true),
    ] {
        let (registry, id) = world(attached).await;
        let case = format!("{attached:?} {client_id} {topic}");
        let grants = registry.directory().grants(tenant(A), id).unwrap();
        let admitted = Admitted { tenant: tenant(A), certificate_id: id, grants };
        let live = ConnectionGrants::new(registry.directory(), admitted, client_id);
        assert_eq!(names(&live.policies()), policies, "{case}");
        let subject = Subject {
            principal: Some(PolicyTarget::Certificate(id)),
            client_id: Some(client_id.into()),
            ..Default::default()
        };
        let tested = registry.subject_rights(tenant(A), &subject).await.unwrap();
        assert_eq!(names(&tested.policies), policies, "{case}");
        assert_eq!(tested.status, Some(CertificateStatus::Active));
        let mut variables = Variables::new();
        variables.client_id(client_id);
        live.thing().inspect(|thing| thing.add_to(&mut variables));
        assert_eq!(may_publish(&live.policies(), &variables, topic), allowed, "{case}");
        assert_eq!(may_publish(&tested.policies, &tested.variables, topic), allowed, "{case}");
    }
}

#[tokio::test]
async fn effective_policies_count_the_groups_of_an_attached_thing() {
    for (attached, with_principal, thing_name, expected) in [
        (None, true, None, &["own"] as &[&str]),
        (None, true, Some("lamp"), &["own"]),
        (Some(NonExclusiveThing), true, Some("lamp"), &["floor", "house", "own"]),
        (Some(NonExclusiveThing), true, None, &["own"]),
        (None, false, Some("lamp"), &["floor", "house"]),
    ] {
        let (registry, id) = world(attached).await;
        let principal = with_principal.then_some(PolicyTarget::Certificate(id));
        let name = thing_name.map(thing);
        let found = registry.get_effective_policies(tenant(A), principal, name.as_ref()).await.unwrap();
        let found: Vec<&str> = found.iter().map(|policy| policy.name.as_str()).collect();
        assert_eq!(found, expected, "{attached:?} {with_principal} {thing_name:?}");
    }
    let (registry, _) = world(None).await;
    let group = Some(PolicyTarget::ThingGroup("floor".parse().unwrap()));
    let of_group = registry.get_effective_policies(tenant(A), group, None).await.unwrap();
    assert_eq!(of_group.iter().map(|policy| policy.name.as_str()).collect::<Vec<_>>(), ["floor", "house"]);
    let nothing = registry.get_effective_policies(tenant(A), None, None).await.unwrap_err();
    assert!(matches!(nothing, RegistryError::InvalidRequest(_)), "{nothing}");
    let nobody = registry.get_effective_policies(tenant(A), None, Some(&thing("nobody"))).await.unwrap_err();
    assert!(matches!(nobody, RegistryError::ThingNotFound(_)), "{nobody}");
}
