//! CONNECT and its answer; ends from outside.

use std::{sync::Arc, time::Duration};

use tidegate_broker::{
    Access, Alone, Broker, CloseReason, Effects, Principal, Profile, Record, Selector, Settings, client_id,
};
use tidegate_mqtt::{
    Connect, MessageProperties, Packet, Peer, QoS, ReasonCode, SessionExpiry, Will, decode, decode_connect,
};

use crate::world::*;

#[test]
fn an_empty_client_id_gets_a_name_where_the_version_allows_it() {
    let profile = Profile::standard();
    for (version, clean_start, named) in [(V4, true, true), (V4, false, false), (V5, true, true), (V5, false, true)] {
        let session_expiry = if clean_start { SessionExpiry::AT_DISCONNECT } else { SessionExpiry::NEVER };
        let connect = Connect { clean_start, session_expiry, ..Connect::new(version, "") };
        let mut bytes = Vec::new();
        connect.encode(&mut bytes).unwrap();
        let connect = decode_connect(&bytes).unwrap();
        match client_id(&connect, &profile, 0xAB) {
            Ok(name) => {
                assert!(named);
                assert_eq!(&*name, "$GEN/000000000000000000000000000000ab");
            }
            Err(refused) => {
                assert!(!named);
                assert_eq!(refused.code, ReasonCode::ClientIdentifierNotValid);
            }
        }
    }
    let long = "x".repeat(129);
    assert!(client_id(&Connect::new(V5, &long), &Profile::aws(), 0).is_err());
    assert!(client_id(&Connect::new(V5, &long[..128]), &Profile::aws(), 0).is_ok());
}

#[test]
fn connack_says_what_the_profile_decides() {
    let mut world = World::aws();
    let connect = Connect {
        keep_alive_seconds: 0,
        clean_start: false,
        session_expiry: SessionExpiry::NEVER,
        ..Connect::new(V5, "")
    };
    let (link, out) = world.open(&connect).unwrap();
    assert_eq!(link.silence_limit(), Some(Duration::from_secs(1800)));
    let Packet::ConnAck(connack) = decode(&out, V5, Peer::Server).unwrap() else { panic!() };
    let properties = &connack.properties;
    assert_eq!(properties.session_expiry.map(SessionExpiry::seconds), Some(7 * 24 * 3600));
    assert_eq!(properties.receive_maximum, id(100));
    assert_eq!(properties.maximum_qos, QoS::AtLeastOnce);
    assert_eq!(properties.maximum_packet_size.map(|size| size.get()), Some(149_504));
    assert_eq!(properties.assigned_client_id, Some("$GEN/00000000000000000000000000000001"));
    assert_eq!(properties.topic_alias_maximum, 8);
    assert_eq!(properties.server_keep_alive_seconds, Some(1200));
    assert!(properties.retain_available && properties.wildcard_subscription_available);
    assert!(properties.shared_subscription_available && !properties.subscription_identifiers_available);
}

#[test]
fn a_refusal_is_told_as_the_profile_has_it() {
    let refused = tidegate_broker::ConnectRefused::new(ReasonCode::NotAuthorized, "denied");
    for (profile, version, expected) in [
        (Profile::standard(), V4, &[0x20, 2, 0, 5][..]),
        (Profile::aws(), V4, &[]),
        (Profile::standard(), V5, &[0x20, 3, 0, 0x87, 0]),
        (Profile::aws(), V5, &[0x20, 3, 0, 0x87, 0]),
    ] {
        let mut out = Vec::new();
        refused.connack(version, &profile, &mut out);
        assert_eq!(out, expected);
    }
    // No return code of 3.1.1 says it: no CONNACK.
    let mut out = Vec::new();
    let quota = tidegate_broker::ConnectRefused::new(ReasonCode::PacketTooLarge, "too large");
    quota.connack(V4, &Profile::standard(), &mut out);
    assert!(out.is_empty());
}

