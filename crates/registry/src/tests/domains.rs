//! Domain configurations: what they must be, their life, and what new connections see of them.

use super::*;
use crate::{
    ApplicationProtocol, AuthenticationType, AuthorizerConfig, AuthorizerStatus, CertificateProblem, CreateAuthorizer,
    CreateDomainConfiguration, DOMAIN_CONFIGURATIONS_MAX, DomainConfiguration, DomainConfigurationStatus, DomainType,
    NewServerCertificate, RegistryError, SecurityPolicy, TaggedResource, UpdateDomainConfiguration, Validity,
};

fn request(name: &str) -> CreateDomainConfiguration {
    CreateDomainConfiguration {
        name: name.parse().unwrap(),
        domain_name: None,
        server_certificate_arn: None,
        validation_certificate_arn: None,
        authorizer_config: None,
        security_policy: None,
        authentication_type: None,
        application_protocol: None,
        tags: Vec::new(),
    }
}

fn for_domain(name: &str, domain_name: &str) -> CreateDomainConfiguration {
    CreateDomainConfiguration { domain_name: Some(domain_name.into()), ..request(name) }
}

fn arn(account: &str, id: &str) -> String {
    format!("arn:aws:acm:eu-central-1:{account}:certificate/{id}")
}

async fn disable(registry: &Registry, made: &DomainConfiguration) {
    let update = UpdateDomainConfiguration { status: Some(DomainConfigurationStatus::Disabled), ..Default::default() };
    registry.update_domain_configuration(made.tenant, made.name.clone(), update, at(50)).await.unwrap();
}

/// Stores a certificate for `names` as the certificate manager will: under its ARN.
async fn store(registry: &Registry, arn: &str, names: &[&str], validity: Validity) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let issued = registry.issue_server_certificate("x", &names, validity, at(0)).await.unwrap();
    let crate::ServerCertificate { names, chain_pem, key_pkcs8, .. } = issued;
    let input = NewServerCertificate { name: arn.to_owned(), names, chain_pem, key_pkcs8 };
    registry.put_server_certificate(input, at(0)).await.unwrap();
}

#[tokio::test]
async fn a_configuration_lives_and_the_directory_shows_it() {
    let (registry, a) = (registry().await, tenant(A));
    let directory = registry.directory();
    let made = registry.create_domain_configuration(a, for_domain("d", "MQTT.example.com"), at(1)).await.unwrap();
    assert_eq!((made.record.domain_type, made.is_enabled()), (DomainType::CustomerManaged, true));
    assert_eq!(made.record.domain_name, "mqtt.example.com");

    let shown = directory.domain("Mqtt.Example.Com").unwrap();
    assert_eq!(*shown.configuration, made);
    let certificate = shown.certificate.unwrap().open().unwrap();
    assert_eq!(certificate.names, ["mqtt.example.com"]);
    assert_eq!(certificate.validity, Validity::of_server_certificate(at(1).wall));
    assert_eq!(directory.tenant_of_server_name("mqtt.example.com"), Some(a));
    assert!(directory.domain("x.mqtt.example.com").is_none());

    let update = UpdateDomainConfiguration {
        security_policy: Some(SecurityPolicy::Tls13_1_3_2022_10),
        application_protocol: Some(ApplicationProtocol::SecureMqtt),
        ..Default::default()
    };
    let updated = registry.update_domain_configuration(a, made.name.clone(), update, at(2)).await.unwrap();
    assert_eq!(updated.record.status_changed, Some(at(1).wall));
    assert_eq!(*directory.domain("mqtt.example.com").unwrap().configuration, updated);
    let described = registry.describe_domain_configuration(a, made.name.clone(), at(3)).await.unwrap();
    assert_eq!(described.configuration, updated);
    assert_eq!(described.server_certificate, None);

    let enabled = registry.delete_domain_configuration(a, &made.name).await;
    assert!(matches!(enabled, Err(RegistryError::DomainConfigurationEnabled(_))), "{enabled:?}");
    disable(&registry, &made).await;
    let disabled = directory.domain("mqtt.example.com").unwrap().configuration;
    assert_eq!((disabled.is_enabled(), disabled.record.status_changed), (false, Some(at(50).wall)));
    registry.delete_domain_configuration(a, &made.name).await.unwrap();
    assert!(directory.domain("mqtt.example.com").is_none());
    assert!(registry.server_certificate_dates().await.unwrap().is_empty(), "its certificate is gone too");
    let gone = registry.describe_domain_configuration(a, made.name, at(4)).await;
    assert!(matches!(gone, Err(RegistryError::DomainConfigurationNotFound(_))), "{gone:?}");
}

