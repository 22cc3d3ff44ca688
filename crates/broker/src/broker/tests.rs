//! What is left when everybody has gone: nothing, counted.

use std::{num::NonZeroU16, time::Duration};

use tidegate_mqtt::{
    Connect, Publish, QoS, SessionExpiry, Subscribe, Subscription, SubscriptionOptions, Unsubscribe, Version,
};

use super::*;
use crate::{Access, Alone, Authorize, ConnectRequest, LinkAddress, Principal, Profile, Trace};

struct All;

impl Authorize for All {
    fn generation(&self) -> u64 {
        0
    }
    fn allows(&self, _access: Access, _topic: &str) -> bool {
        true
    }
}

fn tenant() -> Tenant {
    Tenant { account: "123456789012".parse().unwrap(), region: "eu-central-1".parse().unwrap() }
}

fn connect(broker: &Broker, connect: &Connect<'_>, now: Now, effects: &mut Effects) -> Link {
    let certificate_id = "a".repeat(64).parse().unwrap();
    let request = ConnectRequest {
        tenant: tenant(),
        client_id: connect.client_id.into(),
        trace: Arc::new(Trace::new(
            Arc::new(Principal::Certificate { tenant: tenant(), certificate_id }),
            "192.0.2.1:1".parse().unwrap(),
        )),
        authorize: Arc::new(All),
        profile: Arc::new(Profile::standard()),
        connect,
        address: LinkAddress { core: 0, slot: 0 },
        session_identifier: 0,
    };
    broker.connect(request, now, effects).unwrap()
}

fn subscribe(broker: &Broker, link: &mut Link, filter: &str, effects: &mut Effects) {
    let options = SubscriptionOptions::at(QoS::AtLeastOnce);
    let subscriptions = [Subscription { topic_filter: filter, options }];
    let packet = Packet::Subscribe(Subscribe {
        packet_id: NonZeroU16::MIN,
        subscription_identifier: None,
        user_properties: Default::default(),
        subscriptions: subscriptions[..].into(),
    });
    broker.handle(link, &packet, Now::default(), effects).unwrap();
    settle(link, effects);
}

/// As a core does after a turn.
fn settle(link: &mut Link, effects: &mut Effects) {
    let mut out = Vec::new();
    link.take_output(&mut out, Now::default(), effects);
    effects.recycle(out);
    effects.take_events(&mut Vec::new());
    effects.take_dirty(&mut Vec::new());
}

/// Sessions, principals, deadlines, parts of the router, nodes of the retained tree.
fn counts(broker: &Broker) -> [usize; 5] {
    let tenant = broker.tenant(tenant());
    [
        tenant.all().len(),
        tenant.principal_count(),
        broker.deadlines.len(),
        tenant.router.part_count(),
        tenant.retained.part_count(),
    ]
}

#[test]
fn ten_thousand_connections_leave_nothing_behind() {
    let broker = Broker::new(Settings::default(), Arc::new(Alone), Arc::new(Alone));
    let mut effects = Effects::new(0);
    let before = counts(&broker);
    let mut now = Now::default();
    for n in 0..10_000 {
        // Sessions that are kept and not, that come again and not; each end.
        let client_id = format!("c{}", n % 3000);
        let session_expiry = SessionExpiry::from_seconds(n % 2 * 100);
        let packet = Connect { clean_start: n % 5 == 0, session_expiry, ..Connect::new(Version::V5, &client_id) };
        let mut link = connect(&broker, &packet, now, &mut effects);
        for filter in [&format!("a/{n}/+")[..], &format!("b/{n}"), &format!("$share/g{n}/c/#")] {
            subscribe(&broker, &mut link, filter, &mut effects);
        }
        let topic_name = format!("b/{}", n / 2);
        broker.handle(&mut link, &Packet::Publish(Publish::new(&topic_name, b"m")), now, &mut effects).unwrap();
        let reason = [CloseReason::ConnectionLost, CloseReason::Disconnect][n as usize % 2];
        if n % 7 == 0 {
            broker.kick(&Selector::Everyone, CloseReason::PrincipalRefused, now, &mut effects);
        }
        broker.disconnected(link, reason, &mut Vec::new(), now, &mut effects);
        settle_effects(&mut effects);
        now.monotonic = now.monotonic + Duration::from_millis(1);
        assert!(broker.deadlines.len() <= 3000, "one entry for a session");
    }
    now.monotonic = now.monotonic + Duration::from_secs(101);
    while broker.expire(now, &mut effects).is_some_and(|next| next <= now.monotonic) {}
    assert_eq!(broker.expire(now, &mut effects), None);
    assert_eq!(counts(&broker), before);
    assert_eq!(broker.session_count(tenant()), 0);
}

