use tidegate_ids::CertificateId;
use tidegate_policy::{Access, Decision, RequestContext, Variables};

use super::{material::self_signed, *};
use crate::{CertificateStatus, Grants, PolicyTarget};

fn document(effect: &str, topic: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"{effect}","Action":"iot:Publish","Resource":"arn:aws:iot:eu-central-1:{A}:topic/{topic}"}}]}}"#
    )
}

fn may_publish(grants: &Grants, topic: &str) -> bool {
    let bound = grants.policies().bind(&Variables::new());
    matches!(bound.decide(Access::Publish, topic, &RequestContext::at(at(0).wall)), Decision::Allowed(_))
}

async fn active(registry: &Registry) -> CertificateId {
    let status = Some(CertificateStatus::Active);
    registry.register_certificate_without_ca(tenant(A), &self_signed("d"), status, at(1)).await.unwrap()
}

async fn create(registry: &Registry, name: &str, document: String) {
    registry.create_policy(tenant(A), name.parse().unwrap(), document, Vec::new(), at(1)).await.unwrap();
}

async fn attach(registry: &Registry, name: &str, id: CertificateId) {
    registry.attach_policy(tenant(A), &name.parse().unwrap(), PolicyTarget::Certificate(id)).await.unwrap();
}

#[tokio::test]
async fn grants_follow_every_change_that_returned() {
    let registry = registry().await;
    let owner = tenant(A);
    let id = active(&registry).await;
    let grants = registry.directory().grants(owner, id).unwrap();
    let mut last = grants.generation();
    let mut expect = |what: &str, allowed: &[&str], changed: bool| {
        assert_eq!(grants.generation() != last, changed, "{what}");
        last = grants.generation();
        for topic in ["a", "b"] {
            assert_eq!(may_publish(&grants, topic), allowed.contains(&topic), "{what}: {topic}");
        }
    };
    expect("nothing attached", &[], false);
    create(&registry, "p", document("Allow", "a")).await;
    expect("attached to nobody", &[], false);
    attach(&registry, "p", id).await;
    expect("attached", &["a"], true);
    let name = "p".parse().unwrap();
    registry.create_policy_version(owner, "p".parse().unwrap(), document("Allow", "b"), false, at(2)).await.unwrap();
    expect("a version that is not in force", &["a"], false);
    registry.set_default_policy_version(owner, &name, crate::PolicyVersionId(2), at(3)).await.unwrap();
    expect("another version in force", &["b"], true);
    create(&registry, "q", document("Allow", "*")).await;
    attach(&registry, "q", id).await;
    expect("a second policy", &["a", "b"], true);
    create(&registry, "deny", document("Deny", "b")).await;
    attach(&registry, "deny", id).await;
    expect("a policy that denies", &["a"], true);
    registry.update_certificate(owner, id, CertificateStatus::Inactive, at(4)).await.unwrap();
    expect("inactive", &[], true);
    registry.detach_policy(owner, &"deny".parse().unwrap(), PolicyTarget::Certificate(id)).await.unwrap();
    expect("still inactive", &[], true);
    registry.update_certificate(owner, id, CertificateStatus::Active, at(5)).await.unwrap();
    expect("active again", &["a", "b"], true);
    registry.update_certificate(owner, id, CertificateStatus::Inactive, at(6)).await.unwrap();
    registry.delete_certificate(owner, id, true).await.unwrap();
    expect("deleted", &[], true);
    assert!(registry.directory().grants(owner, id).is_none());
}

#[tokio::test]
async fn certificates_with_the_same_policies_share_one_compiled_set() {
    let registry = registry().await;
    let (one, two, three) = (active(&registry).await, active(&registry).await, active(&registry).await);
    create(&registry, "p", document("Allow", "a")).await;
    create(&registry, "q", document("Allow", "b")).await;
    for (name, id) in [("p", one), ("q", one), ("q", two), ("p", two), ("p", three)] {
        attach(&registry, name, id).await;
    }
    let grants = |id| registry.directory().grants(tenant(A), id).unwrap();
    let (first, second, third) = (grants(one), grants(two), grants(three));
    assert!(Arc::ptr_eq(&first.policies(), &second.policies()));
    assert!(!Arc::ptr_eq(&first.policies(), &third.policies()));
    assert!(Arc::ptr_eq(&first, &grants(one)), "one object for all connections of a certificate");
    // A certificate that left a set no longer follows it.
    registry.detach_policy(tenant(A), &"q".parse().unwrap(), PolicyTarget::Certificate(two)).await.unwrap();
    assert!(Arc::ptr_eq(&second.policies(), &third.policies()));
    let (before, generation) = (second.policies(), second.generation());
    registry.create_policy_version(tenant(A), "q".parse().unwrap(), document("Allow", "c"), true, at(2)).await.unwrap();
    assert!(Arc::ptr_eq(&second.policies(), &before) && second.generation() == generation);
    assert!(may_publish(&first, "c") && !may_publish(&first, "b") && !may_publish(&second, "c"));
}

