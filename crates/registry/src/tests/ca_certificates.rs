use super::{
    material::{Ca, expired_ca, self_signed},
    *,
};
use crate::{
    AutoRegistrationStatus, CaStatus, CertificateMode, CertificateProblem, RegisterCaCertificate, RegistrationConfig,
    RegistryError, UpdateCaCertificate,
};

#[tokio::test]
async fn the_registration_code_stays_until_it_is_deleted() {
    let registry = registry().await;
    let (a, b) = (tenant(A), tenant(B));
    let code = registry.get_registration_code(a, at(1)).await.unwrap();
    assert_eq!(registry.get_registration_code(a, at(2)).await.unwrap(), code);
    assert_ne!(registry.get_registration_code(b, at(2)).await.unwrap(), code);
    registry.delete_registration_code(a).await.unwrap();
    assert!(matches!(registry.delete_registration_code(a).await, Err(RegistryError::RegistrationCodeNotFound)));
    assert_ne!(registry.get_registration_code(a, at(3)).await.unwrap(), code);
}

#[tokio::test]
async fn a_ca_is_inactive_unless_asked() {
    let registry = registry().await;
    let (ca, owner) = (Ca::new("ca"), tenant(A));
    let mut request = ca.request(&registry, owner, at(1)).await;
    (request.set_as_active, request.allow_auto_registration) = (false, false);
    let id = registry.register_ca_certificate(owner, request, at(5)).await.unwrap();
    assert_eq!(id, ca.id());
    let described = registry.describe_ca_certificate(owner, id).await.unwrap();
    let record = &described.record;
    assert_eq!((record.status, record.auto_registration), (CaStatus::Inactive, AutoRegistrationStatus::Disable));
    assert_eq!((record.mode, record.customer_version), (CertificateMode::Default, 1));
    assert_eq!((record.created, record.modified), (at(5).wall, at(5).wall));
    assert_eq!(record.validity.not_after.seconds(), 2_051_222_400); // 2035-01-01
    assert!(record.pem.contains("BEGIN CERTIFICATE"));
    assert_eq!(described.arn().to_string(), format!("arn:aws:iot:eu-central-1:{A}:cacert/{id}"));
    assert!(matches!(
        registry.describe_ca_certificate(tenant(B), id).await,
        Err(RegistryError::CaCertificateNotFound(_))
    ));
}

#[tokio::test]
async fn the_verification_certificate_proves_key_and_account() {
    let registry = registry().await;
    let (ca, other, owner) = (Ca::new("ca"), Ca::new("ca"), tenant(A));
    let good = ca.request(&registry, owner, at(1)).await;
    let code = registry.get_registration_code(owner, at(1)).await.unwrap().to_string();
    let foreign = registry.get_registration_code(tenant(B), at(1)).await.unwrap().to_string();
    type Check = fn(&RegistryError) -> bool;
    let mismatch: Check = |error| matches!(error, RegistryError::RegistrationCodeMismatch);
    let invalid: Check = |error| matches!(error, RegistryError::CertificateInvalid(_));
    for (name, verification, check) in [
        ("wrong name", Some(ca.leaf_pem("device")), mismatch),
        ("another account's code", Some(ca.leaf_pem(&foreign)), mismatch),
        ("signed by another key", Some(other.leaf_pem(&code)), invalid),
        ("expired", Some(ca.sign(&code, (2020, 2021))), invalid),
        ("not there", None, invalid),
        ("not PEM", Some("hello".into()), invalid),
        ("the CA itself", Some(ca.pem.clone()), mismatch),
    ] {
        let request = RegisterCaCertificate { verification_certificate_pem: verification, ..good.clone() };
        let error = registry.register_ca_certificate(owner, request, at(2)).await.unwrap_err();
        assert!(check(&error), "{name}: {error}");
    }
    let upper =
        RegisterCaCertificate { verification_certificate_pem: Some(ca.leaf_pem(&code.to_uppercase())), ..good.clone() };
    registry.register_ca_certificate(owner, upper, at(3)).await.unwrap();
    registry.delete_registration_code(owner).await.unwrap();
    let late = registry.register_ca_certificate(owner, good, at(4)).await.unwrap_err();
    assert!(matches!(late, RegistryError::RegistrationCodeMismatch), "{late}");
}