#[tokio::test]
async fn a_domain_name_belongs_to_one_configuration_of_one_account() {
    let registry = registry().await;
    let made = registry.create_domain_configuration(tenant(A), for_domain("d", "m.example.com"), at(1)).await.unwrap();
    let same_name = registry.create_domain_configuration(tenant(A), for_domain("d", "n.example.com"), at(2)).await;
    assert!(matches!(same_name, Err(RegistryError::DomainConfigurationExists(_, name)) if name == made.name));
    let same_domain = registry.create_domain_configuration(tenant(A), for_domain("e", "M.example.com"), at(2)).await;
    assert!(matches!(same_domain, Err(RegistryError::DomainConfigurationExists(_, name)) if name == made.name));
    let elsewhere = registry.create_domain_configuration(tenant(B), for_domain("d", "m.example.com"), at(2)).await;
    assert!(matches!(elsewhere, Err(RegistryError::InvalidRequest(_))), "{elsewhere:?}");
    let other_region = Tenant { region: "us-east-1".parse().unwrap(), ..tenant(A) };
    let other = registry.create_domain_configuration(other_region, for_domain("d", "m.example.com"), at(2)).await;
    assert!(matches!(other, Err(RegistryError::InvalidRequest(_))), "{other:?}");

    disable(&registry, &made).await;
    registry.delete_domain_configuration(tenant(A), &made.name).await.unwrap();
    registry.create_domain_configuration(tenant(B), for_domain("d", "m.example.com"), at(3)).await.unwrap();
    assert_eq!(registry.directory().tenant_of_server_name("m.example.com"), Some(tenant(B)));
}

#[tokio::test]
async fn the_service_makes_up_names_that_differ() {
    let (registry, a) = (registry().await, tenant(A));
    let mut names = Vec::new();
    for name in ["d", "e"] {
        let made = registry.create_domain_configuration(a, request(name), at(1)).await.unwrap();
        assert_eq!(made.record.domain_type, DomainType::AwsManaged);
        let domain_name = made.record.domain_name;
        assert!(domain_name.ends_with("-ats.iot.eu-central-1.iot.example"), "{domain_name}");
        assert!(registry.directory().domain(&domain_name).unwrap().certificate.is_some());
        names.push(domain_name);
    }
    assert_ne!(names[0], names[1]);
}

#[tokio::test]
async fn what_could_let_nobody_in_or_is_not_done_is_refused() {
    let (registry, a) = (registry().await, tenant(A));
    let with = |authentication_type, application_protocol| CreateDomainConfiguration {
        authentication_type: Some(authentication_type),
        application_protocol: Some(application_protocol),
        ..request("d")
    };
    use {ApplicationProtocol as Protocol, AuthenticationType as Authentication};
    let authorizer = |name: &str| CreateDomainConfiguration {
        authorizer_config: Some(AuthorizerConfig {
            default_authorizer_name: Some(name.parse().unwrap()),
            allow_authorizer_override: false,
        }),
        ..request("d")
    };
    let made = CreateAuthorizer {
        name: "here".parse().unwrap(),
        function_arn: "f".into(),
        token_key_name: None,
        token_signing_public_keys: Default::default(),
        status: Some(AuthorizerStatus::Inactive),
        signing_disabled: true,
        enable_caching_for_http: false,
        tags: Vec::new(),
    };
    registry.create_authorizer(a, made, at(0)).await.unwrap();
    for (number, (request, valid)) in [
        (request("d"), true),
        (for_domain("d", "no name"), false),
        (for_domain("d", "localhost"), false),
        (for_domain("d", "broker.example"), false),
        (CreateDomainConfiguration { name: "iot:Data-ATS".parse().unwrap(), ..request("d") }, false),
        (CreateDomainConfiguration { server_certificate_arn: Some(arn(A, "c")), ..request("d") }, false),
        (with(Authentication::AwsX509, Protocol::SecureMqtt), true),
        (with(Authentication::CustomAuth, Protocol::Https), true),
        (with(Authentication::AwsSigv4, Protocol::MqttWss), true),
        (with(Authentication::AwsSigv4, Protocol::Default), true),
        (with(Authentication::AwsSigv4, Protocol::SecureMqtt), false),
        (with(Authentication::AwsSigv4, Protocol::Https), false),
        (with(Authentication::CustomAuthX509, Protocol::Default), true),
        (authorizer("here"), true),
        (authorizer("nowhere"), false),
    ]
    .into_iter()
    .enumerate()
    {
        let request = match request.name.is_reserved() {
            true => request,
            false => CreateDomainConfiguration { name: format!("d{number}").parse().unwrap(), ..request },
        };
        let made = registry.create_domain_configuration(a, request, at(1)).await;
        assert_eq!(made.is_ok(), valid, "{number}: {made:?}");
        assert!(valid || matches!(made, Err(RegistryError::InvalidRequest(_))), "{number}: {made:?}");
    }
}

