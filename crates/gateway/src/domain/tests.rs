use tidegate_ids::Timestamp;
use tidegate_registry::{DomainConfigurationRecord, DomainConfigurationStatus, DomainType};

use super::*;

fn configuration(
    authentication_type: AuthenticationType,
    application_protocol: ApplicationProtocol,
    status: DomainConfigurationStatus,
) -> DomainConfiguration {
    DomainConfiguration {
        tenant: tidegate_ids::Tenant { account: "123456789012".parse().unwrap(), region: "us-east-1".parse().unwrap() },
        name: "d".parse().unwrap(),
        record: DomainConfigurationRecord {
            domain_name: "m.example.com".into(),
            domain_type: DomainType::CustomerManaged,
            status,
            status_changed: Some(Timestamp::from_seconds(0)),
            server_certificate_arn: None,
            authorizer_config: None,
            security_policy: SecurityPolicy::Tls13_1_2_2022_10,
            authentication_type,
            application_protocol,
            tags: Vec::new(),
        },
    }
}

#[test]
fn a_configuration_narrows_what_its_listener_speaks() {
    use ApplicationProtocol::*;
    let spoken = |mqtt, websocket, https| Speaks { mqtt, websocket, https };
    for (protocol, websocket, https, expected) in [
        (Default, false, false, spoken(true, false, false)),
        (Default, true, true, spoken(true, true, true)),
        (SecureMqtt, true, true, spoken(true, false, false)),
        (MqttWss, true, true, spoken(false, true, false)),
        (MqttWss, false, true, spoken(false, false, false)),
        (Https, true, true, spoken(false, false, true)),
        (Https, true, false, spoken(false, false, false)),
    ] {
        assert_eq!(speaks(protocol, websocket, https), expected, "{protocol}, {websocket}, {https}");
    }
}

#[test]
fn a_configuration_that_can_let_nobody_in_says_why() {
    use ApplicationProtocol::{Https, SecureMqtt};
    use AuthenticationType::{AwsX509, CustomAuth, CustomAuthX509};
    use DomainConfigurationStatus::{Disabled, Enabled};
    for (authentication, protocol, status, functions, expected) in [
        (AwsX509, SecureMqtt, Enabled, false, Ok(())),
        (AwsX509, SecureMqtt, Disabled, true, Err(DomainRefused::Disabled)),
        (AwsX509, Https, Enabled, true, Err(DomainRefused::NotSpokenHere(Https))),
        (CustomAuth, SecureMqtt, Enabled, true, Ok(())),
        (CustomAuth, SecureMqtt, Enabled, false, Err(DomainRefused::NoFunctions)),
        (CustomAuthX509, SecureMqtt, Enabled, false, Err(DomainRefused::NoFunctions)),
        (CustomAuth, SecureMqtt, Disabled, false, Err(DomainRefused::Disabled)),
    ] {
        let speaks = speaks(protocol, false, false);
        let judged = judge(&configuration(authentication, protocol, status), speaks, functions);
        assert_eq!(judged, expected, "{authentication}, {protocol}, {status}, {functions}");
    }
}

#[test]
fn a_request_without_a_signature_counts_by_what_else_it_has() {
    use AuthenticationType::*;
    for (authentication, certified, custom, expected) in [
        (Default, true, true, Some(Taken::Certified)),
        (Default, false, true, Some(Taken::Presented)),
        (Default, false, false, None),
        (AwsX509, true, true, Some(Taken::Certified)),
        (AwsSigv4, true, true, None),
        (CustomAuth, false, true, Some(Taken::Presented)),
        (CustomAuthX509, true, true, Some(Taken::Presented)),
    ] {
        assert_eq!(unsigned(authentication, certified, custom).ok(), expected, "{authentication} {certified} {custom}");
    }
    let counting: Vec<_> = AuthenticationType::ALL.iter().filter(|kind| signatures_count(**kind)).collect();
    assert_eq!(counting, [&AwsSigv4, &Default]);
}

#[test]
fn security_policies_are_versions_of_tls_that_are_spoken() {
    use SecurityPolicy::*;
    for (policy, expected) in [
        (Tls13_1_3_2022_10, Versions::Tls13),
        (Tls13_1_2_2022_10, Versions::Tls12AndTls13),
        (Tls12_1_2_2022_10, Versions::Tls12),
        (Tls12_1_0_2016_01, Versions::Tls12),
        (Tls12_1_0_2015_01, Versions::Tls12),
    ] {
        assert_eq!(versions(policy), expected, "{policy}");
    }
}
