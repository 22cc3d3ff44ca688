use super::{material::self_signed, *};
use crate::{CertificateStatus, PolicyTarget, PolicyVersionId, RegistryError, Tag};
use tidegate_ids::PolicyName;

fn allow(topic: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:eu-central-1:{A}:topic/{topic}"}}]}}"#
    )
}

fn name(text: &str) -> PolicyName {
    text.parse().unwrap()
}

async fn create(registry: &Registry, policy: &str) {
    registry.create_policy(tenant(A), name(policy), allow("t"), Vec::new(), at(1)).await.unwrap();
}

#[tokio::test]
async fn a_policy_begins_with_version_1_in_force() {
    let registry = registry().await;
    let owner = tenant(A);
    let created = registry.create_policy(owner, name("p"), allow("t"), Vec::new(), at(1)).await.unwrap();
    assert_eq!((created.version.to_string(), created.is_default), ("1".into(), true));
    let policy = registry.get_policy(owner, &name("p")).await.unwrap();
    assert_eq!((policy.document, policy.default_version), (allow("t"), PolicyVersionId::FIRST));
    let taken = registry.create_policy(owner, name("p"), allow("t"), Vec::new(), at(2)).await.unwrap_err();
    assert_eq!(taken.to_string(), "Policy cannot be created - name already exists (name=p)");
    for document in ["", "{}", "[]", r#"{"Version":"2012-10-17","Statement":[{"Effect":"Perhaps"}]}"#] {
        let error = registry.create_policy(owner, name("q"), document.into(), Vec::new(), at(2)).await.unwrap_err();
        assert!(matches!(error, RegistryError::MalformedPolicy(_)), "{document}: {error}");
    }
    assert!(matches!(registry.get_policy(tenant(B), &name("p")).await, Err(RegistryError::PolicyNotFound(_))));
    registry.create_policy(tenant(B), name("p"), allow("t"), Vec::new(), at(3)).await.unwrap();
}

#[tokio::test]
async fn tags_have_bounds() {
    let registry = registry().await;
    let tag = |key: &str| Tag { key: key.into(), value: "v".into() };
    for (tags, valid) in [
        (vec![tag("a"), tag("b")], true),
        (vec![tag("a"), tag("a")], false),
        (vec![tag("")], false),
        (vec![tag(&"k".repeat(129))], false),
        ((0..51).map(|n| tag(&n.to_string())).collect(), false),
    ] {
        let count = tags.len();
        let outcome = registry.create_policy(tenant(A), name(&format!("p{valid}")), allow("t"), tags, at(1)).await;
        assert_eq!(outcome.is_ok(), valid, "{count}");
    }
}

#[tokio::test]
async fn at_most_five_versions_and_no_number_twice() {
    let registry = registry().await;
    let owner = tenant(A);
    create(&registry, "p").await;
    let add = async |default| registry.create_policy_version(owner, name("p"), allow("v"), default, at(2)).await;
    for expected in 2..=5 {
        assert_eq!(add(false).await.unwrap().version.number(), expected);
    }
    let sixth = add(false).await.unwrap_err();
    assert_eq!(sixth.to_string(), "The policy p already has the maximum number of versions (5)");
    let five = PolicyVersionId(5);
    registry.delete_policy_version(owner, &name("p"), five, at(3)).await.unwrap();
    let gone = registry.get_policy_version(owner, &name("p"), five).await;
    assert!(matches!(gone, Err(RegistryError::PolicyVersionNotFound { .. })));
    assert_eq!(add(true).await.unwrap().version.number(), 6);
    let listed = registry.list_policy_versions(owner, &name("p")).await.unwrap();
    let listed: Vec<_> = listed.iter().map(|v| (v.version.number(), v.is_default)).collect();
    assert_eq!(listed, [(6, true), (4, false), (3, false), (2, false), (1, false)]);
    let default = registry.delete_policy_version(owner, &name("p"), PolicyVersionId(6), at(4)).await.unwrap_err();
    assert_eq!(default.to_string(), "Cannot delete the default version of a policy");
    registry.set_default_policy_version(owner, &name("p"), PolicyVersionId(1), at(5)).await.unwrap();
    assert_eq!(registry.get_policy(owner, &name("p")).await.unwrap().document, allow("t"));
    let missing = registry.set_default_policy_version(owner, &name("p"), PolicyVersionId(9), at(5)).await;
    assert!(matches!(missing, Err(RegistryError::PolicyVersionNotFound { .. })));
    let held = registry.delete_policy(owner, &name("p")).await.unwrap_err();
    assert!(matches!(held, RegistryError::PolicyHasVersions(_)));
    for version in [2, 3, 4, 6] {
        registry.delete_policy_version(owner, &name("p"), PolicyVersionId(version), at(6)).await.unwrap();
    }
    registry.delete_policy(owner, &name("p")).await.unwrap();
    assert!(registry.list_policies(owner, first_page()).await.unwrap().items.is_empty());
    assert!(matches!(registry.delete_policy(owner, &name("p")).await, Err(RegistryError::PolicyNotFound(_))));
    // A new policy of the old name starts afresh.
    create(&registry, "p").await;
    assert_eq!(registry.list_policy_versions(owner, &name("p")).await.unwrap().len(), 1);
}

