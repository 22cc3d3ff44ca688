use proptest::prelude::*;
use serde_json::{Value, json};
use tidegate_ids::Timestamp;

use super::*;

mod naive;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn update(payload: &Value) -> Update {
    Update::read(payload.to_string().as_bytes()).1.unwrap()
}

/// The shadow after these updates, at 1, 2, 3 …
fn after(updates: &[Value]) -> Shadow {
    let mut shadow = None;
    for (index, payload) in updates.iter().enumerate() {
        shadow = Some(Shadow::update(shadow.as_ref(), &update(payload), at(index as u64 + 1)).unwrap());
    }
    shadow.unwrap()
}

fn read(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

#[test]
fn states_are_merged_member_by_member() {
    let desired = |value: Value| json!({ "state": { "desired": value } });
    for (updates, expected) in [
        (vec![json!({"state": {}})], json!({})),
        (vec![desired(json!({"a": 1}))], json!({"desired": {"a": 1}})),
        (vec![desired(json!({"a": 1})), desired(json!({"b": 2}))], json!({"desired": {"a": 1, "b": 2}})),
        (
            vec![desired(json!({"a": {"b": 1}})), desired(json!({"a": {"c": 2}}))],
            json!({"desired": {"a": {"b": 1, "c": 2}}}),
        ),
        (vec![desired(json!({"a": {"b": 1}})), desired(json!({"a": 2}))], json!({"desired": {"a": 2}})),
        (vec![desired(json!({"a": 2})), desired(json!({"a": {"b": 1}}))], json!({"desired": {"a": {"b": 1}}})),
        (vec![desired(json!({"a": [1, 2]})), desired(json!({"a": [3]}))], json!({"desired": {"a": [3]}})),
        // null deletes, and what is emptied vanishes
        (vec![desired(json!({"a": 1, "b": 2})), desired(json!({"a": null}))], json!({"desired": {"b": 2}})),
        (vec![desired(json!({"a": 1})), desired(json!({"a": null}))], json!({})),
        (
            vec![desired(json!({"a": {"b": 1}, "c": 1})), desired(json!({"a": {"b": null}}))],
            json!({"desired": {"c": 1}}),
        ),
        (vec![desired(json!({"a": {"b": null}, "c": 1}))], json!({"desired": {"c": 1}})),
        (vec![desired(json!({"a": 1})), desired(Value::Null)], json!({})),
        (vec![desired(json!({"a": 1})), json!({"state": null})], json!({})),
        // what is given empty stays
        (vec![desired(json!({"a": {}}))], json!({"desired": {"a": {}}})),
        (vec![desired(json!({"a": {"b": 1}})), desired(json!({"a": {}}))], json!({"desired": {"a": {"b": 1}}})),
    ] {
        assert_eq!(serde_json::to_value(after(&updates).state).unwrap(), expected, "{updates:?}");
    }
}

#[test]
fn metadata_tells_when_each_value_was_set() {
    let shadow = after(&[
        json!({"state": {"desired": {"a": 1, "b": {"c": [1, {"d": 2}]}}, "reported": {"a": 0}}}),
        json!({"state": {"desired": {"a": 2}}}),
    ]);
    let one = json!({"timestamp": 1});
    assert_eq!(
        serde_json::to_value(&shadow.metadata).unwrap(),
        json!({"desired": {"a": {"timestamp": 2}, "b": {"c": [one, {"d": one}]}}, "reported": {"a": one}})
    );
}

#[test]
fn the_delta_is_what_is_desired_and_not_reported() {
    for (desired, reported, expected) in [
        (json!({"a": 1}), json!({"a": 1}), None),
        (json!({"a": 1}), json!({"a": 2}), Some(json!({"a": 1}))),
        (json!({"a": 1}), json!({"b": 1}), Some(json!({"a": 1}))),
        (json!({"a": {"b": 1, "c": 2}}), json!({"a": {"b": 1}}), Some(json!({"a": {"c": 2}}))),
        (json!({"a": {"b": 1}}), json!({"a": {"b": 1, "c": 2}}), None),
        (json!({"a": [1, 2]}), json!({"a": [1]}), Some(json!({"a": [1, 2]}))),
        (json!({"a": {"b": 1}}), json!({"a": 1}), Some(json!({"a": {"b": 1}}))),
        (json!({"a": 1}), Value::Null, Some(json!({"a": 1}))),
        (Value::Null, json!({"a": 1}), None),
    ] {
        let shadow = after(&[json!({"state": {"desired": desired, "reported": reported}})]);
        assert_eq!(shadow.delta().map(|(delta, _)| Value::Object(delta)), expected, "{desired} {reported}");
    }
    let shadow = after(&[
        json!({"state": {"desired": {"a": 1, "b": 1}}}),
        json!({"state": {"desired": {"a": 2}, "reported": {"b": 1}}}),
    ]);
    let delta = read(&wire::delta(&shadow, Some("token")).unwrap());
    let expected = json!({"state": {"a": 2}, "metadata": {"a": {"timestamp": 2}}, "version": 2, "timestamp": 2, "clientToken": "token"});
    assert_eq!(delta, expected);
}

#[test]
fn versions_count_over_deletions_and_are_held_against_what_is_expected() {
    let first = after(&[json!({"state": {"desired": {"a": 1}}}), json!({"state": null})]);
    assert_eq!(first.version, 2);
    for (version, ok) in [(json!(2), true), (json!(1), false), (json!(3), false), (Value::Null, true)] {
        let next = Shadow::update(Some(&first), &update(&json!({"state": {}, "version": version})), at(5));
        assert_eq!(
            next.map_err(|rejection| rejection.code),
            if ok { Ok(Shadow { version: 3, modified: at(5), ..first.clone() }) } else { Err(409) }
        );
    }
    assert_eq!(first.delete(Some(1), at(9)).unwrap_err(), Rejection::version_conflict());
    let gone = first.delete(Some(2), at(9)).unwrap();
    assert!(gone.deleted);
    let again = Shadow::update(Some(&gone), &update(&json!({"state": {"reported": {"x": 1}}})), at(10)).unwrap();
    assert_eq!((again.version, again.deleted), (3, false));
    assert!(Shadow::update(None, &update(&json!({"state": {}, "version": 0})), at(1)).is_ok());
    assert_eq!(Shadow::update(None, &update(&json!({"state": {}, "version": 1})), at(1)).unwrap_err().code, 409);
}

#[test]
fn wrong_payloads_get_the_documented_sentence() {
    let deep = |levels: usize| {
        format!(r#"{{"state":{{"desired":{}{}}}}}"#, r#"{"a":"#.repeat(levels), "1".to_owned() + &"}".repeat(levels))
    };
    let long = json!({"state": {}, "clientToken": "x".repeat(65)}).to_string();
    for (payload, code, message) in [
        ("", 400, "Invalid JSON"),
        ("{", 400, "Invalid JSON"),
        ("[]", 400, "Invalid JSON"),
        (&"[".repeat(1000), 400, "Invalid JSON"),
        ("{}", 400, "Missing required node: state"),
        (r#"{"state": 1}"#, 400, "State node must be an object"),
        (r#"{"state": {"desired": 1}}"#, 400, "Desired node must be an object"),
        (r#"{"state": {"reported": []}}"#, 400, "Reported node must be an object"),
        (r#"{"state": {"other": {}}}"#, 400, "State contains an invalid node"),
        (r#"{"state": {}, "version": "1"}"#, 400, "Invalid version"),
        (r#"{"state": {}, "version": -1}"#, 400, "Invalid version"),
        (r#"{"state": {}, "version": 1.5}"#, 400, "Invalid version"),
        (r#"{"state": {}, "clientToken": 1}"#, 400, "Invalid clientToken"),
        (&long, 400, "Invalid clientToken"),
        (&deep(9), 400, "JSON contains too many levels of nesting; maximum is 8"),
        (&"x".repeat(REQUEST_BYTES_MAX + 1), 413, "The payload exceeds the maximum size allowed"),
    ] {
        assert_eq!(Update::read(payload.as_bytes()).1, Err(Rejection::new(code, message)), "{payload}");
    }
    assert!(Update::read(deep(8).as_bytes()).1.is_ok());
    assert_eq!(Update::read(b"\xff").1.unwrap_err().code, 415);
    let (token, outcome) = Update::read(br#"{"state": 1, "clientToken": "t"}"#);
    assert_eq!((token.as_deref(), outcome.is_err()), (Some("t"), true));
}

#[test]
fn a_state_is_at_most_eight_kibibytes() {
    let of = |bytes: usize| {
        let rest = r#"{"desired":{"a":""}}"#.len();
        update(&json!({"state": {"desired": {"a": "x".repeat(bytes - rest)}}}))
    };
    assert!(Shadow::update(None, &of(STATE_BYTES_MAX), at(1)).is_ok());
    assert_eq!(Shadow::update(None, &of(STATE_BYTES_MAX + 1), at(1)), Err(Rejection::too_large()));
}

#[test]
fn answers_are_as_documented() {
    let first = after(&[json!({"state": {"desired": {"a": 1}, "reported": {"a": 0}}})]);
    let change = update(&json!({"state": {"desired": {"a": null, "b": 2}}}));
    let second = Shadow::update(Some(&first), &change, at(7)).unwrap();
    let seven = json!({"timestamp": 7});
    assert_eq!(
        read(&wire::accepted(&second, &change, Some("t"))),
        json!({"state": {"desired": {"a": null, "b": 2}}, "metadata": {"desired": {"a": seven, "b": seven}}, "version": 2, "timestamp": 7, "clientToken": "t"})
    );
    let documents = read(&wire::documents(Some(&first), &second, None));
    assert_eq!(documents["previous"]["version"], 1);
    assert_eq!(
        documents["current"],
        json!({"state": {"desired": {"b": 2}, "reported": {"a": 0}}, "metadata": {"desired": {"b": seven}, "reported": {"a": {"timestamp": 1}}}, "version": 2})
    );
    let document = read(&wire::document(&second, at(9), None));
    assert_eq!(document["state"]["delta"], json!({"b": 2}));
    assert_eq!((&document["timestamp"], &document["version"]), (&json!(9), &json!(2)));
    let nothing = update(&json!({"state": null}));
    let third = Shadow::update(Some(&second), &nothing, at(8)).unwrap();
    assert_eq!(
        read(&wire::accepted(&third, &nothing, None)),
        json!({"state": null, "metadata": {"timestamp": 8}, "version": 3, "timestamp": 8})
    );
    assert_eq!(
        read(&wire::document(&third, at(8), None)),
        json!({"state": {}, "metadata": {}, "version": 3, "timestamp": 8})
    );
    assert_eq!(read(&wire::deleted(&third, None)), json!({"version": 3, "timestamp": 8}));
    let rejection = Rejection::version_conflict();
    assert_eq!(
        read(&wire::rejected(&rejection, at(3), Some("t"))),
        json!({"code": 409, "message": "Version conflict", "timestamp": 3, "clientToken": "t"})
    );
}

#[test]
fn topics_name_a_shadow_and_an_operation() {
    for (topic, expected) in [
        ("$aws/things/t/shadow/get", Some(("thing/t", Operation::Get))),
        ("$aws/things/t/shadow/update", Some(("thing/t", Operation::Update))),
        ("$aws/things/t/shadow/name/n/delete", Some(("thing/t/n", Operation::Delete))),
        ("$aws/things/t/shadow/name/$n:1/update", Some(("thing/t/$n:1", Operation::Update))),
        ("$aws/things/t/shadow/update/accepted", None),
        ("$aws/things/t/shadow/name/n", None),
        ("$aws/things/t/shadow/name/a/b/get", None),
        ("$aws/things/a.b/shadow/get", None),
        ("$aws/things//shadow/get", None),
        ("$aws/things/t/jobs/get", None),
        ("a/things/t/shadow/get", None),
    ] {
        let found = Place::parse(topic).map(|(place, operation)| (place.resource(), operation));
        assert_eq!(found, expected.map(|(resource, operation)| (resource.to_owned(), operation)), "{topic}");
        if let Some((place, operation)) = Place::parse(topic) {
            assert_eq!(place.topic(operation.word()), topic);
        }
    }
}

/// Values of few names, so that they meet, and of few levels.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..3_u8).prop_map(Value::from),
        "[xy]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            prop::collection::btree_map("[abc]", inner.clone(), 0..3).prop_map(|members| members.into_iter().collect()),
            prop::collection::vec(inner, 0..3).prop_map(Value::from),
        ]
    })
}

fn section() -> impl Strategy<Value = Value> {
    let members = prop::collection::btree_map("[abc]", value(), 0..3);
    prop_oneof![1 => Just(Value::Null), 6 => members.prop_map(|members| members.into_iter().collect())]
}

fn payload() -> impl Strategy<Value = Value> {
    let sections = (prop::option::of(section()), prop::option::of(section())).prop_map(|(desired, reported)| {
        let members = [("desired", desired), ("reported", reported)].into_iter();
        members.filter_map(|(name, section)| Some((name.to_owned(), section?))).collect::<Value>()
    });
    prop_oneof![1 => Just(Value::Null), 8 => sections].prop_map(|state| json!({ "state": state }))
}

proptest! {
    #[test]
    fn shadows_agree_with_the_naive_model(payloads in prop::collection::vec(payload(), 1..8)) {
        let mut naive = naive::Shadow::default();
        let mut shadow: Option<Shadow> = None;
        for (index, payload) in payloads.iter().enumerate() {
            let now = index as u64 + 1;
            naive.update(&payload["state"], now);
            let next = Shadow::update(shadow.as_ref(), &update(payload), at(now)).unwrap();
            prop_assert_eq!(serde_json::to_value(&next.state).unwrap(), naive.state());
            prop_assert_eq!(serde_json::to_value(&next.metadata).unwrap(), naive.metadata());
            prop_assert_eq!(next.delta().map(|(delta, _)| Value::Object(delta)), naive.delta());
            shadow = Some(next);
        }
    }

    #[test]
    fn whatever_comes_is_merged_or_refused(
        payloads in prop::collection::vec(prop_oneof![payload().prop_map(|p| p.to_string().into_bytes()), prop::collection::vec(any::<u8>(), 0..40)], 0..8),
    ) {
        fuzz::updates(&payloads.join(&b'\n'));
    }
}
