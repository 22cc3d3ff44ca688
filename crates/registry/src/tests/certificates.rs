use std::collections::BTreeSet;

use super::{
    material::{Ca, self_signed},
    *,
};
use crate::{
    CaStatus, CertificateMode, CertificateProblem, CertificateStatus, PrivateKey, RegisterCertificate, RegistryError,
    UpdateCaCertificate,
};

fn request(pem: String) -> RegisterCertificate {
    RegisterCertificate { certificate_pem: pem, ..Default::default() }
}

#[tokio::test]
async fn a_certificate_is_registered_under_the_ca_that_signed_it() {
    let registry = registry().await;
    let (ca, owner) = (Ca::new("ca"), tenant(A));
    let ca_id = ca.register(&registry, owner, at(1)).await;
    let pem = ca.leaf_pem("device");
    let id = registry.register_certificate(owner, request(pem.clone()), at(2)).await.unwrap();
    let found = registry.describe_certificate(owner, id).await.unwrap();
    assert_eq!(found.arn().to_string(), format!("arn:aws:iot:eu-central-1:{A}:cert/{id}"));
    let record = found.record;
    assert_eq!((record.status, record.mode), (CertificateStatus::Inactive, CertificateMode::Default));
    assert_eq!((record.ca_certificate_id, record.customer_version), (Some(ca_id), 1));
    assert_eq!(record.created, at(2).wall);
    let error = registry.register_certificate(owner, request(pem), at(3)).await.unwrap_err();
    assert!(matches!(error, RegistryError::CertificateExists(by, known) if by == owner && known == id));
    assert_eq!(error.to_string(), "The certificate is already provisioned or registered");
}

#[tokio::test]
async fn only_a_registered_active_ca_registers() {
    let registry = registry().await;
    let (ca, namesake, owner) = (Ca::new("ca"), Ca::new("ca"), tenant(A));
    let refused =
        async |input: RegisterCertificate| registry.register_certificate(owner, input, at(5)).await.unwrap_err();
    let unknown = refused(request(ca.leaf_pem("d"))).await;
    assert_eq!(unknown.to_string(), "No CA certificate exists for the given certificate");
    let id = ca.register(&registry, owner, at(1)).await;
    // Same subject, another key.
    assert!(matches!(refused(request(namesake.leaf_pem("d"))).await, RegistryError::CaNotRegistered));
    let with_ca = |leaf: String, ca: &Ca| RegisterCertificate {
        certificate_pem: leaf,
        ca_certificate_pem: Some(ca.pem.clone()),
        ..Default::default()
    };
    let wrong_ca = refused(with_ca(namesake.leaf_pem("d"), &ca)).await;
    assert!(matches!(wrong_ca, RegistryError::CertificateInvalid(CertificateProblem::NotSignedByCa)), "{wrong_ca}");
    assert!(matches!(refused(with_ca(namesake.leaf_pem("d"), &namesake)).await, RegistryError::CaNotRegistered));
    assert!(matches!(refused(request(self_signed("d"))).await, RegistryError::CaNotRegistered));
    assert!(matches!(refused(request("x".into())).await, RegistryError::CertificateInvalid(_)));
    // Two CAs of one subject: the caller must say which.
    registry.register_ca_certificate(owner, namesake.sni_only(), at(2)).await.unwrap();
    assert!(matches!(refused(request(ca.leaf_pem("d"))).await, RegistryError::CaAmbiguous));
    let chosen = registry.register_certificate(owner, with_ca(namesake.leaf_pem("d"), &namesake), at(3)).await.unwrap();
    let mode = registry.describe_certificate(owner, chosen).await.unwrap().record.mode;
    assert_eq!(mode, CertificateMode::SniOnly);
    let inactive = UpdateCaCertificate { new_status: Some(CaStatus::Inactive), ..Default::default() };
    registry.update_ca_certificate(owner, id, inactive, at(4)).await.unwrap();
    let off = refused(with_ca(ca.leaf_pem("d"), &ca)).await;
    assert!(matches!(off, RegistryError::CaInactive(ca) if ca == id), "{off}");
}

#[tokio::test]
async fn some_statuses_cannot_be_registered() {
    let registry = registry().await;
    let (ca, owner) = (Ca::new("ca"), tenant(A));
    ca.register(&registry, owner, at(1)).await;
    let input =
        RegisterCertificate { status: Some(CertificateStatus::PendingActivation), ..request(ca.leaf_pem("device")) };
    let error = registry.register_certificate(owner, input.clone(), at(2)).await.unwrap_err();
    assert_eq!(error.to_string(), "Not allowed to register certificate with PENDING_ACTIVATION status");
    let pem = self_signed("d");
    let error = registry.register_certificate_without_ca(owner, &pem, Some(CertificateStatus::Revoked), at(2)).await;
    assert!(matches!(error, Err(RegistryError::StatusNotRegistrable(CertificateStatus::Revoked))));
    let input = RegisterCertificate { status: Some(CertificateStatus::Active), ..input };
    let id = registry.register_certificate(owner, input, at(3)).await.unwrap();
    assert_eq!(registry.directory().certificate_status(owner, id), Some(CertificateStatus::Active));
}

