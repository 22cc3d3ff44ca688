//! From the name in SNI to a domain configuration, and the certificates that are shown there.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::Arc,
};

use parking_lot::RwLock;
use tidegate_ids::{DomainConfigurationName, Tenant};
use tidegate_pki::{PkiError, seal::MasterKey};

use crate::{DomainConfiguration, DomainType, ServerCertificate, operations::opened, records::ServerCertificateRecord};

/// All domain configurations that are stored, and all server certificates.
pub(super) struct Domains {
    master_key: Arc<MasterKey>,
    /// The broker's own, which win over what an account had before they were.
    host_names: HashSet<String>,
    rows: RwLock<Rows>,
}

#[derive(Default)]
struct Rows {
    configurations: HashMap<(Tenant, DomainConfigurationName), Arc<DomainConfiguration>>,
    by_domain_name: HashMap<String, Arc<DomainConfiguration>>,
    certificates: HashMap<String, Arc<StoredCertificate>>,
}

/// A server certificate as it is stored. `Debug` hides the key.
pub struct StoredCertificate {
    name: String,
    record: ServerCertificateRecord,
    master_key: Arc<MasterKey>,
}

impl StoredCertificate {
    /// With its key.
    ///
    /// # Errors
    /// The key was sealed under another master key.
    pub fn open(&self) -> Result<ServerCertificate, PkiError> {
        opened(&self.master_key, self.name.clone(), &self.record)
    }
}

impl fmt::Debug for StoredCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredCertificate").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The configuration of a domain name, and what is shown there.
#[derive(Debug, Clone)]
pub struct Domain {
    /// The same object until it is changed.
    pub configuration: Arc<DomainConfiguration>,
    /// The same object until it is renewed; `None`: the broker's own certificates.
    pub certificate: Option<Arc<StoredCertificate>>,
}

impl Domains {
    pub(super) fn new(host_names: &[String], master_key: Arc<MasterKey>) -> Self {
        let host_names = host_names.iter().map(|name| name.to_ascii_lowercase()).collect();
        Self { master_key, host_names, rows: RwLock::default() }
    }

    /// Readers see the configuration of before or this one, at any time one of the two.
    pub(super) fn put(&self, configuration: DomainConfiguration) {
        self.rows.write().put(configuration);
    }

    pub(super) fn remove(&self, tenant: Tenant, name: &DomainConfigurationName) {
        self.rows.write().remove(tenant, name);
    }

    pub(super) fn put_certificate(&self, name: String, record: ServerCertificateRecord) {
        let stored = self.stored(&name, record);
        self.rows.write().certificates.insert(name, stored);
    }

    pub(super) fn remove_certificate(&self, name: &str) {
        self.rows.write().certificates.remove(name);
    }

    /// The configuration of a domain name in small letters; `None` also while its certificate is missing.
    pub(super) fn by_domain_name(&self, domain_name: &str) -> Option<Domain> {
        if self.is_own(domain_name) {
            return None;
        }
        let rows = self.rows.read();
        let configuration = Arc::clone(rows.by_domain_name.get(domain_name)?);
        if configuration.record.domain_type == DomainType::CustomerManaged && self.covers(domain_name) {
            return None;
        }
        let stored_as = configuration.record.server_certificate()?;
        let certificate = Some(Arc::clone(rows.certificates.get(&stored_as)?));
        Some(Domain { configuration, certificate })
    }

    /// Whether it is one of the broker's own names, in small letters.
    pub(super) fn is_own(&self, name: &str) -> bool {
        self.host_names.contains(name)
    }

    /// Whether one of the broker's own names is a wildcard for it, in small letters.
    fn covers(&self, name: &str) -> bool {
        name.split_once('.').is_some_and(|(_, parent)| self.host_names.contains(&format!("*.{parent}")))
    }

