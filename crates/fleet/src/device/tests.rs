use tidegate_mqtt::{Ack, ConnAck, Packet, Publish, QoS, ReasonCode, SubAck};

use crate::{
    Device, FleetCa, FleetError, Outcome, Received, Refusal,
    testing::{FakeBroker, Reply, sends},
};

async fn attempt(broker: &FakeBroker) -> Outcome {
    let identity = broker.ca.sign("thermometer-1").unwrap();
    Device::new(&broker.running(), &identity).unwrap().connect("thermometer-1").await.unwrap()
}

/// Accepts, grants, acknowledges; answers a SUBSCRIBE with a message on the filter, too.
fn friendly(packet: &Packet<'_>) -> Reply {
    match packet {
        Packet::Connect(connect) if connect.client_id == "thermometer-1" => {
            sends(&Packet::ConnAck(Box::new(ConnAck::new(false, ReasonCode::Success))))
        }
        Packet::Subscribe(subscribe) => {
            let codes = [ReasonCode::GrantedQoS1];
            let Reply::Bytes(mut bytes) = sends(&Packet::SubAck(SubAck::new(subscribe.packet_id, &codes))) else {
                unreachable!()
            };
            let filter = subscribe.subscriptions.iter().next().unwrap().topic_filter;
            let message = Publish {
                qos: QoS::AtLeastOnce,
                packet_id: Some(subscribe.packet_id),
                ..Publish::new(filter, b"21.5")
            };
            Packet::Publish(message).encode(tidegate_mqtt::Version::V5, &mut bytes).unwrap();
            Reply::Bytes(bytes)
        }
        Packet::Publish(publish) if publish.topic_name == "forbidden" => {
            sends(&Packet::PubAck(Ack::new(publish.packet_id.unwrap(), ReasonCode::NotAuthorized)))
        }
        Packet::Publish(publish) => sends(&Packet::PubAck(Ack::new(publish.packet_id.unwrap(), ReasonCode::Success))),
        _ => Reply::Close,
    }
}

#[tokio::test]
async fn a_device_connects_subscribes_publishes_and_receives() {
    let broker = FakeBroker::start(friendly).await;
    let Outcome::Connected(mut device) = attempt(&broker).await else { panic!("refused") };
    device.publish("rooms/1/temperature", b"21.5").await.unwrap();
    let refused = device.publish("forbidden", b"").await.unwrap_err();
    assert!(matches!(refused, FleetError::Acknowledged { reason_code: ReasonCode::NotAuthorized, .. }), "{refused}");
    device.subscribe("rooms/1").await.unwrap();
    let expected = Received { topic: "rooms/1".into(), payload: b"21.5".to_vec() };
    assert_eq!(device.message().await.unwrap(), expected);
    assert_eq!(device.waiting(), None);
    device.closed().await.unwrap(); // by the PUBACK of the message, which this broker does not like
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let broker = FakeBroker::start(|_| Reply::Close).await;
    let outcome = attempt(&broker).await;
    assert!(matches!(outcome, Outcome::Refused(Refusal::Closed)), "{outcome:?}");

    let refuse = |_: &Packet<'_>| sends(&Packet::ConnAck(Box::new(ConnAck::new(false, ReasonCode::NotAuthorized))));
    let outcome = attempt(&FakeBroker::start(refuse).await).await;
    assert!(matches!(outcome, Outcome::Refused(Refusal::ConnAck(ReasonCode::NotAuthorized, None))), "{outcome:?}");

    let stranger = FleetCa::new("other CA").unwrap().sign("thermometer-1").unwrap();
    let outcome = Device::new(&broker.running(), &stranger).unwrap().connect("thermometer-1").await.unwrap();
    assert!(matches!(outcome, Outcome::Refused(Refusal::Handshake(_))), "{outcome:?}");
}

#[tokio::test]
async fn a_server_that_is_not_trusted_is_refused() {
    let broker = FakeBroker::start(friendly).await;
    let mut running = broker.running();
    running.mqtt_host = "127.0.0.1".into(); // not in its certificate
    let identity = broker.ca.sign("thermometer-1").unwrap();
    let outcome = Device::new(&running, &identity).unwrap().connect("thermometer-1").await.unwrap();
    assert!(matches!(outcome, Outcome::Refused(Refusal::Handshake(_))), "{outcome:?}");
}

#[tokio::test]
async fn a_broker_that_breaks_the_protocol_is_an_error() {
    for reply in [
        (|_: &Packet<'_>| Reply::Bytes(vec![0xd0, 0])) as fn(&Packet<'_>) -> Reply, // PINGRESP instead of CONNACK
        |_| Reply::Bytes(vec![0x20, 3, 2, 0, 0]),                                   // reserved CONNACK flag
    ] {
        let broker = FakeBroker::start(reply).await;
        let identity = broker.ca.sign("thermometer-1").unwrap();
        let error = Device::new(&broker.running(), &identity).unwrap().connect("thermometer-1").await.unwrap_err();
        assert!(matches!(error, FleetError::Unexpected("CONNACK") | FleetError::Decode(_)), "{error}");
    }
}
