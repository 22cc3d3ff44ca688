//! With a delay the devices' edge sees yesterday's registry, and the API today's.

use tidegate_ids::CertificateId;
use tidegate_kv::single_writer::FeedBounds;
use tidegate_pki::ClientLeaf;
use tidegate_policy::{Access, Decision, RequestContext, Variables};

use super::{material::Ca, *};
use crate::{
    Admission, CaStatus, CertificateStatus, Grants, PolicyTarget, Presented, Propagated, Refusal, Refused, ServerName,
    UpdateCaCertificate,
};

const DELAY: u64 = 60;

async fn delayed(store: Arc<dyn Store>) -> Registry {
    open_with(store, Box::new(()), Duration::from_secs(DELAY)).await
}

async fn connect(registry: &Registry, leaf: &ClientLeaf, seconds: u64) -> Result<Admission, Refused> {
    let server_name = ServerName::Endpoint(tenant(A));
    let presented = Presented { leaf, server_name, registers_without_sni: true, client_id: "d1" };
    registry.connect(presented, at(seconds)).await
}

async fn activate(registry: &Registry, id: CertificateId, status: CertificateStatus, seconds: u64) {
    registry.update_certificate(tenant(A), id, status, at(seconds)).await.unwrap();
    registry.propagate(at(seconds)).unwrap();
}

/// `p` allows to publish to `topic` from `seconds` on.
async fn allow(registry: &Registry, topic: &str, seconds: u64) {
    let document = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:eu-central-1:{A}:topic/{topic}"}}]}}"#
    );
    let name = || "p".parse().unwrap();
    if registry.create_policy(tenant(A), name(), document.clone(), Vec::new(), at(seconds)).await.is_err() {
        registry.create_policy_version(tenant(A), name(), document, true, at(seconds)).await.unwrap();
    }
    registry.propagate(at(seconds)).unwrap();
}

fn may_publish(grants: &Grants) -> Vec<&'static str> {
    let bound = grants.policies().bind(&Variables::new());
    let may =
        |topic| matches!(bound.decide(Access::Publish, topic, &RequestContext::at(at(0).wall)), Decision::Allowed(_));
    ["a", "b"].into_iter().filter(|topic| may(topic)).collect()
}

/// A CA, ACTIVE and registering, that the edge knows of at `at(DELAY + 1)`.
async fn known_ca(registry: &Registry) -> Ca {
    let ca = Ca::new("ca");
    ca.register(registry, tenant(A), at(1)).await;
    registry.propagate(at(1)).unwrap();
    assert_eq!(registry.propagate(at(1 + DELAY)).unwrap(), Propagated { next: None, early: 0 });
    ca
}

#[tokio::test]
async fn policies_and_attachments_count_at_the_edge_after_the_delay_only() {
    let registry = delayed(Arc::new(MemoryStore::new())).await;
    let leaf = known_ca(&registry).await.leaf("device");
    let id = leaf.certificate_id();
    connect(&registry, &leaf, 100).await.unwrap();
    activate(&registry, id, CertificateStatus::Active, 100).await;
    registry.propagate(at(100 + DELAY)).unwrap();
    let live = registry.propagated().grants(tenant(A), id).unwrap();
    let now = registry.directory().grants(tenant(A), id).unwrap();

    allow(&registry, "a", 200).await;
    registry.attach_policy(tenant(A), &"p".parse().unwrap(), PolicyTarget::Certificate(id)).await.unwrap();
    registry.propagate(at(210)).unwrap();
    allow(&registry, "b", 220).await;
    // (at, what the edge allows, until when something waits)
    for (seconds, allowed, next) in [
        (221, vec![], Some(39)),
        (260, vec![], Some(10)), // the policy, attached to nobody
        (270, vec!["a"], Some(10)),
        (279, vec!["a"], Some(1)),
        (280, vec!["b"], None),
    ] {
        let propagated = registry.propagate(at(seconds)).unwrap();
        assert_eq!(propagated, Propagated { next: next.map(Duration::from_secs), early: 0 }, "{seconds}");
        assert_eq!((may_publish(&live), may_publish(&now)), (allowed, vec!["b"]), "{seconds}");
    }
}

#[tokio::test]
async fn a_device_that_registers_itself_is_known_at_once_and_active_after_the_delay() {
    let registry = delayed(Arc::new(MemoryStore::new())).await;
    let ca = known_ca(&registry).await;
    let leaf = ca.leaf("device");
    let id = leaf.certificate_id();
    let told = Arc::new(Mutex::new(Vec::new()));
    let gather = Arc::clone(&told);
    registry.on_propagated(move |change| gather.lock().unwrap().push(change.clone()));
    assert!(matches!(connect(&registry, &leaf, 100).await, Ok(Admission::Registered(_))));
    registry.propagate(at(100)).unwrap();
    assert!(matches!(connect(&registry, &leaf, 101).await, Ok(Admission::PendingActivation(_))));
    activate(&registry, id, CertificateStatus::Active, 110).await;
    let status = |registry: &Registry| registry.propagated().certificate_status(tenant(A), id);
    // The row of the registration arrives in its turn, too.
    for seconds in [111, 100 + DELAY, 109 + DELAY] {
        registry.propagate(at(seconds)).unwrap();
        assert!(matches!(connect(&registry, &leaf, seconds).await, Ok(Admission::PendingActivation(_))), "{seconds}");
        assert_eq!(registry.directory().certificate_status(tenant(A), id), Some(CertificateStatus::Active));
    }
    registry.propagate(at(110 + DELAY)).unwrap();
    assert!(matches!(connect(&registry, &leaf, 110 + DELAY).await, Ok(Admission::Active(_))));

    activate(&registry, id, CertificateStatus::Inactive, 200).await;
    assert!(matches!(connect(&registry, &leaf, 201).await, Ok(Admission::Active(_))));
    assert!(!told.lock().unwrap().iter().any(inactive));
    registry.propagate(at(200 + DELAY)).unwrap();
    assert_eq!(connect(&registry, &leaf, 201 + DELAY).await.unwrap_err().reason, Refusal::Inactive);
    assert!(told.lock().unwrap().iter().any(inactive), "sessions end now");

    registry.delete_certificate(tenant(A), id, true).await.unwrap();
    registry.propagate(at(300)).unwrap();
    assert_eq!(status(&registry), Some(CertificateStatus::Inactive));
    registry.propagate(at(300 + DELAY)).unwrap();
    assert!(matches!(connect(&registry, &leaf, 400).await, Ok(Admission::Registered(_))));
}