#[test]
fn wills_and_extended_authentication_are_checked_at_connect() {
    let will = Will {
        qos: QoS::AtMostOnce,
        retain: true,
        delay_seconds: 0,
        topic_name: "w",
        properties: MessageProperties::default(),
        payload: b"",
    };
    let refusal = |world: &mut World, connect: &Connect<'_>| world.try_connect(connect).err().map(|e| e.code);
    let with = |will: &Will<'static>| Connect { will: Some(will.clone()), ..Connect::new(V5, "c") };

    let mut world = World::new();
    assert_eq!(refusal(&mut world, &with(&will)), None);
    world.policies.deny(Access::RetainPublish, "w");
    assert_eq!(refusal(&mut world, &with(&will)), Some(ReasonCode::NotAuthorized));
    let live = Will { retain: false, ..will.clone() };
    assert_eq!(refusal(&mut world, &with(&live)), None);
    world.policies.deny(Access::Publish, "w");
    assert_eq!(refusal(&mut world, &with(&live)), Some(ReasonCode::NotAuthorized));
    world.policies.allow_all();

    let reserved = Will { topic_name: "$aws/events/presence/connected/c", ..will.clone() };
    assert_eq!(refusal(&mut world, &with(&reserved)), Some(ReasonCode::TopicNameInvalid));
    let mut world = World::aws();
    let twice = Will { qos: QoS::ExactlyOnce, ..will.clone() };
    assert_eq!(refusal(&mut world, &with(&twice)), Some(ReasonCode::QoSNotSupported));

    let mut connect = Connect::new(V5, "c");
    connect.properties.authentication_method = Some("SCRAM-SHA-1");
    assert_eq!(refusal(&mut world, &connect), Some(ReasonCode::BadAuthenticationMethod));
    assert_eq!(world.broker.session_count(tenant()), 0);
}

#[test]
fn a_second_connect_is_a_protocol_error() {
    let mut world = World::new();
    for version in [V4, V5] {
        let mut client = world.connect(version, "c");
        let again = Packet::Connect(Box::new(Connect::new(version, "c")));
        assert_eq!(world.send(&mut client, &again), Err(CloseReason::ClientError(ReasonCode::ProtocolError)));
        let told: &[Got] = if version == V5 { &[Got::Disconnect(ReasonCode::ProtocolError)] } else { &[] };
        assert_eq!(world.got(&mut client), told);
    }
}

#[test]
fn client_ids_of_23_letters_and_digits_are_allowed() {
    let characters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let ids = characters.char_indices().map(|(at, _)| &characters[at..=at]);
    let long = (0..characters.len()).step_by(23).map(|at| &characters[at..characters.len().min(at + 23)]);
    let ids: Vec<&str> = ids.chain(long).collect();
    for profile in [Profile::standard(), Profile::aws()] {
        let mut world = World::with(profile, Settings::default());
        for version in [V4, V5] {
            for name in &ids {
                assert_eq!(&*client_id(&Connect::new(version, name), &world.profile, 0).unwrap(), *name);
                world.connect(version, name);
                world.pass(Duration::from_secs(1));
            }
        }
    }
}

#[test]
fn pings_are_answered() {
    let mut world = World::new();
    for version in [V4, V5] {
        let mut client = world.connect(version, "c");
        world.send(&mut client, &Packet::PingReq).unwrap();
        assert_eq!(world.got(&mut client), [Got::PingResp]);
    }
}

#[test]
fn kicks_select_by_client_principal_and_tenant() {
    let other_tenant = tidegate_ids::Tenant { account: "210987654321".parse().unwrap(), ..tenant() };
    let certificate = |byte| {
        let certificate_id = tidegate_ids::CertificateId::from_bytes([byte; 32]);
        Principal::Certificate { tenant: tenant(), certificate_id }
    };
    let reason = CloseReason::PrincipalRefused;
    for (selector, expected) in [
        (Selector::ClientId { tenant: tenant(), client_id: "b".into() }, vec!["b"]),
        (Selector::ClientId { tenant: tenant(), client_id: "nobody".into() }, vec![]),
        (Selector::Principal { tenant: tenant(), principal: certificate(1) }, vec!["a", "b"]),
        (Selector::Principal { tenant: tenant(), principal: certificate(9) }, vec![]),
        (Selector::Tenant(tenant()), vec!["a", "b", "c"]),
        (Selector::Tenant(other_tenant), vec!["d"]),
        (Selector::Everyone, vec!["a", "b", "c", "d"]),
    ] {
        let mut world = World::new();
        let mut clients = Vec::new();
        for (name, principal, whose) in
            [("a", 1, tenant()), ("b", 1, tenant()), ("c", 2, tenant()), ("d", 3, other_tenant)]
        {
            world.principal = Arc::new(certificate(principal));
            world.tenant = whose;
            clients.push((name, world.connect(V5, name)));
        }
        let mut outside = Effects::outside();
        let kicked = world.broker.kick(&selector, reason, world.now, &mut outside);
        assert_eq!(kicked, expected.len(), "{selector:?}");
        world.broker.hand_over(&mut outside);
        let mut slots = Vec::new();
        world.broker.collect(0, &mut slots);
        assert_eq!(slots.len(), expected.len());
        for (name, client) in &mut clients {
            let got = world.got(client);
            let ended = expected.contains(name);
            assert_eq!(client.ended, ended.then_some(reason), "{name} {selector:?}");
            assert_eq!(got, if ended { vec![Got::Disconnect(ReasonCode::NotAuthorized)] } else { vec![] });
        }
    }
}

