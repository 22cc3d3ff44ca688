//! The cost of one decision, with one policy and with the ten that a principal may have; and of binding at CONNECT.

use std::{hint::black_box, sync::Arc};

use criterion::{Criterion, criterion_group, criterion_main};
use tidegate_ids::{Tenant, Timestamp};
use tidegate_policy::{Access, AttachedPolicy, Document, PolicySet, RequestContext, Variables};

/// A device's usual policy; `n` makes it another one each time. Topics of policy `n` begin with `fleet<n>/`.
fn document(n: usize) -> Arc<Document> {
    let arn = "arn:aws:iot:eu-central-1:123456789012";
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":[
            {{"Effect":"Allow","Action":"iot:Connect","Resource":"{arn}:client/${{iot:ClientId}}"}},
            {{"Effect":"Allow","Action":["iot:Publish","iot:Receive"],"Resource":[
                "{arn}:topic/fleet{n}/${{iot:ClientId}}/*","{arn}:topic/fleet{n}/all/*/state"]}},
            {{"Effect":"Allow","Action":"iot:Subscribe","Resource":"{arn}:topicfilter/fleet{n}/${{iot:ClientId}}/*"}},
            {{"Effect":"Deny","Action":"iot:Publish","Resource":"{arn}:topic/fleet{n}/*/secret"}}]}}"#
    );
    Arc::new(Document::parse(&text).expect("the text is a policy"))
}

fn policies(count: usize) -> PolicySet {
    let tenant = Tenant { account: "123456789012".parse().unwrap(), region: "eu-central-1".parse().unwrap() };
    let attached = |n| AttachedPolicy { name: format!("p{n}").parse().unwrap(), version: 1, document: document(n) };
    PolicySet::compile(tenant, (0..count).map(attached))
}

fn decide(c: &mut Criterion) {
    let mut variables = Variables::new();
    variables.client_id("sensor-000017");
    let context = RequestContext::at(Timestamp::from_seconds(1_764_040_000));
    for count in [1, 10] {
        let set = policies(count);
        let bound = set.bind(&variables);
        let allowed = format!("fleet{}/sensor-000017/temperature/room/3", count - 1);
        let denied = "elsewhere/sensor-000017/temperature/room/3";
        assert!(bound.decide(Access::Publish, &allowed, &context).is_allowed());
        assert!(!bound.decide(Access::Publish, denied, &context).is_allowed());
        let mut measure = |name: &str, topic: &str| {
            c.bench_function(&format!("decide/{name}/{count} policies"), |b| {
                b.iter(|| bound.decide(Access::Publish, black_box(topic), &context))
            });
        };
        measure("allowed by the last", &allowed);
        measure("by none", denied);
        c.bench_function(&format!("bind/{count} policies"), |b| b.iter(|| set.bind(black_box(&variables))));
    }
}

criterion_group!(benches, decide);
criterion_main!(benches);
