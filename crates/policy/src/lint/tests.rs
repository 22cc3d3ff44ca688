use super::*;

/// The rules that warn about a document of statements `Effect|Actions|Resources|Condition`, with the statement's index.
fn found(statements: &[&str]) -> Vec<(usize, &'static str)> {
    let document = Document::parse(&crate::tests::policy(statements)).unwrap();
    document.lint(None).iter().map(|warning| (warning.statement, warning.rule.name())).collect()
}

#[test]
fn what_is_probably_not_meant_is_told() {
    for (statements, expected) in [
        // A device's good policy.
        (
            &[
                "Allow|iot:Connect|client/${iot:Connection.Thing.ThingName}",
                "Allow|iot:Publish iot:Receive|topic/${iot:ClientId}/*",
                "Allow|iot:Subscribe|topicfilter/${iot:ClientId}/+/state topicfilter/all/#",
                "Allow|iot:GetThingShadow|thing/${iot:Connection.Thing.ThingName}",
            ] as &[&str],
            vec![],
        ),
        (&["Allow|iot:*|*"], vec![(0, "everything")]),
        (&["Allow|*|*"], vec![(0, "everything")]),
        (&["Deny|iot:*|*"], vec![]),
        (&["Allow|iot:Subscribe|topicfilter/a/*"], vec![(0, "wildcard-filter")]),
        (&["Allow|iot:Subscribe|topicfilter/a?"], vec![(0, "wildcard-filter")]),
        (&["Allow|iot:Subscribe|topicfilter/${iot:ClientId}/*"], vec![(0, "wildcard-filter")]),
        (&["Allow|iot:Subscribe|topicfilter/${*}"], vec![]),
        (&["Allow|iot:Subscribe|*"], vec![(0, "wildcard-filter")]),
        (&["Allow|iot:*|topicfilter/a/*"], vec![(0, "wildcard-filter")]),
        (&["Deny|iot:Subscribe|topicfilter/a/*"], vec![]),
        (&["Allow|iot:Connect|client/*"], vec![(0, "wildcard-client-id")]),
        (&["Allow|iot:Connect|client/press-?"], vec![(0, "wildcard-client-id")]),
        (&[r#"Allow|iot:Connect|client/*|{"Bool":{"iot:Connection.Thing.IsAttached":"true"}}"#], vec![]),
        (&["Allow|iot:Connect|client/press-1"], vec![]),
        (&["Deny|iot:Publish|topic/${iot:ClientId}/secret"], vec![(0, "escapable-deny")]),
        (&["Deny|iot:Publish|!topic/${iot:ClientId}/*"], vec![]),
        (&["Allow|iot:Conect|client/a"], vec![(0, "unknown-action")]),
        (&["Allow|iot:Publish iot:Subscribe|topic/a"], vec![(0, "action-without-resource")]),
        (&["Allow|iot:Publish|topicfilter/a"], vec![(0, "action-without-resource"), (0, "resource-without-action")]),
        (&["Allow|iot:Publish|topic/a topicfilter/a"], vec![(0, "resource-without-action")]),
        (&["Allow|iot:Publish iot:Subscribe|topic*"], vec![(0, "wildcard-filter")]),
        (
            &["Allow|iot:Connect|client/a", "Allow|iot:Publish|arn:aws:iot:us-east-1:123456789012:topic/a"],
            vec![(1, "action-without-resource"), (1, "resource-without-action")],
        ),
        (&["Allow|iot:Publish iot:GetThingShadow|topic/a thing/b"], vec![]),
        (&["Allow|iot:Publish|topic/a/+ topic/b"], vec![(0, "filter-in-topic")]),
        (&["Allow|iot:Receive|topic/a/#"], vec![(0, "filter-in-topic")]),
        (&["Allow|iot:Publish|topic/${iot:ClientID}/${iot:Client}"], vec![(0, "unknown-variable")]),
        (
            &[r#"Allow|iot:Publish|topic/a|{"StringEquals":{"iot:Client":"${x}"}}"#],
            vec![(0, "unknown-variable"), (0, "unknown-condition-key")],
        ),
        (&[r#"Allow|iot:Publish|topic/a|{"StringNotEquals":{"iot:Client":"x"}}"#], vec![]),
        (&[r#"Allow|iot:Publish|topic/a|{"IpAddress":{"aws:SourceIp":"10.0.0/8"}}"#], vec![(0, "unreadable-value")]),
        (&[r#"Allow|iot:Publish|topic/a|{"DateLessThan":{"aws:CurrentTime":"soon"}}"#], vec![(0, "unreadable-value")]),
        (&[r#"Allow|iot:Publish|topic/a|{"DateLessThan":{"aws:CurrentTime":"2030-01-01"}}"#], vec![]),
    ] {
        assert_eq!(found(statements), expected, "{statements:?}");
    }
}

#[test]
fn a_document_of_2008_has_no_variables() {
    let text = crate::tests::policy(&["Allow|iot:Publish|topic/${iot:ClientId}"]).replace("2012", "2008");
    let warnings = Document::parse(&text).unwrap().lint(None);
    assert_eq!(warnings.iter().map(|w| w.rule).collect::<Vec<_>>(), [LintRule::VariablesOff]);
    assert!(warnings[0].text.contains("${iot:ClientId} has no variables"), "{}", warnings[0].text);
}

#[test]
fn another_accounts_resources_are_told_when_the_account_is_known() {
    let document = Document::parse(&crate::tests::policy(&["Allow|iot:Publish|topic/a"])).unwrap();
    let other = Tenant { account: "999999999999".parse().unwrap(), region: "eu-central-1".parse().unwrap() };
    let rules: Vec<_> = document.lint(Some(other)).iter().map(|warning| warning.rule).collect();
    assert_eq!(rules, [LintRule::ActionWithoutResource, LintRule::ResourceWithoutAction]);
    assert_eq!(document.lint(None), []);
}

#[test]
fn a_warning_says_which_filters_are_meant() {
    let text = crate::tests::policy(&["Allow|iot:Subscribe|topicfilter/a/*"]);
    let text = text.replacen("{\"Effect\"", "{\"Sid\":\"S\",\"Effect\"", 1);
    let warnings = Document::parse(&text).unwrap().lint(None);
    assert_eq!(warnings[0].sid.as_deref(), Some("S"));
    assert!(warnings[0].text.contains("filters a/# and a/+/…"), "{}", warnings[0].text);
}