#[tokio::test]
async fn the_directory_is_the_same_after_a_restart() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let registry = open(Arc::clone(&store), Box::new(())).await;
    let account = registry.create_account(Some(A.parse().unwrap()), at(1)).await.unwrap();
    let key = registry.create_access_key(account, at(1)).await.unwrap();
    let id = active(&registry).await;
    create(&registry, "p", document("Allow", "a")).await;
    attach(&registry, "p", id).await;
    let endpoint = registry.endpoint(tenant(A)).unwrap();
    drop(registry);
    let registry = open(store, Box::new(())).await;
    let directory = registry.directory();
    let (_, secret) = directory.credential(key.id.as_str(), None, at(9).wall).unwrap();
    assert_eq!(secret.as_bytes(), key.secret.as_bytes());
    assert_eq!(directory.tenant_of_endpoint(&endpoint), Some(tenant(A)));
    assert!(may_publish(&directory.grants(tenant(A), id).unwrap(), "a"));
}

#[tokio::test]
async fn another_master_key_opens_no_secret() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let registry = open(Arc::clone(&store), Box::new(())).await;
    registry.create_account(Some(A.parse().unwrap()), at(1)).await.unwrap();
    drop(registry);
    let parts = Parts {
        store,
        master_key: MasterKey::from_bytes(&[8; 32]),
        chance: Box::new(Counting(Mutex::new(0))),
        settings: Settings::default(),
        faults: Box::new(()),
    };
    let error = Registry::open(parts, at(2)).await.unwrap_err();
    assert!(matches!(error, crate::RegistryError::Internal(_)));
}

/// A second registry on the same store stands for another node: what one commits, the other follows.
#[tokio::test]
async fn changes_of_others_are_followed_even_when_the_feed_was_lost() {
    use tidegate_kv::single_writer::FeedBounds;
    for bounds in [FeedBounds::default(), FeedBounds { transactions_max: 2, bytes_max: 1 << 20 }] {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::with_feed_bounds(bounds));
        let writer = open(Arc::clone(&store), Box::new(())).await;
        let ca = super::material::Ca::new("ca");
        let ca_id = ca.register(&writer, tenant(A), at(1)).await;
        create(&writer, "p", document("Allow", "a")).await;
        create(&writer, "q", document("Allow", "b")).await;
        let (stays, goes) = (active(&writer).await, active(&writer).await);
        for (name, id) in [("p", stays), ("q", stays), ("p", goes)] {
            attach(&writer, name, id).await;
        }
        let follower = open(Arc::clone(&store), Box::new(())).await;
        let grants = follower.directory().grants(tenant(A), stays).unwrap();
        let gone = follower.directory().grants(tenant(A), goes).unwrap();
        let told = told(&follower);
        let q: tidegate_ids::PolicyName = "q".parse().unwrap();
        writer.detach_policy(tenant(A), &q, PolicyTarget::Certificate(stays)).await.unwrap();
        writer.delete_policy(tenant(A), &q).await.unwrap();
        writer.update_certificate(tenant(A), goes, CertificateStatus::Revoked, at(2)).await.unwrap();
        writer.delete_certificate(tenant(A), goes, true).await.unwrap();
        writer
            .create_policy_version(tenant(A), "p".parse().unwrap(), document("Allow", "c"), true, at(3))
            .await
            .unwrap();
        let off = crate::UpdateCaCertificate { new_status: Some(crate::CaStatus::Inactive), ..Default::default() };
        writer.update_ca_certificate(tenant(A), ca_id, off, at(4)).await.unwrap();
        writer.delete_ca_certificate(tenant(A), ca_id).await.unwrap();
        let new = active(&writer).await;
        follower.show().await.unwrap();
        assert!(may_publish(&grants, "c") && !may_publish(&grants, "b") && !may_publish(&grants, "a"));
        assert!(!may_publish(&gone, "c"));
        assert_eq!(follower.directory().counts(), writer.directory().counts());
        assert_eq!(follower.directory().certificate_status(tenant(A), new), Some(CertificateStatus::Active));
        let told = told.lock().unwrap();
        for expected in [
            RegistryChange::CertificateDeleted { tenant: tenant(A), certificate_id: goes },
            RegistryChange::CaCertificateDeleted { tenant: tenant(A), ca_certificate_id: ca_id },
            RegistryChange::PolicyChanged { tenant: tenant(A), name: q },
            RegistryChange::PoliciesOfCertificate { tenant: tenant(A), certificate_id: stays },
        ] {
            assert!(told.contains(&expected), "{expected:?} in {told:?}");
        }
    }
}

#[tokio::test]
async fn the_endpoint_leads_back_to_its_account() {
    let registry = registry().await;
    registry.create_account(Some(A.parse().unwrap()), at(1)).await.unwrap();
    let endpoint = registry.endpoint(tenant(A)).unwrap();
    assert!(endpoint.ends_with("-ats.iot.eu-central-1.iot.example"), "{endpoint}");
    assert_eq!(registry.directory().tenant_of_endpoint(&endpoint), Some(tenant(A)));
    assert_eq!(registry.directory().tenant_of_endpoint(&registry.endpoint(tenant(B)).unwrap()), None);
}
