use std::sync::atomic::{AtomicUsize, Ordering};

use tidegate_pki::ClientLeaf;

use super::{
    material::{Ca, self_signed},
    *,
};
use crate::{
    Admission, AutoRegistrationStatus, CaStatus, CertificateMode, CertificateRegistered, CertificateStatus,
    EndpointRequired, Presented, Refusal, Refused, ServerName, UpdateCaCertificate,
};

fn presented(leaf: &ClientLeaf, server_name: ServerName) -> Presented<'_> {
    Presented { leaf, server_name, registers_without_sni: true, client_id: "d1" }
}

async fn connect(
    registry: &Registry,
    leaf: &ClientLeaf,
    server_name: ServerName,
    seconds: u64,
) -> Result<Admission, Refused> {
    registry.connect(presented(leaf, server_name), at(seconds)).await
}

fn endpoint(account: &str) -> ServerName {
    ServerName::Endpoint(tenant(account))
}

fn registered(outcome: Result<Admission, Refused>) -> CertificateRegistered {
    match outcome {
        Ok(Admission::Registered(event)) => event,
        other => panic!("{other:?}"),
    }
}

fn pending(outcome: Result<Admission, Refused>) -> CertificateRegistered {
    match outcome {
        Ok(Admission::PendingActivation(event)) => event,
        other => panic!("{other:?}"),
    }
}

fn reason(outcome: Result<Admission, Refused>) -> Refusal {
    outcome.expect_err("refused").reason
}

#[tokio::test]
async fn a_device_registers_itself_and_waits_for_its_activation() {
    let registry = registry().await;
    let (ca, owner) = (Ca::new("ca"), tenant(A));
    let ca_id = ca.register(&registry, owner, at(1)).await;
    let leaf = ca.leaf("device");
    let id = leaf.certificate_id();
    let told = told(&registry);
    registry.directory().check_leaf(&leaf, at(10).wall).unwrap();
    registry.directory().check_status(&leaf, at(10).wall).unwrap();
    // The handshake alone registers nothing.
    assert!(registry.list_certificates_by_ca(owner, ca_id, first_page()).await.unwrap().items.is_empty());

    let event = registered(connect(&registry, &leaf, endpoint(A), 10).await);
    assert_eq!((event.tenant, event.certificate_id, event.ca_certificate_id), (owner, id, ca_id));
    assert_eq!((event.timestamp, event.registered, &*event.client_id), (at(10).wall, None, "d1"));
    let listed = registry.list_certificates_by_ca(owner, ca_id, first_page()).await.unwrap().items;
    assert_eq!(listed.iter().map(|item| item.status).collect::<Vec<_>>(), [CertificateStatus::PendingActivation]);
    let record = registry.describe_certificate(owner, id).await.unwrap().record;
    assert_eq!((record.mode, record.ca_certificate_id), (CertificateMode::Default, Some(ca_id)));

    for seconds in [20, 30] {
        let again = pending(connect(&registry, &leaf, endpoint(A), seconds).await);
        assert_eq!((again.timestamp, again.registered), (at(seconds).wall, Some(at(10).wall)));
    }
    registry.update_certificate(owner, id, CertificateStatus::Active, at(40)).await.unwrap();
    match connect(&registry, &leaf, endpoint(A), 50).await {
        Ok(Admission::Active(admitted)) => assert_eq!((admitted.tenant, admitted.certificate_id), (owner, id)),
        other => panic!("{other:?}"),
    }
    let told = told.lock().unwrap().clone();
    let status = |status| RegistryChange::CertificateStatus { tenant: owner, certificate_id: id, status };
    assert_eq!(told, [status(CertificateStatus::PendingActivation), status(CertificateStatus::Active)]);
}

#[tokio::test]
async fn a_status_decides_about_a_known_certificate() {
    let registry = registry().await;
    let (ca, owner) = (Ca::new("ca"), tenant(A));
    ca.register(&registry, owner, at(1)).await;
    let leaf = ca.leaf("device");
    registered(connect(&registry, &leaf, ServerName::Host, 2).await);
    let id = leaf.certificate_id();
    for (status, expected, code) in [
        (CertificateStatus::Inactive, Refusal::Inactive, "DEVICE_CERTIFICATE_INACTIVE"),
        (CertificateStatus::Revoked, Refusal::Revoked, "DEVICE_CERTIFICATE_REVOKED"),
    ] {
        registry.update_certificate(owner, id, status, at(3)).await.unwrap();
        let refused = connect(&registry, &leaf, ServerName::Host, 4).await.unwrap_err();
        assert_eq!((&refused.reason, refused.authn_error(), refused.tenant), (&expected, code, Some(owner)));
        let handshake = registry.directory().check_status(&leaf, at(4).wall).unwrap_err();
        assert_eq!(handshake.reason, expected);
        registry.directory().check_leaf(&leaf, at(4).wall).unwrap();
    }
    registry.delete_certificate(owner, id, false).await.unwrap();
    registered(connect(&registry, &leaf, ServerName::Host, 5).await); // registered anew
}

