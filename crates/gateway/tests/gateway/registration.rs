//! Who may come in: known certificates, unknown ones, and those that are refused.

use std::{sync::atomic::Ordering, time::Duration};

use tidegate_broker::Principal;
use tidegate_mqtt::{Connect, MessageProperties, Packet, Peer, QoS, ReasonCode, Version, Will, decode};
use tidegate_registry::CertificateStatus;

use crate::{
    people::{Client, tls_config},
    world::{ALLOW_ALL, Ca, World},
};

#[test]
fn a_known_active_certificate_publishes_and_subscribes() {
    let world = World::new();
    let ca = world.ca("factory");
    let device = world.device(&ca, "d1");
    for version in [Version::V4, Version::V5] {
        let mut client = Client::tls(&world, &device).unwrap().enter(version, "d1");
        assert_eq!(client.subscribe("a/+", QoS::AtLeastOnce), ReasonCode::GrantedQoS1);
        client.publish("a/b", b"hello", QoS::AtMostOnce);
        assert_eq!(client.message(), ("a/b".into(), b"hello".to_vec()));
        client.disconnect();
    }
}

#[test]
fn the_first_connect_registers_and_subscribers_hear_of_it() {
    let world = World::with(2, |_| {});
    let ca = world.ca("factory");
    let watcher = world.device(&ca, "watcher");
    let topic = format!("$aws/events/certificates/registered/{}", ca.id);
    let mut watcher = Client::tls(&world, &watcher).unwrap().enter(Version::V5, "watcher");
    assert_eq!(watcher.subscribe(&topic, QoS::AtLeastOnce), ReasonCode::GrantedQoS1);
    let device = ca.sign("new");

    for (version, answer) in [(Version::V4, ReasonCode::NotAuthorized), (Version::V5, ReasonCode::NotAuthorized)] {
        let mut client = Client::tls(&world, &device).unwrap();
        assert_eq!(client.connect(Connect::new(version, "new")), answer);
        client.closed();
        let (name, payload) = watcher.message();
        assert_eq!(name, topic);
        let payload = String::from_utf8(payload).unwrap();
        assert!(payload.contains(&device.id.to_string()) && payload.contains("PENDING_ACTIVATION"), "{payload}");
        assert_eq!(payload.contains("\"certificateRegistrationTimestamp\":null"), version == Version::V4, "{payload}");
    }
    assert_eq!(world.status(&device), Some(CertificateStatus::PendingActivation));

    world.set_status(&device, CertificateStatus::Active);
    world.attach(&device, "new", ALLOW_ALL);
    Client::tls(&world, &device).unwrap().enter(Version::V4, "new").disconnect();
}

#[test]
fn in_aws_manners_a_refused_client_hears_nothing() {
    let world = World::new();
    let ca = world.ca("factory");
    let device = ca.sign("new");
    for version in [Version::V4, Version::V5] {
        let config = tls_config(&world, &device);
        let mut client = Client::tls_at(&world, "aws", &world.endpoint(), config).unwrap();
        client.version = version;
        client.send(&Packet::Connect(Box::new(Connect::new(version, "new"))));
        client.closed();
    }
    assert_eq!(world.status(&device), Some(CertificateStatus::PendingActivation));
}

#[test]
fn a_refused_client_is_told_why_if_it_wants_to_know() {
    let world = World::new();
    let device = world.ca("factory").sign("new");
    for (wanted, told) in [(true, true), (false, false)] {
        let mut client = Client::tls(&world, &device).unwrap();
        let mut connect = Connect::new(Version::V5, "new");
        connect.properties.request_problem_information = wanted;
        client.send(&Packet::Connect(Box::new(connect)));
        let answer = client.receive();
        let Packet::ConnAck(answer) = decode(&answer, Version::V5, Peer::Server).unwrap() else { panic!() };
        assert_eq!(answer.reason_code, ReasonCode::NotAuthorized);
        let text = answer.properties.reason.reason_string.unwrap_or_default();
        assert_eq!(text.contains("PENDING_ACTIVATION"), told, "{text}");
    }
}

#[test]
fn a_handshake_alone_registers_nothing() {
    let world = World::new();
    let device = world.ca("factory").sign("new");
    drop(Client::tls(&world, &device).unwrap());
    let mut client = Client::tls(&world, &device).unwrap();
    client.send_bytes(&[0xc0, 0]).unwrap(); // PINGREQ
    client.closed();
    assert_eq!(world.status(&device), None);
}

#[test]
fn without_a_server_name_the_issuer_tells_the_account_and_aws_manners_refuse() {
    let world = World::new();
    let device = world.ca("factory").sign("new");
    let no_name = || {
        let mut config = (*tls_config(&world, &device)).clone();
        config.enable_sni = false;
        std::sync::Arc::new(config)
    };
    let mut client = Client::tls_at(&world, "aws", &world.endpoint(), no_name()).unwrap();
    client.send(&Packet::Connect(Box::new(Connect::new(Version::V5, "new"))));
    client.closed();
    assert_eq!(world.status(&device), None);
    let mut client = Client::tls_at(&world, "standard", &world.endpoint(), no_name()).unwrap();
    assert_eq!(client.connect(Connect::new(Version::V5, "new")), ReasonCode::NotAuthorized);
    assert_eq!(world.status(&device), Some(CertificateStatus::PendingActivation));
}

