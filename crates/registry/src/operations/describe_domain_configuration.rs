//! AWS: API_DescribeDomainConfiguration.

use tidegate_ids::{Arn, DomainConfigurationName, Now, Tenant};
use tidegate_kv::{Revision, Snapshot, Transaction};

use super::create_domain_configuration::judge_certificate;
use crate::{
    CertificateProblem, DomainConfigurationRecord, DomainConfigurationStatus, DomainType, Registry, RegistryError,
    tables::{DOMAIN_CONFIGURATIONS, SERVER_CERTIFICATES},
};

/// A domain configuration of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainConfiguration {
    /// Whose.
    pub tenant: Tenant,
    /// Its name.
    pub name: DomainConfigurationName,
    /// All else.
    pub record: DomainConfigurationRecord,
}

impl DomainConfiguration {
    /// Its ARN.
    pub fn arn(&self) -> Arn {
        Arn::domain_configuration(self.tenant, &self.name)
    }

    /// Whether its domain name is answered.
    pub fn is_enabled(&self) -> bool {
        self.record.status == DomainConfigurationStatus::Enabled
    }
}

/// A domain configuration, and what is the matter with its certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedDomainConfiguration {
    /// With its domain name, that of an account's endpoint too.
    pub configuration: DomainConfiguration,
    /// Of the certificate that the account chose: its ARN, and why it cannot be served.
    pub server_certificate: Option<(String, Option<CertificateProblem>)>,
}

impl Registry {
    /// One domain configuration. That of the account's endpoint, `iot:Data-ATS`, is always there.
    ///
    /// # Errors
    /// `DomainConfigurationNotFound`.
    pub async fn describe_domain_configuration(
        &self,
        tenant: Tenant,
        name: DomainConfigurationName,
        now: Now,
    ) -> Result<DescribedDomainConfiguration, RegistryError> {
        let read = self.read().await?;
        let mut record = read_domain_configuration(&read, tenant, &name).await?.record;
        if record.domain_type == DomainType::Endpoint {
            let shared = || self.settings().host_names.first().cloned().unwrap_or_default();
            record.domain_name = self.endpoint(tenant).unwrap_or_else(shared);
        }
        let server_certificate = match &record.server_certificate_arn {
            None => None,
            Some(arn) => {
                let stored = SERVER_CERTIFICATES.get(&read, arn).await?.map(|row| row.value);
                Some((arn.clone(), judge_certificate(arn, stored.as_ref(), &record.domain_name, now).err()))
            }
        };
        Ok(DescribedDomainConfiguration {
            configuration: DomainConfiguration { tenant, name, record },
            server_certificate,
        })
    }
}

/// A configuration as it is stored, or as it is until somebody changes it.
pub(super) struct Found {
    pub(super) record: DomainConfigurationRecord,
    revision: Option<Revision>,
}

impl Found {
    /// Writes `record` in its place.
    pub(super) fn replace(
        &self,
        transaction: &mut Transaction,
        key: &(Tenant, DomainConfigurationName),
        record: &DomainConfigurationRecord,
    ) {
        match self.revision {
            Some(revision) => DOMAIN_CONFIGURATIONS.replace(transaction, key, revision, record),
            None => DOMAIN_CONFIGURATIONS.insert(transaction, key, record),
        }
    }

    /// Takes it away, if it is stored.
    pub(super) fn remove(&self, transaction: &mut Transaction, key: &(Tenant, DomainConfigurationName)) {
        if let Some(revision) = self.revision {
            DOMAIN_CONFIGURATIONS.remove(transaction, key, revision);
        }
    }
}

/// The configuration's row; that of an account's endpoint need not be stored.
pub(super) async fn read_domain_configuration(
    read: &Snapshot,
    tenant: Tenant,
    name: &DomainConfigurationName,
) -> Result<Found, RegistryError> {
    match DOMAIN_CONFIGURATIONS.get(read, &(tenant, name.clone())).await? {
        Some(row) => Ok(Found { record: row.value, revision: Some(row.revision) }),
        None if name.as_str() == DomainConfigurationName::DATA_ATS => {
            Ok(Found { record: DomainConfigurationRecord::endpoint(), revision: None })
        }
        None => Err(RegistryError::DomainConfigurationNotFound(name.clone())),
    }
}