#[tokio::test]
async fn what_is_no_ca_certificate_is_refused() {
    let registry = registry().await;
    for (name, pem) in [
        ("a leaf", self_signed("leaf")),
        ("expired", expired_ca()),
        ("garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".into()),
        ("empty", String::new()),
    ] {
        let request = RegisterCaCertificate {
            ca_certificate_pem: pem,
            mode: Some(CertificateMode::SniOnly),
            ..Default::default()
        };
        let error = registry.register_ca_certificate(tenant(A), request, at(1)).await.unwrap_err();
        assert!(matches!(error, RegistryError::CertificateInvalid(_)), "{name}: {error}");
    }
}

#[tokio::test]
async fn one_account_of_a_region_holds_a_ca_in_default_mode() {
    let registry = registry().await;
    let (ca, a, b) = (Ca::new("ca"), tenant(A), tenant(B));
    let id = ca.register(&registry, a, at(1)).await;
    let again = ca.request(&registry, a, at(2)).await;
    let error = registry.register_ca_certificate(a, again, at(2)).await.unwrap_err();
    assert!(matches!(error, RegistryError::CaCertificateExists(owner, known) if owner == a && known == id));
    let foreign = ca.request(&registry, b, at(2)).await;
    let error = registry.register_ca_certificate(b, foreign.clone(), at(2)).await.unwrap_err();
    assert_eq!(error.to_string(), "Cannot accept this CACertificate");
    // Another region is another registry; SNI_ONLY may stand beside DEFAULT; and a deleted CA is free again.
    let elsewhere = Tenant { region: "us-west-2".parse().unwrap(), ..b };
    let request = ca.request(&registry, elsewhere, at(3)).await;
    registry.register_ca_certificate(elsewhere, request, at(3)).await.unwrap();
    registry.register_ca_certificate(b, ca.sni_only(), at(3)).await.unwrap();
    registry
        .update_ca_certificate(
            b,
            id,
            UpdateCaCertificate { new_status: Some(CaStatus::Inactive), ..Default::default() },
            at(4),
        )
        .await
        .unwrap();
    registry.delete_ca_certificate(b, id).await.unwrap();
    let inactive = UpdateCaCertificate { new_status: Some(CaStatus::Inactive), ..Default::default() };
    registry.update_ca_certificate(a, id, inactive, at(4)).await.unwrap();
    registry.delete_ca_certificate(a, id).await.unwrap();
    registry.register_ca_certificate(b, foreign, at(5)).await.unwrap();
}

#[tokio::test]
async fn any_number_of_accounts_hold_a_ca_in_sni_only_mode() {
    let registry = registry().await;
    let ca = Ca::new("ca");
    for account in [A, B] {
        registry.register_ca_certificate(tenant(account), ca.sni_only(), at(1)).await.unwrap();
    }
    let mut with_proof = ca.sni_only();
    with_proof.verification_certificate_pem = Some(ca.leaf_pem("x"));
    let error = registry.register_ca_certificate(tenant(A), with_proof, at(2)).await.unwrap_err();
    assert!(matches!(error, RegistryError::CertificateInvalid(CertificateProblem::VerificationCertificateUnexpected)));
}

#[tokio::test]
async fn ten_cas_have_one_subject() {
    let registry = registry().await;
    for number in 0..10 {
        registry.register_ca_certificate(tenant(A), Ca::new("same").sni_only(), at(number)).await.unwrap();
    }
    let eleventh = registry.register_ca_certificate(tenant(A), Ca::new("same").sni_only(), at(11)).await.unwrap_err();
    assert_eq!(eleventh.to_string(), "Limit reached for number of CA Certificates with same subject");
    registry.register_ca_certificate(tenant(B), Ca::new("same").sni_only(), at(12)).await.unwrap();
    registry.register_ca_certificate(tenant(A), Ca::new("other").sni_only(), at(12)).await.unwrap();
}

