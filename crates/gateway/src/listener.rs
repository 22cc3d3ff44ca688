//! A listener as its connections see it.

use std::{net::SocketAddr, sync::Arc};

use tidegate_broker::Profile;
use tidegate_ids::Tenant;
use tidegate_policy::PolicySet;
use tidegate_registry::{Registry, ServerName};
use tidegate_tls::{
    ALPN_HTTPS_CLIENT_CERTIFICATE, ALPN_MQTT_CLIENT_CERTIFICATE, ClientHello, ServerConfig, ServerConfigs, ServerNames,
    Settings, Tickets, Versions,
};

use crate::{
    GatewayError, GatewayParts, ListenerConfig, Refusals, TlsSettings, Transport,
    clients::RegisteredClients,
    domain::{Destination, DomainConfigs},
    no_connect::NoConnect,
};

/// What a listener does with its connections.
pub(crate) struct Listener {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    pub(crate) profile: Arc<Profile>,
    pub(crate) refusals: Refusals,
    /// Whether WebSocket is spoken too.
    pub(crate) websocket: bool,
    /// Whether HTTPS is, too.
    pub(crate) https: bool,
    pub(crate) below: Below,
}

/// What lies below MQTT.
pub(crate) enum Below {
    Tls(TlsListener),
    Plain { tenant: Tenant, policies: Option<PolicySet> },
}

/// The TLS side of a listener.
pub(crate) struct TlsListener {
    pub(crate) settings: TlsSettings,
    configs: ServerConfigs,
    domains: DomainConfigs,
    server_names: Arc<ServerNames>,
    registry: Registry,
}

impl Listener {
    pub(crate) fn new(
        config: &ListenerConfig,
        address: SocketAddr,
        parts: &GatewayParts,
    ) -> Result<Self, GatewayError> {
        let below = match &config.transport {
            Transport::Tls(settings) => Below::Tls(
                TlsListener::new(*settings, config.websocket, config.https, parts)
                    .map_err(|error| GatewayError::Tls { listener: config.name.clone(), message: error.to_string() })?,
            ),
            Transport::Plain { tenant, policies } => Below::Plain { tenant: *tenant, policies: policies.clone() },
        };
        Ok(Self {
            address,
            profile: config.profile.clone(),
            refusals: config.refusals,
            websocket: config.websocket,
            https: config.https && matches!(below, Below::Tls(_)),
            below,
        })
    }
}

impl TlsListener {
    /// A listener that speaks WebSocket lets in who signs for it, and hence has no certificate to show.
    fn new(
        settings: TlsSettings,
        websocket: bool,
        https: bool,
        parts: &GatewayParts,
    ) -> Result<Self, tidegate_tls::TlsError> {
        // AWS: developer guide, "Device communication protocols". `mqtt` belongs to custom authentication there, but is what
        // other clients offer for plain MQTT.
        let mut alpn = vec![ALPN_MQTT_CLIENT_CERTIFICATE.to_vec(), tidegate_tls::ALPN_MQTT.to_vec()];
        alpn.extend(https.then(|| ALPN_HTTPS_CLIENT_CERTIFICATE.to_vec()));
        let base = Settings {
            names: parts.server_names.clone(),
            client_certificates: Some(Arc::new(RegisteredClients::new(&parts.registry))),
            optional_without_alpn: websocket || (https && parts.custom_authentication.is_some()),
            custom_authentication: parts.custom_authentication.is_some(),
            alpn,
            tickets: if settings.session_tickets { Tickets::Issued } else { Tickets::Never },
            versions: Versions::default(),
            clock: parts.clock.clone(),
        };
        let configs = ServerConfigs::new(base.clone())?;
        let domains = DomainConfigs::new(base, websocket, https);
        Ok(Self {
            settings,
            configs,
            domains,
            server_names: parts.server_names.clone(),
            registry: parts.registry.clone(),
        })
    }

    /// Where this client has come, and the rustls configuration for it. The cost does not depend on how many names there are.
    ///
    /// AWS: `x-amzn-mqtt-ca` and `mqtt` are MQTT, `x-amzn-http-ca` is HTTPS. A client that offers none of them may speak MQTT, or
    /// WebSocket or HTTPS if the listener does: its first byte tells. Others' protocols (`http/1.1` from browsers) are answered with none.
    ///
    /// # Errors
    /// The name is nobody's, or its domain configuration lets nobody in; or what the client offers is HTTPS alone, which is not
    /// spoken here: better told now than when it has sent its request.
    pub(crate) fn reach(&self, hello: &ClientHello) -> Result<(Destination, Arc<ServerConfig>), NoConnect> {
        let domain = hello.server_name().and_then(|name| self.registry.propagated().domain(name));
        let Some(domain) = domain else {
            let server_name = self.server_name(hello).ok_or(NoConnect::UnknownServerName)?;
            return Ok((Destination::plain(server_name), config(&self.configs, hello)?));
        };
        let configs = self.domains.of(&domain).map_err(NoConnect::Domain)?;
        let server_name = ServerName::Endpoint(domain.configuration.tenant);
        let destination = Destination { server_name, domain: Some(domain.configuration) };
        Ok((destination, config(&configs, hello)?))
    }

    /// Whom the client wants to talk to, where nothing is configured; `None` when that is nobody here.
    fn server_name(&self, hello: &ClientHello) -> Option<ServerName> {
        let Some(name) = hello.server_name() else { return Some(ServerName::Absent) };
        let directory = self.registry.propagated();
        if let Some(tenant) = directory.tenant_of_endpoint(name) {
            return Some(ServerName::Endpoint(tenant));
        }
        if directory.is_nobodys_endpoint(name) {
            return None;
        }
        self.server_names.knows(name).then_some(ServerName::Host)
    }
}

/// The one of `configs` for this client.
fn config(configs: &ServerConfigs, hello: &ClientHello) -> Result<Arc<ServerConfig>, NoConnect> {
    let config = configs.tolerant(hello);
    let https = hello.alpn().iter().any(|theirs| theirs == ALPN_HTTPS_CLIENT_CERTIFICATE);
    if https && config.alpn_protocols.is_empty() { Err(NoConnect::HttpsPublish) } else { Ok(config) }
}
