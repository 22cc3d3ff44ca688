use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::{Principal, Profile, Trace, tenant::Account};

fn session(serial: u64) -> Arc<Session> {
    let tenant =
        tidegate_ids::Tenant { account: "123456789012".parse().unwrap(), region: "eu-central-1".parse().unwrap() };
    let trace = Trace::new(Arc::new(Principal::Anonymous), "192.0.2.1:1".parse().unwrap());
    let profile = Arc::new(Profile::standard());
    let account = Arc::new(Account::new(tenant, Arc::default(), None));
    Arc::new(Session::new(account, format!("c{serial}").into(), serial, 0, 0, profile, Arc::new(trace)))
}

fn subscriber(session: &Arc<Session>, qos: QoS) -> Subscriber {
    let options = Options { qos, no_local: false, retain_as_published: false, parent_level: true };
    Subscriber { session: session.clone(), identifier: None, options }
}

const LEVELS: [&str; 5] = ["a", "b", "", "$x", "+"];
const QOS: [QoS; 3] = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];

fn topic(wildcards: bool) -> impl Strategy<Value = String> {
    let level = 0..if wildcards { 5 } else { 4usize };
    (prop::collection::vec(level, 1..5), any::<bool>()).prop_map(move |(levels, hash)| {
        let mut levels: Vec<&str> = levels.into_iter().map(|level| LEVELS[level]).collect();
        if wildcards && hash {
            levels.push("#");
        }
        let topic = levels.join("/");
        if topic.is_empty() { "a".to_owned() } else { topic }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Routing is what matching every filter by itself says, after any number of changes; and nothing is left behind.
    #[test]
    fn routes_are_what_the_filters_say(
        changes in prop::collection::vec((0u64..4, topic(true), 0usize..4), 1..40),
        names in prop::collection::vec(topic(false), 1..10),
    ) {
        let router = Router::default();
        let sessions: Vec<_> = (0..4).map(session).collect();
        let mut model: BTreeMap<(u64, String), QoS> = BTreeMap::new();
        for (who, filter, change) in changes {
            let session = &sessions[who as usize];
            let first = !model.keys().any(|(_, known)| *known == filter);
            match QOS.get(change) {
                Some(&qos) => {
                    let interest = router.subscribe(&filter.as_str().into(), subscriber(session, qos));
                    prop_assert_eq!(interest == Interest::Begins, first);
                    model.insert((who, filter), qos);
                }
                None => {
                    let interest = router.unsubscribe(&filter, session);
                    let known = model.remove(&(who, filter.clone())).is_some();
                    let last = known && !model.keys().any(|(_, known)| *known == filter);
                    prop_assert_eq!(interest == Interest::Ends, last);
                }
            }
        }
        for name in names {
            let mut expected: BTreeMap<u64, QoS> = BTreeMap::new();
            for ((who, _), &qos) in model.iter().filter(|((_, filter), _)| topic::matches(filter, &name)) {
                let best = expected.entry(*who).or_insert(qos);
                *best = qos.max(*best);
            }
            let route = router.route(&name, topic_hash(&name));
            let found: BTreeMap<u64, QoS> =
                route.targets.iter().map(|target| (target.session.serial(), target.qos)).collect();
            prop_assert_eq!(route.targets.len(), found.len(), "one target per session");
            prop_assert_eq!(found, expected, "{}", name);
        }
        for ((who, filter), _) in model {
            router.unsubscribe(&filter, &sessions[who as usize]);
        }
        prop_assert_eq!(router.wild.read().node_count(), 1, "only the root is left");
        prop_assert!(router.exact.iter().all(|stripe| stripe.filters.read().is_empty()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// The one that is picked is as free as any, and equals take turns: in small groups and in large ones, whoever joins,
    /// leaves and refuses. Who became freer in a large group is noticed once all have been looked at.
    #[test]
    fn the_freest_member_of_a_group_is_picked(
        changes in prop::collection::vec((0usize..40, 0u8..4, 0u32..3), 1..300),
    ) {
        let sessions: Vec<_> = (0..40).map(session).collect();
        let group = group::Group::new("g", "t", subscriber(&sessions[0], QoS::AtMostOnce));
        let mut members = vec![0usize];
        for (who, change, load) in changes {
            match change {
                0 => {
                    let is_new = group.join(subscriber(&sessions[who], QoS::AtMostOnce), 40).unwrap();
                    prop_assert_eq!(is_new, !members.contains(&who));
                    if is_new { members.push(who) }
                }
                1 if members.len() > 1 => {
                    prop_assert_eq!(group.leave(&sessions[who]).was_member, members.contains(&who));
                    members.retain(|member| *member != who);
                }
                2 => {
                    sessions[who].set_load(load);
                    group.look_at(&sessions[who]);
                }
                _ => {
                    let refused: Vec<u64> = members.iter().take(load as usize).map(|&m| m as u64).collect();
                    let free = || members.iter().filter(|&&m| !refused.contains(&(m as u64)));
                    let picked = group.pick(&refused).map(|picked| picked.session.load());
                    prop_assert_eq!(picked, free().map(|&m| sessions[m].load()).min());
                }
            }
        }
        members.iter().for_each(|&member| sessions[member].set_load(7));
        for _ in 0..40 { group.pick(&[]); }
        let mut round: Vec<u64> =
            members.iter().map(|_| group.pick(&[]).expect("nobody refuses").session.serial()).collect();
        round.sort_unstable();
        members.sort_unstable();
        prop_assert_eq!(round, members.iter().map(|&member| member as u64).collect::<Vec<_>>(), "everyone has a turn");
    }
}

#[test]
fn a_change_moves_the_version_of_the_topics_it_may_concern() {
    let router = Router::default();
    let session = session(1);
    let hash = topic_hash("a/b");
    let before = router.version(hash);
    router.subscribe(&"a/b".into(), subscriber(&session, QoS::AtMostOnce));
    let exact = router.version(hash);
    assert_ne!(before, exact);
    router.subscribe(&"+/b".into(), subscriber(&session, QoS::AtMostOnce));
    let wild = router.version(hash);
    assert_ne!(exact, wild);
    router.unsubscribe("+/b", &session);
    router.unsubscribe("a/b", &session);
    assert_ne!(wild, router.version(hash));
    // Nearly all exact filters concern other topics only.
    let unmoved = (0..100).filter(|n| {
        let before = router.version(hash);
        router.subscribe(&format!("device/{n}").into(), subscriber(&session, QoS::AtMostOnce));
        router.version(hash) == before
    });
    assert!(unmoved.count() > 90);
}

#[test]
fn a_parent_level_is_matched_as_each_subscriber_has_it() {
    let router = Router::default();
    let (one, other) = (session(1), session(2));
    router.subscribe(&"a/#".into(), subscriber(&one, QoS::AtMostOnce));
    let options = Options { parent_level: false, ..subscriber(&other, QoS::AtMostOnce).options };
    router.subscribe(&"a/#".into(), Subscriber { options, ..subscriber(&other, QoS::AtMostOnce) });
    let found = |name: &str| router.route(name, topic_hash(name)).targets.len();
    assert_eq!((found("a"), found("a/b"), found("b")), (1, 2, 0));
}

/// What an earlier process wrote has to mean the same group.
#[test]
fn the_number_of_a_group_is_the_same_in_every_process() {
    let router = Router::default();
    let session = session(1);
    for (share_name, filter) in [("g", "t/+"), ("g", "t"), ("h", "t/+")] {
        let joined = router.join(share_name, &filter.into(), subscriber(&session, QoS::AtMostOnce), 9, 9);
        assert_eq!(joined, Ok(if share_name == "h" { Interest::Unchanged } else { Interest::Begins }));
    }
    let number = |share_name, filter| router.group(share_name, filter).map(|group| group.number());
    assert_eq!(number("g", "t/+"), Some(0xcd7c_4fb7_5871_8eb7));
    assert!(number("g", "t") != number("g", "t/+") && number("h", "t/+") != number("g", "t/+"));
    assert_eq!(number("h", "t"), None);
}
