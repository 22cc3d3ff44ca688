//! The certificate that the listeners show: issued by the broker's own CA, renewed in time.

use std::{net::IpAddr, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use tidegate_ids::{Clock, Now, Timestamp};
use tidegate_registry::{Registry, ServerCertificate, Validity};
use tidegate_tls::{NameTable, ServerNames};

/// What the row is stored under.
const NAME: &str = "default";
/// How long a certificate is valid: what browsers accept at most.
const LIFE: Duration = Duration::from_secs(397 * 24 * 3600);
/// How far it reaches back, for clients whose clocks are late.
const BACKDATED: Duration = Duration::from_secs(3600);
/// How often a running broker looks whether it is time.
const LOOK_EVERY: Duration = Duration::from_secs(12 * 3600);

/// The names a server certificate has when none are configured: localhost, loopback, the machine's own.
pub(super) fn default_host_names() -> Vec<String> {
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let machine = machine.trim().to_ascii_lowercase();
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    if !machine.is_empty() && !names.contains(&machine) {
        names.push(machine);
    }
    names
}

/// The stored certificate, or a new one when there is none, it has other names, or less than a third of its life is left.
pub(super) async fn ensure(registry: &Registry, host_names: &[String], now: Now) -> Result<ServerCertificate> {
    let stored = registry.server_certificates().await?.into_iter().find(|stored| stored.name == NAME);
    if let Some(stored) = stored
        && stored.names == host_names
        && !due(stored.validity, now.wall)
    {
        return Ok(stored);
    }
    let validity = Validity { not_before: now.wall - BACKDATED, not_after: now.wall + LIFE };
    let issued = registry.issue_server_certificate(NAME, host_names, validity, now).await;
    issued.context("issuing the server certificate; are all of server.host_names names or addresses?")
}

/// Whether it is time for a new certificate.
fn due(validity: Validity, now: Timestamp) -> bool {
    let life = validity.not_after.millis().saturating_sub(validity.not_before.millis());
    validity.not_after.millis().saturating_sub(now.millis()) < life / 3
}

/// What TLS serves: the certificate under each of its DNS names, and to clients that name none.
pub(super) fn table(certificate: &ServerCertificate) -> Result<NameTable> {
    let chain = tidegate_pki::pem::certificates(&certificate.chain_pem)?;
    let served = tidegate_tls::ServerCertificate::from_der(chain, &certificate.key_pkcs8)?;
    let dns = certificate.names.iter().filter(|name| name.parse::<IpAddr>().is_err());
    Ok(dns.fold(NameTable::new(served.clone()), |table, name| table.with(name, served.clone())))
}

/// Renews for as long as the broker runs; handshakes take the new certificate at once.
pub(super) async fn keep(registry: Registry, host_names: Vec<String>, names: Arc<ServerNames>, clock: Arc<dyn Clock>) {
    let mut interval = tokio::time::interval(LOOK_EVERY);
    interval.tick().await; // the first is at once, and was done at start
    loop {
        interval.tick().await;
        match ensure(&registry, &host_names, clock.now()).await.and_then(|certificate| table(&certificate)) {
            Ok(table) => names.replace(table),
            Err(error) => tracing::error!(error = format!("{error:#}"), "the server certificate could not be renewed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_renewed_in_the_last_third_of_its_life() {
        let validity = Validity { not_before: Timestamp::from_seconds(0), not_after: Timestamp::from_seconds(300) };
        for (now, expected) in [(0, false), (199, false), (200, false), (201, true), (300, true), (1000, true)] {
            assert_eq!(due(validity, Timestamp::from_seconds(now)), expected, "{now}");
        }
    }
}
