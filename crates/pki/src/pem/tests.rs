use proptest::prelude::*;

use super::*;
use crate::testing::*;

#[test]
fn one_certificate_is_read_however_it_was_pasted() {
    let plain = golden!("leaf_v3");
    let der = one_certificate(plain).unwrap();
    for (text, how) in [
        (golden!("leaf_v3_text").to_owned(), "with `openssl x509 -text` around it"),
        (plain.replace('\n', "\r\n"), "with CRLF"),
        (plain.trim_end().to_owned(), "without the last line feed"),
        (plain.replace('\n', " "), "with its line feeds lost"),
        (plain.replace('\n', "\n   "), "indented"),
        (format!("\u{feff}Müller's device\n\n{plain}\n\nend"), "with other text around it"),
        (encode("CERTIFICATE", &der), "written by us"),
    ] {
        assert_eq!(one_certificate(&text).as_ref(), Ok(&der), "{how}");
    }
    assert_eq!(encode("CERTIFICATE", &der), plain);
}

#[test]
fn what_is_not_one_certificate_is_named() {
    let plain = golden!("leaf_v3");
    let key = encode("RSA PRIVATE KEY", b"secret");
    for (text, expected) in [
        (String::new(), "no PEM block found"),
        ("MIIB".to_owned(), "no PEM block found"),
        (key.clone(), "found `RSA PRIVATE KEY`"),
        (format!("{plain}{key}"), "found `RSA PRIVATE KEY`"),
        (format!("{key}{plain}"), "found `RSA PRIVATE KEY`"),
        (format!("{plain}{plain}"), "send the single certificate, not the chain"),
        (golden!("request").to_owned(), "found `CERTIFICATE REQUEST`"),
        (plain.replace("-----END", "-----"), "cut off"),
        (plain.replace("END CERTIFICATE", "END KEY"), "cut off"),
        (plain[..plain.len() / 2].to_owned(), "cut off"),
        ("-----BEGIN CERTIFICATE".to_owned(), "cut off"),
        ("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n".to_owned(), "not base64"),
        (plain.replacen("MII", "M!!", 1), "not base64"),
        (plain.replacen("MII", "=II", 1), "not base64"),
        (format!("{}{plain}", " ".repeat(PEM_BYTES_MAX)), "at most 65536"),
        (format!("-----BEGIN {}-----\n-----END {0}-----", "é".repeat(90)), "found `éé"),
    ] {
        let error = one_certificate(&text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn chains_are_read_in_order_and_bounded() {
    let (leaf, ca) = (golden!("leaf_v3"), golden!("ca"));
    let chain = certificates(&format!("{leaf}\n# issuer\n{ca}")).unwrap();
    assert_eq!(chain, [one_certificate(leaf).unwrap(), one_certificate(ca).unwrap()]);
    assert!(certificates("").is_err());
    assert!(certificates(&format!("{leaf}{}", encode("PRIVATE KEY", b"x"))).is_err());
    let short = encode("CERTIFICATE", b"x");
    assert_eq!(certificates(&short.repeat(CHAIN_LENGTH_MAX)).unwrap().len(), CHAIN_LENGTH_MAX);
    assert!(certificates(&short.repeat(CHAIN_LENGTH_MAX + 1)).is_err());
}

proptest! {
    #[test]
    fn what_is_written_is_read(der in proptest::collection::vec(any::<u8>(), 1..400)) {
        prop_assert_eq!(one_certificate(&encode("CERTIFICATE", &der)), Ok(der));
    }

    #[test]
    fn noise_is_never_more_than_an_error(text in "(-----BEGIN |-----END |CERTIFICATE|-----|[A-Za-z0-9+/=]{0,8}|\\n|é){0,12}") {
        let _ = (one_certificate(&text), one_request(&text), certificates(&text));
    }
}
