use std::future::Future;

use tokio::task::JoinSet;

use super::{
    material::{Ca, self_signed},
    *,
};
use crate::{
    Admission, AttributePayload, CertificateStatus, CreateThing, PolicyTarget, Presented, RegisterCertificate,
    RegistryError, ServerName, ThingPrincipal, ThingPrincipalType, ThingTypeProperties, UpdateCaCertificate,
};

/// Runs them at once and gathers the outcomes.
pub(super) async fn together<T: Send + 'static>(
    count: usize,
    start: impl Fn(usize) -> std::pin::Pin<Box<dyn Future<Output = T> + Send>>,
) -> Vec<T> {
    let mut tasks = JoinSet::new();
    for number in 0..count {
        tasks.spawn(start(number));
    }
    tasks.join_all().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_first_connects_of_one_leaf_make_one_row() {
    let registry = registry().await;
    let (ca, owner) = (Ca::new("ca"), tenant(A));
    let ca_id = ca.register(&registry, owner, at(1)).await;
    let leaf = Arc::new(ca.leaf("device"));
    let outcomes = together(200, |_| {
        let (registry, leaf) = (registry.clone(), Arc::clone(&leaf));
        Box::pin(async move {
            let presented =
                Presented { leaf: &leaf, server_name: ServerName::Host, registers_without_sni: true, client_id: "d" };
            match registry.connect(presented, at(2)).await.unwrap() {
                Admission::Registered(event) => (1, event.registered),
                Admission::PendingActivation(event) => (0, event.registered),
                Admission::Active(_) => panic!("nobody activated it"),
            }
        })
    })
    .await;
    assert_eq!(outcomes.iter().map(|(registered, _)| registered).sum::<usize>(), 1);
    assert!(outcomes.iter().all(|(registered, at_moment)| (*registered == 1) == at_moment.is_none()));
    let listed = registry.list_certificates_by_ca(owner, ca_id, first_page()).await.unwrap();
    assert_eq!(listed.items.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_equal_registrations_one_succeeds() {
    let registry = registry().await;
    let (ca, owner) = (Ca::new("ca"), tenant(A));
    let request = ca.request(&registry, owner, at(1)).await;
    let outcomes = together(16, |_| {
        let (registry, request) = (registry.clone(), request.clone());
        Box::pin(async move { registry.register_ca_certificate(owner, request, at(1)).await })
    })
    .await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let exists = |outcome: &&Result<_, _>| matches!(outcome, Err(RegistryError::CaCertificateExists(..)));
    assert_eq!(outcomes.iter().filter(exists).count(), 15);
    let pem = ca.leaf_pem("device");
    let outcomes = together(16, |_| {
        let (registry, certificate_pem) = (registry.clone(), pem.clone());
        Box::pin(async move {
            let input = RegisterCertificate { certificate_pem, ..Default::default() };
            registry.register_certificate(owner, input, at(1)).await
        })
    })
    .await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_accounts_never_both_hold_a_ca_in_default_mode() {
    let registry = registry().await;
    for round in 0..10 {
        let ca = Ca::new(&format!("ca {round}"));
        let requests = [
            (tenant(A), ca.request(&registry, tenant(A), at(1)).await),
            (tenant(B), ca.request(&registry, tenant(B), at(1)).await),
        ];
        let outcomes = together(2, |number| {
            let (registry, (owner, request)) = (registry.clone(), requests[number].clone());
            Box::pin(async move { registry.register_ca_certificate(owner, request, at(1)).await })
        })
        .await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn attach_and_delete_end_in_exactly_one_outcome() {
    let registry = registry().await;
    let owner = tenant(A);
    let allow = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}"#;
    for round in 0..30 {
        let name: tidegate_ids::PolicyName = format!("p{round}").parse().unwrap();
        registry.create_policy(owner, name.clone(), allow.into(), Vec::new(), at(1)).await.unwrap();
        let id = registry.register_certificate_without_ca(owner, &self_signed("d"), None, at(1)).await.unwrap();
        let target = PolicyTarget::Certificate(id);
        let outcomes = together(3, |number| {
            let (registry, name, target) = (registry.clone(), name.clone(), target.clone());
            Box::pin(async move {
                match number {
                    0 => registry.attach_policy(owner, &name, target).await,
                    1 => registry.delete_policy(owner, &name).await,
                    _ => registry.delete_certificate(owner, id, false).await,
                }
            })
        })
        .await;
        let policy = registry.get_policy(owner, &name).await.is_ok();
        let certificate = registry.describe_certificate(owner, id).await.is_ok();
        let attached = match registry.list_attached_policies(owner, target.clone(), false, first_page()).await {
            Ok(page) => page.items.contains(&name),
            Err(_) => false,
        };
        if attached {
            assert!(policy && certificate, "{outcomes:?}");
            assert_eq!(registry.list_targets_for_policy(owner, &name, first_page()).await.unwrap().items, [target]);
        } else {
            assert!(!policy || !certificate, "nobody won: {outcomes:?}");
            if policy {
                assert!(registry.list_targets_for_policy(owner, &name, first_page()).await.unwrap().items.is_empty());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_ca_that_was_deactivated_registers_nobody_afterwards() {
    let registry = registry().await;
    let owner = tenant(A);
    for round in 0..10 {
        let ca = Arc::new(Ca::new(&format!("ca {round}")));
        let id = ca.register(&registry, owner, at(1)).await;
        let connects = together(8, |number| {
            let (registry, leaf) = (registry.clone(), ca.leaf(&number.to_string()));
            Box::pin(async move {
                if number == 4 {
                    let off = UpdateCaCertificate { new_status: Some(crate::CaStatus::Inactive), ..Default::default() };
                    registry.update_ca_certificate(owner, id, off, at(2)).await.unwrap();
                    // From here on nothing is registered: whoever comes later is refused.
                    let count = registry.list_certificates_by_ca(owner, id, first_page()).await.unwrap().items.len();
                    return Some(count);
                }
                let server_name = ServerName::Host;
                let presented = Presented { leaf: &leaf, server_name, registers_without_sni: true, client_id: "d" };
                let _ = registry.connect(presented, at(2)).await;
                None
            })
        })
        .await;
        let at_deactivation = connects.into_iter().flatten().next().unwrap();
        let finally = registry.list_certificates_by_ca(owner, id, first_page()).await.unwrap().items.len();
        assert_eq!(at_deactivation, finally);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn versions_of_many_callers_have_different_numbers() {
    let registry = registry().await;
    let owner = tenant(A);
    let allow = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}"#;
    registry.create_policy(owner, "p".parse().unwrap(), allow.into(), Vec::new(), at(1)).await.unwrap();
    let outcomes = together(12, |_| {
        let registry = registry.clone();
        Box::pin(
            async move { registry.create_policy_version(owner, "p".parse().unwrap(), allow.into(), true, at(2)).await },
        )
    })
    .await;
    let mut numbers: Vec<_> = outcomes.iter().flatten().map(|created| created.version.number()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [2, 3, 4, 5]);
    assert!(outcomes.iter().filter_map(|o| o.as_ref().err()).all(|e| matches!(e, RegistryError::TooManyVersions(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_change_that_returned_is_seen_by_the_next_connect() {
    let registry = registry().await;
    let follower = registry.clone();
    let following = tokio::spawn(async move { follower.run_directory().await });
    let owner = tenant(A);
    let pem = self_signed("device");
    let leaf = tidegate_pki::ClientLeaf::from_pem(&pem).unwrap();
    let id = registry.register_certificate_without_ca(owner, &pem, None, at(1)).await.unwrap();
    let presented = Presented {
        leaf: &leaf,
        server_name: ServerName::Endpoint(owner),
        registers_without_sni: true,
        client_id: "d",
    };
    for round in 0..200 {
        let status = if round % 2 == 0 { CertificateStatus::Active } else { CertificateStatus::Inactive };
        registry.update_certificate(owner, id, status, at(2)).await.unwrap();
        assert_eq!(registry.connect(presented, at(3)).await.is_ok(), status == CertificateStatus::Active, "{round}");
    }
    following.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_certificate_with_things_is_neither_deleted_nor_transferred_and_its_things_stay() {
    let registry = registry().await;
    let owner = tenant(A);
    for round in 0..40 {
        let name: tidegate_ids::ThingName = format!("t{round}").parse().unwrap();
        let request = CreateThing { name: name.clone(), thing_type: None, attributes: AttributePayload::default() };
        registry.create_thing(owner, request, at(1)).await.unwrap();
        let id = registry.register_certificate_without_ca(owner, &self_signed("d"), None, at(1)).await.unwrap();
        let principal = ThingPrincipal::Certificate(id);
        let outcomes = together(4, |number| {
            let (registry, name) = (registry.clone(), name.clone());
            Box::pin(async move {
                match (number, round % 2) {
                    (0 | 1, _) => {
                        let kind = ThingPrincipalType::NonExclusiveThing;
                        registry.attach_thing_principal(owner, &name, principal, kind).await
                    }
                    (2, _) => registry.delete_thing(owner, name, None).await,
                    (_, 0) => registry.delete_certificate(owner, id, true).await,
                    (_, _) => registry.transfer_certificate(owner, id, B.parse().unwrap(), None, at(2)).await.map(drop),
                }
            })
        })
        .await;
        let thing = registry.describe_thing(owner, name.clone()).await.is_ok();
        let certificate = registry.describe_certificate(owner, id).await;
        let free = certificate.is_ok_and(|c| c.record.status != CertificateStatus::PendingTransfer);
        let principals = registry.list_thing_principals(owner, &name, None, first_page()).await;
        let attached = principals.is_ok_and(|page| !page.items.is_empty());
        let things = registry.list_principal_things(owner, principal, None, first_page()).await;
        assert_eq!(things.is_ok_and(|page| !page.items.is_empty()), attached, "both sides: {outcomes:?}");
        let bound = registry.directory().bound_thing(owner, id, name.as_str());
        assert_eq!(bound.is_some_and(|bound| bound.attached.is_some()), attached, "memory: {outcomes:?}");
        assert_eq!(attached, thing && free, "exactly one outcome: {outcomes:?}");
        if attached {
            assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 2, "the attachments: {outcomes:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_exclusive_attachment_never_stands_beside_another() {
    let registry = registry().await;
    let owner = tenant(A);
    let names: Vec<tidegate_ids::ThingName> = (0..4).map(|n| format!("t{n}").parse().unwrap()).collect();
    for name in &names {
        let request = CreateThing { name: name.clone(), thing_type: None, attributes: AttributePayload::default() };
        registry.create_thing(owner, request, at(1)).await.unwrap();
    }
    for round in 0..30 {
        let id = registry.register_certificate_without_ca(owner, &self_signed("d"), None, at(1)).await.unwrap();
        let principal = ThingPrincipal::Certificate(id);
        together(4, |number| {
            let (registry, name) = (registry.clone(), names[number].clone());
            let exclusive = number < 1 + round % 4;
            let kind =
                if exclusive { ThingPrincipalType::ExclusiveThing } else { ThingPrincipalType::NonExclusiveThing };
            Box::pin(async move { registry.attach_thing_principal(owner, &name, principal, kind).await })
        })
        .await;
        let things = registry.list_principal_things(owner, principal, None, first_page()).await.unwrap().items;
        let exclusive = things.iter().any(|(_, kind)| *kind == ThingPrincipalType::ExclusiveThing);
        assert!(!things.is_empty() && (!exclusive || things.len() == 1), "{things:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thing_type_is_not_deleted_under_its_things() {
    let registry = registry().await;
    let owner = tenant(A);
    for round in 0..30 {
        let kind: tidegate_ids::ThingTypeName = format!("k{round}").parse().unwrap();
        let name: tidegate_ids::ThingName = format!("t{round}").parse().unwrap();
        let properties = ThingTypeProperties::default();
        registry.create_thing_type(owner, kind.clone(), properties, Vec::new(), at(1)).await.unwrap();
        let outcomes = together(3, |number| {
            let (registry, kind, name) = (registry.clone(), kind.clone(), name.clone());
            Box::pin(async move {
                let attributes = AttributePayload::default();
                match number {
                    0 => {
                        let request = CreateThing { name, thing_type: Some(kind), attributes };
                        registry.create_thing(owner, request, at(2)).await.map(drop)
                    }
                    1 => registry.deprecate_thing_type(owner, &kind, false, at(2)).await,
                    _ => registry.delete_thing_type(owner, &kind, at(1000)).await,
                }
            })
        })
        .await;
        let made = registry.describe_thing(owner, name).await.is_ok();
        let there = registry.describe_thing_type(owner, kind).await.is_ok();
        assert!(!made || there, "{outcomes:?}");
    }
}