#[test]
fn a_principal_is_kicked_where_it_is_now() {
    let mut world = World::new();
    let principal = |byte| {
        let certificate_id = tidegate_ids::CertificateId::from_bytes([byte; 32]);
        Principal::Certificate { tenant: tenant(), certificate_id }
    };
    let kick = |world: &mut World, byte| {
        let selector = Selector::Principal { tenant: tenant(), principal: principal(byte) };
        world.broker.kick(&selector, CloseReason::PrincipalRefused, world.now, &mut world.effects)
    };
    world.principal = Arc::new(principal(1));
    let (_old, _) = world.resume(V5, "c");
    world.principal = Arc::new(principal(2));
    let (mut new, present) = world.resume(V5, "c");
    assert!(present);
    assert_eq!(kick(&mut world, 1), 0);
    assert_eq!(kick(&mut world, 2), 1);
    world.fetch(&mut new);
    assert_eq!(new.ended, Some(CloseReason::PrincipalRefused));
    assert_eq!(kick(&mut world, 2), 0);
}

#[test]
fn one_topic_in_two_tenants_never_meets() {
    let mut world = World::new();
    let mut here = world.connect(V5, "c");
    world.subscribe(&mut here, "#", QoS::AtMostOnce);
    world.tenant = tidegate_ids::Tenant { region: "us-east-1".parse().unwrap(), ..tenant() };
    let mut there = world.connect(V5, "c");
    world.subscribe(&mut there, "t", QoS::AtMostOnce);
    world.retain(&mut there, "t", "m");
    assert_eq!(world.payloads(&mut there), ["m"]);
    assert_eq!(world.messages(&mut here), []);
    world.subscribe(&mut here, "t", QoS::AtMostOnce);
    assert_eq!(world.messages(&mut here), []);
}

#[test]
fn too_many_sessions_are_refused() {
    let mut world = World::with(Profile::standard(), Settings { sessions_max: 1, ..Settings::default() });
    let mut first = world.connect(V5, "a");
    assert_eq!(world.try_connect(&Connect::new(V5, "b")).err().unwrap().code, ReasonCode::QuotaExceeded);
    let _again = world.connect(V5, "a");
    world.fetch(&mut first);
    assert_eq!(world.broker.session_count(tenant()), 1);
}

#[test]
fn links_of_other_cores_are_handed_over_once() {
    #[derive(Default)]
    struct Count(std::sync::Mutex<Vec<u16>>);
    impl tidegate_broker::Wake for Count {
        fn wake(&self, core: u16) {
            self.0.lock().unwrap().push(core);
        }
    }
    let woken = Arc::new(Count::default());
    let mut world = World::new();
    world.broker = Arc::new(Broker::new(Settings { cores: 3, ..Settings::default() }, woken.clone(), Arc::new(Alone)));
    let mut publisher = world.connect(V5, "p");
    world.core = 2;
    let mut far = world.connect(V5, "far");
    world.subscribe(&mut far, "t", QoS::AtMostOnce);
    world.broker.hand_over(&mut world.effects);
    let mut slots = Vec::new();
    world.broker.collect(2, &mut slots);
    woken.0.lock().unwrap().clear();
    slots.clear();
    for _ in 0..3 {
        world.publish(&mut publisher, "t", "m");
    }
    world.broker.hand_over(&mut world.effects);
    world.publish(&mut publisher, "t", "m");
    world.broker.hand_over(&mut world.effects);
    world.broker.collect(2, &mut slots);
    assert_eq!(slots, [far.link.as_ref().unwrap().address().slot]);
    assert_eq!(*woken.0.lock().unwrap(), [2]);
    assert_eq!(world.messages(&mut far).len(), 4);
    world.publish(&mut publisher, "t", "m");
    world.broker.hand_over(&mut world.effects);
    assert_eq!(*woken.0.lock().unwrap(), [2, 2]);
}

