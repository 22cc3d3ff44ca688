//! Explanations name what decided and what came near.

use super::*;

fn explained(documents: &[&str], action: &str, resource: &str, variables: &Variables) -> Explanation {
    let context = RequestContext { now: NOTHING.now, values: &[("iot:ConnectAttributes", &["LastWill"])] };
    set(documents).explain(action, &format!("arn:aws:iot:eu-central-1:123456789012:{resource}"), variables, &context)
}

#[test]
fn an_explanation_names_the_statements_that_decided_and_those_that_came_near() {
    use Outcome::*;
    let first = policy(&[
        "Allow|iot:Publish|topic/a/*",
        "Allow|iot:Subscribe|topic/a/*",
        "Allow|iot:Publish|topic/${iot:ClientId}/*",
        r#"Allow|iot:Publish|*|{"StringEquals":{"iot:ClientId":"d2"}}"#,
    ]);
    let second = policy(&["Deny|iot:*|topic/a/secret"]);
    let documents: &[&str] = &[&first, &second];
    for (topic, decision, outcomes, deciding, verdicts) in [
        (
            "topic/a/b",
            "Allowed",
            vec![(0, 0, Applies), (0, 2, ResourceDiffers), (0, 3, ConditionFails), (1, 0, ResourceDiffers)],
            vec![(0, 0)],
            [PolicyVerdict::Allows, PolicyVerdict::Silent],
        ),
        (
            "topic/a/secret",
            "ExplicitDeny",
            vec![(0, 0, Applies), (0, 2, ResourceDiffers), (0, 3, ConditionFails), (1, 0, Applies)],
            vec![(1, 0)],
            [PolicyVerdict::Allows, PolicyVerdict::Denies],
        ),
        (
            "topic/other",
            "ImplicitDeny",
            vec![(0, 0, ResourceDiffers), (0, 2, ResourceDiffers), (0, 3, ConditionFails), (1, 0, ResourceDiffers)],
            vec![],
            [PolicyVerdict::Silent, PolicyVerdict::Silent],
        ),
    ] {
        let found = explained(documents, "iot:Publish", topic, &device());
        assert!(format!("{:?}", found.decision).starts_with(decision), "{topic}: {:?}", found.decision);
        let place = |s: &StatementFinding| (s.origin.policy, s.origin.statement);
        let seen: Vec<_> = found.statements.iter().map(|s| (s.origin.policy, s.origin.statement, s.outcome)).collect();
        assert_eq!(seen, outcomes, "{topic}");
        assert_eq!(found.deciding().map(place).collect::<Vec<_>>(), deciding, "{topic}");
        assert_eq!(found.verdicts, verdicts, "{topic}");
    }
}

#[test]
fn resources_are_shown_with_the_values_of_their_variables() {
    let mut unsafe_name = device();
    unsafe_name.client_id("d*");
    for (resource, variables, text, unresolved) in [
        ("topic/${iot:ClientId}/*", device(), "topic/d1/*", vec![]),
        ("topic/${*}/${?}/${$}/?", device(), "topic/${*}/${?}/$/?", vec![]),
        ("topic/${none}/${none}", device(), "topic/${none}/${none}", vec![("none", WhyUnresolved::Missing)]),
        ("topic/${none, 'x*'}", device(), "topic/x${*}", vec![]),
        (
            "topic/${iot:ClientId}",
            unsafe_name,
            "topic/${iot:ClientId}",
            vec![("iot:ClientId", WhyUnresolved::Withheld)],
        ),
    ] {
        let arn = "arn:aws:iot:eu-central-1:123456789012:";
        let json = serde_json::json!({"Version": "2012-10-17",
            "Statement": {"Effect": "Allow", "Action": "iot:Publish", "Resource": format!("{arn}{resource}")}});
        let found = explained(&[&json.to_string()], "iot:publish", "topic/z", &variables);
        let rendered = &found.statements[0].resources[0];
        assert_eq!(rendered.text, format!("{arn}{text}"), "{resource}");
        let seen: Vec<_> = rendered.unresolved.iter().map(|u| (&*u.name, u.why)).collect();
        assert_eq!(seen, unresolved, "{resource}");
    }
}

#[test]
fn conditions_are_shown_with_both_sides_and_what_is_missing_is_named() {
    let text = policy(&[
        r#"Allow|iot:Connect|*|{"ForAnyValue:StringEquals":{"iot:ConnectAttributes":["LastWill","${x}"]},
            "IpAddress":{"aws:VpcSourceIp":"10.0.0.0/8"},"Null":{"AWS:vpcsourceip":"false"}}"#,
        "Allow|iot:Publish|topic/${not:asked}",
        "Allow|iot:Connect|client/${x}/${y}",
    ]);
    let found = explained(&[&text], "iot:Connect", "client/d1", &device());
    assert_eq!(found.missing, ["x", "aws:VpcSourceIp", "y"]);
    let attributes = &found.statements[0].conditions[0];
    assert_eq!((&*attributes.operator, &*attributes.key), ("ForAnyValue:StringEquals", "iot:ConnectAttributes"));
    assert_eq!(attributes.found.as_deref(), Some(&["LastWill".to_owned()][..]));
    assert!(attributes.holds && !found.statements[0].conditions[1].holds);
    assert_eq!(found.decision, Decision::ImplicitDeny);
}
