//! Durable commits per second with 1, 64 and 512 writers: each writes a row and its index entry, and waits.

use std::{sync::Arc, time::Duration};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tidegate_kv::{Store, Transaction};
use tidegate_standalone::{Options, StandaloneStore};
use tokio::task::JoinSet;

fn durable_commits(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    let home = tempfile::tempdir().expect("a directory");
    let store = Arc::new(StandaloneStore::open(Options::new(home.path())).expect("a store"));
    let mut next = 0u64;
    let mut group = criterion.benchmark_group("durable commits");
    group.sample_size(10).measurement_time(Duration::from_secs(5));
    for writers in [1u64, 64, 512] {
        const EACH: u64 = 4;
        group.throughput(Throughput::Elements(writers * EACH));
        group.bench_function(BenchmarkId::from_parameter(writers), |bencher| {
            bencher.iter(|| {
                let mut tasks = JoinSet::new();
                for _ in 0..writers {
                    let (store, first) = (store.clone(), next);
                    next += EACH;
                    let write = async move {
                        for n in first..first + EACH {
                            // Spread over the keys, as digests are.
                            let key = u128::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
                            let mut transaction = Transaction::new();
                            transaction.put("rows", key.to_be_bytes().to_vec(), vec![7; 400]);
                            transaction.put("index", n.to_be_bytes().to_vec(), key.to_be_bytes().to_vec());
                            store.commit(transaction).await.expect("committed");
                        }
                    };
                    tasks.spawn_on(write, runtime.handle());
                }
                runtime.block_on(async { while tasks.join_next().await.is_some() {} });
            });
        });
    }
    group.finish();
}

criterion_group!(benches, durable_commits);
criterion_main!(benches);
