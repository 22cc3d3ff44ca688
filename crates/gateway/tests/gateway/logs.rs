//! One line of the log explains a connection.

use std::{
    io,
    sync::{Mutex, OnceLock},
};

use tidegate_mqtt::{Connect, ReasonCode, Version};
use tidegate_registry::CertificateStatus;

use crate::{
    people::{Client, until},
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