    /// What is stored about the account's endpoint.
    pub(super) fn endpoint(&self, tenant: Tenant) -> Option<Domain> {
        let key = (tenant, DomainConfigurationName::data_ats());
        let configuration = Arc::clone(self.rows.read().configurations.get(&key)?);
        Some(Domain { configuration, certificate: None })
    }

    /// Takes these for all there are: readers see all of before, or all of these.
    pub(super) fn replace(
        &self,
        configurations: Vec<DomainConfiguration>,
        certificates: Vec<(String, ServerCertificateRecord)>,
    ) {
        let mut rows = Rows::default();
        configurations.into_iter().for_each(|configuration| rows.put(configuration));
        for (name, record) in certificates {
            let stored = self.stored(&name, record);
            rows.certificates.insert(name, stored);
        }
        *self.rows.write() = rows;
    }

    fn stored(&self, name: &str, record: ServerCertificateRecord) -> Arc<StoredCertificate> {
        Arc::new(StoredCertificate { name: name.to_owned(), record, master_key: Arc::clone(&self.master_key) })
    }
}

impl Rows {
    fn put(&mut self, configuration: DomainConfiguration) {
        let key = (configuration.tenant, configuration.name.clone());
        let configuration = Arc::new(configuration);
        self.remove(key.0, &key.1);
        if configuration.record.domain_type != DomainType::Endpoint {
            let name = configuration.record.domain_name.clone();
            self.by_domain_name.insert(name, Arc::clone(&configuration));
        }
        self.configurations.insert(key, configuration);
    }

    fn remove(&mut self, tenant: Tenant, name: &DomainConfigurationName) {
        let Some(removed) = self.configurations.remove(&(tenant, name.clone())) else { return };
        let domain_name = &removed.record.domain_name;
        if self.by_domain_name.get(domain_name).is_some_and(|known| Arc::ptr_eq(known, &removed)) {
            self.by_domain_name.remove(domain_name);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    use tidegate_ids::Timestamp;

    use super::*;
    use crate::{
        Validity,
        records::{DomainConfigurationRecord, Sealed},
    };

    const NAME: &str = "m.example.com";

    fn configuration(name: &str) -> DomainConfiguration {
        DomainConfiguration {
            tenant: Tenant { account: "111111111111".parse().unwrap(), region: "us-east-1".parse().unwrap() },
            name: name.parse().unwrap(),
            record: DomainConfigurationRecord {
                domain_name: NAME.into(),
                domain_type: DomainType::CustomerManaged,
                ..DomainConfigurationRecord::endpoint()
            },
        }
    }

    fn certificate(record: &DomainConfigurationRecord) -> (String, ServerCertificateRecord) {
        let date = Timestamp::from_seconds(1);
        let validity = Validity { not_before: date, not_after: date };
        let (names, key) = (vec![NAME.to_owned()], Sealed(Vec::new()));
        let row = ServerCertificateRecord { names, chain_pem: String::new(), key, validity, created: date };
        (record.server_certificate().unwrap(), row)
    }

    #[test]
    fn a_name_is_somebodys_at_any_moment_of_a_change() {
        let domains = Domains::new(&[], Arc::new(MasterKey::from_bytes(&[7; 32])));
        let of = configuration("a");
        let (name, row) = certificate(&of.record);
        domains.put_certificate(name.clone(), row.clone());
        domains.put(of);
        let (changed, missing) = (AtomicBool::new(false), AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !changed.load(Relaxed) {
                    missing.fetch_or(domains.by_domain_name(NAME).is_none(), Relaxed);
                }
            });
            for round in 0..20_000 {
                match round % 3 {
                    0 => domains.put(configuration("a")),
                    1 => domains.replace(vec![configuration("b")], vec![(name.clone(), row.clone())]),
                    _ => domains.replace(vec![configuration("a")], vec![(name.clone(), row.clone())]),
                }
            }
            changed.store(true, Relaxed);
        });
        assert!(!missing.load(Relaxed));
        domains.replace(Vec::new(), Vec::new());
        assert!(domains.by_domain_name(NAME).is_none());
    }
}
