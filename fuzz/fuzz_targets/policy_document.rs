//! A policy document from anybody: it is read or refused, and what is read can be linted, compiled, bound, asked and explained.
#![no_main]

use std::{mem::discriminant, sync::Arc};

use libfuzzer_sys::fuzz_target;
use tidegate_ids::{Tenant, Timestamp};
use tidegate_policy::{Access, AttachedPolicy, Document, PolicySet, RequestContext, Variables};

/// The first line is the topic, the rest the document.
fn ask(input: &str) {
    let (topic, text) = input.split_once('\n').unwrap_or(("a/b", input));
    let Ok(document) = Document::parse(text) else { return };
    let statements = document.statement_count();
    assert!(document.lint(None).iter().all(|warning| warning.statement < statements));
    let tenant = Tenant {
        account: "123456789012".parse().expect("twelve digits"),
        region: "eu-central-1".parse().expect("a region"),
    };
    let name = "p".parse().expect("a policy name");
    let set = PolicySet::compile(tenant, [AttachedPolicy { name, version: 1, document: Arc::new(document) }]);
    let mut variables = Variables::new();
    variables.client_id(topic).set("iot:Connection.Thing.ThingName", ["t"]);
    let values: &[(&str, &[&str])] = &[("iot:ConnectAttributes", &["LastWill"])];
    let context = RequestContext { now: Timestamp::from_seconds(1), values };
    let bound = set.bind(&variables);
    for access in [Access::Connect, Access::Publish, Access::Subscribe, Access::Receive, Access::RetainPublish] {
        let arn = format!("arn:aws:iot:eu-central-1:123456789012:{}/{topic}", access.resource_type());
        // The short way and the long way agree, but for which of several statements they name; so does the explanation.
        let decision = bound.decide(access, topic, &context);
        let long_way = set.decide_arn(access.action(), &arn, &variables, &context);
        assert_eq!(discriminant(&decision), discriminant(&long_way));
        let explanation = set.explain(access.action(), &arn, &variables, &context);
        assert_eq!(explanation.decision, decision);
        assert!(decision.origin().is_none_or(|origin| explanation.deciding().any(|found| found.origin == origin)));
    }
}

fuzz_target!(|input: &str| ask(input));
