//! What a connection pays for a decision that it remembers, and for one that it must ask its policies for again.

use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use criterion::{Criterion, criterion_group, criterion_main};
use tidegate_broker::{Access, Authorize, MeasuredDecisions};
use tidegate_ids::{Tenant, Timestamp};
use tidegate_policy::{AttachedPolicy, BoundPolicy, Document, PolicySet, RequestContext, Variables};

/// A bound policy whose generation is a counter, as in the gateway.
struct Policies {
    bound: BoundPolicy,
    generation: AtomicU64,
    asked: AtomicU64,
}

impl Authorize for Policies {
    fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    fn allows(&self, _access: Access, topic: &str) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let context = RequestContext::at(Timestamp::from_seconds(1_764_040_000));
        self.bound.decide(tidegate_policy::Access::Receive, topic, &context).is_allowed()
    }
}

fn policies() -> Arc<Policies> {
    let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:Receive",
        "Resource":"arn:aws:iot:eu-central-1:123456789012:topic/fleet/${iot:ClientId}/*"}]}"#;
    let tenant = Tenant { account: "123456789012".parse().unwrap(), region: "eu-central-1".parse().unwrap() };
    let document = Arc::new(Document::parse(text).expect("the text is a policy"));
    let set = PolicySet::compile(tenant, [AttachedPolicy { name: "p".parse().unwrap(), version: 1, document }]);
    let mut variables = Variables::new();
    variables.client_id("sensor-000017");
    Arc::new(Policies { bound: set.bind(&variables), generation: AtomicU64::new(1), asked: AtomicU64::new(0) })
}

fn decide(c: &mut Criterion) {
    let policies = policies();
    let mut decisions = MeasuredDecisions::new(policies.clone());
    // As many topics as a busy connection uses in turn.
    let topics: [String; 8] = std::array::from_fn(|n| format!("fleet/sensor-000017/temperature/room/{n}"));
    let mut turn = 0;
    c.bench_function("decision/remembered", |b| {
        b.iter(|| {
            turn = (turn + 1) % 8;
            decisions.may_receive(black_box(&topics[turn]))
        })
    });
    let asked = policies.asked.load(Ordering::Relaxed);
    assert!(asked <= 2 * topics.len() as u64, "the policies were asked {asked} times for {} topics", topics.len());
    c.bench_function("decision/after a change of the policies", |b| {
        b.iter(|| {
            policies.generation.fetch_add(1, Ordering::Release);
            decisions.may_receive(black_box(&topics[0]))
        })
    });
}

criterion_group!(benches, decide);
criterion_main!(benches);
