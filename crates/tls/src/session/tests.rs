//! Whole handshakes in memory, rustls's own client on the other side.

mod hello;
mod people;

use people::*;
use proptest::prelude::*;
use rustls::{
    AlertDescription, CipherSuite, Error,
    version::{TLS12, TLS13},
};

use super::*;
use crate::{ClientHello, NameTable, Refusal, Tickets, Versions, refusal_of};

const BOTH: [&rustls::SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

#[test]
fn every_kind_of_leaf_is_seen_in_both_versions_and_however_the_bytes_are_cut() {
    for kind in [Kind::P256, Kind::P384, Kind::P521, Kind::Rsa2048] {
        for leaf in [Leaf::v1(kind), Leaf::v3(kind)] {
            for version in BOTH {
                for step in [1, 7, 1460, usize::MAX] {
                    let broker = Broker::new();
                    broker.book.knows(&leaf);
                    let mut link = Link::new(&broker, client(&broker).version(version).shows(&leaf));
                    link.step = step;
                    link.handshake().unwrap();
                    assert_eq!(link.session.peer_leaf(), Some(leaf.der.as_slice()), "{kind:?} {version:?} {step}");
                    assert!(!link.session.is_resumed());
                    assert_eq!(link.send(b"CONNECT").unwrap(), b"CONNECT");
                    assert_eq!(link.receive(b"CONNACK"), b"CONNACK");
                    assert_eq!(link.session.partial_bytes(), 0, "an idle session holds no bytes");
                }
            }
        }
    }
}

#[test]
fn only_what_a_client_does_not_wait_for_may_wait() {
    for (version, may_wait) in [(&TLS12, false), (&TLS13, true)] {
        let broker = Broker::new();
        let leaf = Leaf::v3(Kind::P256);
        broker.book.knows(&leaf);
        let mut link = Link::new(&broker, client(&broker).version(version).shows(&leaf));
        assert!(!link.session.answers_may_wait());
        link.handshake().unwrap();
        assert_eq!(link.session.answers_may_wait(), may_wait, "{version:?}");
    }
}

#[test]
fn each_refusal_has_its_alert_and_tells_which_certificate() {
    use AlertDescription as Alert;
    let leaf = Leaf::v3(Kind::P256);
    for (refusal, alert) in [
        (Refusal::NoIssuer, Alert::UnknownCA),
        (Refusal::Expired, Alert::CertificateExpired),
        (Refusal::NotYetValid, Alert::CertificateUnknown),
        (Refusal::BadSignature, Alert::CertificateUnknown),
        (Refusal::Unacceptable("RSA-1024".into()), Alert::CertificateUnknown),
        (Refusal::NotRegistered, Alert::CertificateUnknown),
        (Refusal::Inactive, Alert::CertificateUnknown),
        (Refusal::Revoked, Alert::CertificateUnknown),
        (Refusal::PendingTransfer, Alert::CertificateUnknown),
        (Refusal::CaInactive, Alert::CertificateUnknown),
        (Refusal::AutoRegistrationOff, Alert::CertificateUnknown),
        (Refusal::Internal("?".into()), Alert::CertificateUnknown),
    ] {
        for version in BOTH {
            for at_status in [false, true] {
                let broker = Broker::new();
                broker.book.knows(&leaf);
                broker.book.refuses(&leaf, at_status, refusal.clone());
                let mut link = Link::new(&broker, client(&broker).version(version).shows(&leaf));
                let Err(TlsError::Refused(refused)) = link.handshake() else { panic!("{refusal:?}: not refused") };
                assert_eq!(refused.refusal, refusal);
                assert_eq!(refused.leaf, leaf.der);
                assert_eq!(link.client_error(), Some(Error::AlertReceived(alert)), "{refusal:?} {version:?}");
                // A second look at a failed session finds nothing, and does not panic.
                assert!(matches!(
                    link.session.feed(&mut [22, 3, 3], &mut Vec::new(), &mut Vec::new()),
                    Err(TlsError::NotOpen)
                ));
            }
        }
    }
}

#[test]
fn a_client_that_does_not_hold_the_key_learns_nothing_of_the_status() {
    let (leaf, other) = (Leaf::v1(Kind::P256), Leaf::v1(Kind::P256));
    for version in BOTH {
        let broker = Broker::new();
        broker.book.knows(&leaf);
        broker.book.refuses(&leaf, true, Refusal::Revoked);
        let thief = Leaf { der: leaf.der.clone(), pkcs8: other.pkcs8.clone(), ..leaf.clone() };
        let mut link = Link::new(&broker, client(&broker).version(version).shows(&thief));
        let Err(TlsError::Refused(refused)) = link.handshake() else { panic!("not refused") };
        assert_eq!(refused.refusal, Refusal::NotPossessed);
        assert_eq!(broker.book.status_asked(), 0);
        assert_eq!(link.client_error(), Some(Error::AlertReceived(AlertDescription::CertificateUnknown)));
    }
}

#[test]
fn a_client_without_a_certificate_is_refused_where_one_is_required() {
    for version in BOTH {
        let broker = Broker::new();
        let mut link = Link::new(&broker, client(&broker).version(version));
        assert!(matches!(link.handshake(), Err(TlsError::NoCertificate)));
        let alert = Error::AlertReceived(AlertDescription::CertificateRequired);
        assert_eq!(link.client_error(), Some(alert), "{version:?}");
    }
    let broker = Broker::new().without_client_certificates();
    Link::new(&broker, client(&broker)).handshake().unwrap();
}

#[test]
fn a_resumed_session_is_flagged_brings_the_leaf_back_and_asks_nobody() {
    for version in BOTH {
        let leaf = Leaf::v1(Kind::P256);
        let broker = Broker::new();
        broker.book.knows(&leaf);
        let client = client(&broker).version(version).shows(&leaf).build();
        let resumed = |link: &mut Link| {
            link.handshake().unwrap();
            link.receive(b"x"); // brings the ticket along
            assert_eq!(link.session.peer_leaf(), Some(leaf.der.as_slice()));
            link.session.is_resumed()
        };
        assert!(!resumed(&mut Link::of(&broker, client.clone())));
        let asked = broker.book.status_asked();
        assert!(resumed(&mut Link::of(&broker, client.clone())), "{version:?}");
        assert_eq!(broker.book.status_asked(), asked);

        broker.clock.advance(crate::TICKET_LIFETIME_MAX);
        assert!(!resumed(&mut Link::of(&broker, client.clone())), "no ticket outlives six hours");

        // Another set of configurations, same client, same name: its tickets are its own.
        let other = broker.with_another_set();
        assert!(!resumed(&mut Link::of(&other, client)));
    }
}

#[test]
fn without_tickets_nothing_is_resumed() {
    for version in BOTH {
        let leaf = Leaf::v3(Kind::P256);
        let broker = Broker::new().tickets(Tickets::Never);
        broker.book.knows(&leaf);
        let client = client(&broker).version(version).shows(&leaf).build();
        for _ in 0..2 {
            let mut link = Link::of(&broker, client.clone());
            link.handshake().unwrap();
            link.receive(b"x");
            assert!(!link.session.is_resumed());
        }
    }
}

#[test]
fn a_replaced_server_certificate_serves_the_next_client() {
    let broker = Broker::new().without_client_certificates();
    let renewed = Server::new("localhost", Kind::P256);
    let before = Link::handshaken(&broker, client(&broker)).server_leaf();
    assert_eq!(before, broker.server.der);
    broker.names.replace(NameTable::new(renewed.certificate()));
    let after = Link::handshaken(&broker, client(&broker).trusts(&renewed)).server_leaf();
    assert_eq!(after, renewed.der);
}

#[test]
fn the_server_certificate_follows_the_name() {
    let broker = Broker::new().without_client_certificates();
    let (exact, wildcard, rsa) = (
        Server::new("mqtt.example.com", Kind::P256),
        Server::new("*.iot.example.com", Kind::P384),
        Server::new("rsa.example.com", Kind::Rsa2048),
    );
    broker.names.replace(
        NameTable::new(broker.server.certificate())
            .with("MQTT.example.com", exact.certificate())
            .with("*.iot.example.com", wildcard.certificate())
            .with("rsa.example.com", rsa.certificate()),
    );
    for (name, expected) in [
        ("mqtt.example.com", &exact),
        ("a1b2-ats.iot.example.com", &wildcard),
        ("rsa.example.com", &rsa),
        ("localhost", &broker.server),
    ] {
        let client = client(&broker).trusts(&exact).trusts(&wildcard).trusts(&rsa).named(name);
        assert_eq!(Link::handshaken(&broker, client).server_leaf(), expected.der, "{name}");
    }
    for (name, known) in [
        ("Mqtt.Example.Com", true),
        ("x.iot.example.com", true),
        ("x.y.iot.example.com", false),
        ("iot.example.com", false),
        ("localhost", false),
    ] {
        assert_eq!(broker.names.knows(name), known, "{name}");
    }
}

#[test]
fn a_key_of_another_certificate_is_not_served() {
    let (one, other) = (Server::new("localhost", Kind::P256), Server::new("localhost", Kind::P256));
    let refused = crate::ServerCertificate::from_der(vec![one.der.clone()], &other.pkcs8);
    assert!(matches!(refused, Err(TlsError::ServerCertificate(_))));
    assert!(crate::ServerCertificate::from_der(Vec::new(), &one.pkcs8).is_err());
    assert!(crate::ServerCertificate::from_pem("no PEM", "at all").is_err());
}

#[test]
fn application_protocols_are_agreed_tolerated_or_refused() {
    let broker = Broker::new().without_client_certificates();
    for (offered, agreed, strict_refuses) in [
        (&[][..], None, false),
        (&["x-amzn-mqtt-ca"], Some("x-amzn-mqtt-ca"), false),
        (&["mqtt"], Some("mqtt"), false),
        (&["h2", "mqtt"], Some("mqtt"), false),
        (&["h2"], None, true),
    ] {
        let mut link = Link::new(&broker, client(&broker).offers(offered));
        link.handshake().unwrap();
        assert_eq!(link.session.alpn(), agreed.map(str::as_bytes), "{offered:?}");

        let mut link = Link::strict(&broker, client(&broker).offers(offered));
        assert_eq!(link.handshake().is_err(), strict_refuses, "{offered:?}");
        if strict_refuses {
            let alert = Error::AlertReceived(AlertDescription::NoApplicationProtocol);
            assert_eq!(link.client_error(), Some(alert));
        }
    }
}

#[test]
fn aes_128_is_chosen_unless_the_client_puts_chacha20_first() {
    use CipherSuite::*;
    use Versions::*;
    const AES_128: CipherSuite = TLS13_AES_128_GCM_SHA256;
    const AES_256: CipherSuite = TLS13_AES_256_GCM_SHA384;
    const CHACHA20: CipherSuite = TLS13_CHACHA20_POLY1305_SHA256;
    const AES_128_12: CipherSuite = TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256;
    const AES_256_12: CipherSuite = TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384;
    const CHACHA20_12: CipherSuite = TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256;
    for (versions, offered, chosen) in [
        (Tls12AndTls13, &[AES_128, AES_256, CHACHA20][..], AES_128),
        (Tls12AndTls13, &[AES_256, CHACHA20, AES_128], AES_128),
        (Tls12AndTls13, &[AES_256, CHACHA20], AES_256),
        (Tls12AndTls13, &[AES_256], AES_256),
        (Tls12AndTls13, &[CHACHA20, AES_128], CHACHA20),
        (Tls12AndTls13, &[CHACHA20, AES_256, AES_128], CHACHA20),
        (Tls12AndTls13, &[AES_256_12, CHACHA20_12, AES_128_12], AES_128_12),
        (Tls12AndTls13, &[AES_256_12], AES_256_12),
        (Tls12AndTls13, &[CHACHA20_12, AES_128_12], CHACHA20_12),
        (Tls12AndTls13, &[AES_256, AES_128, CHACHA20_12, AES_128_12], AES_128), // its order within another version
        (Tls12, &[CHACHA20, AES_256_12, CHACHA20_12, AES_128_12], AES_128_12),  // what is not spoken is not first
        (Tls12, &[AES_256, CHACHA20_12, AES_128_12], CHACHA20_12),
        (Tls13, &[CHACHA20_12, AES_256, AES_128], AES_128),
    ] {
        let broker = Broker::new().without_client_certificates().speaks(versions);
        let link = Link::handshaken(&broker, client(&broker).prefers(offered));
        assert_eq!(link.session.cipher_suite(), chosen.as_str(), "{versions:?} {offered:?}");
    }
}

#[test]
fn much_data_flows_and_the_end_is_said_on_both_sides() {
    for version in BOTH {
        let broker = Broker::new().without_client_certificates();
        let mut link = Link::handshaken(&broker, client(&broker).version(version));
        let data: Vec<u8> = (0..300_000u32).map(|n| n as u8).collect();
        for step in [usize::MAX, 1460, 16_384] {
            link.step = step;
            assert!(link.send(&data).unwrap() == data);
            assert_eq!(link.session.partial_bytes(), 0);
            assert!(link.receive(&data) == data);
        }
        assert!(link.says_goodbye());
        assert!(matches!(link.session.encrypt(b"late", &mut Vec::new()), Err(TlsError::NotOpen)));
        assert_eq!(link.close().unwrap(), Progress::PeerClosed);
        assert_eq!(link.session.feed(&mut [1, 2, 3], &mut Vec::new(), &mut Vec::new()).unwrap(), Progress::PeerClosed);
    }
}

#[test]
fn nothing_is_encrypted_before_the_handshake_is_over() {
    let broker = Broker::new();
    let mut link = Link::new(&broker, client(&broker));
    assert!(matches!(link.session.encrypt(b"early", &mut Vec::new()), Err(TlsError::NotOpen)));
    let mut hello = link.client_bytes();
    let mut out = Vec::new();
    let progress = link.session.feed(&mut hello, &mut Vec::new(), &mut out).unwrap();
    assert_eq!(progress, Progress::Handshaking);
    assert!(!out.is_empty());
    assert!(matches!(link.session.encrypt(b"early", &mut out), Err(TlsError::NotOpen)));
}

#[test]
fn a_message_that_never_ends_is_cut_off() {
    let broker = Broker::new();
    let mut session = Session::new(broker.configs.strict()).unwrap();
    // A handshake message that announces 16 MiB, in records of 16 KiB.
    let mut record = vec![22, 3, 3, 0x40, 0];
    record.resize(5 + 16_384, 0);
    record[5..9].copy_from_slice(&[1, 0xff, 0xff, 0xff]);
    let mut fed = 0;
    let ended = (0..64).any(|_| {
        fed += record.len();
        let failed = session.feed(&mut record.clone(), &mut Vec::new(), &mut Vec::new()).is_err();
        assert!(session.partial_bytes() <= PARTIAL_BYTES_MAX);
        record[5..9].fill(0);
        failed
    });
    assert!(ended && fed <= PARTIAL_BYTES_MAX + record.len(), "cut off after {fed} bytes");
}

#[test]
fn the_refusal_is_found_in_an_error_of_rustls() {
    for refusal in [Refusal::NoIssuer, Refusal::Expired, Refusal::Revoked, Refusal::Unacceptable("x".into())] {
        assert_eq!(refusal_of(&refusal.clone().into_rustls()), Some(refusal));
    }
    assert_eq!(refusal_of(&Error::DecryptError), None);
}

proptest! {
    #[test]
    fn noise_is_never_more_than_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..600), step in 1usize..64) {
        let _ = ClientHello::peek(&bytes);
        noise_into_session(&bytes, step);
    }

    #[test]
    fn an_altered_hello_is_never_more_than_an_error(at in 0usize..1500, byte: u8, cut in 0usize..1500, step in 1usize..600) {
        let mut bytes = hello_bytes().to_vec();
        let at = at % bytes.len();
        bytes[at] = byte;
        if let (Ok(Some(hello)), Ok(judged)) = (ClientHello::peek(&bytes), ClientHello::by_rustls(&bytes)) {
            prop_assert_eq!(hello, judged);
        }
        bytes.truncate(bytes.len() - cut % bytes.len());
        let _ = ClientHello::peek(&bytes);
        noise_into_session(&bytes, step);
    }

    #[test]
    fn noise_in_an_open_session_is_never_more_than_an_error(bytes in proptest::collection::vec(any::<u8>(), 1..200)) {
        let broker = open_broker();
        let mut link = Link::handshaken(broker, client(broker));
        let mut record = vec![23, 3, 3, 0, bytes.len() as u8];
        record.extend_from_slice(&bytes);
        let mut out = Vec::new();
        prop_assert!(link.session.feed(&mut record, &mut Vec::new(), &mut out).is_err());
        prop_assert!(!out.is_empty(), "an alert");
    }
}