#[tokio::test]
async fn every_refusal_of_an_unknown_leaf_says_why() {
    let registry = registry().await;
    let (ca, forger, owner) = (Ca::new("ca"), Ca::new("ca"), tenant(A));
    let leaf = ca.leaf("device");
    let unknown = connect(&registry, &leaf, ServerName::Host, 1).await.unwrap_err();
    assert!(matches!(&unknown.reason, Refusal::NoIssuer { issuer } if issuer.contains("ca")));
    assert_eq!((unknown.authn_error(), unknown.tenant), ("DEVICE_CERTIFICATE_NOT_REGISTERED", None));
    assert!(matches!(registry.directory().check_leaf(&leaf, at(1).wall).unwrap_err().reason, Refusal::NoIssuer { .. }));

    let id = ca.register(&registry, owner, at(2)).await;
    let forged = forger.leaf("device");
    assert!(matches!(reason(connect(&registry, &forged, endpoint(A), 3).await), Refusal::NotSignedByIssuer { .. }));
    assert!(registry.directory().check_leaf(&forged, at(3).wall).is_err());

    let change =
        async |update: UpdateCaCertificate| registry.update_ca_certificate(owner, id, update, at(4)).await.unwrap();
    let off = AutoRegistrationStatus::Disable;
    change(UpdateCaCertificate { new_auto_registration: Some(off), ..Default::default() }).await;
    for name in [ServerName::Host, ServerName::Absent, endpoint(A)] {
        assert_eq!(reason(connect(&registry, &leaf, name, 5).await), Refusal::AutoRegistrationDisabled(id));
    }
    let handshake = registry.directory().check_status(&leaf, at(5).wall).unwrap_err();
    assert_eq!(handshake.reason, Refusal::AutoRegistrationDisabled(id));
    change(UpdateCaCertificate {
        new_status: Some(CaStatus::Inactive),
        new_auto_registration: Some(AutoRegistrationStatus::Enable),
        ..Default::default()
    })
    .await;
    let refused = connect(&registry, &leaf, endpoint(A), 6).await.unwrap_err();
    assert_eq!((&refused.reason, refused.ca_certificate_id()), (&Refusal::CaInactive(id), Some(id)));
    let command = format!("aws iot update-ca-certificate --certificate-id {id} --new-status ACTIVE");
    assert!(refused.to_string().contains(&command), "{refused}");
    assert_eq!(reason(connect(&registry, &leaf, endpoint(B), 6).await), Refusal::OtherAccount);
    assert!(registry.list_certificates(owner, first_page()).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn an_inactive_or_deleted_ca_leaves_its_certificates_connected() {
    let registry = registry().await;
    let (ca, owner) = (Ca::new("ca"), tenant(A));
    let id = ca.register(&registry, owner, at(1)).await;
    let leaf = ca.leaf("device");
    registered(connect(&registry, &leaf, ServerName::Host, 2).await);
    registry.update_certificate(owner, leaf.certificate_id(), CertificateStatus::Active, at(3)).await.unwrap();
    let inactive = UpdateCaCertificate { new_status: Some(CaStatus::Inactive), ..Default::default() };
    registry.update_ca_certificate(owner, id, inactive, at(4)).await.unwrap();
    assert!(matches!(connect(&registry, &leaf, ServerName::Host, 5).await, Ok(Admission::Active(_))));
    assert_eq!(reason(connect(&registry, &ca.leaf("new"), ServerName::Host, 5).await), Refusal::CaInactive(id));
    registry.delete_ca_certificate(owner, id).await.unwrap();
    assert!(matches!(connect(&registry, &leaf, ServerName::Host, 6).await, Ok(Admission::Active(_))));
    registry.directory().check_leaf(&leaf, at(6).wall).unwrap();
    registry.directory().check_status(&leaf, at(6).wall).unwrap();
    assert!(matches!(reason(connect(&registry, &ca.leaf("new"), ServerName::Host, 6).await), Refusal::NoIssuer { .. }));
}

#[tokio::test]
async fn a_leaf_outside_its_dates_neither_connects_nor_registers() {
    let registry = registry().await;
    let (ca, owner) = (Ca::new("ca"), tenant(A));
    ca.register(&registry, owner, at(1)).await;
    for (years, early) in [((2020, 2021), false), ((2030, 2031), true)] {
        let leaf = ClientLeaf::from_pem(&ca.sign("device", years)).unwrap();
        let refused = reason(connect(&registry, &leaf, endpoint(A), 2).await);
        match refused {
            Refusal::NotYetValid(start) => assert!(early && start == leaf.not_before()),
            Refusal::Expired(end) => assert!(!early && end == leaf.not_after()),
            other => panic!("{other:?}"),
        }
        assert!(registry.directory().check_leaf(&leaf, at(2).wall).is_err());
    }
    assert!(registry.list_certificates(owner, first_page()).await.unwrap().items.is_empty());
    // A registered one, too, once it has expired.
    let leaf = ca.leaf("device");
    registered(connect(&registry, &leaf, endpoint(A), 3).await);
    registry.update_certificate(owner, leaf.certificate_id(), CertificateStatus::Active, at(4)).await.unwrap();
    let twenty_years = 20 * 366 * 86_400;
    assert!(matches!(reason(connect(&registry, &leaf, endpoint(A), twenty_years).await), Refusal::Expired(_)));
}

#[tokio::test]
async fn without_sni_the_issuer_names_the_account_where_the_listener_allows_it() {
    let registry = registry().await;
    let (ca, owner) = (Ca::new("ca"), tenant(A));
    ca.register(&registry, owner, at(1)).await;
    let leaf = ca.leaf("device");
    let strict = Presented { registers_without_sni: false, ..presented(&leaf, ServerName::Absent) };
    let refused = registry.connect(strict, at(2)).await.unwrap_err();
    assert_eq!(refused.reason, Refusal::EndpointRequired(EndpointRequired::ToRegister));
    assert_eq!(refused.authn_error(), "SNI_MISUSED");
    let event = registered(connect(&registry, &leaf, ServerName::Absent, 3).await);
    assert_eq!(event.tenant, owner);
    // Known by then: the certificate alone names its account.
    pending(registry.connect(strict, at(4)).await);
}

#[tokio::test]
async fn an_sni_only_certificate_is_found_by_the_endpoint_alone() {
    let registry = registry().await;
    let ca = Ca::new("ca");
    for account in [A, B] {
        registry.register_ca_certificate(tenant(account), ca.sni_only(), at(1)).await.unwrap();
    }
    let leaf = ca.leaf("device");
    for name in [ServerName::Host, ServerName::Absent] {
        let refused = connect(&registry, &leaf, name, 2).await.unwrap_err();
        assert_eq!(refused.reason, Refusal::EndpointRequired(EndpointRequired::SniOnly));
    }
    registry.directory().check_status(&leaf, at(2).wall).unwrap();
    // One leaf, two accounts, each with a row of its own.
    for account in [A, B] {
        let event = registered(connect(&registry, &leaf, endpoint(account), 3).await);
        assert_eq!(event.tenant, tenant(account));
    }
    let id = leaf.certificate_id();
    registry.update_certificate(tenant(A), id, CertificateStatus::Revoked, at(4)).await.unwrap();
    registry.update_certificate(tenant(B), id, CertificateStatus::Active, at(4)).await.unwrap();
    assert_eq!(reason(connect(&registry, &leaf, endpoint(A), 5).await), Refusal::Revoked);
    assert!(matches!(connect(&registry, &leaf, endpoint(B), 5).await, Ok(Admission::Active(_))));
    let refused = reason(connect(&registry, &leaf, ServerName::Host, 5).await);
    assert_eq!(refused, Refusal::EndpointRequired(EndpointRequired::SniOnly));
}

#[tokio::test]
async fn a_certificate_registered_without_a_ca_connects_by_its_endpoint() {
    let registry = registry().await;
    let pem = self_signed("device");
    let leaf = ClientLeaf::from_pem(&pem).unwrap();
    let active = Some(CertificateStatus::Active);
    registry.register_certificate_without_ca(tenant(A), &pem, active, at(1)).await.unwrap();
    registry.directory().check_leaf(&leaf, at(2).wall).unwrap();
    assert!(matches!(connect(&registry, &leaf, endpoint(A), 2).await, Ok(Admission::Active(_))));
    assert_eq!(reason(connect(&registry, &leaf, endpoint(B), 2).await), Refusal::OtherAccount);
    let refused = reason(connect(&registry, &leaf, ServerName::Absent, 2).await);
    assert_eq!(refused, Refusal::EndpointRequired(EndpointRequired::SniOnly));
}

#[tokio::test]
async fn several_regions_need_an_endpoint() {
    let registry = registry().await;
    let ca = Ca::new("ca");
    let west = Tenant { region: "us-west-2".parse().unwrap(), ..tenant(A) };
    for owner in [tenant(A), west] {
        ca.register(&registry, owner, at(1)).await;
    }
    let leaf = ca.leaf("device");
    let several = Refusal::EndpointRequired(EndpointRequired::SeveralOwners);
    assert_eq!(reason(connect(&registry, &leaf, ServerName::Host, 2).await), several);
    assert_eq!(registered(connect(&registry, &leaf, ServerName::Endpoint(west), 3).await).tenant, west);
    // Known in one region: the certificate names it.
    assert_eq!(pending(connect(&registry, &leaf, ServerName::Host, 4).await).tenant, west);
    registered(connect(&registry, &leaf, endpoint(A), 5).await);
    assert_eq!(reason(connect(&registry, &leaf, ServerName::Host, 6).await), several);
}

#[tokio::test]
async fn two_cas_with_one_subject_are_told_apart_by_their_keys() {
    let registry = registry().await;
    let (one, two) = (Ca::new("same"), Ca::new("same"));
    one.register(&registry, tenant(A), at(1)).await;
    two.register(&registry, tenant(B), at(1)).await;
    for (ca, account) in [(&one, A), (&two, B)] {
        assert_eq!(registered(connect(&registry, &ca.leaf("d"), ServerName::Host, 2).await).tenant, tenant(account));
    }
}

#[tokio::test]
async fn the_row_is_durable_before_the_event_even_if_the_process_dies_between() {
    struct Counter(Arc<AtomicUsize>);
    impl FaultPoints for Counter {
        fn reached(&self, point: &'static str) {
            assert_eq!(point, <dyn FaultPoints>::REGISTERED);
            self.0.fetch_add(1, Ordering::Relaxed);
            panic!("as if killed");
        }
    }
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let reached = Arc::new(AtomicUsize::new(0));
    let dying = open(Arc::clone(&store), Box::new(Counter(Arc::clone(&reached)))).await;
    let ca = Ca::new("ca");
    ca.register(&dying, tenant(A), at(1)).await;
    let leaf = ca.leaf("device");
    let task = {
        let leaf = leaf.clone();
        tokio::spawn(async move { connect(&dying, &leaf, ServerName::Host, 2).await.map(drop) })
    };
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(reached.load(Ordering::Relaxed), 1);
    let restarted = open(store, Box::new(())).await;
    let event = pending(connect(&restarted, &leaf, ServerName::Host, 9).await);
    assert_eq!(event.registered, Some(at(2).wall));
}

#[tokio::test]
async fn a_certificate_that_the_broker_issued_connects() {
    let registry = registry().await;
    let key = crate::PrivateKey::generate_p256().unwrap();
    let created = registry.create_keys_and_certificate(tenant(A), &key, true, at(1)).await.unwrap();
    let leaf = ClientLeaf::from_pem(&created.certificate.pem).unwrap();
    registry.directory().check_leaf(&leaf, at(2).wall).unwrap();
    assert!(matches!(connect(&registry, &leaf, ServerName::Absent, 2).await, Ok(Admission::Active(_))));
}

#[tokio::test]
async fn a_leaf_that_stayed_behind_with_its_ca_gone_is_not_taken_by_another_account() {
    let registry = registry().await;
    let (ca, a, b) = (Ca::new("ca"), tenant(A), tenant(B));
    let id = ca.register(&registry, a, at(1)).await;
    let leaf = ca.leaf("device");
    registered(connect(&registry, &leaf, ServerName::Host, 2).await);
    let off = UpdateCaCertificate { new_status: Some(CaStatus::Inactive), ..Default::default() };
    registry.update_ca_certificate(a, id, off, at(3)).await.unwrap();
    registry.delete_ca_certificate(a, id).await.unwrap();
    ca.register(&registry, b, at(4)).await;
    assert_eq!(reason(connect(&registry, &leaf, endpoint(B), 5).await), Refusal::OtherAccount);
    let input = crate::RegisterCertificate { certificate_pem: leaf.pem(), ..Default::default() };
    let error = registry.register_certificate(b, input, at(5)).await.unwrap_err();
    assert_eq!(error.to_string(), "This request is not valid");
    assert_eq!(pending(connect(&registry, &leaf, ServerName::Host, 6).await).tenant, a);
}

#[tokio::test]
async fn a_refusal_is_told_in_one_sentence_with_a_date_for_people() {
    let registry = registry().await;
    let ca = Ca::new("ca");
    let leaf = ClientLeaf::from_pem(&ca.sign("device", (2020, 2021))).unwrap();
    let refused = connect(&registry, &leaf, ServerName::Host, 1).await.unwrap_err();
    assert_eq!(refused.to_string(), "the certificate expired at 2021-01-01T00:00:00Z: issue another one");
    assert_eq!(refused.authn_error(), "NOT_AUTHENTICATED");
}