#[tokio::test]
async fn one_account_of_a_region_holds_a_leaf_in_default_mode_and_any_number_in_sni_only() {
    let registry = registry().await;
    let (ca, a, b) = (Ca::new("ca"), tenant(A), tenant(B));
    ca.register(&registry, a, at(1)).await;
    let pem = ca.leaf_pem("device");
    let id = registry.register_certificate(a, request(pem.clone()), at(2)).await.unwrap();
    assert_eq!(registry.register_certificate_without_ca(b, &pem, None, at(3)).await.unwrap(), id);
    assert!(matches!(
        registry.register_certificate_without_ca(b, &pem, None, at(4)).await,
        Err(RegistryError::CertificateExists(..))
    ));
    registry.delete_certificate(b, id, false).await.unwrap();
    registry.describe_certificate(a, id).await.unwrap();
    assert!(matches!(registry.describe_certificate(b, id).await, Err(RegistryError::CertificateNotFound(_))));
}

#[tokio::test]
async fn update_certificate_keeps_the_table_and_counts_changes() {
    let registry = registry().await;
    let owner = tenant(A);
    let id = registry.register_certificate_without_ca(owner, &self_signed("d"), None, at(1)).await.unwrap();
    let told = told(&registry);
    let update = async |status, seconds| registry.update_certificate(owner, id, status, at(seconds)).await;
    use CertificateStatus::*;
    update(Inactive, 2).await.unwrap();
    assert_eq!(registry.describe_certificate(owner, id).await.unwrap().record.customer_version, 1);
    update(Active, 3).await.unwrap();
    assert_eq!(registry.directory().certificate_status(owner, id), Some(Active));
    let refused = update(PendingActivation, 4).await.unwrap_err();
    assert!(matches!(refused, RegistryError::StatusChange(..)));
    assert!(refused.to_string().contains("PENDING_ACTIVATION"), "{refused}");
    update(Revoked, 5).await.unwrap();
    assert!(matches!(update(Active, 6).await, Err(RegistryError::StatusChange(..))));
    let record = registry.describe_certificate(owner, id).await.unwrap().record;
    assert_eq!((record.status, record.customer_version, record.modified), (Revoked, 3, at(5).wall));
    let statuses: Vec<_> = told.lock().unwrap().iter().map(|change| change.ends_sessions_of()).collect();
    assert_eq!(statuses, [None, Some((owner, id))]);
    let nobody = registry.update_certificate(tenant(B), id, Active, at(7)).await;
    assert!(matches!(nobody, Err(RegistryError::CertificateNotFound(_))));
}

#[tokio::test]
async fn delete_certificate_follows_its_rules() {
    let registry = registry().await;
    let owner = tenant(A);
    let id = registry
        .register_certificate_without_ca(owner, &self_signed("d"), Some(CertificateStatus::Active), at(1))
        .await
        .unwrap();
    let name = "p".parse().unwrap();
    let allow = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}"#;
    registry.create_policy(owner, "p".parse().unwrap(), allow.into(), Vec::new(), at(1)).await.unwrap();
    let target = crate::PolicyTarget::Certificate(id);
    registry.attach_policy(owner, &name, target.clone()).await.unwrap();
    let active = registry.delete_certificate(owner, id, true).await.unwrap_err();
    assert_eq!(active.to_string(), format!("Certificate must be deactivated (not ACTIVE) before deletion. Id: {id}"));
    registry.update_certificate(owner, id, CertificateStatus::Inactive, at(2)).await.unwrap();
    let attached = registry.delete_certificate(owner, id, false).await.unwrap_err();
    assert_eq!(
        attached.to_string(),
        format!("Certificate policies must be detached before deletion (arn: arn:aws:iot:eu-central-1:{A}:cert/{id})")
    );
    registry.delete_certificate(owner, id, true).await.unwrap();
    assert!(registry.list_targets_for_policy(owner, &name, first_page()).await.unwrap().items.is_empty());
    assert!(registry.list_certificates(owner, first_page()).await.unwrap().items.is_empty());
    assert_eq!(registry.directory().counts().certificates, 0);
    assert!(matches!(registry.delete_certificate(owner, id, true).await, Err(RegistryError::CertificateNotFound(_))));
    registry.delete_policy(owner, &name).await.unwrap();
}

