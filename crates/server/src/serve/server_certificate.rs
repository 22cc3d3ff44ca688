//! The certificate that the listeners show: issued by the broker's own CA, renewed in time.

use std::{collections::HashMap, net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use tidegate_ids::{Clock, Now, Tenant};
use tidegate_registry::{Registry, RegistryError, ServerCertificate, Validity, is_issued_for_domain};
use tidegate_tls::{NameTable, ServerNames};

use crate::config::Certificate;

/// What the row is stored under.
const NAME: &str = "default";
/// How often a running broker looks whether it is time.
const LOOK_EVERY: Duration = Duration::from_secs(12 * 3600);
/// What the log calls the dates of what was issued for domain configurations, where they cannot be read.
const DATES: &str = "domain/…";
/// How soon it looks again when something was left to do.
const AGAIN_AFTER: Duration = Duration::from_secs(300);

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

/// The stored certificate, or a new one when there is none, it has other names, or less than a third of its life is left. The stored one
/// in any case while the disk is nearly full.
pub(super) async fn ensure(
    registry: &Registry,
    host_names: &[String],
    now: Now,
    complaints: &mut Complaints,
) -> Result<ServerCertificate> {
    let stored = registry.server_certificate(NAME).await?;
    if let Some(stored) = &stored
        && is_current(stored, host_names, now)
    {
        return Ok(stored.clone());
    }
    let validity = Validity::of_server_certificate(now.wall);
    match (registry.issue_server_certificate(NAME, host_names, validity, now).await, stored) {
        (Err(error), Some(stored)) if error.is_full() => {
            complaints.failed(NAME, &error.into());
            Ok(stored)
        }
        (issued, _) => {
            issued.context("issuing the server certificate; are all of server.host_names names or addresses?")
        }
    }
}

fn is_current(certificate: &ServerCertificate, host_names: &[String], now: Now) -> bool {
    certificate.names == host_names && !certificate.validity.is_due(now.wall)
}

/// What the log was told of server certificates, so that it hears of each fault once, and of its end.
#[derive(Debug, Default)]
pub(super) struct Complaints(HashMap<String, String>);

impl Complaints {
    fn failed(&mut self, certificate: &str, error: &anyhow::Error) {
        // How much is free on a full disk is another number each time.
        let is_full = error.downcast_ref().is_some_and(RegistryError::is_full);
        let fault = if is_full { "the disk is nearly full".to_owned() } else { format!("{error:#}") };
        if self.0.get(certificate) != Some(&fault) {
            let error = format!("{error:#}");
            tracing::error!(certificate, error, "a server certificate could not be stored or renewed");
            self.0.insert(certificate.to_owned(), fault);
        }
    }

    fn well(&mut self, certificate: &str) {
        if self.0.remove(certificate).is_some() {
            tracing::info!(certificate, "a server certificate that could not be stored or renewed is well again");
        }
    }

    /// Forgets certificates that are there no more.
    fn retain(&mut self, is_there: impl Fn(&str) -> bool) {
        self.0.retain(|certificate, _| is_there(certificate));
    }
}

/// What TLS serves: the certificate under each of its DNS names, and to clients that name none.
pub(super) fn table(certificate: &ServerCertificate) -> Result<NameTable> {
    let chain = tidegate_pki::pem::certificates(&certificate.chain_pem)?;
    let served = tidegate_tls::ServerCertificate::from_der(chain, &certificate.key_pkcs8)?;
    let dns = certificate.names.iter().filter(|name| name.parse::<IpAddr>().is_err());
    Ok(dns.fold(NameTable::new(served.clone()), |table, name| table.with(name, served.clone())))
}

/// Renews what the broker issued for domain configurations, where it is time. Whether all of them are renewed: the log says which are not.
pub(super) async fn renew_domains(registry: &Registry, now: Now, complaints: &mut Complaints) -> bool {
    let mut stored = match registry.server_certificate_dates().await {
        Ok(stored) => stored,
        Err(error) => {
            complaints.failed(DATES, &error.into());
            return false;
        }
    };
    complaints.well(DATES);
    stored.retain(|(name, _)| is_issued_for_domain(name));
    complaints.retain(|told| !is_issued_for_domain(told) || stored.iter().any(|(name, _)| **name == *told));
    let mut all = true;
    for (name, validity) in stored {
        let renewed = match validity.is_due(now.wall) {
            true => registry.renew_server_certificate(&name, now).await,
            false => Ok(()),
        };
        match renewed {
            Ok(()) => complaints.well(&name),
            Err(error) => {
                complaints.failed(&name, &error.into());
                all = false;
            }
        }
    }
    all
}

/// The server certificates that the configuration names.
pub(super) struct Brought {
    certificates: Vec<Certificate>,
    /// The file that names them.
    configuration: Option<PathBuf>,
    first: Tenant,
    complaints: Complaints,
}

impl Brought {
    /// `first`: the account and region of those that name none.
    ///
    /// # Errors
    /// When two of them have one ARN.
    pub(super) fn new(certificates: Vec<Certificate>, configuration: Option<PathBuf>, first: Tenant) -> Result<Self> {
        Certificate::check_arns(&certificates, first)?;
        Ok(Self { certificates, configuration, first, complaints: Complaints::default() })
    }

    /// Stores what the files hold, at the start. Whether all is stored: not while the disk is nearly full, as the log says.
    ///
    /// # Errors
    /// The first file that cannot be read or served.
    pub(super) async fn take(&mut self, registry: &Registry, now: Now) -> Result<bool> {
        let mut all = true;
        for certificate in &self.certificates {
            match self.store(certificate, registry, now).await {
                Err(error) if error.downcast_ref().is_some_and(RegistryError::is_full) => {
                    self.complaints.failed(&certificate.name, &error);
                    all = false;
                }
                stored => stored?,
            }
        }
        Ok(all)
    }

    /// Stores what the files hold by now. Whether all is stored: what cannot be is as it was, as the log says.
    async fn take_again(&mut self, registry: &Registry, now: Now) -> bool {
        let mut all = true;
        for certificate in &self.certificates {
            match self.store(certificate, registry, now).await {
                Ok(()) => self.complaints.well(&certificate.name),
                Err(error) => {
                    self.complaints.failed(&certificate.name, &error);
                    all = false;
                }
            }
        }
        all
    }

    /// Stores what the files hold, if it is something else than before: connections see it at once.
    async fn store(&self, certificate: &Certificate, registry: &Registry, now: Now) -> Result<()> {
        let brought = certificate.open(self.configuration.as_deref(), self.first)?;
        let same =
            |stored: &ServerCertificate| stored.chain_pem == brought.chain_pem && stored.key_pkcs8 == brought.key_pkcs8;
        match registry.server_certificate(&brought.name).await {
            Ok(stored) if stored.as_ref().is_some_and(same) => return Ok(()),
            // One that cannot be opened is replaced too.
            Ok(_) | Err(RegistryError::Internal(_)) => {}
            Err(error) => return Err(error.into()),
        }
        let put = registry.put_server_certificate(brought, now).await;
        put.with_context(|| format!("certificate {:?} cannot be served", certificate.name))?;
        Ok(())
    }
}

/// Renews for as long as the broker runs; handshakes take the new certificate at once. `done`: whether nothing was left to do at the start;
/// `complaints`: what the log was told then.
pub(super) async fn keep(
    registry: Registry,
    host_names: Vec<String>,
    names: Arc<ServerNames>,
    mut brought: Brought,
    clock: Arc<dyn Clock>,
    (mut done, mut complaints): (bool, Complaints),
) {
    loop {
        tokio::time::sleep(if done { LOOK_EVERY } else { AGAIN_AFTER }).await;
        let now = clock.now();
        let own = ensure(&registry, &host_names, now, &mut complaints).await;
        let own = match own.and_then(|own| Ok((table(&own)?, own))) {
            Ok((table, own)) => {
                names.replace(table);
                is_current(&own, &host_names, now)
            }
            Err(error) => {
                complaints.failed(NAME, &error);
                false
            }
        };
        if own {
            complaints.well(NAME);
        }
        let taken = brought.take_again(&registry, now).await;
        let renewed = renew_domains(&registry, now, &mut complaints).await;
        done = own && taken && renewed;
    }
}

#[cfg(test)]
mod tests;
