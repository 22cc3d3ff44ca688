//! What one account, or one device, may try against another.

use tidegate_pki::ClientLeaf;

use super::{
    material::{Ca, other_form},
    *,
};
use crate::{
    AUTO_REGISTRATIONS_PER_SECOND_AWS, Admission, AutoRegistrationStatus, CaStatus, CertificateMode, CertificateStatus,
    Limits, Presented, Refusal, RegisterCaCertificate, RegisterCertificate, RegistryError, ServerName,
    UpdateCaCertificate,
    operations::{insert_certificate, new_record},
};

fn presented(leaf: &ClientLeaf, server_name: ServerName) -> Presented<'_> {
    Presented { leaf, server_name, registers_without_sni: true, client_id: "d1" }
}

fn endpoint(account: &str) -> ServerName {
    ServerName::Endpoint(tenant(account))
}

fn registered_by(outcome: Result<Admission, crate::Refused>) -> Tenant {
    match outcome {
        Ok(Admission::Registered(event)) => event.tenant,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_revoked_device_does_not_come_back_by_rewriting_its_signature() {
    let registry = registry().await;
    let (ca, owner) = (Ca::new("ca"), tenant(A));
    ca.register(&registry, owner, at(1)).await;
    let leaf = ca.leaf("device");
    let other = other_form(&leaf);
    other.check_signed_by(tidegate_pki::CaCertificate::from_pem(&ca.pem).unwrap().public_key()).unwrap();
    let (id, other_id) = (leaf.certificate_id(), other.certificate_id());
    assert_ne!(id, other_id);
    assert_eq!(registered_by(registry.connect(presented(&leaf, ServerName::Host), at(2)).await), owner);
    for status in [
        CertificateStatus::PendingActivation,
        CertificateStatus::Active,
        CertificateStatus::Inactive,
        CertificateStatus::Revoked,
    ] {
        let _ = registry.update_certificate(owner, id, status, at(3)).await;
        for name in [ServerName::Host, ServerName::Absent, endpoint(A)] {
            let refused = registry.connect(presented(&other, name), at(4)).await.unwrap_err();
            assert_eq!(refused.reason, Refusal::OtherForm(id), "{status} {name:?}");
            assert_eq!((refused.authn_error(), refused.tenant), ("DEVICE_CERTIFICATE_NOT_REGISTERED", Some(owner)));
            assert!(refused.to_string().contains(&id.to_string()), "{refused}");
        }
        let directory = registry.directory();
        directory.check_leaf(&other, at(4).wall).unwrap();
        let refused = directory.check_status(&other, at(4).wall).unwrap_err();
        assert_eq!((refused.reason, refused.tenant), (Refusal::OtherForm(id), Some(owner)));
        let input = RegisterCertificate { certificate_pem: other.pem(), ..Default::default() };
        for error in [
            registry.register_certificate(owner, input, at(4)).await.unwrap_err(),
            registry.register_certificate_without_ca(owner, &other.pem(), None, at(4)).await.unwrap_err(),
        ] {
            assert!(matches!(error, RegistryError::CertificateExists(of, known) if (of, known) == (owner, id)));
        }
    }
    assert_eq!(registry.list_certificates(owner, first_page()).await.unwrap().items.len(), 1);
    // As for the certificate itself: whoever deletes it lets the device register anew.
    registry.delete_certificate(owner, id, false).await.unwrap();
    registry.directory().check_status(&other, at(5).wall).unwrap();
    assert_eq!(registered_by(registry.connect(presented(&other, endpoint(A)), at(5)).await), owner);
    let refused = registry.connect(presented(&leaf, endpoint(A)), at(6)).await.unwrap_err();
    assert_eq!(refused.reason, Refusal::OtherForm(other_id));
}

#[tokio::test]
async fn another_form_is_as_foreign_to_other_accounts_as_the_certificate() {
    let registry = registry().await;
    let (ca, a, b) = (Ca::new("ca"), tenant(A), tenant(B));
    let ca_id = ca.register(&registry, a, at(1)).await;
    let leaf = ca.leaf("device");
    let other = other_form(&leaf);
    registered_by(registry.connect(presented(&leaf, ServerName::Host), at(2)).await);
    // In SNI_ONLY any account may hold either form; what it does with it changes nothing for the others.
    registry.register_certificate_without_ca(b, &other.pem(), None, at(3)).await.unwrap();
    assert!(registry.register_certificate_without_ca(b, &leaf.pem(), None, at(3)).await.is_err());
    registry.delete_certificate(b, other.certificate_id(), false).await.unwrap();
    assert!(registry.connect(presented(&other, endpoint(A)), at(4)).await.is_err());
    // The CA moves to another account: the certificate stays behind in whatever form.
    let off = UpdateCaCertificate { new_status: Some(CaStatus::Inactive), ..Default::default() };
    registry.update_ca_certificate(a, ca_id, off, at(5)).await.unwrap();
    registry.delete_ca_certificate(a, ca_id).await.unwrap();
    ca.register(&registry, b, at(6)).await;
    for form in [&leaf, &other] {
        let refused = registry.connect(presented(form, endpoint(B)), at(7)).await.unwrap_err();
        assert_eq!(refused.reason, Refusal::OtherAccount);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_two_forms_at_once_make_one_row() {
    let registry = registry().await;
    let (ca, owner) = (Ca::new("ca"), tenant(A));
    ca.register(&registry, owner, at(1)).await;
    for round in 0..20 {
        let leaf = ca.leaf(&round.to_string());
        let forms = [other_form(&leaf), leaf];
        // The signature is known, so that they meet in the store.
        forms.iter().for_each(|form| registry.directory().check_leaf(form, at(2).wall).unwrap());
        let start = Arc::new(tokio::sync::Barrier::new(8));
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..8 {
            let (registry, form, start) = (registry.clone(), forms[number % 2].clone(), Arc::clone(&start));
            tasks.spawn(async move {
                start.wait().await;
                registry.connect(presented(&form, ServerName::Host), at(2)).await
            });
        }
        let outcomes = tasks.join_all().await;
        let registered = |outcome: &&Result<_, _>| matches!(outcome, Ok(Admission::Registered(_)));
        assert_eq!(outcomes.iter().filter(registered).count(), 1, "{outcomes:?}");
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 4, "{outcomes:?}");
    }
    let page = PageRequest { size: Some(250), ..first_page() };
    assert_eq!(registry.list_certificates(owner, page).await.unwrap().items.len(), 20);
}

#[tokio::test]
async fn two_forms_decided_on_one_snapshot_are_not_both_committed() {
    use CertificateMode::{Default as ByCertificate, SniOnly};
    let (a, b) = (tenant(A), tenant(B));
    for (first, second, both) in [
        ((a, ByCertificate), (a, ByCertificate), false),
        ((a, SniOnly), (a, SniOnly), false),
        ((a, ByCertificate), (b, ByCertificate), false),
        ((a, SniOnly), (b, SniOnly), true),
    ] {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let registry = open(Arc::clone(&store), Box::new(())).await;
        let leaf = Ca::new("ca").leaf("device");
        let read = registry.read().await.unwrap();
        let mut transactions = Vec::new();
        for ((owner, mode), form) in [(first, &leaf), (second, &other_form(&leaf))] {
            let generation_id = registry.generation_id();
            let record = new_record(form, CertificateStatus::Inactive, mode, None, generation_id, at(1));
            let mut transaction = tidegate_kv::Transaction::new();
            insert_certificate(&read, &mut transaction, owner, form, &record).await.unwrap();
            transactions.push(transaction);
        }
        let [one, other] = transactions.try_into().unwrap();
        store.commit(one).await.unwrap();
        assert_eq!(store.commit(other).await.is_ok(), both, "{first:?} {second:?}");
    }
}

/// The leaf's signature fits the key in another CA certificate, which nobody can sign with. See `testdata/recipe.sh`.
#[tokio::test]
async fn a_ca_certificate_whose_key_fits_does_not_hide_the_ca_that_signed() {
    let leaf = ClientLeaf::from_pem(include_str!("../../testdata/leaf.pem")).unwrap();
    let now = 400 * 86_400;
    let sni_only = |pem: &str, allow_auto_registration| RegisterCaCertificate {
        ca_certificate_pem: pem.into(),
        mode: Some(CertificateMode::SniOnly),
        set_as_active: true,
        allow_auto_registration,
        ..Default::default()
    };
    for (fitting_first, auto) in [(true, true), (true, false), (false, true), (false, false)] {
        let registry = registry().await;
        let mut requests = [
            (tenant(B), sni_only(include_str!("../../testdata/fitting_ca.pem"), auto)),
            (tenant(A), sni_only(include_str!("../../testdata/ca.pem"), true)),
        ];
        if !fitting_first {
            requests.reverse();
        }
        for (owner, request) in requests {
            registry.register_ca_certificate(owner, request, at(now)).await.unwrap();
        }
        // Whoever asks first, second and third is told the same.
        for _ in 0..3 {
            registry.directory().check_leaf(&leaf, at(now).wall).unwrap();
            registry.directory().check_status(&leaf, at(now).wall).unwrap();
        }
        let directory = registry.directory();
        assert_eq!(directory.issuers.signers(&leaf, |_| true).found.len(), 2);
        assert_eq!(registered_by(registry.connect(presented(&leaf, endpoint(A)), at(now)).await), tenant(A));
    }
}

#[tokio::test]
async fn many_cas_of_one_name_do_not_hide_another_accounts() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let registry = open(Arc::clone(&store), Box::new(())).await;
    // An account is in every region.
    for number in 0..200 {
        let region = format!("eu-west-{}", number / 10).parse().unwrap();
        let flooder = Tenant { region, ..tenant(A) };
        registry.register_ca_certificate(flooder, Ca::new("same").sni_only(), at(1)).await.unwrap();
    }
    let ca = Ca::new("same");
    ca.register(&registry, tenant(B), at(100)).await;
    let by_sni = Ca::new("same");
    registry.register_ca_certificate(tenant(B), by_sni.sni_only(), at(100)).await.unwrap();
    for registry in [&registry, &open(store, Box::new(())).await] {
        for (ca, name) in [(&ca, ServerName::Host), (&ca, endpoint(B)), (&by_sni, endpoint(B))] {
            let leaf = ca.leaf("device");
            registry.directory().check_leaf(&leaf, at(101).wall).unwrap();
            registry.directory().check_status(&leaf, at(101).wall).unwrap();
            assert_eq!(registered_by(registry.connect(presented(&leaf, name), at(101)).await), tenant(B));
        }
        // A forger is still refused, if only at CONNECT.
        let forged = Ca::new("same").leaf("device");
        let refused = registry.connect(presented(&forged, endpoint(B)), at(101)).await.unwrap_err();
        assert!(matches!(refused.reason, Refusal::NotSignedByIssuer { .. }), "{refused:?}");
    }
}

#[tokio::test]
async fn an_account_that_copies_certificates_changes_nothing_for_their_owner() {
    let registry = registry().await;
    let (ca, a, b) = (Ca::new("ca"), tenant(A), tenant(B));
    let id = ca.register(&registry, a, at(1)).await;
    let leaf = ca.leaf("device");
    // B knows the CA certificate and the device's certificate, which are no secrets.
    registry.register_ca_certificate(b, ca.sni_only(), at(2)).await.unwrap();
    registry.register_certificate_without_ca(b, &leaf.pem(), None, at(2)).await.unwrap();
    registry.directory().check_status(&leaf, at(3).wall).unwrap();
    let off =
        UpdateCaCertificate { new_auto_registration: Some(AutoRegistrationStatus::Disable), ..Default::default() };
    registry.update_ca_certificate(a, id, off, at(3)).await.unwrap();
    let refused = registry.connect(presented(&leaf, ServerName::Host), at(3)).await.unwrap_err();
    assert_eq!((refused.reason, refused.tenant), (Refusal::AutoRegistrationDisabled(id), Some(a)));
    let on = UpdateCaCertificate { new_auto_registration: Some(AutoRegistrationStatus::Enable), ..Default::default() };
    registry.update_ca_certificate(a, id, on, at(4)).await.unwrap();
    assert_eq!(registered_by(registry.connect(presented(&leaf, ServerName::Host), at(5)).await), a);
    registry.update_certificate(a, leaf.certificate_id(), CertificateStatus::Revoked, at(6)).await.unwrap();
    let refused = registry.directory().check_status(&leaf, at(7).wall).unwrap_err();
    assert_eq!((refused.reason, refused.tenant), (Refusal::Revoked, Some(a)));
    // A stranger to A's account learns nothing about who came without naming B.
    let mine = Ca::new("other");
    registry.register_ca_certificate(b, mine.sni_only(), at(8)).await.unwrap();
    let refused = registry.connect(presented(&mine.leaf("d"), ServerName::Host), at(9)).await.unwrap_err();
    assert_eq!(refused.tenant, None);
}

#[tokio::test]
async fn registrations_over_the_limit_are_refused_and_leave_nothing() {
    let registry = registry().await;
    let (ca, owner) = (Ca::new("ca"), tenant(A));
    ca.register(&registry, owner, at(1)).await;
    let limits = Limits { auto_registrations_per_second: Some(AUTO_REGISTRATIONS_PER_SECOND_AWS) };
    let leaves: Vec<_> = (0..17).map(|number| ca.leaf(&number.to_string())).collect();
    for leaf in &leaves[..15] {
        registered_by(registry.connect_within(presented(leaf, ServerName::Host), limits, at(2)).await);
    }
    let refused = registry.connect_within(presented(&leaves[15], ServerName::Host), limits, at(2)).await.unwrap_err();
    assert_eq!((refused.authn_error(), &refused.reason), ("THROTTLED", &Refusal::Throttled));
    assert!(registry.describe_certificate(owner, leaves[15].certificate_id()).await.is_err());
    // Who is registered already costs nothing, and other listeners may have no limit.
    assert!(registry.connect_within(presented(&leaves[0], ServerName::Host), limits, at(2)).await.is_ok());
    registered_by(registry.connect(presented(&leaves[16], ServerName::Host), at(2)).await);
    registered_by(registry.connect_within(presented(&leaves[15], ServerName::Host), limits, at(3)).await);
}