fn inactive(change: &RegistryChange) -> bool {
    matches!(change, RegistryChange::CertificateStatus { status: CertificateStatus::Inactive, .. })
}

#[tokio::test]
async fn what_the_api_registered_is_refused_as_not_propagated_and_registers_nobody() {
    let registry = delayed(Arc::new(MemoryStore::new())).await;
    let ca = known_ca(&registry).await;
    let pem = ca.leaf_pem("device");
    let leaf = ClientLeaf::from_pem(&pem).unwrap();
    let active = Some(CertificateStatus::Active);
    registry.register_certificate_without_ca(tenant(A), &pem, active, at(100)).await.unwrap();
    registry.propagate(at(100)).unwrap();
    for seconds in [100, 159] {
        registry.propagate(at(seconds)).unwrap();
        assert_eq!(connect(&registry, &leaf, seconds).await.unwrap_err().reason, Refusal::NotPropagated);
        let identified = registry.identify(&leaf, ServerName::Endpoint(tenant(A)), at(seconds).wall);
        assert_eq!(identified.unwrap_err().reason, Refusal::NotPropagated);
    }
    registry.propagate(at(160)).unwrap();
    assert!(matches!(connect(&registry, &leaf, 160).await, Ok(Admission::Active(_))));
}

#[tokio::test]
async fn a_ca_registers_devices_after_the_delay_and_stops_at_once() {
    let registry = delayed(Arc::new(MemoryStore::new())).await;
    let ca = Ca::new("ca");
    let ca_id = ca.register(&registry, tenant(A), at(1)).await;
    registry.propagate(at(1)).unwrap();
    let leaf = ca.leaf("one");
    assert!(matches!(connect(&registry, &leaf, DELAY).await.unwrap_err().reason, Refusal::NoIssuer { .. }));
    registry.propagate(at(1 + DELAY)).unwrap();
    assert!(matches!(connect(&registry, &leaf, 1 + DELAY).await, Ok(Admission::Registered(_))));
    let off = UpdateCaCertificate { new_status: Some(CaStatus::Inactive), ..Default::default() };
    registry.update_ca_certificate(tenant(A), ca_id, off, at(100)).await.unwrap();
    registry.propagate(at(100)).unwrap();
    // A registration is written, so the rows decide.
    assert_eq!(connect(&registry, &ca.leaf("two"), 101).await.unwrap_err().reason, Refusal::CaInactive(ca_id));
}

#[tokio::test]
async fn keys_and_accounts_do_not_wait() {
    let registry = delayed(Arc::new(MemoryStore::new())).await;
    let account = registry.create_account(Some(A.parse().unwrap()), at(1)).await.unwrap();
    let key = registry.create_access_key(account, at(1)).await.unwrap();
    let edge = registry.propagated();
    assert!(edge.credential(key.id.as_str(), None, at(1).wall).is_ok());
    assert_eq!(edge.tenant_of_endpoint(&registry.endpoint(tenant(A)).unwrap()), Some(tenant(A)));
    registry.delete_access_key(&key.id).await.unwrap();
    assert!(edge.credential(key.id.as_str(), None, at(1).wall).is_err());
}

#[tokio::test]
async fn after_a_restart_and_after_a_lost_feed_everything_has_arrived() {
    let store: Arc<dyn Store> =
        Arc::new(MemoryStore::with_feed_bounds(FeedBounds { transactions_max: 2, bytes_max: 1 << 20 }));
    let writer = open(Arc::clone(&store), Box::new(())).await;
    let follower = delayed(Arc::clone(&store)).await;
    let ca = Ca::new("ca");
    let ca_id = ca.register(&writer, tenant(A), at(1)).await;
    let leaf = ca.leaf("device");
    // More than the feed remembers.
    for new_status in [CaStatus::Inactive, CaStatus::Active, CaStatus::Inactive, CaStatus::Active].map(Some) {
        let update = UpdateCaCertificate { new_status, ..Default::default() };
        writer.update_ca_certificate(tenant(A), ca_id, update, at(2)).await.unwrap();
    }
    let refused = |registry: &Registry| registry.propagated().check_leaf(&leaf, at(3).wall).is_err();
    assert!(refused(&follower));
    follower.show().await.unwrap();
    assert!(!refused(&follower));
    assert!(!refused(&delayed(store).await));
}

#[tokio::test]
async fn without_a_delay_there_is_one_directory() {
    let registry = registry().await;
    assert!(Arc::ptr_eq(registry.directory(), registry.propagated()));
    assert_eq!(registry.propagate(at(1)).unwrap(), Propagated { next: None, early: 0 });
    assert_eq!(registry.propagating(), (0, Duration::ZERO));
}