#[tokio::test]
async fn an_update_counts_only_when_something_changes() {
    let registry = registry().await;
    let (ca, owner) = (Ca::new("ca"), tenant(A));
    let id = ca.register(&registry, owner, at(1)).await;
    let before = registry.describe_ca_certificate(owner, id).await.unwrap().record;
    let same = UpdateCaCertificate { new_status: Some(CaStatus::Active), ..Default::default() };
    registry.update_ca_certificate(owner, id, same, at(2)).await.unwrap();
    assert_eq!(registry.describe_ca_certificate(owner, id).await.unwrap().record, before);
    let config = RegistrationConfig { template_name: Some("t-1".into()), ..Default::default() };
    let update = UpdateCaCertificate {
        new_auto_registration: Some(AutoRegistrationStatus::Disable),
        registration_config: Some(config.clone()),
        ..Default::default()
    };
    registry.update_ca_certificate(owner, id, update, at(3)).await.unwrap();
    let after = registry.describe_ca_certificate(owner, id).await.unwrap().record;
    assert_eq!((after.customer_version, after.modified, after.created), (2, at(3).wall, before.created));
    assert_ne!(after.generation_id, before.generation_id);
    assert_eq!(after.registration_config, Some(config));
    let remove = UpdateCaCertificate { remove_registration_config: true, ..Default::default() };
    registry.update_ca_certificate(owner, id, remove, at(4)).await.unwrap();
    assert_eq!(registry.describe_ca_certificate(owner, id).await.unwrap().record.registration_config, None);
}

#[tokio::test]
async fn a_template_outside_its_bounds_is_refused() {
    let registry = registry().await;
    let (ca, owner) = (Ca::new("ca"), tenant(A));
    for (config, valid) in [
        (RegistrationConfig::default(), true),
        (RegistrationConfig { template_name: Some("a b".into()), ..Default::default() }, false),
        (RegistrationConfig { template_name: Some("n".repeat(37)), ..Default::default() }, false),
        (RegistrationConfig { template_body: Some("x".repeat(10_241)), ..Default::default() }, false),
        (RegistrationConfig { role_arn: Some("short".into()), ..Default::default() }, false),
        (RegistrationConfig { role_arn: Some("arn:aws:iam::123456789012:role/r".into()), ..Default::default() }, true),
    ] {
        let mut request = ca.sni_only();
        request.registration_config = Some(config.clone());
        let outcome = registry.register_ca_certificate(owner, request, at(1)).await;
        let refused = matches!(outcome, Err(RegistryError::InvalidRequest(_)));
        assert_eq!(!refused, valid, "{config:?}: {outcome:?}");
    }
}

#[tokio::test]
async fn an_active_ca_is_not_deleted() {
    let registry = registry().await;
    let (ca, owner) = (Ca::new("ca"), tenant(A));
    let id = ca.register(&registry, owner, at(1)).await;
    let error = registry.delete_ca_certificate(owner, id).await.unwrap_err();
    assert!(matches!(error, RegistryError::CaCertificateActive(_)));
    assert!(error.to_string().contains(&id.to_string()));
    let inactive = UpdateCaCertificate { new_status: Some(CaStatus::Inactive), ..Default::default() };
    registry.update_ca_certificate(owner, id, inactive, at(2)).await.unwrap();
    registry.delete_ca_certificate(owner, id).await.unwrap();
    assert!(matches!(registry.delete_ca_certificate(owner, id).await, Err(RegistryError::CaCertificateNotFound(_))));
    assert!(registry.list_ca_certificates(owner, None, first_page()).await.unwrap().items.is_empty());
    assert_eq!(registry.directory().counts().ca_certificates, 0);
}

#[tokio::test]
async fn cas_are_listed_by_template() {
    let registry = registry().await;
    let owner = tenant(A);
    for (number, template) in [(1, Some("t1")), (2, None), (3, Some("t2")), (4, Some("t1"))] {
        let mut request = Ca::new(&format!("ca {number}")).sni_only();
        request.registration_config =
            template.map(|name: &str| RegistrationConfig { template_name: Some(name.into()), ..Default::default() });
        registry.register_ca_certificate(owner, request, at(number)).await.unwrap();
    }
    for (template, expected) in [(None, 4), (Some("t1"), 2), (Some("t2"), 1), (Some("t3"), 0)] {
        let page = registry.list_ca_certificates(owner, template, first_page()).await.unwrap();
        assert_eq!(page.items.len(), expected, "{template:?}");
    }
}