#[tokio::test]
async fn issued_certificates_belong_to_the_account() {
    let registry = registry().await;
    let owner = tenant(A);
    let key = PrivateKey::generate_p256().unwrap();
    let created = registry.create_keys_and_certificate(owner, &key, true, at(1)).await.unwrap();
    assert!(created.public_key_pem.starts_with("-----BEGIN PUBLIC KEY-----"));
    assert!(!format!("{created:?}").contains("PRIVATE"));
    let record = registry.describe_certificate(owner, created.certificate.certificate_id).await.unwrap().record;
    assert_eq!((record.status, record.mode), (CertificateStatus::Active, CertificateMode::Default));
    assert_eq!((record.ca_certificate_id, record.pem), (None, created.certificate.pem));
    let csr = rcgen::CertificateParams::default()
        .serialize_request(&rcgen::KeyPair::generate().unwrap())
        .unwrap()
        .pem()
        .unwrap();
    let issued = registry.create_certificate_from_csr(owner, &csr, false, at(2)).await.unwrap();
    let record = registry.describe_certificate(owner, issued.certificate_id).await.unwrap().record;
    assert_eq!(record.status, CertificateStatus::Inactive);
    let garbage = registry.create_certificate_from_csr(owner, "hello", false, at(3)).await;
    assert!(matches!(garbage, Err(RegistryError::CsrInvalid(_))));
}

#[tokio::test]
async fn listings_page_through_everything_once_in_either_order() {
    let registry = registry().await;
    let (ca, owner) = (Ca::new("ca"), tenant(A));
    let ca_id = ca.register(&registry, owner, at(1)).await;
    let mut made = Vec::new();
    for number in 0..7 {
        // Two at each moment: the id decides between them.
        let input = request(ca.leaf_pem(&format!("d{number}")));
        made.push((at(number / 2).wall, registry.register_certificate(owner, input, at(number / 2)).await.unwrap()));
    }
    registry.register_certificate_without_ca(tenant(B), &self_signed("d"), None, at(9)).await.unwrap();
    made.sort();
    for ascending in [true, false] {
        for size in [1, 2, 3, 7, 25] {
            let mut seen = Vec::new();
            let mut page = PageRequest { size: Some(size), marker: None, ascending };
            loop {
                let answer = registry.list_certificates_by_ca(owner, ca_id, page.clone()).await.unwrap();
                assert!(answer.items.len() <= size as usize);
                seen.extend(answer.items.iter().map(|item| (item.created, item.certificate_id)));
                match answer.next_marker {
                    Some(marker) => page.marker = Some(marker),
                    None => break,
                }
            }
            let mut expected = made.clone();
            if !ascending {
                expected.reverse();
            }
            assert_eq!(seen, expected, "{ascending} {size}");
        }
    }
    let all = registry.list_certificates(owner, first_page()).await.unwrap();
    assert_eq!(all.items.len(), 7);
    assert_eq!(all.items.iter().map(|item| item.certificate_id).collect::<BTreeSet<_>>().len(), 7);
}

#[tokio::test]
async fn a_marker_is_good_for_its_own_listing_alone() {
    let registry = registry().await;
    let (a, b) = (tenant(A), tenant(B));
    for number in 0..3 {
        for owner in [a, b] {
            registry
                .register_certificate_without_ca(owner, &self_signed(&number.to_string()), None, at(number))
                .await
                .unwrap();
        }
    }
    let page = |marker: &str| PageRequest { size: Some(1), marker: Some(marker.into()), ascending: false };
    let one = PageRequest { size: Some(1), ..first_page() };
    let marker = registry.list_certificates(a, one).await.unwrap().next_marker.unwrap();
    assert!(marker.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b)) && marker.len() <= 1024);
    registry.list_certificates(a, page(&marker)).await.unwrap();
    let altered: String = marker.chars().rev().collect();
    for (name, outcome) in [
        ("another account", registry.list_certificates(b, page(&marker)).await),
        ("another order", registry.list_certificates(a, PageRequest { ascending: true, ..page(&marker) }).await),
        ("altered", registry.list_certificates(a, page(&altered)).await),
        ("no base64", registry.list_certificates(a, page("%%%")).await),
        ("short", registry.list_certificates(a, page("AAAA")).await),
        ("empty", registry.list_certificates(a, page("")).await),
        ("long", registry.list_certificates(a, page(&"A".repeat(2000))).await),
    ] {
        assert!(matches!(outcome, Err(RegistryError::InvalidMarker)), "{name}");
    }
    let other_listing = registry.list_ca_certificates(a, None, page(&marker)).await;
    assert!(matches!(other_listing, Err(RegistryError::InvalidMarker)));
    for (size, valid) in [(0, false), (1, true), (250, true), (251, false)] {
        let request = PageRequest { size: Some(size), ..first_page() };
        assert_eq!(registry.list_certificates(a, request).await.is_ok(), valid, "{size}");
    }
}
