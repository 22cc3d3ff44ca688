//! AWS: API_CreateDomainConfiguration.

use tidegate_ids::{Arn, AuthorizerName, DomainConfigurationName, Now, Tenant};
use tidegate_kv::{Expected, Snapshot, Transaction};

use super::describe_domain_configuration::DomainConfiguration;
use crate::{
    ApplicationProtocol, AuthenticationType, AuthorizerConfig, CertificateProblem, DOMAIN_CONFIGURATIONS_MAX,
    DomainConfigurationRecord, DomainConfigurationStatus, DomainType, Registry, RegistryError, SecurityPolicy, Tag,
    Validity, domain_name,
    records::{DomainNameRecord, ServerCertificateRecord, issued_for},
    tables::{AUTHORIZERS, DOMAIN_CONFIGURATIONS, DOMAIN_NAMES, SERVER_CERTIFICATES},
    tags::check_tags,
};

/// What CreateDomainConfiguration asks for.
#[derive(Debug, Clone)]
pub struct CreateDomainConfiguration {
    /// Its name.
    pub name: DomainConfigurationName,
    /// The account's own domain name; `None`: the service makes one up.
    pub domain_name: Option<String>,
    /// The certificate for it; `None`: the broker issues one.
    pub server_certificate_arn: Option<String>,
    /// A certificate that proves that the domain name is the account's.
    pub validation_certificate_arn: Option<String>,
    /// Which custom authorizers are asked.
    pub authorizer_config: Option<AuthorizerConfig>,
    /// `IoTSecurityPolicy_TLS13_1_2_2022_10` when absent.
    pub security_policy: Option<SecurityPolicy>,
    /// DEFAULT when absent.
    pub authentication_type: Option<AuthenticationType>,
    /// DEFAULT when absent.
    pub application_protocol: Option<ApplicationProtocol>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

impl Registry {
    /// Makes a domain configuration, ENABLED, with a certificate by the broker's own CA unless another one is named.
    ///
    /// Unverified: AWS's error for a domain name that another account has; that the authorizer must exist.
    ///
    /// # Errors
    /// `DomainConfigurationExists`, `InvalidRequest`, `CertificateInvalid`, `TooManyDomainConfigurations`.
    pub async fn create_domain_configuration(
        &self,
        tenant: Tenant,
        request: CreateDomainConfiguration,
        now: Now,
    ) -> Result<DomainConfiguration, RegistryError> {
        check_tags(&request.tags)?;
        if request.name.is_reserved() {
            return Err(RegistryError::InvalidRequest("names with a colon are the service's own".into()));
        }
        let proof = request.validation_certificate_arn.clone();
        let (name, record) = self.new_record(tenant, request, now)?;
        check_combination(&record)?;
        for arn in record.server_certificate_arn.iter().chain(&proof) {
            check_arn(tenant, arn)?;
        }
        let issued = match &record.server_certificate_arn {
            Some(_) => None,
            None => {
                let (stored_as, names) = (issued_for(&record.domain_name), [record.domain_name.clone()]);
                let validity = Validity::of_server_certificate(now.wall);
                Some(self.issued_server_certificate(&stored_as, &names, validity, now)?)
            }
        };
        let (key, record, issued, proof) = (&(tenant, name), &record, &issued, &proof);
        self.change(|read| async move {
            let mut transaction = Transaction::new();
            require_new(&read, key, &record.domain_name).await?;
            require_room(&read, tenant, &mut transaction).await?;
            require_authorizer(&read, tenant, record.authorizer_config.as_ref()).await?;
            for arn in record.server_certificate_arn.iter().chain(proof) {
                let stored = SERVER_CERTIFICATES.get(&read, arn).await?;
                SERVER_CERTIFICATES.require_as_read(&mut transaction, arn, stored.as_ref());
                judge_certificate(arn, stored.map(|row| row.value).as_ref(), &record.domain_name, now)
                    .map_err(RegistryError::CertificateInvalid)?;
            }
            if let Some(certificate) = issued {
                SERVER_CERTIFICATES.put(&mut transaction, &issued_for(&record.domain_name), certificate);
            }
            DOMAIN_CONFIGURATIONS.require(&mut transaction, key, Expected::Absent);
            DOMAIN_CONFIGURATIONS.put(&mut transaction, key, record);
            let whose = DomainNameRecord { tenant, name: key.1.clone() };
            DOMAIN_NAMES.insert(&mut transaction, &record.domain_name, &whose);
            Ok((transaction, ()))
        })
        .await?;
        Ok(DomainConfiguration { tenant, name: key.1.clone(), record: record.clone() })
    }

