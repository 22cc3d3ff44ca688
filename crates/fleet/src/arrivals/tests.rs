use tidegate_mqtt::{ConnAck, Packet, ReasonCode};

use crate::{
    Arrivals, Arrived, Caller, FleetCa, Until,
    testing::{FakeBroker, Reply, sends},
};

async fn arrive(broker: &FakeBroker, until: Until, callers: &[Caller]) -> Arrived {
    let arrivals =
        Arrivals { address: broker.address, server_name: "localhost".try_into().unwrap(), parallel: 4, until };
    arrivals.run(callers).await
}

fn callers(ca: &FleetCa, count: usize) -> Vec<Caller> {
    (0..count).map(|i| Caller::new(&ca.sign("device").unwrap(), &format!("device-{i}")).unwrap()).collect()
}

fn accept(packet: &Packet<'_>) -> Reply {
    match packet {
        Packet::Connect(_) => sends(&Packet::ConnAck(Box::new(ConnAck::new(false, ReasonCode::Success)))),
        _ => Reply::Close,
    }
}

fn refuse(_: &Packet<'_>) -> Reply {
    sends(&Packet::ConnAck(Box::new(ConnAck::new(false, ReasonCode::NotAuthorized))))
}

fn close(_: &Packet<'_>) -> Reply {
    Reply::Close
}

#[tokio::test]
async fn every_device_arrives_once_whichever_answer_is_waited_for() {
    for (reply, until, arrive_count) in [
        (accept as fn(&Packet<'_>) -> Reply, Until::Connected, 11),
        (accept, Until::Refused, 0),
        (accept, Until::Closed, 0),
        (refuse, Until::Refused, 11),
        (refuse, Until::Connected, 0),
        (close, Until::Closed, 11),
        (close, Until::Refused, 11),
        (close, Until::Connected, 0),
    ] {
        let broker = FakeBroker::start(reply).await;
        let arrived = arrive(&broker, until, &callers(&broker.ca, 11)).await;
        assert_eq!(arrived.count, arrive_count, "{until:?}: {arrived:?}");
        assert_eq!(arrived.failed.values().sum::<usize>(), 11 - arrive_count, "{until:?}: {arrived:?}");
        assert!(!arrived.took.is_zero());
    }
}

#[tokio::test]
async fn devices_that_the_handshake_refuses_are_counted_as_failed() {
    let broker = FakeBroker::start(accept).await;
    let arrived = arrive(&broker, Until::Connected, &callers(&FleetCa::new("other").unwrap(), 3)).await;
    assert_eq!((arrived.count, arrived.failed.values().sum::<usize>()), (0, 3));
}