#[tokio::test]
async fn attachments_are_seen_from_both_sides() {
    let registry = registry().await;
    let owner = tenant(A);
    create(&registry, "p").await;
    create(&registry, "q").await;
    let id = registry.register_certificate_without_ca(owner, &self_signed("d"), None, at(1)).await.unwrap();
    let target = PolicyTarget::Certificate(id);
    for _ in 0..2 {
        registry.attach_policy(owner, &name("p"), target.clone()).await.unwrap();
    }
    registry.attach_policy(owner, &name("q"), target.clone()).await.unwrap();
    let attached = registry.list_attached_policies(owner, target.clone(), false, first_page()).await.unwrap().items;
    assert_eq!(attached, [name("q"), name("p")]); // by name, descending
    let targets = registry.list_targets_for_policy(owner, &name("p"), first_page()).await.unwrap().items;
    assert_eq!(targets, std::slice::from_ref(&target));
    let held = registry.delete_policy(owner, &name("p")).await.unwrap_err();
    assert_eq!(
        held.to_string(),
        "The policy cannot be deleted as the policy is attached to one or more principals (name=p)"
    );
    for _ in 0..2 {
        registry.detach_policy(owner, &name("p"), target.clone()).await.unwrap();
    }
    registry.delete_policy(owner, &name("p")).await.unwrap();
    registry.detach_policy(owner, &name("p"), target.clone()).await.unwrap();
    let missing = registry.detach_principal_policy(owner, &name("p"), target.clone()).await;
    assert!(matches!(missing, Err(RegistryError::PolicyNotFound(_))));
    let nobody = PolicyTarget::Certificate("ab".repeat(32).parse().unwrap());
    for outcome in [
        registry.attach_policy(owner, &name("q"), nobody.clone()).await,
        registry.list_attached_policies(owner, nobody.clone(), false, first_page()).await.map(drop),
        registry.attach_policy(tenant(B), &name("q"), target.clone()).await,
    ] {
        use RegistryError::{CertificateNotFound, PolicyNotFound};
        assert!(matches!(outcome, Err(CertificateNotFound(_) | PolicyNotFound(_))), "{outcome:?}");
    }
}

#[tokio::test]
async fn ten_policies_are_attached_to_one_target() {
    let registry = registry().await;
    let owner = tenant(A);
    let id = registry.register_certificate_without_ca(owner, &self_signed("d"), None, at(1)).await.unwrap();
    let target = PolicyTarget::Certificate(id);
    for number in 0..11 {
        create(&registry, &format!("p{number}")).await;
    }
    for number in 0..10 {
        registry.attach_policy(owner, &name(&format!("p{number}")), target.clone()).await.unwrap();
    }
    let eleventh = registry.attach_policy(owner, &name("p10"), target.clone()).await;
    assert!(matches!(eleventh, Err(RegistryError::TooManyPolicies(10))));
    registry.attach_policy(owner, &name("p3"), target.clone()).await.unwrap();
    registry.update_certificate(owner, id, CertificateStatus::Revoked, at(2)).await.unwrap();
    registry.delete_certificate(owner, id, true).await.unwrap();
    registry.delete_policy(owner, &name("p3")).await.unwrap();
}
