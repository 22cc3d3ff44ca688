use super::*;

#[test]
fn a_secret_opens_with_its_key_in_its_place_only() {
    let (key, other) = (MasterKey::from_bytes(&[1; 32]), MasterKey::from_bytes(&[2; 32]));
    for secret in [&b""[..], b"wJalrXUtnFEMI/K7MDENG", &[0; 5000]] {
        let sealed = key.seal(b"access_keys/AKIA", secret);
        assert_eq!(sealed.len(), secret.len() + OVERHEAD_BYTES);
        assert_eq!(key.open(b"access_keys/AKIA", &sealed).unwrap().as_slice(), secret);
        assert_eq!(key.open(b"access_keys/AKIB", &sealed), Err(PkiError::SealBroken));
        assert!(matches!(other.open(b"access_keys/AKIA", &sealed), Err(PkiError::OtherMasterKey { .. })));
    }
    assert_ne!(key.seal(b"", b"same"), key.seal(b"", b"same"), "a nonce of its own each time");
}

#[test]
fn no_altered_byte_opens() {
    let key = MasterKey::from_bytes(&[1; 32]);
    let sealed = key.seal(b"place", b"secret");
    for at in 0..sealed.len() {
        let mut altered = sealed.clone();
        altered[at] ^= 0x40;
        assert!(key.open(b"place", &altered).is_err(), "byte {at}");
        assert!(key.open(b"place", &sealed[..at]).is_err(), "cut at {at}");
    }
}

#[test]
fn keys_are_random_named_and_not_printed() {
    let (one, two) = (MasterKey::generate(), MasterKey::generate());
    assert_ne!(*one, *two);
    let key = MasterKey::from_bytes(&one);
    assert_eq!(key.id().len(), 8);
    assert_eq!(format!("{key:?}"), format!("MasterKey({}, hidden)", key.id()));
    assert!(!hex(one.as_slice()).starts_with(&key.id()));
}
