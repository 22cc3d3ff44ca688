//! One line of the log explains a connection.

use std::{
    io::{self, Read, Write},
    sync::{Mutex, OnceLock},
};

use tidegate_mqtt::{Connect, Packet, Peer, ReasonCode, Version, decode};
use tidegate_registry::CertificateStatus;

use crate::{
    people::{Client, dial, until},
    world::{Ca, World},
};

/// All lines of this test process.
fn log() -> &'static Mutex<Vec<u8>> {
    static LOG: OnceLock<Mutex<Vec<u8>>> = OnceLock::new();
    LOG.get_or_init(|| {
        let subscriber = tracing_subscriber::fmt().json().flatten_event(true).with_writer(|| Lines).finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
        Mutex::default()
    })
}

struct Lines;

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        log().lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const DENY_ALL: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"iot:*","Resource":"*"}]}"#;

/// Waits for a line that contains all of these.
fn line_with(parts: &[&str]) {
    until(&format!("a line with {parts:?}"), || {
        let log = String::from_utf8(log().lock().unwrap().clone()).unwrap();
        log.lines().any(|line| parts.iter().all(|part| line.contains(part)))
    });
}

#[test]
fn refusals_registrations_and_ends_are_logged_in_awss_words() {
    log();
    let world = World::new();
    let ca = world.ca("logged factory");
    let account = format!("\"accountId\":\"{}\"", world.tenant.account);
    let of = |id: tidegate_ids::CertificateId| format!("\"principalId\":\"{id}\"");
    let authn_error = "\"eventType\":\"Connection.AuthNError\"";

    let known = world.device(&ca, "known");
    Client::tls(&world, &known).unwrap().enter(Version::V5, "log-known").disconnect();
    let parts = ["\"eventType\":\"Connect\"", "\"status\":\"Success\"", "\"clientId\":\"log-known\""];
    line_with(
        &[&parts[..], &[&account, &of(known.id), "\"sourceIp\":\"127.0.0.1\"", "\"protocol\":\"MQTT\""]].concat(),
    );
    let parts = ["\"eventType\":\"Disconnect\"", "\"disconnectReason\":\"CLIENT_INITIATED_DISCONNECT\""];
    line_with(&[&parts[..], &[&account, &of(known.id), "\"clientId\":\"log-known\"", "\"traceId\":\""]].concat());

    let new = ca.sign("new");
    let mut client = Client::tls(&world, &new).unwrap();
    assert_eq!(client.connect(Connect::new(Version::V5, "log-new")), ReasonCode::NotAuthorized);
    line_with(&["\"eventType\":\"RegisterCertificate\"", &account, &of(new.id), "\"reason\":\"REGISTERED\""]);
    line_with(&[authn_error, &of(new.id), "\"reason\":\"DEVICE_CERTIFICATE_INACTIVE\"", "--new-status ACTIVE"]);

    world.set_status(&new, CertificateStatus::Active);
    let mut client = Client::tls(&world, &new).unwrap();
    assert_eq!(client.connect(Connect::new(Version::V5, "log-new")), ReasonCode::NotAuthorized);
    let parts = ["\"eventType\":\"Connect\"", "\"status\":\"Failure\"", "\"reason\":\"AUTHORIZATION_FAILURE\""];
    line_with(&[&parts[..], &[&account, &of(new.id), "attach-policy"]].concat());

    let stranger = Ca::new("log stranger").sign("d");
    if let Ok(mut client) = Client::tls(&world, &stranger) {
        client.closed();
    }
    let server_name = format!("\"serverNameIndication\":\"{}\"", world.endpoint());
    let parts = [authn_error, "\"reason\":\"DEVICE_CERTIFICATE_NOT_REGISTERED\"", "CN=log stranger"];
    line_with(&[&parts[..], &[&of(stranger.id), &server_name, "register-ca-certificate"]].concat());
}

#[test]
fn a_client_id_writes_nothing_of_its_own_into_log_or_reason() {
    log();
    let world = World::new();
    let ca = world.ca("forgers");
    let device = world.device_with(&ca, "forger", DENY_ALL);
    let mut client = Client::tls(&world, &device).unwrap();
    client.send(&Packet::Connect(Box::new(Connect::new(Version::V5, "a\nFORGED \u{1b}[2J"))));
    let answer = client.receive();
    let Packet::ConnAck(answer) = decode(&answer, Version::V5, Peer::Server).unwrap() else { panic!() };
    let text = answer.properties.reason.reason_string.unwrap();
    assert!(text.contains("client/a\\nFORGED \\u{1b}[2J") && !text.contains(char::is_control), "{text:?}");
    // As JSON, where what is escaped once more is the backslash.
    line_with(&["AUTHORIZATION_FAILURE", &device.id.to_string(), "client/a\\\\nFORGED \\\\u{1b}[2J"]);
}

#[test]
fn a_tls_that_cannot_be_used_is_called_what_it_is() {
    log();
    let world = World::new();
    for (what, hello, alert, details) in [
        ("TLS 1.1", hello([3, 2], &[]), &[21, 3, 1, 0, 2, 2, 70][..], "TLS is too old"),
        ("TLS 1.2 without extensions", hello([3, 3], &[]), &[21, 3, 3, 0, 2, 2, 40], "lacks what TLS 1.2"),
        // signature_algorithms, supported_groups, ec_point_formats
        (
            "a suite nobody should use",
            hello([3, 3], &[0, 13, 0, 4, 0, 2, 4, 3, 0, 10, 0, 4, 0, 2, 0, 23, 0, 11, 0, 2, 1, 0]),
            &[21, 3, 3, 0, 2, 2, 49], // rustls's choice
            "offers no cipher suite",
        ),
        ("64 KiB", vec![22, 3, 1, 0x40, 0, 1, 1, 0, 0, 3, 3], &[21, 3, 3, 0, 2, 2, 50], "longer than 16384 bytes"),
        ("MQTT", b"\x10\x10\0\x04MQTT\x04\x02\0\0".to_vec(), &[21, 3, 3, 0, 2, 2, 50], "does not speak TLS"),
    ] {
        let mut socket = dial(world.address("standard"));
        let port = format!("\"sourcePort\":{},", socket.local_addr().unwrap().port());
        socket.write_all(&hello).unwrap();
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).unwrap();
        assert_eq!(answer, alert, "{what}");
        line_with(&["Connection.AuthNError", &port, details]);
    }
}

/// A ClientHello that offers TLS_RSA_WITH_AES_128_CBC_SHA only.
fn hello(version: [u8; 2], extensions: &[u8]) -> Vec<u8> {
    let mut body = version.to_vec();
    body.extend_from_slice(&[7; 32]);
    body.extend_from_slice(&[0, 0, 2, 0, 0x2f, 1, 0]);
    if !extensions.is_empty() {
        body.extend_from_slice(&(extensions.len() as u16).to_be_bytes());
        body.extend_from_slice(extensions);
    }
    let mut hello = vec![22, 3, 1, 0, body.len() as u8 + 4, 1, 0, 0, body.len() as u8];
    hello.extend(body);
    hello
}
