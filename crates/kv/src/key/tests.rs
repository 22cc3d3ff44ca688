use std::fmt::Debug;

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::KeyRange;

/// The laws of [`Key`], for one pair of values.
fn lawful<K: Key + Ord + Debug>(a: &K, b: &K) {
    let (encoded_a, encoded_b) = (a.to_bytes(), b.to_bytes());
    assert_eq!(encoded_a.cmp(&encoded_b), a.cmp(b), "the order of {a:?} and {b:?}");
    if a != b {
        assert!(!encoded_b.starts_with(&encoded_a), "{a:?} is the beginning of {b:?}");
    }
    assert_eq!(K::from_bytes(&encoded_a).as_ref(), Some(a));
    let mut longer = encoded_a.clone();
    longer.push(1);
    assert_eq!(K::from_bytes(&longer), None, "bytes left over");
    assert_eq!(K::from_bytes(&encoded_a[..encoded_a.len() - 1]), None, "a byte too few");
}

fn text() -> impl Strategy<Value = String> {
    // Short texts of awkward characters meet often.
    prop_oneof!["[\\x00\\x01ab\u{ff}]{0,4}", ".{0,20}"]
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![Just(0), Just(1), Just(0xff), any::<u8>()], 0..6)
}

fn tenant() -> impl Strategy<Value = Tenant> {
    ("[0-9]{12}", "(eu|us|eu-central|local)-[0-9]{1,2}")
        .prop_map(|(account, region)| Tenant { account: account.parse().unwrap(), region: region.parse().unwrap() })
}

proptest! {
    #[test]
    fn texts_keep_their_order_and_cannot_be_confused(a in text(), b in text()) {
        lawful(&a, &b);
        lawful::<Box<str>>(&a.into(), &b.into());
    }

    #[test]
    fn byte_strings_keep_their_order_and_cannot_be_confused(a in bytes(), b in bytes()) {
        lawful(&a, &b);
    }

    #[test]
    fn tuples_compare_part_by_part(
        a in (text(), bytes(), any::<u8>()), b in (text(), bytes(), any::<u8>()),
        c in (bytes(), any::<[u8; 2]>(), text(), any::<u64>()), d in (bytes(), any::<[u8; 2]>(), text(), any::<u64>()),
    ) {
        lawful(&a, &b);
        lawful(&c, &d);
        lawful(&(a.clone(), c.clone(), 1u8), &(b.clone(), d.clone(), 1u8));
        // The text that ends one part never runs into the next.
        lawful(&(a.0, a.1), &(b.0, b.1));
    }

    #[test]
    fn identifiers_keep_their_order(
        a in (tenant(), any::<[u8; 32]>(), "[A-Za-z0-9_+=,.@-]{1,128}", any::<u64>()),
        b in (tenant(), any::<[u8; 32]>(), "[A-Za-z0-9_+=,.@-]{1,128}", any::<u64>()),
    ) {
        lawful(&a.0, &b.0);
        lawful(&a.0.account, &b.0.account);
        lawful(&CertificateId::from_bytes(a.1), &CertificateId::from_bytes(b.1));
        let key = |(tenant, digest, name, millis): (Tenant, _, String, _)| {
            let name: PolicyName = name.parse().unwrap();
            (tenant, CaCertificateId::from_bytes(digest), name, Timestamp::from_millis(millis))
        };
        lawful(&key(a), &key(b));
    }

    #[test]
    fn numbers_keep_their_order(a in any::<(u8, u16, u32, u64, u128)>(), b in any::<(u8, u16, u32, u64, u128)>()) {
        lawful(&a, &b);
        lawful(&(a.3 & 1 == 1), &(b.3 & 1 == 1));
    }

    #[test]
    fn the_first_parts_span_exactly_the_keys_that_begin_with_them(
        a in text(), b in bytes(), c in text(), d in bytes(),
    ) {
        let range = KeyRange::under(&a);
        prop_assert!(range.contains(&(a.clone(), b).to_bytes()));
        prop_assert_eq!(range.contains(&(c.clone(), d).to_bytes()), a == c);
    }

    #[test]
    fn foreign_bytes_are_no_key_and_no_panic(bytes in vec(any::<u8>(), 0..80)) {
        if let Some(key) = <(Tenant, PolicyName, Vec<u8>)>::from_bytes(&bytes) {
            prop_assert_eq!(key.to_bytes(), bytes.clone());
        }
        if let Some(key) = <(String, bool, AccessKeyId)>::from_bytes(&bytes) {
            prop_assert_eq!(key.to_bytes(), bytes);
        }
    }
}

#[test]
fn the_encodings_are_part_of_the_stored_format() {
    let tenant = Tenant { account: "123456789012".parse().unwrap(), region: "eu-central-1".parse().unwrap() };
    for (encoded, expected) in [
        ("a\0b".to_owned().to_bytes(), &b"a\0\xffb\0\x01"[..]),
        (String::new().to_bytes(), b"\0\x01"),
        (tenant.to_bytes(), b"123456789012eu-central-1\0\x01"),
        ((7u16, true, 1u64).to_bytes(), b"\0\x07\x01\0\0\0\0\0\0\0\x01"),
        (Timestamp::from_millis(258).to_bytes(), b"\0\0\0\0\0\0\x01\x02"),
        (Only.to_bytes(), b"\x01"),
        (CertificateId::from_bytes([3; 32]).to_bytes(), &[3; 32]),
    ] {
        assert_eq!(encoded, expected);
    }
}

#[test]
fn only_written_encodings_are_read() {
    assert_eq!(String::from_bytes(b"a\0\x02"), None); // no such escape
    assert_eq!(String::from_bytes(b"a\0"), None);
    assert_eq!(String::from_bytes(b"a"), None);
    assert_eq!(String::from_bytes(b"\x80\0\x01"), None); // not UTF-8
    assert_eq!(bool::from_bytes(b"\x02"), None);
    assert_eq!(AccountId::from_bytes(b"12345678901x"), None);
}
