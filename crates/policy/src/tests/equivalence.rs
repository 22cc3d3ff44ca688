//! Compiled and bound, a policy says what the plain interpreter says.

use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

use super::{naive::Dictionary, *};
use crate::{
    pattern::{bound, matches, residues},
    sieve::{Probe, Sieve},
};

fn patterns() -> impl Strategy<Value = String> {
    vec(select(&["a", "b", "/", "*", "?", "é", "+"][..]), 0..9).prop_map(|parts| parts.concat())
}

fn texts() -> impl Strategy<Value = String> {
    vec(select(&["a", "b", "/", "é", "+", "*"][..]), 0..9).prop_map(|parts| parts.concat())
}

fn resources() -> impl Strategy<Value = String> {
    let beginnings: &'static [&str] = &[
        "arn:aws:iot:eu-central-1:123456789012:",
        "arn:aws:iot:eu-central-1:123456789012:",
        "arn:aws:iot:eu-central-1:123456789012:",
        "arn:aws:iot:*:*:",
        "arn:aws:iot:us-east-1:123456789012:",
        "arn:aws:iot:eu-central-?:12345678901?:",
        "arn:*",
        "*",
        "*12:",
        "",
    ];
    let types: &'static [&str] =
        &["topic/", "topic/", "topicfilter/", "client/", "*", "topic*", "top?c/", "t*/", "??????????/"];
    let tails: &'static [&str] = &[
        "a",
        "b",
        "/",
        "*",
        "?",
        "+",
        "#",
        "${*}",
        "${?}",
        "${iot:ClientId}",
        "${tail}",
        "${wild}",
        "${absent}",
        "${list.1}",
    ];
    (select(beginnings), select(types), vec(select(tails), 0..4))
        .prop_map(|(beginning, kind, tail)| format!("{beginning}{kind}{}", tail.concat()))
        .prop_filter("a resource is not empty", |text| !text.is_empty())
}

fn conditions() -> impl Strategy<Value = Value> {
    let operators: &'static [&str] = &["StringEquals", "StringNotEquals", "StringLike", "StringNotLike"];
    let values: &'static [&str] = &["a", "b", "*", "a*", "?", "${tail}", "${wild}", "${absent}", "${*}"];
    let keys: &'static [&str] = &["iot:ClientId", "list", "later", "absent"];
    let operator = (select(&["", "", "ForAllValues:", "ForAnyValue:"][..]), select(operators), any::<bool>());
    prop_oneof![
        3 => Just(json!({})),
        1 => (select(keys), any::<bool>()).prop_map(|(key, null)| json!({"Null": {(key): (null.to_string())}})),
        3 => (operator, select(keys), vec(select(values), 1..3)).prop_map(|((set, name, exists), key, values)| {
            let suffix = if exists { "IfExists" } else { "" };
            json!({(format!("{set}{name}{suffix}")): {(key): values}})
        }),
    ]
}

fn statements() -> impl Strategy<Value = Value> {
    let actions: &'static [&str] =
        &["iot:*", "*", "iot:Publish", "iot:publish", "iot:*ublish", "iot:Subscribe", "iot:Receive", "iot:C*", "x:*"];
    (
        prop_oneof![3 => Just("Allow"), 1 => Just("Deny")],
        prop_oneof![4 => Just("Action"), 1 => Just("NotAction")],
        vec(select(actions), 1..3),
        prop_oneof![4 => Just("Resource"), 1 => Just("NotResource")],
        vec(resources(), 1..3),
        conditions(),
    )
        .prop_map(|(effect, action, actions, resource, resources, condition)| {
            json!({"Effect": effect, (action): actions, (resource): resources, "Condition": condition})
        })
}

