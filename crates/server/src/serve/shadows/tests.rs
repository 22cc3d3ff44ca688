//! What does not fit is refused at once, and what is over gives its place back.

use tidegate_broker::{Limits, Profile, ServiceRequest, Services};
use tidegate_ids::{Now, Tenant};
use tidegate_kv::memory::MemoryStore;
use tidegate_logs::Parts;
use tidegate_mqtt::MessageProperties;
use tidegate_shadow::REQUEST_BYTES_MAX;

use super::{lane::BYTES_MAX, *};

#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Now {
        Now::default()
    }
}

async fn service() -> (Arc<ShadowService>, Workers) {
    let parts = Parts { store: Arc::new(MemoryStore::new()), groups: Box::new(()) };
    let clock: Arc<dyn Clock> = Arc::new(Still);
    new(&clock, &LogBook::open(parts).await.unwrap().0)
}

fn tenant() -> Tenant {
    Tenant { account: "111111111111".parse().unwrap(), region: "us-east-1".parse().unwrap() }
}

fn ask(service: &ShadowService, topic_name: &str, payload: &[u8]) -> Option<(String, u64)> {
    ask_within(&Profile::standard().limits, service, topic_name, payload)
}

fn ask_within(limits: &Limits, service: &ShadowService, topic_name: &str, payload: &[u8]) -> Option<(String, u64)> {
    let properties = MessageProperties::default();
    let request = ServiceRequest { tenant: tenant(), limits, topic_name, properties: &properties, payload };
    let answer = service.request(&request)?;
    let rejected: serde_json::Value = serde_json::from_slice(&answer.payload).unwrap();
    Some((answer.topic_name, rejected["code"].as_u64().unwrap()))
}

#[tokio::test]
async fn what_does_not_fit_a_lane_is_rejected_at_once_and_others_go_on() {
    let (service, _workers) = service().await;
    let update = "$aws/things/busy/shadow/update";
    for _ in 0..LANE_MAX {
        assert_eq!(ask(&service, update, b"{}"), None);
    }
    let rejected = |topic: &str, code| Some((format!("{topic}/rejected"), code));
    assert_eq!(ask(&service, update, b"{}"), rejected(update, 429));
    let others = (0..100).filter(|n| ask(&service, &format!("$aws/things/t{n}/shadow/get"), b"").is_none());
    assert!(others.count() > 90, "other lanes have room");
    let large = vec![b'x'; REQUEST_BYTES_MAX + 1];
    assert_eq!(ask(&service, update, &large), rejected(update, 413));
    assert_eq!(ask(&service, "$aws/things/t/jobs/get", b""), None);
}

#[tokio::test]
async fn what_a_thing_asks_beyond_its_pace_is_rejected_until_it_is_answered() {
    let (service, workers) = service().await;
    let limits = Profile::aws().limits;
    let get = "$aws/things/eager/shadow/name/n/get";
    let asked = || ask_within(&limits, &service, get, br#"{"clientToken":"x"}"#);
    assert!((0..10).all(|_| asked().is_none()));
    assert_eq!(asked(), Some((format!("{get}/rejected"), 429)));
    assert_eq!(ask_within(&limits, &service, "$aws/things/other/shadow/get", b""), None);
    drop(workers); // nobody carries anything out, and nobody waits
    assert_eq!(service.lanes.iter().map(|lane| lane.paces.lock().in_flight()).sum::<u32>(), 0);
}

#[tokio::test]
async fn what_waits_is_bounded_in_bytes_and_gives_its_room_back() {
    let (service, workers) = service().await;
    let payload = vec![b' '; REQUEST_BYTES_MAX];
    let waits = (0..BYTES_MAX / REQUEST_BYTES_MAX + 10)
        .filter(|n| ask(&service, &format!("$aws/things/t{n}/shadow/update"), &payload).is_none())
        .count();
    assert!((400..BYTES_MAX / REQUEST_BYTES_MAX).contains(&waits), "{waits}");
    drop(workers);
    assert_eq!(service.waiting.load(Relaxed), 0);
}
