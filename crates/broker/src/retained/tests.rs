use std::collections::BTreeMap;

use proptest::prelude::*;
use tidegate_ids::Monotonic;
use tidegate_mqtt::{MessageProperties, QoS};

use super::*;

fn message(topic_name: &str, payload: &str) -> Stamped {
    let properties = MessageProperties::default();
    let now = Monotonic::default();
    Stamped::new(topic_name, &properties, payload.as_bytes(), QoS::AtMostOnce, None, now).unwrap()
}

fn matching(retained: &Retained, filter: &str) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut walk = Walk::new(filter, true);
    while !walk.is_over() {
        // In slices so small that every place is stopped at.
        retained.walk(&mut walk, 1, 2, |stamped, _| {
            let before = found.insert(stamped.message.topic_name().to_owned(), stamped.message.payload().to_vec());
            assert!(before.is_none(), "found once");
        });
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// The tree holds what a map would, finds what matching one by one would, and forgets what it does not need.
    #[test]
    fn the_tree_is_a_map_that_wildcards_can_search(
        changes in prop::collection::vec(("[ab$](/[ab]{0,1}){0,3}", "[xy]{0,1}"), 1..40),
        filters in prop::collection::vec("([ab+$])(/([ab]|\\+|)){0,2}(/#)?", 1..10),
    ) {
        let retained = Retained::default();
        let mut model: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for (name, payload) in changes {
            if payload.is_empty() {
                prop_assert_eq!(retained.delete(&name, |_| {}), model.remove(&name).is_some());
            } else {
                retained.set(message(&name, &payload), None, Now::default(), |_| {});
                model.insert(name, payload.into_bytes());
            }
            prop_assert_eq!(retained.len(), model.len());
        }
        for (name, payload) in &model {
            let got = retained.get(name).unwrap();
            prop_assert_eq!(got.message.payload(), &payload[..]);
        }
        for filter in filters.iter().map(String::as_str).chain(["#", "+", "+/+"]) {
            let expected: BTreeMap<_, _> =
                model.iter().filter(|(name, _)| topic::matches(filter, name)).map(|(n, p)| (n.clone(), p.clone())).collect();
            prop_assert_eq!(matching(&retained, filter), expected, "{}", filter);
        }
        for name in model.keys() {
            retained.delete(name, |_| {});
        }
        let tree = retained.0.read();
        prop_assert_eq!((tree.nodes.len(), tree.levels.len()), (1, 0), "only the root is left");
    }
}
