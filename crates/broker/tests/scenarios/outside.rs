//! Messages of those who have no session, and requests to services.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use tidegate_broker::{
    Broker, Effects, OutsidePublish, Profile, PublishRefused, Quota, ServiceAnswer, ServiceRequest, Services, Settings,
};
use tidegate_mqtt::{MessageProperties, QoS, ReasonCode};

use crate::world::*;

fn publish<'a>(profile: &'a Arc<Profile>, topic_name: &'a str, payload: &'a str) -> OutsidePublish<'a> {
    let properties = MessageProperties::default();
    let payload = payload.as_bytes();
    OutsidePublish { tenant: tenant(), topic_name, properties, payload, qos: QoS::AtLeastOnce, retain: false, profile }
}

/// What became of a message, and what its sender was told: 0xff while that is nothing.
fn send(
    world: &mut World,
    effects: &mut Effects,
    publish: &OutsidePublish<'_>,
) -> (Result<(), PublishRefused>, Arc<AtomicU8>) {
    let told = Arc::new(AtomicU8::new(0xff));
    let tell = told.clone();
    let answer = move |code: ReasonCode| tell.store(code.byte(), Ordering::Relaxed);
    let outcome = world.broker.publish_from_outside(publish, answer, world.now, effects);
    (outcome, told)
}

#[test]
fn a_message_from_outside_is_answered_when_it_is_durable_for_those_that_are_kept() {
    let mut world = World::with(Profile::standard(), Settings { persist: true, ..Settings::default() });
    let (mut kept, _) = world.resume(V5, "kept");
    world.subscribe(&mut kept, "kept", QoS::AtLeastOnce);
    let mut present = world.connect(V5, "present");
    world.subscribe(&mut present, "+", QoS::AtLeastOnce);
    let profile = Arc::new(Profile::standard());
    for (topic_name, at_once) in [("kept", false), ("other", true)] {
        let mut effects = Effects::new(0);
        let (outcome, told) = send(&mut world, &mut effects, &publish(&profile, topic_name, "m"));
        assert_eq!(outcome, Ok(()));
        assert_eq!(told.load(Ordering::Relaxed), if at_once { 0 } else { 0xff }, "{topic_name}");
        if let Some(token) = effects.take_token() {
            world.broker.persisted(token, world.now, &mut effects);
        }
        assert_eq!(told.load(Ordering::Relaxed), 0, "{topic_name}");
        world.broker.hand_over(&mut effects);
    }
    assert_eq!(world.payloads(&mut present), ["m", "m"]);
}

#[test]
fn an_event_is_put_together_once_for_all_who_subscribed_and_never_for_nobody() {
    let mut world = World::new();
    let mut listener = world.connect(V5, "listener");
    let mut sharing = world.connect(V5, "sharing");
    world.subscribe(&mut listener, "$aws/events/presence/+/a", QoS::AtLeastOnce);
    world.subscribe(&mut listener, "$aws/events/presence/connected/b", QoS::AtLeastOnce);
    world.subscribe(&mut sharing, "$share/g/$aws/events/presence/connected/b", QoS::AtLeastOnce);
    for (client_id, expected_times) in [("a", 1), ("b", 1), ("c", 0)] {
        let (mut effects, mut times) = (Effects::new(0), 0);
        let topic_name = format!("$aws/events/presence/connected/{client_id}");
        let payload = || {
            times += 1;
            client_id.to_owned()
        };
        world.broker.announce(tenant(), &topic_name, payload, world.now, &mut effects);
        assert_eq!(times, expected_times, "{client_id}");
        world.broker.hand_over(&mut effects);
    }
    assert_eq!(world.payloads(&mut listener), ["a", "b"]);
    assert_eq!(world.payloads(&mut sharing), ["b"]);
}

#[test]
fn what_is_wrong_or_too_much_from_outside_is_refused() {
    let mut world = World::new();
    let (standard, aws) = (Arc::new(Profile::standard()), Arc::new(Profile::aws()));
    let long = "x".repeat(aws.limits.payload_bytes_max + 1);
    for (profile, topic_name, payload, expected) in [
        (&standard, "a/#", "", PublishRefused::TopicName),
        (&standard, "", "", PublishRefused::TopicName),
        (&standard, "$aws/events/x", "", PublishRefused::Reserved),
        (&standard, "$SYS/x", "", PublishRefused::Reserved),
        (&aws, "$mine/x", "", PublishRefused::Reserved),
        (&aws, "t", long.as_str(), PublishRefused::TooLarge(Quota::PayloadSize)),
        (&aws, "1/2/3/4/5/6/7/8/9", "", PublishRefused::TooLarge(Quota::TopicNameLevels)),
    ] {
        let mut effects = Effects::new(0);
        let (outcome, told) = send(&mut world, &mut effects, &publish(profile, topic_name, payload));
        assert_eq!((outcome, told.load(Ordering::Relaxed)), (Err(expected), 0xff), "{topic_name}");
    }
    let response_topic = MessageProperties { response_topic: Some("a/#"), ..MessageProperties::default() };
    let malformed = OutsidePublish { properties: response_topic, ..publish(&standard, "t", "m") };
    assert_eq!(send(&mut world, &mut Effects::new(0), &malformed).0, Err(PublishRefused::Malformed));
    let mut memory = World::with(Profile::standard(), Settings { memory_bytes_max: 0, ..Settings::default() });
    let full = send(&mut memory, &mut Effects::new(0), &publish(&standard, "t", "m")).0;
    assert_eq!(full, Err(PublishRefused::Exceeded(Quota::Memory)));
}

/// Answers each request with its own payload.
struct Echo;

impl Services for Echo {
    fn request(&self, request: &ServiceRequest<'_>) -> Option<ServiceAnswer> {
        assert_eq!(request.tenant, tenant());
        let topic_name = format!("{}/rejected", request.topic_name);
        Some(ServiceAnswer { topic_name, payload: request.payload.to_vec() })
    }
}

#[test]
fn requests_go_to_their_service_whoever_makes_them_and_to_nobody_else() {
    let mut world = World::new();
    let alone = || Arc::new(tidegate_broker::Alone);
    let broker = Broker::new(Settings::default(), alone(), alone());
    world.broker = Arc::new(broker.with_services(Arc::new(Echo)));
    let mut client = world.connect(V5, "c");
    assert_eq!(world.subscribe(&mut client, "$aws/things/+/shadow/#", QoS::AtLeastOnce), ReasonCode::GrantedQoS1);
    world.publish_at(&mut client, "$aws/things/t/shadow/get", "of a client", QoS::AtLeastOnce, 1);
    let profile = Arc::new(Profile::standard());
    let (outcome, told) =
        send(&mut world, &mut Effects::new(0), &publish(&profile, "$aws/things/t/shadow/get", "from outside"));
    assert_eq!((outcome, told.load(Ordering::Relaxed)), (Ok(()), 0));
    let got = world.messages(&mut client);
    let topics: Vec<_> = got.iter().map(|message| message.topic.as_str()).collect();
    assert_eq!(topics, ["$aws/things/t/shadow/get/rejected"; 2]);
}