#[test]
fn certificates_that_tls_refuses_get_no_further() {
    let world = World::new();
    let ca = world.ca("factory");
    let inactive = world.device(&ca, "inactive");
    world.set_status(&inactive, CertificateStatus::Inactive);
    let revoked = world.device(&ca, "revoked");
    world.set_status(&revoked, CertificateStatus::Revoked);
    let stranger = Ca::new("stranger").sign("d");
    let forged = Ca::new("factory").sign("d");
    for device in [&inactive, &revoked, &stranger, &forged] {
        // In TLS 1.3 the client learns of it with its first read.
        if let Ok(mut client) = Client::tls(&world, device) {
            let _ = client.send_bytes(&[0x10]);
            client.closed();
        }
    }
    assert_eq!(world.status(&stranger), None);
    assert_eq!(world.status(&forged), None);
}

#[test]
fn a_name_that_is_nobodys_is_refused_in_the_handshake() {
    let world = World::new();
    let ca = world.ca("factory");
    let device = world.device(&ca, "d1");
    let error = Client::tls_at(&world, "standard", "elsewhere.example", tls_config(&world, &device)).err().unwrap();
    assert!(error.to_string().contains("UnrecognisedName"), "{error}");
    Client::tls_at(&world, "standard", "localhost", tls_config(&world, &device)).unwrap().enter(Version::V5, "d1");
}

#[test]
fn a_resumed_session_is_judged_like_a_new_one() {
    let world = World::new();
    let ca = world.ca("factory");
    let device = world.device(&ca, "d1");
    let config = tls_config(&world, &device);
    let dial = || Client::tls_at(&world, "standard", &world.endpoint(), config.clone()).unwrap();
    let first = dial();
    assert!(!first.is_resumed());
    first.enter(Version::V5, "d1").disconnect();
    let second = dial();
    assert!(second.is_resumed());
    let mut second = second.enter(Version::V5, "d1");

    world.set_status(&device, CertificateStatus::Revoked);
    assert_eq!(second.disconnect_reason(), Some(ReasonCode::NotAuthorized));
    let mut third = dial();
    assert!(third.is_resumed());
    assert_eq!(third.connect(Connect::new(Version::V5, "d1")), ReasonCode::NotAuthorized);
    third.closed();
}

#[test]
fn the_ticket_comes_with_connack_in_one_write() {
    let world = World::new();
    let ca = world.ca("factory");
    let device = world.device(&ca, "d1");
    let mut client = Client::tls(&world, &device).unwrap();
    client.send(&Packet::Connect(Box::new(Connect::new(Version::V5, "d1"))));
    let mut bytes = [0; 4096];
    let count = client.socket().peek(&mut bytes).unwrap();
    let record = |at: usize| 5 + usize::from(u16::from_be_bytes([bytes[at + 3], bytes[at + 4]]));
    let ticket = record(0);
    assert!(count > ticket, "only {count} bytes came, and the first record has {ticket}");
    assert_eq!(count, ticket + record(ticket));
}

#[test]
fn policies_decide_about_connect_publish_and_subscribe_and_changes_hold_at_once() {
    let world = World::new();
    let ca = world.ca("factory");
    let policy = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"iot:Connect","Resource":"arn:aws:iot:*:*:client/${iot:Certificate.Subject.CommonName}"},
        {"Effect":"Allow","Action":["iot:Publish","iot:Receive"],"Resource":"arn:aws:iot:*:*:topic/${iot:ClientId}/*"},
        {"Effect":"Allow","Action":"iot:Subscribe","Resource":"arn:aws:iot:*:*:topicfilter/${iot:ClientId}/*"}]}"#;
    let device = world.device_with(&ca, "d1", policy);
    let mut other = Client::tls(&world, &device).unwrap();
    assert_eq!(other.connect(Connect::new(Version::V5, "d2")), ReasonCode::NotAuthorized);
    let mut client = Client::tls(&world, &device).unwrap().enter(Version::V5, "d1");
    assert_eq!(client.subscribe("d1/in", QoS::AtMostOnce), ReasonCode::Success);
    assert_eq!(client.subscribe("d2/in", QoS::AtMostOnce), ReasonCode::NotAuthorized);
    assert_eq!(client.deliver("d2/in", b"x"), ReasonCode::NotAuthorized);
    client.publish("d1/in", b"x", QoS::AtMostOnce);
    client.message();

    world.attach(&device, "d1-more", ALLOW_ALL);
    assert_eq!(client.subscribe("d2/in", QoS::AtMostOnce), ReasonCode::Success);
    assert_eq!(client.deliver("d3", b"x"), ReasonCode::NoMatchingSubscribers);
}

