//! What the broker grants can be stored.

use std::{num::NonZeroU16, sync::Arc};

use tidegate_broker::{Alone, Broker, ConnectRequest, Effects, LinkAddress, Principal, Profile, Settings, Trace};
use tidegate_ids::{Now, Region, Tenant};
use tidegate_kv::KEY_BYTES_MAX;
use tidegate_mqtt::{Connect, Packet, Peer, QoS, Subscribe, Subscription, SubscriptionOptions, Version, decode};

use super::{super::pending, tenant};
use crate::authorize::AllowAll;

/// The broker grants no filter that is no key of the store: a commit with one in it would fail, and with it the process.
#[test]
fn the_longest_filter_and_topic_name_of_each_profile_are_keys_of_the_store() {
    let region = "aa-bcdefghijklmnopqrs-12";
    assert_eq!(region.len(), Region::BYTES_MAX);
    let tenant = Tenant { account: tenant().account, region: region.parse().unwrap() };
    for profile in [Profile::standard(), Profile::aws()] {
        let limits = &profile.limits;
        let (name, filter) = ("\u{1f600}".repeat(limits.share_name_chars_max), "x".repeat(limits.topic_bytes_max));
        let (longest, longer) = (format!("$share/{name}/{filter}"), format!("$share/{name}x/{filter}"));
        let granted = [&longest, &longer].map(|filter| is_granted(tenant, &profile, filter));
        assert_eq!(granted, [true, false], "{}", profile.name);
        for key in [pending::subscription_key(tenant, u64::MAX, &longest), pending::retained_key(tenant, &filter)] {
            assert!(key.len() <= KEY_BYTES_MAX, "{}: {} bytes", profile.name, key.len());
        }
    }
}

/// Whether a broker lets a client subscribe with this filter.
fn is_granted(tenant: Tenant, profile: &Profile, filter: &str) -> bool {
    let (broker, mut effects) = (Broker::new(Settings::default(), Arc::new(Alone), Arc::new(Alone)), Effects::new(0));
    let connect = Connect::new(Version::V5, "c");
    let request = ConnectRequest {
        tenant,
        client_id: "c".into(),
        trace: Arc::new(Trace::new(Arc::new(Principal::Anonymous), "192.0.2.1:1".parse().unwrap())),
        authorize: Arc::new(AllowAll),
        profile: Arc::new(profile.clone()),
        connect: &connect,
        address: LinkAddress { core: 0, slot: 0 },
        session_identifier: 1,
    };
    let mut link = broker.connect(request, Now::default(), &mut effects).unwrap();
    let mut out = Vec::new();
    link.take_output(&mut out, Now::default(), &mut effects);
    out.clear();
    let subscriptions = [Subscription { topic_filter: filter, options: SubscriptionOptions::at(QoS::AtLeastOnce) }];
    let subscribe = Packet::Subscribe(Subscribe {
        packet_id: NonZeroU16::MIN,
        subscription_identifier: None,
        user_properties: Default::default(),
        subscriptions: subscriptions[..].into(),
    });
    broker.handle(&mut link, &subscribe, Now::default(), &mut effects).unwrap();
    link.take_output(&mut out, Now::default(), &mut effects);
    let Ok(Packet::SubAck(suback)) = decode(&out, Version::V5, Peer::Server) else { panic!("no SUBACK: {out:?}") };
    suback.reason_codes.iter().all(|code| !code.is_failure())
}
