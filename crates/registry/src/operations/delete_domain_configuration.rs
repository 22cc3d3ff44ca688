//! AWS: API_DeleteDomainConfiguration.

use tidegate_ids::{DomainConfigurationName, Tenant};
use tidegate_kv::{Expected, Transaction};

use super::describe_domain_configuration::read_domain_configuration;
use crate::{
    DomainConfigurationStatus, DomainType, Registry, RegistryError,
    records::issued_for,
    tables::{DOMAIN_NAMES, SERVER_CERTIFICATES},
};

impl Registry {
    /// Deletes a domain configuration that is DISABLED, with the certificate that was issued for it. Its domain name is free.
    ///
    /// Decision: at once; AWS deletes one that it manages after seven days only.
    ///
    /// # Errors
    /// `DomainConfigurationNotFound`, `DomainConfigurationEnabled`, `InvalidRequest` for an account's endpoint.
    pub async fn delete_domain_configuration(
        &self,
        tenant: Tenant,
        name: &DomainConfigurationName,
    ) -> Result<(), RegistryError> {
        let key = &(tenant, name.clone());
        self.change(|read| async move {
            let found = read_domain_configuration(&read, tenant, name).await?;
            let record = &found.record;
            if record.domain_type == DomainType::Endpoint {
                return Err(RegistryError::InvalidRequest("The account's endpoint cannot be deleted".into()));
            }
            if record.status == DomainConfigurationStatus::Enabled {
                return Err(RegistryError::DomainConfigurationEnabled(name.clone()));
            }
            let mut transaction = Transaction::new();
            found.remove(&mut transaction, key);
            if let Some(whose) = DOMAIN_NAMES.get(&read, &record.domain_name).await? {
                DOMAIN_NAMES.remove(&mut transaction, &record.domain_name, whose.revision);
            }
            if record.server_certificate_arn.is_none() {
                let issued = issued_for(&record.domain_name);
                if let Some(row) = SERVER_CERTIFICATES.get(&read, &issued).await? {
                    SERVER_CERTIFICATES.require(&mut transaction, &issued, Expected::Revision(row.revision));
                    SERVER_CERTIFICATES.delete(&mut transaction, &issued);
                }
            }
            Ok((transaction, ()))
        })
        .await
    }
}
