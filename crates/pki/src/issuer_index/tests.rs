use proptest::prelude::*;

use super::*;
use crate::{issue::IssuingCa, testing::*};

fn values<T: Copy>(found: Vec<Arc<Issuer<T>>>) -> Vec<T> {
    found.iter().map(|issuer| *issuer.value()).collect()
}

#[test]
fn a_leaf_finds_the_ca_that_signed_it_among_those_with_its_name() {
    let index = IssuerIndex::new();
    let cas: Vec<IssuingCa> = (0..10).map(|_| ca("Factory", Kind::P256)).collect();
    for (n, ca) in cas.iter().enumerate() {
        assert!(index.insert(ca.certificate(), n).is_none());
    }
    index.insert(ca("Other", Kind::P256).certificate(), 99);
    for (n, ca) in cas.iter().enumerate() {
        let key = Kind::P256.key();
        let (v1, v3) = (v1_leaf(ca, &key), ca.device_certificate(key.public_key(), NOW).unwrap());
        // Version 1 names no key: all ten are candidates. Version 3 names it: that CA comes first.
        assert_eq!(index.candidates(&v1).len(), 10);
        assert_eq!(*index.candidates(&v3)[0].value(), n);
        assert_eq!(values(index.signers(&v1)), [n]);
        assert_eq!(values(index.signers(&v3)), [n]);
    }
    let stranger = v1_leaf(&ca("Factory", Kind::P256), &Kind::P256.key());
    assert!(index.signers(&stranger).is_empty());
    assert!(index.candidates(&v1_leaf(&ca("Nobody", Kind::P256), &Kind::P256.key())).is_empty());
}

#[test]
fn a_ca_renewed_under_its_old_key_stands_beside_its_former_self() {
    let index = IssuerIndex::new();
    let key = Kind::P256.key();
    let renew = |key: &crate::PrivateKey| {
        IssuingCa::self_signed("Factory", "Example", crate::PrivateKey::from_pkcs8_der(key.pkcs8_der()).unwrap(), YEAR)
            .unwrap()
    };
    let (old, new) = (renew(&key), renew(&key));
    assert_ne!(old.certificate().ca_certificate_id(), new.certificate().ca_certificate_id());
    index.insert(old.certificate(), "old");
    index.insert(new.certificate(), "new");
    let mut signers = values(index.signers(&v1_leaf(&old, &Kind::P256.key())));
    signers.sort_unstable();
    assert_eq!(signers, ["new", "old"]);
}

#[test]
fn inserting_again_replaces_and_removing_leaves_nothing() {
    let index = IssuerIndex::new();
    let (one, two) = (ca("Factory", Kind::P256), ca("Factory", Kind::P256));
    assert!(index.insert(one.certificate(), 1).is_none());
    assert_eq!(*index.insert(one.certificate(), 2).unwrap().value(), 1);
    index.insert(two.certificate(), 3);
    assert_eq!((index.len(), *index.get(one.certificate()).unwrap().value()), (2, 2));
    assert_eq!(*index.remove(one.certificate()).unwrap().value(), 2);
    assert!(index.remove(one.certificate()).is_none());
    assert!(index.get(one.certificate()).is_none());
    assert_eq!(index.len(), 1);
    assert_eq!(*index.remove(two.certificate()).unwrap().value(), 3);
    assert!(index.is_empty());
    assert!(index.by_subject.read().is_empty(), "no empty shelf is left behind");
}

#[test]
fn one_look_up_offers_a_bounded_number() {
    let index = IssuerIndex::new();
    let cas: Vec<IssuingCa> = (0..CANDIDATES_MAX + 8).map(|_| ca("Factory", Kind::P256)).collect();
    for ca in &cas {
        index.insert(ca.certificate(), ());
    }
    assert_eq!(index.candidates(&v1_leaf(&cas[0], &Kind::P256.key())).len(), CANDIDATES_MAX);
    // Who names the key is found however many there are.
    for ca in &cas {
        let leaf = ca.device_certificate(Kind::P256.key().public_key(), NOW).unwrap();
        assert_eq!(index.signers(&leaf)[0].ca_certificate_id(), ca.certificate().ca_certificate_id());
    }
}

#[test]
fn who_registers_many_cas_of_one_name_hides_nobody_elses() {
    let index = IssuerIndex::new();
    // Owner 0 floods the name; owner 1 came last.
    for _ in 0..CANDIDATES_MAX + 8 {
        index.insert(ca("Factory", Kind::P256).certificate(), 0);
    }
    let victim = ca("Factory", Kind::P256);
    index.insert(victim.certificate(), 1);
    let leaf = v1_leaf(&victim, &Kind::P256.key());
    let mut held = [0; 2];
    let found = index.ranked(&leaf, |owner: &usize| {
        held[*owner] += 1;
        Some(held[*owner])
    });
    assert!(found.left_out && found.candidates.len() == CANDIDATES_MAX);
    assert!(found.candidates.iter().any(|issuer| *issuer.value() == 1));
    let only = index.ranked(&leaf, |owner| (*owner == 1).then_some(()));
    assert!(!only.left_out);
    assert_eq!(values(only.candidates), [1]);
}

#[test]
fn readers_and_writers_do_not_disturb_each_other() {
    let index = IssuerIndex::new();
    let (stays, comes_and_goes) = (ca("Factory", Kind::P256), ca("Factory", Kind::P256));
    index.insert(stays.certificate(), 1);
    let leaf = v1_leaf(&stays, &Kind::P256.key());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..500 {
                index.insert(comes_and_goes.certificate(), 2);
                index.remove(comes_and_goes.certificate());
            }
        });
        for _ in 0..2 {
            scope.spawn(|| (0..200).for_each(|_| assert_eq!(values(index.signers(&leaf)), [1])));
        }
    });
}

proptest! {
    /// Against the plainest index there is: a list.
    #[test]
    fn it_holds_what_a_list_would_hold(steps in proptest::collection::vec((0usize..6, any::<bool>()), 0..60)) {
        static CAS: std::sync::LazyLock<Vec<IssuingCa>> = std::sync::LazyLock::new(|| {
            ["A", "A", "A", "B", "B", "C"].map(|name| ca(name, Kind::P256)).into()
        });
        let index = IssuerIndex::new();
        let mut list = Vec::new();
        for (n, insert) in steps {
            if insert {
                prop_assert_eq!(index.insert(CAS[n].certificate(), n).is_some(), list.contains(&n));
                if !list.contains(&n) {
                    list.push(n);
                }
            } else {
                prop_assert_eq!(index.remove(CAS[n].certificate()).is_some(), list.contains(&n));
                list.retain(|other| *other != n);
            }
            prop_assert_eq!(index.len(), list.len());
            for other in 0..CAS.len() {
                prop_assert_eq!(index.get(CAS[other].certificate()).is_some(), list.contains(&other));
            }
        }
    }
}