fn settle_effects(effects: &mut Effects) {
    effects.take_events(&mut Vec::new());
    effects.take_dirty(&mut Vec::new());
}

#[test]
fn a_hundred_thousand_filters_leave_nothing_behind() {
    let broker = Broker::new(Settings::default(), Arc::new(Alone), Arc::new(Alone));
    let mut effects = Effects::new(0);
    let now = Now::default();
    let mut link = connect(&broker, &Connect::new(Version::V5, "c"), now, &mut effects);
    let before = counts(&broker);
    let filter = |n: u32| match n % 4 {
        0 => format!("exact/{n}/x"),
        1 => format!("plus/{n}/+/x{n}"),
        2 => format!("hash/{n}/#"),
        _ => format!("$share/g{n}/shared/{n}/+"),
    };
    for n in 0..100_000 {
        subscribe(&broker, &mut link, &filter(n), &mut effects);
    }
    for n in (0..100_000).rev() {
        let filters = [&filter(n)[..]];
        let packet = Packet::Unsubscribe(Unsubscribe {
            packet_id: NonZeroU16::MIN,
            user_properties: Default::default(),
            topic_filters: filters[..].into(),
        });
        broker.handle(&mut link, &packet, now, &mut effects).unwrap();
        settle(&mut link, &mut effects);
    }
    assert_eq!(counts(&broker), before);
    for payload in [&b"m"[..], b""] {
        for n in 0..10_000 {
            let topic_name = format!("r/{n}/{n}");
            let publish = Publish { retain: true, ..Publish::new(&topic_name, payload) };
            broker.handle(&mut link, &Packet::Publish(publish), now, &mut effects).unwrap();
        }
    }
    assert_eq!(counts(&broker), before);
    assert!(link.cache.len() <= 64);
}

/// A QoS 2 message is handled on one core while its client resumes the session on another and sends it again.
#[test]
fn a_message_sent_again_during_a_takeover_is_answered_once_the_first_one_is() {
    let broker = Broker::new(Settings::default(), Arc::new(Alone), Arc::new(Alone));
    let (mut effects, now) = (Effects::new(0), Now::default());
    let kept = Connect { clean_start: false, session_expiry: SessionExpiry::NEVER, ..Connect::new(Version::V5, "c") };
    let old = connect(&broker, &kept, now, &mut effects);
    let id = NonZeroU16::MIN;
    assert_eq!(old.session.begin_receive(old.epoch, id, &mut effects), Ok(crate::session::Begin::New));

    let mut new = connect(&broker, &kept, now, &mut effects);
    settle(&mut new, &mut effects);
    let again = Publish { dup: true, qos: QoS::ExactlyOnce, packet_id: Some(id), ..Publish::new("t", b"m") };
    broker.handle(&mut new, &Packet::Publish(again), now, &mut effects).unwrap();
    let mut out = Vec::new();
    new.take_output(&mut out, now, &mut effects);
    assert!(out.is_empty(), "no PUBREC before it is known what becomes of the message");

    let gone = old.session.answer(old.epoch, QoS::ExactlyOnce, id, ReasonCode::Success, &mut effects);
    assert_eq!(gone, Err(CloseReason::TakenOver));
    new.take_output(&mut out, now, &mut effects);
    assert_eq!(out, [0x50, 2, 0, 1], "PUBREC");
    broker.handle(&mut new, &Packet::Publish(again), now, &mut effects).unwrap();
    out.clear();
    new.take_output(&mut out, now, &mut effects);
    assert_eq!(out, [0x50, 2, 0, 1], "PUBREC");
    broker.disconnected(old, CloseReason::TakenOver, &mut Vec::new(), now, &mut effects);
    broker.disconnected(new, CloseReason::ConnectionLost, &mut Vec::new(), now, &mut effects);
    settle_effects(&mut effects);
}