#[tokio::test]
async fn a_chosen_certificate_must_be_there_and_be_for_the_name() {
    let (registry, a) = (registry().await, tenant(A));
    let validity = Validity::of_server_certificate(at(0).wall);
    store(&registry, &arn(A, "good"), &["m.example.com", "*.wild.example.com"], validity).await;
    store(&registry, &arn(B, "foreign"), &["m.example.com"], validity).await;
    let chosen = |domain_name: &str, arn: String| CreateDomainConfiguration {
        server_certificate_arn: Some(arn),
        ..for_domain("d", domain_name)
    };
    for (request, at_second, expected) in [
        (chosen("m.example.com", arn(A, "none")), 1, "was not found"),
        (chosen("m.example.com", arn(B, "foreign")), 1, "another account"),
        (chosen("n.example.com", arn(A, "good")), 1, "not for the name"),
        (chosen("a.b.wild.example.com", arn(A, "good")), 1, "not for the name"),
        (chosen("m.example.com", arn(A, "good")), 400 * 24 * 3600, "validity period"),
        (
            CreateDomainConfiguration {
                validation_certificate_arn: Some(arn(A, "none")),
                ..for_domain("d", "m.example.com")
            },
            1,
            "was not found",
        ),
    ] {
        let refused = registry.create_domain_configuration(a, request, at(at_second)).await.unwrap_err();
        assert!(refused.to_string().contains(expected), "{refused}");
    }
    let made = registry.create_domain_configuration(a, chosen("x.wild.example.com", arn(A, "good")), at(1)).await;
    let made = made.unwrap();
    let shown = registry.directory().domain("x.wild.example.com").unwrap();
    assert!(shown.certificate.unwrap().open().unwrap().names.contains(&"*.wild.example.com".to_owned()));
    for (at_second, expected) in [(1, None), (400 * 24 * 3600, Some(CertificateProblem::OutsideValidity))] {
        let described = registry.describe_domain_configuration(a, made.name.clone(), at(at_second)).await.unwrap();
        assert_eq!(described.server_certificate, Some((arn(A, "good"), expected)));
    }
    disable(&registry, &made).await;
    registry.delete_domain_configuration(a, &made.name).await.unwrap();
    let left = registry.server_certificate(&arn(A, "good")).await.unwrap();
    assert!(left.is_some(), "a chosen certificate stays");
}

#[tokio::test]
async fn the_endpoint_has_a_configuration_from_the_beginning() {
    let (registry, a) = (registry().await, tenant(A));
    registry.create_account(Some(A.parse().unwrap()), at(0)).await.unwrap();
    let name = || "iot:Data-ATS".parse().unwrap();
    let endpoint = registry.endpoint(a).unwrap();
    let described = registry.describe_domain_configuration(a, name(), at(1)).await.unwrap().configuration;
    assert_eq!((described.record.domain_type, &described.record.domain_name), (DomainType::Endpoint, &endpoint));
    assert!(registry.directory().domain(&endpoint).is_none(), "nothing differs from what the listener says");

    let update =
        UpdateDomainConfiguration { security_policy: Some(SecurityPolicy::Tls12_1_2_2022_10), ..Default::default() };
    registry.update_domain_configuration(a, name(), update, at(2)).await.unwrap();
    let shown = registry.directory().domain(&endpoint).unwrap();
    assert_eq!(shown.configuration.record.security_policy, SecurityPolicy::Tls12_1_2_2022_10);
    assert!(shown.certificate.is_none());
    assert!(!registry.directory().is_nobodys_endpoint(&endpoint));
    assert!(registry.directory().is_nobodys_endpoint(&format!("x{endpoint}")));
    assert!(!registry.directory().is_nobodys_endpoint("x.iot.example"));
    assert!(registry.directory().domain(&registry.endpoint(tenant(B)).unwrap()).is_none());

    let update = UpdateDomainConfiguration { status: Some(DomainConfigurationStatus::Disabled), ..Default::default() };
    let disabled = registry.update_domain_configuration(a, name(), update, at(3)).await;
    assert!(matches!(disabled, Err(RegistryError::InvalidRequest(_))), "{disabled:?}");
    let deleted = registry.delete_domain_configuration(a, &name()).await;
    assert!(matches!(deleted, Err(RegistryError::InvalidRequest(_))), "{deleted:?}");
    let other = registry.describe_domain_configuration(a, "iot:Jobs".parse().unwrap(), at(4)).await;
    assert!(matches!(other, Err(RegistryError::DomainConfigurationNotFound(_))), "{other:?}");
}

