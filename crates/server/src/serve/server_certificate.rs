//! The certificate that the listeners show: issued by the broker's own CA, renewed in time.

use std::{net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use tidegate_ids::{Clock, Now, Tenant};
use tidegate_registry::{Registry, ServerCertificate, Validity, is_issued_for_domain};
use tidegate_tls::{NameTable, ServerNames};

use crate::config::Certificate;

/// What the row is stored under.
const NAME: &str = "default";
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
        && !stored.validity.is_due(now.wall)
    {
        return Ok(stored);
    }
    let validity = Validity::of_server_certificate(now.wall);
    let issued = registry.issue_server_certificate(NAME, host_names, validity, now).await;
    issued.context("issuing the server certificate; are all of server.host_names names or addresses?")
}

/// What TLS serves: the certificate under each of its DNS names, and to clients that name none.
pub(super) fn table(certificate: &ServerCertificate) -> Result<NameTable> {
    let chain = tidegate_pki::pem::certificates(&certificate.chain_pem)?;
    let served = tidegate_tls::ServerCertificate::from_der(chain, &certificate.key_pkcs8)?;
    let dns = certificate.names.iter().filter(|name| name.parse::<IpAddr>().is_err());
    Ok(dns.fold(NameTable::new(served.clone()), |table, name| table.with(name, served.clone())))
}

/// Renews what the broker issued for domain configurations, where it is time.
pub(super) async fn renew_domains(registry: &Registry, now: Now) -> Result<()> {
    for stored in registry.server_certificates().await? {
        if is_issued_for_domain(&stored.name) && stored.validity.is_due(now.wall) {
            registry.renew_server_certificate(&stored.name, now).await?;
        }
    }
    Ok(())
}

/// The server certificates that the configuration names.
pub(super) struct Brought {
    pub(super) certificates: Vec<Certificate>,
    /// The file that names them.
    pub(super) configuration: Option<PathBuf>,
    pub(super) first: Tenant,
}

impl Brought {
    /// Stores what the files hold, where that is something else than before: connections see it at once.
    pub(super) async fn take(&self, registry: &Registry, now: Now) -> Result<()> {
        if self.certificates.is_empty() {
            return Ok(());
        }
        let stored = registry.server_certificates().await?;
        for certificate in &self.certificates {
            let brought = certificate.open(self.configuration.as_deref(), self.first)?;
            let same = |stored: &ServerCertificate| {
                stored.name == brought.name
                    && stored.chain_pem == brought.chain_pem
                    && stored.key_pkcs8 == brought.key_pkcs8
            };
            if !stored.iter().any(same) {
                let name = &certificate.name;
                let put = registry.put_server_certificate(brought, now).await;
                put.with_context(|| format!("certificate {name:?} cannot be served"))?;
            }
        }
        Ok(())
    }
}

/// Renews for as long as the broker runs; handshakes take the new certificate at once.
pub(super) async fn keep(
    registry: Registry,
    host_names: Vec<String>,
    names: Arc<ServerNames>,
    brought: Brought,
    clock: Arc<dyn Clock>,
) {
    let mut interval = tokio::time::interval(LOOK_EVERY);
    interval.tick().await; // the first is at once, and was done at start
    loop {
        interval.tick().await;
        match ensure(&registry, &host_names, clock.now()).await.and_then(|certificate| table(&certificate)) {
            Ok(table) => names.replace(table),
            Err(error) => tracing::error!(error = format!("{error:#}"), "the server certificate could not be renewed"),
        }
        if let Err(error) = brought.take(&registry, clock.now()).await {
            tracing::error!(error = format!("{error:#}"), "a configured certificate could not be read again");
        }
        if let Err(error) = renew_domains(&registry, clock.now()).await {
            tracing::error!(
                error = format!("{error:#}"),
                "the certificates of domain configurations could not be renewed"
            );
        }
    }
}
