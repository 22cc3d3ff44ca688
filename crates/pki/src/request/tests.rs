use super::*;
use crate::{KeyAlgorithm, testing::*};

#[test]
fn openssl_requests_are_read() {
    let rsa = Csr::from_pem(golden!("request")).unwrap();
    assert_eq!(rsa.public_key().algorithm(), &KeyAlgorithm::Rsa(2048));
    assert!(crate::attributes::name_text(rsa.subject()).contains("CN=device-7"));
    let p384 = Csr::from_pem(golden!("request_p384")).unwrap();
    assert_eq!(p384.public_key().algorithm(), &KeyAlgorithm::P384);
    let new = golden!("request").replace("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST");
    assert_eq!(Csr::from_pem(&new).unwrap(), rsa);
}

#[test]
fn requests_with_weak_keys_or_hashes_are_refused() {
    assert_eq!(Csr::from_pem(golden!("request_rsa1024")), Err(PkiError::KeySize(1024)));
    assert_eq!(Csr::from_pem(golden!("request_sha1")), Err(PkiError::SignatureAlgorithm("RSA with SHA-1".into())));
}

#[test]
fn no_altered_byte_asks_for_something_else() {
    let der = pem::one_request(golden!("request_p384")).unwrap();
    let asked = Csr::parse(&der).unwrap();
    for at in 0..der.len() {
        for bit in [0x01, 0x20] {
            let mut altered = der.clone();
            altered[at] ^= bit;
            // What no signature covers may be altered: it is not taken over.
            if let Ok(altered) = Csr::parse(&altered) {
                assert_eq!(altered, asked, "byte {at}");
            }
        }
    }
}

#[test]
fn a_request_that_its_key_did_not_sign_is_refused() {
    let mut der = pem::one_request(golden!("request")).unwrap();
    *der.last_mut().unwrap() ^= 1;
    assert_eq!(Csr::parse(&der), Err(PkiError::BadRequestSignature));
}

#[test]
fn what_is_too_long_or_no_request_is_refused() {
    assert_eq!(Csr::from_pem(&" ".repeat(4097)), Err(PkiError::TooLong { max: 4096 }));
    assert!(matches!(Csr::from_pem(golden!("ca")), Err(PkiError::PemLabel { .. })));
    assert!(matches!(Csr::parse(b"\x30\x00"), Err(PkiError::Der { what: "certificate signing request", .. })));
}
