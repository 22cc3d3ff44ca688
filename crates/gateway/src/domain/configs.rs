//! The rustls configurations of one listener's domains, made when the first client comes.

use std::{collections::HashMap, sync::Arc};

use parking_lot::RwLock;
use tidegate_ids::{DomainConfigurationName, Tenant};
use tidegate_registry::{AuthenticationType, Domain, DomainConfiguration, StoredCertificate};
use tidegate_tls::{
    ALPN_HTTPS_CLIENT_CERTIFICATE, ALPN_MQTT, ALPN_MQTT_CLIENT_CERTIFICATE, NameTable, ServerCertificate,
    ServerConfigs, ServerNames, Settings,
};

use super::{DomainRefused, Speaks, judge, speaks, versions};

/// Kept configurations that nobody looks whether they are still of use.
const UNSWEPT: usize = 64;

/// One set for each domain that somebody came to, as long as it stays as it is.
pub(crate) struct DomainConfigs {
    /// Of the listener itself.
    base: Settings,
    websocket: bool,
    https: bool,
    kept: RwLock<Kept>,
}

struct Kept {
    by_domain: HashMap<(Tenant, DomainConfigurationName), Made>,
    /// At so many, what belongs to no domain any more is forgotten.
    sweep_at: usize,
}

/// Made from these.
#[derive(Clone)]
struct Made {
    configuration: Arc<DomainConfiguration>,
    certificate: Option<Arc<StoredCertificate>>,
    configs: Arc<ServerConfigs>,
}

impl DomainConfigs {
    /// `base`: what the listener does without a domain configuration.
    pub(crate) fn new(base: Settings, websocket: bool, https: bool) -> Self {
        Self { base, websocket, https, kept: RwLock::new(Kept { by_domain: HashMap::new(), sweep_at: UNSWEPT }) }
    }

    /// The set of this domain: the same one until the domain is changed or its certificate renewed, so that tickets of what was
    /// before resume nothing.
    pub(crate) fn of(&self, domain: &Domain) -> Result<Arc<ServerConfigs>, DomainRefused> {
        let configuration = &domain.configuration;
        let speaks = speaks(configuration.record.application_protocol, self.websocket, self.https);
        judge(configuration, speaks, self.base.custom_authentication)?;
        let key = (configuration.tenant, configuration.name.clone());
        if let Some(made) = self.kept.read().by_domain.get(&key).filter(|made| made.is_of(domain)) {
            return Ok(Arc::clone(&made.configs));
        }
        let configs = Arc::new(self.make(domain, speaks)?);
        let (configuration, certificate) = (Arc::clone(configuration), domain.certificate.clone());
        let made = Made { configuration, certificate, configs: Arc::clone(&configs) };
        self.kept.write().put(key, made);
        Ok(configs)
    }

    fn make(&self, domain: &Domain, speaks: Speaks) -> Result<ServerConfigs, DomainRefused> {
        let record = &domain.configuration.record;
        let mut settings = Settings { versions: versions(record.security_policy), ..self.base.clone() };
        if let Some(stored) = &domain.certificate {
            settings.names = Arc::new(ServerNames::new(NameTable::new(ready(stored)?)));
        }
        settings.alpn = [
            (speaks.mqtt, ALPN_MQTT_CLIENT_CERTIFICATE),
            (speaks.mqtt, ALPN_MQTT),
            (speaks.https, ALPN_HTTPS_CLIENT_CERTIFICATE),
        ]
        .into_iter()
        .filter(|(spoken, _)| *spoken)
        .map(|(_, protocol)| protocol.to_vec())
        .collect();
        match record.authentication_type {
            AuthenticationType::Default => {}
            AuthenticationType::AwsX509 | AuthenticationType::CustomAuthX509 => {
                settings.optional_without_alpn = false;
                settings.custom_authentication = false;
            }
            AuthenticationType::AwsSigv4 | AuthenticationType::CustomAuth => {
                settings.client_certificates = None;
                settings.custom_authentication = false;
            }
        }
        ServerConfigs::new(settings).map_err(|_| DomainRefused::Certificate)
    }
}

/// The certificate, for TLS.
fn ready(stored: &StoredCertificate) -> Result<ServerCertificate, DomainRefused> {
    let unusable = |why: String| {
        tracing::error!(certificate = ?stored, why, "the certificate of a domain configuration cannot be served");
        DomainRefused::Certificate
    };
    let opened = stored.open().map_err(|error| unusable(error.to_string()))?;
    let chain = tidegate_pki::pem::certificates(&opened.chain_pem).map_err(|error| unusable(error.to_string()))?;
    ServerCertificate::from_der(chain, &opened.key_pkcs8).map_err(|error| unusable(error.to_string()))
}

impl Made {
    fn is_of(&self, domain: &Domain) -> bool {
        let same_certificate = match (&self.certificate, &domain.certificate) {
            (None, None) => true,
            (Some(ours), Some(theirs)) => Arc::ptr_eq(ours, theirs),
            (None, Some(_)) | (Some(_), None) => false,
        };
        same_certificate && Arc::ptr_eq(&self.configuration, &domain.configuration)
    }

    /// Whether the directory, or a connection that begins, has the same configuration still.
    fn is_of_use(&self) -> bool {
        Arc::strong_count(&self.configuration) > 1
    }
}

impl Kept {
    fn put(&mut self, key: (Tenant, DomainConfigurationName), made: Made) {
        self.by_domain.insert(key, made);
        if self.by_domain.len() >= self.sweep_at {
            self.by_domain.retain(|_, made| made.is_of_use());
            self.sweep_at = UNSWEPT.max(2 * self.by_domain.len());
        }
    }
}
