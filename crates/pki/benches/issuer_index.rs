//! Finding and checking the CA of a leaf must cost the same with one CA and with 50 000.
#![allow(missing_docs)]

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use tidegate_ids::Timestamp;
use tidegate_pki::{
    IssuerIndex, PrivateKey,
    issue::{IssuingCa, Validity},
};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn ca(common_name: &str) -> IssuingCa {
    let validity = Validity { not_before: NOW, not_after: tidegate_pki::issue::DEVICE_NOT_AFTER };
    IssuingCa::self_signed(common_name, "Bench", PrivateKey::generate_p256().unwrap(), validity).unwrap()
}

fn issuer_index(criterion: &mut Criterion) {
    let own = ca("the leaf's own");
    let leaf = own.device_certificate(PrivateKey::generate_p256().unwrap().public_key(), NOW).unwrap();
    for (group, name) in [("names differ", "Factory"), ("one name for all", "the leaf's own")] {
        let mut group = criterion.benchmark_group(group);
        let index = IssuerIndex::new();
        index.insert(own.certificate(), ());
        let mut inserted = 1;
        for cas in [1, 10_000, 50_000] {
            while inserted < cas {
                let other = if name == "Factory" { ca(&format!("{name} {inserted}")) } else { ca(name) };
                index.insert(other.certificate(), ());
                inserted += 1;
            }
            group.bench_function(BenchmarkId::new("candidates", cas), |b| b.iter(|| index.candidates(&leaf)));
            group.bench_function(BenchmarkId::new("signers", cas), |b| b.iter(|| index.signers(&leaf)));
        }
        group.finish();
    }
}

criterion_group!(benches, issuer_index);
criterion_main!(benches);