#[test]
fn a_kick_by_principal_reaches_all_its_connections_on_all_cores() {
    let world = World::with(2, |_| {});
    let ca = world.ca("factory");
    let device = world.device(&ca, "d1");
    let bystander = world.device(&ca, "d2");
    let mut clients: Vec<_> =
        (0..4).map(|n| Client::tls(&world, &device).unwrap().enter(Version::V5, &format!("c{n}"))).collect();
    let mut bystander = Client::tls(&world, &bystander).unwrap().enter(Version::V5, "bystander");
    let principal = Principal::Certificate { tenant: world.tenant, certificate_id: device.id };
    let selector = tidegate_broker::Selector::Principal { tenant: world.tenant, principal };
    assert_eq!(world.kick(selector, tidegate_broker::CloseReason::AdministrativeAction), 4);
    for client in &mut clients {
        assert_eq!(client.disconnect_reason(), Some(ReasonCode::AdministrativeAction));
    }
    bystander.ping();
}

#[test]
fn a_certificate_that_expires_is_refused_at_the_next_connect() {
    let world = World::new();
    let ca = world.ca("factory");
    let device = world.device(&ca, "d1");
    Client::tls(&world, &device).unwrap().enter(Version::V5, "d1").disconnect();
    // rcgen's certificates end in the year 4096.
    world.move_clock(Duration::from_secs(2100 * 366 * 24 * 3600));
    let mut client = match Client::tls(&world, &device) {
        Ok(client) => client,
        Err(_) => return,
    };
    let _ = client.send_bytes(&[0x10]);
    client.closed();
}

#[test]
fn a_certificate_that_is_deactivated_while_its_session_begins_loses_it() {
    let world = World::new();
    let ca = world.ca("factory");
    let device = world.device(&ca, "d1");
    let mut first = Client::tls(&world, &device).unwrap().enter(Version::V5, "d1");
    assert_eq!(first.subscribe("a", QoS::AtMostOnce), ReasonCode::Success);
    // The end of the first session's subscription lies in the middle of the second CONNECT: after the registry's word,
    // before there is a session that the change could end.
    world.changes_end_sessions.store(false, Ordering::SeqCst);
    let deactivate = world.status_setter(&device, CertificateStatus::Inactive);
    world.interests.on_change(move |wanted| {
        if !wanted {
            deactivate();
        }
    });
    let mut second = Client::tls(&world, &device).unwrap().enter(Version::V5, "d1");
    assert_eq!(world.status(&device), Some(CertificateStatus::Inactive));
    assert_eq!(second.disconnect_reason(), Some(ReasonCode::NotAuthorized));
}

#[test]
fn a_policy_speaks_of_the_wills_topic_by_its_arn() {
    let world = World::new();
    let ca = world.ca("factory");
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:Publish","Resource":"*"},
        {"Effect":"Allow","Action":"iot:Connect","Resource":"*","Condition":{
            "ArnEquals":{"iot:LastWillTopic":"arn:aws:iot:REGION:ACCOUNT:topic/wills/${iot:ClientId}"}}}]}"#;
    let policy = policy.replace("REGION", world.tenant.region.as_str());
    let policy = policy.replace("ACCOUNT", world.tenant.account.as_str());
    let device = world.device_with(&ca, "d1", &policy);
    for (topic_name, expected) in
        [("wills/d1", ReasonCode::Success), ("wills/d2", ReasonCode::NotAuthorized), ("d1", ReasonCode::NotAuthorized)]
    {
        let mut connect = Connect::new(Version::V5, "d1");
        connect.will = Some(Will {
            topic_name,
            payload: b"gone",
            qos: QoS::AtMostOnce,
            retain: false,
            delay_seconds: 0,
            properties: MessageProperties::default(),
        });
        assert_eq!(Client::tls(&world, &device).unwrap().connect(connect), expected, "{topic_name}");
    }
}

#[test]
fn in_aws_manners_fifteen_certificates_register_at_once_and_then_fifteen_a_second() {
    let world = World::new();
    let ca = world.ca("factory");
    let register = |count: usize| {
        let registered = (0..count).filter(|n| {
            let device = ca.sign(&format!("new {n}"));
            let config = tls_config(&world, &device);
            let mut client = Client::tls_at(&world, "aws", &world.endpoint(), config).unwrap();
            client.send(&Packet::Connect(Box::new(Connect::new(Version::V5, "new"))));
            client.closed();
            world.status(&device).is_some()
        });
        registered.count()
    };
    // As long as a second takes, some tokens come back meanwhile.
    let start = std::time::Instant::now();
    let registered = register(20);
    let most = 15 + (start.elapsed().as_millis() as usize * 15).div_ceil(1000);
    assert!((15..=most.min(20)).contains(&registered), "{registered} of at most {most}");
}