#[tokio::test]
async fn authorizers_are_replaced_and_taken_away() {
    let (registry, a) = (registry().await, tenant(A));
    let made = registry.create_domain_configuration(a, request("d"), at(1)).await.unwrap();
    let config = AuthorizerConfig { default_authorizer_name: None, allow_authorizer_override: true };
    for (authorizer_config, remove_authorizer_config, expected) in [
        (Some(config.clone()), false, Ok(Some(config.clone()))),
        (None, false, Ok(Some(config.clone()))),
        (Some(config.clone()), true, Err(())),
        (None, true, Ok(None)),
        (None, true, Ok(None)),
    ] {
        let update = UpdateDomainConfiguration { authorizer_config, remove_authorizer_config, ..Default::default() };
        let updated = registry.update_domain_configuration(a, made.name.clone(), update, at(2)).await;
        assert_eq!(updated.map(|updated| updated.record.authorizer_config).map_err(|_| ()), expected);
    }
}

#[tokio::test]
async fn an_account_has_so_many_and_lists_them_with_its_endpoint() {
    let (registry, a) = (registry().await, tenant(A));
    for n in 0..DOMAIN_CONFIGURATIONS_MAX {
        registry.create_domain_configuration(a, request(&format!("d{n}")), at(1)).await.unwrap();
    }
    let refused = registry.create_domain_configuration(a, request("more"), at(1)).await;
    assert!(matches!(refused, Err(RegistryError::TooManyDomainConfigurations(_))), "{refused:?}");
    registry.create_domain_configuration(tenant(B), request("more"), at(1)).await.unwrap();
    let tagged = TaggedResource::DomainConfiguration("iot:Data-ATS".parse().unwrap());
    registry.tag_resource(a, &tagged, &[crate::Tag { key: "k".into(), value: "v".into() }]).await.unwrap();

    let (mut marker, mut seen, mut pages) = (None, Vec::new(), 0);
    loop {
        let page = PageRequest { size: Some(4), marker, ascending: false };
        let found = registry.list_domain_configurations(a, page).await.unwrap();
        seen.extend(found.items.iter().map(|name| name.as_str().to_owned()));
        pages += 1;
        marker = found.next_marker;
        if marker.is_none() {
            break;
        }
    }
    let expected: Vec<String> = (0..10).map(|n| format!("d{n}")).chain(["iot:Data-ATS".to_owned()]).collect();
    assert_eq!((seen, pages), (expected, 3));
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_and_none_comes_back() {
    let (registry, a) = (registry().await, tenant(A));
    let made = registry.create_domain_configuration(a, for_domain("d", "m.example.com"), at(1)).await.unwrap();
    let stored_as = "domain/m.example.com";
    registry.renew_server_certificate(stored_as, at(100)).await.unwrap();
    let shown = registry.directory().domain("m.example.com").unwrap().certificate.unwrap().open().unwrap();
    assert_eq!(shown.validity, Validity::of_server_certificate(at(100).wall));
    disable(&registry, &made).await;
    registry.delete_domain_configuration(a, &made.name).await.unwrap();
    registry.renew_server_certificate(stored_as, at(200)).await.unwrap();
    assert!(registry.server_certificate_dates().await.unwrap().is_empty());
}

#[tokio::test]
async fn configurations_are_there_after_a_start() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let registry = open(Arc::clone(&store), Box::new(())).await;
    registry.create_domain_configuration(tenant(A), for_domain("d", "m.example.com"), at(1)).await.unwrap();
    drop(registry);
    let registry = open(store, Box::new(())).await;
    let shown = registry.directory().domain("m.example.com").unwrap();
    assert_eq!(shown.configuration.tenant, tenant(A));
    assert_eq!(shown.certificate.unwrap().open().unwrap().names, ["m.example.com"]);
}