#[test]
fn what_is_done_outside_of_a_core_reaches_one() {
    let mut world = World::with(Profile::standard(), Settings { persist: true, ..Settings::default() });
    let (mut absent, _) = world.resume(V4, "absent");
    world.subscribe(&mut absent, "will", QoS::AtLeastOnce);
    world.lose(&mut absent);
    let will = Will {
        qos: QoS::AtLeastOnce,
        retain: false,
        delay_seconds: 0,
        topic_name: "will",
        properties: MessageProperties::default(),
        payload: b"gone",
    };
    let mut client = world.connect_with(&Connect { will: Some(will), ..Connect::new(V4, "c") }).0;
    world.events();
    let mut effects = Effects::outside();
    let everyone = Selector::Everyone;
    assert_eq!(world.broker.kick(&everyone, CloseReason::AdministrativeAction, world.now, &mut effects), 1);
    world.broker.hand_over(&mut effects);
    drop(effects);
    let mut slots = Vec::new();
    world.broker.collect(0, &mut slots);
    assert_eq!(slots, [client.link.as_ref().unwrap().address().slot]);
    world.broker.hand_over(&mut world.effects);
    assert_eq!(world.events().len(), 1);
    let batch = world.batch().unwrap();
    let kinds: Vec<_> = batch.records.iter().map(|record| matches!(record, Record::Queued { .. })).collect();
    assert_eq!(kinds, [false, true], "the session lost its connection, then the will was queued for it");
    world.fetch(&mut client);
    assert_eq!(client.ended, Some(CloseReason::AdministrativeAction));
}

/// The Reason String of the only packet in `bytes`.
fn reason_string(bytes: &[u8]) -> Option<String> {
    let properties = match tidegate_mqtt::decode(bytes, V5, tidegate_mqtt::Peer::Server).unwrap() {
        Packet::PubAck(ack) => ack.properties,
        Packet::Disconnect(disconnect) => disconnect.properties,
        other => panic!("{other:?}"),
    };
    properties.reason_string.map(str::to_owned)
}

#[test]
fn failures_are_explained_unless_the_client_the_profile_or_the_packet_size_forbids_it() {
    let refused = Packet::Publish(message("$SYS/x", "m", tidegate_mqtt::QoS::AtLeastOnce, 1));
    for (aws, wanted, size, of_ack, of_disconnect) in [
        (false, true, None, true, true),
        (false, false, None, false, true), // Spec: [MQTT-3.1.2-29] (5.0): not in PUBACK
        (false, true, Some(60), false, false),
        (true, true, None, false, false),
    ] {
        let mut world = if aws { World::aws() } else { World::new() };
        let mut connect = Connect::new(V5, "c");
        connect.properties.request_problem_information = wanted;
        connect.properties.maximum_packet_size = size.and_then(std::num::NonZeroU32::new);
        let (mut client, _) = world.connect_with(&connect);
        let link = client.link.as_mut().unwrap();
        world.broker.handle(link, &refused, world.now, &mut world.effects).unwrap();
        let mut out = Vec::new();
        link.take_output(&mut out, world.now, &mut world.effects);
        assert_eq!(reason_string(&out).is_some(), of_ack, "{aws} {wanted} {size:?}");
        out.clear();
        let link = client.link.take().unwrap();
        world.broker.disconnected(link, CloseReason::KeepAliveTimeout, &mut out, world.now, &mut world.effects);
        assert_eq!(reason_string(&out).is_some(), of_disconnect, "{aws} {wanted} {size:?}");
        if of_disconnect {
            assert_eq!(reason_string(&out).unwrap(), "nothing was heard for one and a half times the keep-alive");
        }
    }
}

#[test]
fn an_auth_packet_is_refused_as_no_method_was_agreed() {
    let mut world = World::new();
    let mut client = world.connect(V5, "c");
    let auth = Packet::Auth(tidegate_mqtt::Auth::new(ReasonCode::ReAuthenticate, "method", b""));
    let refused = CloseReason::ClientError(ReasonCode::ProtocolError);
    assert_eq!(world.send(&mut client, &auth), Err(refused));
    assert_eq!(world.got(&mut client), [Got::Disconnect(ReasonCode::ProtocolError)]);
}
