//! The first bytes of a connection: looked at, and fed into a session, in whatever pieces they come.
#![no_main]

use std::sync::{Arc, LazyLock};

use tidegate_ids::{Clock, Now, Timestamp};
use tidegate_pki::{
    PrivateKey,
    issue::{DEVICE_NOT_AFTER, IssuingCa, Validity},
};
use tidegate_tls::{
    ClientHello, NameTable, ServerCertificate, ServerConfigs, ServerNames, Session, Settings, Tickets, Versions,
};

#[derive(Debug)]
struct StandsStill;

impl Clock for StandsStill {
    fn now(&self) -> Now {
        Now { wall: Timestamp::from_seconds(1_800_000_000), ..Now::default() }
    }
}

static CONFIGS: LazyLock<ServerConfigs> = LazyLock::new(|| {
    let validity = Validity { not_before: Timestamp::from_seconds(0), not_after: DEVICE_NOT_AFTER };
    let key = || PrivateKey::generate_p256().expect("a key");
    let ca = IssuingCa::self_signed("fuzz", "fuzz", key(), validity).expect("a CA");
    let server = key();
    let leaf = ca.server_certificate(&["localhost"], server.public_key(), validity).expect("a certificate");
    let certificate = ServerCertificate::from_der(vec![leaf.der().to_vec()], server.pkcs8_der()).expect("they match");
    ServerConfigs::new(Settings {
        names: Arc::new(ServerNames::new(NameTable::new(certificate))),
        client_certificates: None,
        alpn: vec![b"mqtt".to_vec()],
        optional_without_alpn: false,
        custom_authentication: false,
        tickets: Tickets::Issued,
        versions: Versions::Tls12AndTls13,
        clock: Arc::new(StandsStill),
    })
    .expect("sound settings")
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((&step, bytes)) = data.split_first() else { return };
    let whole = ClientHello::peek(bytes);
    if matches!(whole, Ok(Some(_)) | Err(_)) {
        // A part of the same bytes never tells something else: not yet, or the same.
        let part = ClientHello::peek(&bytes[..bytes.len() / 2]);
        match (&whole, part) {
            (Ok(Some(whole)), Ok(Some(part))) => assert_eq!(whole, &part),
            (Ok(_), Err(error)) => panic!("refused too early: {error}"),
            _ => {}
        }
    }
    let mut session = Session::new(CONFIGS.strict()).expect("sound settings");
    let (mut plain, mut out) = (Vec::new(), Vec::new());
    for chunk in bytes.to_vec().chunks_mut(usize::from(step).max(1)) {
        if session.feed(chunk, &mut plain, &mut out).is_err() {
            break;
        }
    }
});
