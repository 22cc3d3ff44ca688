//! The cost of one decision that no cache holds: with a device's usual policy, and with the ten policies of 2 048 characters
//! that a principal may have at most; and of binding at CONNECT.
//!
//! What a cached decision costs is measured where the cache is: `crates/broker/benches/decisions.rs`.

use std::{hint::black_box, sync::Arc};

use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};
use tidegate_ids::{Tenant, Timestamp};
use tidegate_policy::{Access, AttachedPolicy, Document, PolicySet, RequestContext, Variables};

const ARN: &str = "arn:aws:iot:eu-central-1:123456789012";

/// A device's usual policy, as policy `n`: its topics begin with `fleet<n>/`.
fn usual(n: usize) -> Vec<Value> {
    let one = |effect: &str, action: Value, resource: Value| json!({"Effect": effect, "Action": action, "Resource": resource});
    vec![
        one("Allow", json!("iot:Connect"), json!(format!("{ARN}:client/${{iot:ClientId}}"))),
        one(
            "Allow",
            json!(["iot:Publish", "iot:Receive"]),
            json!([format!("{ARN}:topic/fleet{n}/${{iot:ClientId}}/*"), format!("{ARN}:topic/fleet{n}/all/*/state")]),
        ),
        one("Allow", json!("iot:Subscribe"), json!(format!("{ARN}:topicfilter/fleet{n}/${{iot:ClientId}}/*"))),
        one("Deny", json!("iot:Publish"), json!(format!("{ARN}:topic/fleet{n}/*/secret"))),
    ]
}

/// The same with as many more topics as fit into a document, each with a wildcard within: what is hardest to match.
fn full(n: usize) -> Vec<Value> {
    let mut statements = usual(n);
    for room in 0.. {
        let topics: Vec<String> = (0..2).map(|k| format!("{ARN}:topic/fleet{n}/*/room{room}/{k}/*")).collect();
        statements.insert(1, json!({"Effect": "Allow", "Action": ["iot:Publish", "iot:Receive"], "Resource": topics}));
        if text(&statements).len() > Document::CHARACTERS_MAX {
            statements.remove(1);
            return statements;
        }
    }
    unreachable!("a document is full at some time")
}

fn text(statements: &[Value]) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

fn policies(count: usize, statements: fn(usize) -> Vec<Value>) -> PolicySet {
    let tenant = Tenant { account: "123456789012".parse().unwrap(), region: "eu-central-1".parse().unwrap() };
    let attached = |n| AttachedPolicy {
        name: format!("p{n}").parse().unwrap(),
        version: 1,
        document: Arc::new(Document::parse(&text(&statements(n))).expect("the text is a policy")),
    };
    PolicySet::compile(tenant, (0..count).map(attached))
}

fn decide(c: &mut Criterion) {
    let mut variables = Variables::new();
    variables.client_id("sensor-000017");
    let context = RequestContext::at(Timestamp::from_seconds(1_764_040_000));
    for (count, kind, statements) in
        [(1, "usual", usual as fn(usize) -> Vec<Value>), (10, "usual", usual), (10, "full", full)]
    {
        let set = policies(count, statements);
        let bound = set.bind(&variables);
        let own = format!("fleet{}/sensor-000017/temperature/room/3", count - 1);
        for (name, topic, allowed) in [
            ("allowed by the last", own.as_str(), true),
            ("by none", "elsewhere/sensor-000017/temperature/room/3", false),
            // Every policy's patterns of one fleet must look through the whole of it.
            ("by none, though it begins alike", "fleet0/sensor-000018/temperature/room/3", false),
        ] {
            assert_eq!(bound.decide(Access::Publish, topic, &context).is_allowed(), allowed);
            c.bench_function(&format!("decide/{name}/{count} {kind} policies"), |b| {
                b.iter(|| bound.decide(Access::Publish, black_box(topic), &context))
            });
        }
        c.bench_function(&format!("bind/{count} {kind} policies"), |b| b.iter(|| set.bind(black_box(&variables))));
    }
}

criterion_group!(benches, decide);
criterion_main!(benches);
