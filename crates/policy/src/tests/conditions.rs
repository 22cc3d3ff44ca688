//! Condition operators, set prefixes and suffixes.
//!
//! AWS: IAM user guide, "Condition operators" and "Set operators".

use super::*;

/// Whether a statement with this condition applies to a CONNECT, judged with `values` from the request.
fn holds(effect: &str, condition: &str, values: &[(&str, &[&str])]) -> bool {
    let statement = format!("{effect}|iot:Connect|*|{condition}");
    let context = RequestContext { now: NOTHING.now, values };
    let decide =
        |statements: &[&str]| set(&[&policy(statements)]).bind(&device()).decide(Access::Connect, "d1", &context);
    match effect {
        "Allow" => decide(&[&statement]).is_allowed(),
        _ => matches!(decide(&["Allow|*|*", &statement]), Decision::ExplicitDeny(_)),
    }
}

#[test]
fn operators_compare_the_keys_value() {
    // `iot:…` and `aws:…` keys are known when the policy is bound, `k` at the request, `none` never.
    let values: &[(&str, &[&str])] = &[
        ("k", &["Text"]),
        ("n", &["10"]),
        ("b", &["TRUE"]),
        ("ip", &["10.1.2.3"]),
        ("mapped", &["::ffff:10.1.2.3"]),
        ("date", &["2026-01-01T00:00:00Z"]),
        ("arn", &["arn:aws:iot:eu-central-1:123456789012:topic/a/b:c"]),
        ("none-given", &[]),
    ];
    for (condition, expected) in [
        (r#"{"StringEquals":{"k":"Text"}}"#, true),
        (r#"{"StringEquals":{"K":"Text"}}"#, true),
        (r#"{"StringEquals":{"k":["x","Text"]}}"#, true),
        (r#"{"StringEquals":{"k":"text"}}"#, false),
        (r#"{"StringEquals":{"k":"T*"}}"#, false),
        (r#"{"StringNotEquals":{"k":"Text"}}"#, false),
        (r#"{"StringNotEquals":{"k":["x","Text"]}}"#, false),
        (r#"{"StringNotEquals":{"k":["x","y"]}}"#, true),
        (r#"{"StringEqualsIgnoreCase":{"k":"tEXT"}}"#, true),
        (r#"{"StringNotEqualsIgnoreCase":{"k":"tEXT"}}"#, false),
        (r#"{"StringLike":{"k":"T?x*"}}"#, true),
        (r#"{"StringNotLike":{"k":"T?x*"}}"#, false),
        (r#"{"StringLike":{"k":"T${*}"}}"#, false),
        (r#"{"NumericEquals":{"n":10}}"#, true),
        (r#"{"NumericEquals":{"n":"10.0"}}"#, true),
        (r#"{"NumericNotEquals":{"n":10}}"#, false),
        (r#"{"NumericLessThan":{"n":10}}"#, false),
        (r#"{"NumericLessThanEquals":{"n":10}}"#, true),
        (r#"{"NumericGreaterThan":{"n":9.5}}"#, true),
        (r#"{"NumericGreaterThanEquals":{"n":11}}"#, false),
        (r#"{"NumericEquals":{"n":"ten"}}"#, false),
        (r#"{"NumericEquals":{"k":10}}"#, false),
        (r#"{"Bool":{"b":true}}"#, true),
        (r#"{"Bool":{"b":"false"}}"#, false),
        (r#"{"IpAddress":{"ip":"10.0.0.0/8"}}"#, true),
        (r#"{"IpAddress":{"mapped":"10.0.0.0/8"}}"#, true),
        (r#"{"IpAddress":{"ip":["11.0.0.0/8","10.1.2.3"]}}"#, true),
        (r#"{"NotIpAddress":{"ip":"10.0.0.0/8"}}"#, false),
        (r#"{"NotIpAddress":{"ip":"11.0.0.0/8"}}"#, true),
        (r#"{"IpAddress":{"ip":"nowhere"}}"#, false),
        (r#"{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"#, true),
        (r#"{"DateEquals":{"date":"2026-01-01"}}"#, true),
        (r#"{"DateNotEquals":{"date":"2026-01-01"}}"#, false),
        (r#"{"DateLessThan":{"date":"2026-01-01T00:00:01Z"}}"#, true),
        (r#"{"DateGreaterThanEquals":{"date":"2026-01-01T01:00:00+01:00"}}"#, true),
        (r#"{"DateGreaterThan":{"date":"2026-01-01"}}"#, false),
        (r#"{"DateGreaterThan":{"aws:CurrentTime":"2025-11-25T00:00:00Z"}}"#, true),
        (r#"{"DateLessThan":{"aws:CurrentTime":"2025-11-25T00:00:00Z"}}"#, false),
        (r#"{"NumericLessThan":{"aws:EpochTime":"1764040001"}}"#, true),
        (r#"{"DateLessThanEquals":{"aws:epochtime":"1764040000"}}"#, true),
        (r#"{"ArnEquals":{"arn":"arn:aws:iot:*:123456789012:topic/a/*"}}"#, true),
        (r#"{"ArnLike":{"arn":"arn:aws:iot:*:*:topic/?/b:c"}}"#, true),
        (r#"{"ArnLike":{"arn":"arn:*"}}"#, false),
        (r#"{"ArnLike":{"arn":"arn:*:topic/a/b:c"}}"#, false),
        (r#"{"ArnNotLike":{"arn":"arn:aws:iot:*:*:topic/*"}}"#, false),
        (r#"{"ArnNotEquals":{"arn":"arn:aws:iot:*:*:client/*"}}"#, true),
        (r#"{"Null":{"k":"false"}}"#, true),
        (r#"{"Null":{"k":true}}"#, false),
        (r#"{"Null":{"none":true}}"#, true),
        (r#"{"Null":{"iot:Connection.Thing.ThingName":"true"}}"#, true),
        // An absent key.
        (r#"{"StringEquals":{"none":"x"}}"#, false),
        (r#"{"StringNotEquals":{"none":"x"}}"#, true),
        (r#"{"StringEqualsIfExists":{"none":"x"}}"#, true),
        (r#"{"StringEqualsIfExists":{"k":"x"}}"#, false),
        (r#"{"StringEquals":{"none-given":"x"}}"#, false),
        (r#"{"StringEqualsIfExists":{"none-given":"x"}}"#, true),
        (r#"{"Null":{"none-given":"true"}}"#, true),
        (r#"{"Bool":{"iot:Connection.Thing.IsAttached":"true"}}"#, false),
        // Keys that are variables, and values that hold some.
        (r#"{"StringEquals":{"iot:ClientId":"d1"}}"#, true),
        (r#"{"StringEquals":{"iot:Certificate.Subject.CommonName":"lamp"}}"#, true),
        (r#"{"StringEquals":{"iot:Certificate.Subject.CommonName":"second"}}"#, false),
        (r#"{"StringEquals":{"iot:Certificate.Subject.CommonName.1":"second"}}"#, true),
        (r#"{"StringEquals":{"iot:Certificate.Subject.Title":"evil/*"}}"#, true),
        (r#"{"StringLike":{"iot:ClientId":"${iot:ClientId}"}}"#, true),
        (r#"{"StringEquals":{"iot:Certificate.Subject.CommonName":"${iot:Certificate.Subject.CommonName}"}}"#, true),
        // All operators and all keys have to hold.
        (r#"{"StringEquals":{"k":"Text","n":"10"},"Bool":{"b":"true"}}"#, true),
        (r#"{"StringEquals":{"k":"Text","n":"11"},"Bool":{"b":"true"}}"#, false),
        (r#"{"StringEquals":{"k":"Text","n":"10"},"Bool":{"b":"false"}}"#, false),
    ] {
        assert_eq!(holds("Allow", condition, values), expected, "{condition}");
    }
}

#[test]
fn set_operators_count_all_or_any_of_the_values() {
    for (given, rows) in [
        (
            Some(&["PersistentConnect", "LastWill"] as &[&str]),
            [
                (r#"{"ForAllValues:StringEquals":{"iot:ConnectAttributes":["PersistentConnect"]}}"#, false),
                (r#"{"ForAllValues:StringEquals":{"iot:ConnectAttributes":["PersistentConnect","LastWill"]}}"#, true),
                (r#"{"ForAnyValue:StringEquals":{"iot:ConnectAttributes":["PersistentConnect"]}}"#, true),
                (r#"{"ForAllValues:StringNotEquals":{"iot:ConnectAttributes":["PersistentConnect"]}}"#, false),
                (r#"{"ForAnyValue:StringNotEquals":{"iot:ConnectAttributes":["PersistentConnect"]}}"#, true),
            ],
        ),
        (
            Some(&["LastWill"]),
            [
                (r#"{"ForAllValues:StringEquals":{"iot:ConnectAttributes":["PersistentConnect"]}}"#, false),
                (r#"{"ForAllValues:StringEquals":{"iot:ConnectAttributes":["PersistentConnect","LastWill"]}}"#, true),
                (r#"{"ForAnyValue:StringEquals":{"iot:ConnectAttributes":["PersistentConnect"]}}"#, false),
                (r#"{"ForAllValues:StringNotEquals":{"iot:ConnectAttributes":["PersistentConnect"]}}"#, true),
                (r#"{"ForAnyValue:StringNotEquals":{"iot:ConnectAttributes":["PersistentConnect"]}}"#, true),
            ],
        ),
        (
            None,
            [
                (r#"{"ForAllValues:StringEquals":{"iot:ConnectAttributes":["PersistentConnect"]}}"#, true),
                (r#"{"ForAllValues:StringEquals":{"iot:ConnectAttributes":["PersistentConnect","LastWill"]}}"#, true),
                (r#"{"ForAnyValue:StringEquals":{"iot:ConnectAttributes":["PersistentConnect"]}}"#, false),
                (r#"{"ForAllValues:StringNotEquals":{"iot:ConnectAttributes":["PersistentConnect"]}}"#, true),
                (r#"{"ForAnyValue:StringNotEquals":{"iot:ConnectAttributes":["PersistentConnect"]}}"#, false),
            ],
        ),
    ] {
        let values: Vec<(&str, &[&str])> = given.map(|values| (keys::CONNECT_ATTRIBUTES, values)).into_iter().collect();
        for (condition, expected) in rows {
            assert_eq!(holds("Allow", condition, &values), expected, "{condition} {given:?}");
        }
    }
    for (condition, expected) in [
        (r#"{"ForAnyValue:StringEquals":{"iot:Certificate.Subject.CommonName.List":"second"}}"#, true),
        (r#"{"ForAllValues:StringEquals":{"iot:Certificate.Subject.CommonName.List":"second"}}"#, false),
        (r#"{"ForAnyValue:StringEquals":{"iot:Certificate.AvailableKeys":"Subject.CommonName"}}"#, true),
        (r#"{"ForAnyValue:StringEquals":{"iot:Certificate.AvailableKeys":"Subject.Surname"}}"#, false),
    ] {
        assert_eq!(holds("Allow", condition, &[]), expected, "{condition}");
    }
}

#[test]
fn a_value_nobody_gave_equals_nothing_and_opens_nothing() {
    let values: &[(&str, &[&str])] = &[("k", &["x"])];
    for (effect, condition, expected) in [
        ("Allow", r#"{"StringEquals":{"k":"${no:such}"}}"#, false),
        ("Allow", r#"{"StringEquals":{"k":["${no:such}","x"]}}"#, true),
        ("Allow", r#"{"StringNotEquals":{"k":"${no:such}"}}"#, false),
        ("Deny", r#"{"StringEquals":{"k":"${no:such}"}}"#, false),
        ("Deny", r#"{"StringNotEquals":{"k":"${no:such}"}}"#, true),
        // A value that is withheld: the subject's title is `evil/*`.
        ("Allow", r#"{"StringEquals":{"k":"${iot:Certificate.Subject.Title}"}}"#, false),
        ("Allow", r#"{"StringNotEquals":{"k":"${iot:Certificate.Subject.Title}"}}"#, false),
        ("Deny", r#"{"StringEquals":{"k":"${iot:Certificate.Subject.Title}"}}"#, true),
        ("Deny", r#"{"StringLike":{"k":["y","${no:such}/${iot:Certificate.Subject.Title}"]}}"#, true),
        ("Deny", r#"{"StringEquals":{"absent":"${iot:Certificate.Subject.Title}"}}"#, false),
        ("Deny", r#"{"StringNotEquals":{"k":"${iot:Certificate.Subject.Title}"}}"#, true),
        ("Deny", r#"{"Null":{"k":"${iot:Certificate.Subject.Title}"}}"#, true),
        ("Deny", r#"{"Null":{"k":"${no:such}"}}"#, false),
    ] {
        assert_eq!(holds(effect, condition, values), expected, "{effect} {condition}");
    }
}

#[test]
fn only_conditions_on_the_time_forbid_caching() {
    for (condition, depends) in [
        (r#"{"DateLessThan":{"aws:CurrentTime":"2030-01-01"}}"#, true),
        (r#"{"NumericLessThan":{"aws:EpochTime":"1"}}"#, true),
        (r#"{"StringEquals":{"iot:ClientId":"d1"}}"#, false),
        (r#"{"StringEquals":{"k":"x"}}"#, false),
    ] {
        let set = set(&[&policy(&[&format!("Allow|iot:*|*|{condition}")])]);
        assert_eq!(set.bind(&device()).depends_on_time(), depends, "{condition}");
    }
}