fn documents() -> impl Strategy<Value = Value> {
    let version = prop_oneof![4 => Just("2012-10-17"), 1 => Just("2008-10-17")];
    (version, vec(statements(), 1..4)).prop_map(|(version, list)| json!({"Version": version, "Statement": list}))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn all_matchers_agree(pattern in patterns(), text in texts()) {
        let expected = naive::glob_text(&pattern, &text);
        prop_assert_eq!(wildcard_match(&pattern, &text), expected);
        prop_assert_eq!(matches(&bound(&pattern), &text), expected);
    }

    #[test]
    fn a_sieve_lets_pass_what_the_pattern_matches(pattern in patterns(), text in texts()) {
        if naive::glob_text(&pattern, &text) {
            prop_assert!(Sieve::new(&bound(&pattern)).lets_pass(&Probe::new(&text)), "{} {}", pattern, text);
        }
    }

    #[test]
    fn residues_are_what_the_pattern_leaves(pattern in patterns(), prefix in texts(), text in texts()) {
        let bound = bound(&pattern);
        let residues = residues(&bound, &prefix);
        prop_assert!(residues.len() <= prefix.chars().count() + 1);
        let matched = residues.into_iter().any(|residue| matches(residue, &text));
        prop_assert_eq!(matched, naive::glob_text(&pattern, &format!("{prefix}{text}")));
    }

    #[test]
    fn compiled_and_bound_is_naive(
        documents in vec(documents(), 0..3),
        client_id in select(&["a", "b", "ab", "a*"][..]),
        topic in vec(select(&["a", "b", "/", "+", "#", "*", "?", "y"][..]), 0..5).prop_map(|parts| parts.concat()),
        later in select(&["a", "ab"][..]),
    ) {
        let mut variables = Variables::new();
        variables.client_id(client_id).set("tail", ["a"]).set("wild", ["a?"]).set("list", ["a", "b/y"]);
        let known: Dictionary = [
            ("iot:ClientId", vec![client_id]), ("tail", vec!["a"]), ("wild", vec!["a?"]), ("list", vec!["a", "b/y"]),
            ("later", vec![later, "b"]),
        ].into_iter().map(|(k, v)| (k.to_owned(), v.into_iter().map(str::to_owned).collect())).collect();
        let later: &[&str] = &[later, "b"];
        let values: &[(&str, &[&str])] = &[("later", later)];
        let context = RequestContext { now: NOTHING.now, values };

        let texts: Vec<String> = documents.iter().map(Value::to_string).collect();
        for text in &texts {
            let document = Document::parse(text).unwrap();
            prop_assert!(document.lint(None).iter().all(|warning| warning.statement < document.statement_count()));
        }
        let set = set(&texts.iter().map(String::as_str).collect::<Vec<_>>());
        let bound = set.bind(&variables);
        for access in Access::ALL {
            let arn = format!("arn:aws:iot:eu-central-1:123456789012:{}/{topic}", access.resource_type());
            let expected = naive::decide(&documents, access.action(), &arn, &known);
            for decision in [
                bound.decide(access, &topic, &context),
                set.decide_arn(access.action(), &arn, &variables, &context),
            ] {
                let found = match decision {
                    Decision::Allowed(_) => Some("Allow"),
                    Decision::ExplicitDeny(_) => Some("Deny"),
                    Decision::ImplicitDeny => None,
                };
                prop_assert_eq!(found, expected, "{:?} {} {}", access, &topic, texts.join("\n"));
            }
            // An explanation has the same decision, and its findings are that decision's grounds.
            let explained = set.explain(access.action(), &arn, &variables, &context);
            prop_assert_eq!(explained.decision, bound.decide(access, &topic, &context));
            let applies = |effect| {
                explained.statements.iter().any(|s| s.effect == effect && s.outcome == Outcome::Applies)
            };
            let grounds = if applies(Effect::Deny) { Some("Deny") } else { applies(Effect::Allow).then_some("Allow") };
            prop_assert_eq!(grounds, expected, "{:?} {} {}", access, &topic, texts.join("\n"));
            prop_assert!(explained.decision.origin().is_none_or(|o| explained.deciding().any(|s| s.origin == o)));
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,80}") {
        let _ = Document::parse(&text);
    }
}
