//! AWS: API_UpdateDomainConfiguration.

use tidegate_ids::{DomainConfigurationName, Now, Tenant};
use tidegate_kv::Transaction;

use super::{
    create_domain_configuration::{check_combination, require_authorizer},
    describe_domain_configuration::{DomainConfiguration, read_domain_configuration},
};
use crate::{
    ApplicationProtocol, AuthenticationType, AuthorizerConfig, DomainConfigurationRecord, DomainConfigurationStatus,
    DomainType, Registry, RegistryError, SecurityPolicy,
};

/// What UpdateDomainConfiguration asks for; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct UpdateDomainConfiguration {
    /// Other authorizers, in place of what is there. Unverified: that its members are not merged.
    pub authorizer_config: Option<AuthorizerConfig>,
    /// Nothing is said about authorizers any more.
    pub remove_authorizer_config: bool,
    /// Another status.
    pub status: Option<DomainConfigurationStatus>,
    /// Another TLS.
    pub security_policy: Option<SecurityPolicy>,
    /// Another way to prove who one is.
    pub authentication_type: Option<AuthenticationType>,
    /// Another protocol.
    pub application_protocol: Option<ApplicationProtocol>,
}

impl Registry {
    /// Changes a domain configuration: for connections that begin afterwards. Those that are there stay as they are.
    ///
    /// Unverified: that an account's endpoint cannot be DISABLED.
    ///
    /// # Errors
    /// `DomainConfigurationNotFound`, `InvalidRequest`.
    pub async fn update_domain_configuration(
        &self,
        tenant: Tenant,
        name: DomainConfigurationName,
        update: UpdateDomainConfiguration,
        now: Now,
    ) -> Result<DomainConfiguration, RegistryError> {
        let (key, update) = (&(tenant, name), &update);
        let has_endpoints = self.settings().endpoint_domain.is_some();
        let record = self
            .change(|read| async move {
                let found = read_domain_configuration(&read, tenant, &key.1).await?;
                let record = update.applied_to(&found.record, has_endpoints, now)?;
                require_authorizer(&read, tenant, update.authorizer_config.as_ref()).await?;
                let mut transaction = Transaction::new();
                if record != found.record {
                    found.replace(&mut transaction, key, &record);
                }
                Ok((transaction, record))
            })
            .await?;
        Ok(DomainConfiguration { tenant, name: key.1.clone(), record })
    }
}

impl UpdateDomainConfiguration {
    /// `has_endpoints`: whether accounts have endpoints of their own, which a configuration could be about.
    fn applied_to(
        &self,
        record: &DomainConfigurationRecord,
        has_endpoints: bool,
        now: Now,
    ) -> Result<DomainConfigurationRecord, RegistryError> {
        let invalid = |why: &str| Err(RegistryError::InvalidRequest(why.into()));
        if self.remove_authorizer_config && self.authorizer_config.is_some() {
            return invalid("authorizerConfig and removeAuthorizerConfig exclude each other");
        }
        if record.domain_type == DomainType::Endpoint {
            if !has_endpoints {
                return invalid(
                    "Accounts share the broker's own name: set mqtt.endpoint_domain to give each an endpoint",
                );
            }
            if self.status == Some(DomainConfigurationStatus::Disabled) {
                return invalid("The account's endpoint cannot be DISABLED");
            }
        }
        let mut changed = record.clone();
        if self.remove_authorizer_config {
            changed.authorizer_config = None;
        } else if self.authorizer_config.is_some() {
            changed.authorizer_config.clone_from(&self.authorizer_config);
        }
        if let Some(status) = self.status.filter(|status| *status != record.status) {
            changed.status = status;
            changed.status_changed = Some(now.wall);
        }
        changed.security_policy = self.security_policy.unwrap_or(record.security_policy);
        changed.authentication_type = self.authentication_type.unwrap_or(record.authentication_type);
        changed.application_protocol = self.application_protocol.unwrap_or(record.application_protocol);
        check_combination(&changed)?;
        Ok(changed)
    }
}