    fn new_record(
        &self,
        tenant: Tenant,
        request: CreateDomainConfiguration,
        now: Now,
    ) -> Result<(DomainConfigurationName, DomainConfigurationRecord), RegistryError> {
        let invalid = |why: &str| RegistryError::InvalidRequest(why.into());
        let (domain_type, domain_name) = match (&request.domain_name, &request.server_certificate_arn) {
            (Some(brought), _) => (DomainType::CustomerManaged, domain_name::brought(brought, self.settings())?),
            (None, Some(_)) => return Err(invalid("serverCertificateArns is for a domainName of your own")),
            (None, None) => {
                let made = domain_name::generated(self.chance().bytes(), tenant.region, self.settings());
                let made = made.ok_or_else(|| {
                    invalid(
                        "The broker has no domain to make up a name in: set mqtt.endpoint_domain, or say domainName",
                    )
                })?;
                (DomainType::AwsManaged, made)
            }
        };
        let record = DomainConfigurationRecord {
            domain_name,
            domain_type,
            status: DomainConfigurationStatus::Enabled,
            status_changed: Some(now.wall),
            server_certificate_arn: request.server_certificate_arn,
            authorizer_config: request.authorizer_config,
            security_policy: request.security_policy.unwrap_or(SecurityPolicy::Tls13_1_2_2022_10),
            authentication_type: request.authentication_type.unwrap_or(AuthenticationType::Default),
            application_protocol: request.application_protocol.unwrap_or(ApplicationProtocol::Default),
            tags: request.tags,
        };
        Ok((request.name, record))
    }
}

async fn require_new(
    read: &Snapshot,
    key: &(Tenant, DomainConfigurationName),
    domain_name: &String,
) -> Result<(), RegistryError> {
    let (tenant, name) = key;
    if DOMAIN_CONFIGURATIONS.get(read, key).await?.is_some() {
        return Err(RegistryError::DomainConfigurationExists(*tenant, name.clone()));
    }
    match DOMAIN_NAMES.get(read, domain_name).await? {
        None => Ok(()),
        Some(row) if row.value.tenant == *tenant => {
            Err(RegistryError::DomainConfigurationExists(*tenant, row.value.name))
        }
        Some(_) => Err(RegistryError::InvalidRequest("Invalid domainName: it is not available".into())),
    }
}

/// Refuses when the account would have too many. AWS: quota, 10.
async fn require_room(read: &Snapshot, tenant: Tenant, transaction: &mut Transaction) -> Result<(), RegistryError> {
    let all = DOMAIN_CONFIGURATIONS.under(&tenant);
    let mut held = 0;
    DOMAIN_CONFIGURATIONS.each(read, all.clone(), |row| held += usize::from(!row.key.1.is_reserved())).await?;
    if held >= DOMAIN_CONFIGURATIONS_MAX {
        return Err(RegistryError::TooManyDomainConfigurations(DOMAIN_CONFIGURATIONS_MAX));
    }
    DOMAIN_CONFIGURATIONS.require_unchanged(transaction, all, read);
    Ok(())
}

/// Refuses a default authorizer that is not there. It may be deleted later, and clients are refused then.
pub(super) async fn require_authorizer(
    read: &Snapshot,
    tenant: Tenant,
    config: Option<&AuthorizerConfig>,
) -> Result<(), RegistryError> {
    let named = config.and_then(|config| config.default_authorizer_name.clone());
    let Some(name): Option<AuthorizerName> = named else { return Ok(()) };
    let key = (tenant, name);
    match AUTHORIZERS.get(read, &key).await? {
        Some(_) => Ok(()),
        None => Err(RegistryError::InvalidRequest(format!(
            "Authorizer {} was not found in this account and region: see list-authorizers",
            key.1
        ))),
    }
}

/// Refuses what could let nobody in. Unverified: which combinations AWS refuses.
pub(super) fn check_combination(record: &DomainConfigurationRecord) -> Result<(), RegistryError> {
    use ApplicationProtocol::*;
    use AuthenticationType::*;
    let why = match (record.authentication_type, record.application_protocol) {
        (AwsSigv4, SecureMqtt) => {
            "MQTT without WebSocket has no request that could be signed: use MQTT_WSS with AWS_SIGV4"
        }
        (AwsSigv4, Https) => "Tidegate takes signed HTTPS requests by its API only: use MQTT_WSS with AWS_SIGV4",
        (CustomAuth | CustomAuthX509 | AwsX509 | AuthenticationType::Default, _)
        | (AwsSigv4, MqttWss | ApplicationProtocol::Default) => {
            return Ok(());
        }
    };
    Err(RegistryError::InvalidRequest(why.into()))
}

/// Refuses the ARN of another account's certificate; its form is in the service model.
fn check_arn(tenant: Tenant, text: &str) -> Result<(), RegistryError> {
    let own = text.parse::<Arn>().is_ok_and(|arn| &*arn.service == "acm" && arn.tenant() == Some(tenant));
    if own {
        return Ok(());
    }
    let why = format!("Invalid certificate ARN {text}: it belongs to another account or region");
    Err(RegistryError::InvalidRequest(why))
}

/// Whether a stored certificate serves a domain name at `now`.
pub(super) fn judge_certificate(
    arn: &str,
    stored: Option<&ServerCertificateRecord>,
    domain_name: &str,
    now: Now,
) -> Result<(), CertificateProblem> {
    let stored = stored.ok_or_else(|| CertificateProblem::ServerCertificateUnknown(arn.to_owned()))?;
    if !stored.names.iter().any(|name| domain_name::covers(name, domain_name)) {
        let (arn, domain_name) = (arn.to_owned(), domain_name.to_owned());
        return Err(CertificateProblem::OtherName { arn, domain_name });
    }
    if !stored.validity.contains(now.wall) {
        return Err(CertificateProblem::OutsideValidity);
    }
    Ok(())
}
