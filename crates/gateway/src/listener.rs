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
    GatewayError, GatewayParts, ListenerConfig, Refusals, TlsSettings, Transport, arrival::NoConnect,
    clients::RegisteredClients,
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
        let configs = ServerConfigs::new(Settings {
            names: parts.server_names.clone(),
            client_certificates: Some(Arc::new(RegisteredClients::new(&parts.registry))),
            optional_without_alpn: websocket || (https && parts.custom_authentication.is_some()),
            custom_authentication: parts.custom_authentication.is_some(),
            alpn,
            tickets: if settings.session_tickets { Tickets::Issued } else { Tickets::Never },
            versions: Versions::default(),
            clock: parts.clock.clone(),
        })?;
        Ok(Self { settings, configs, server_names: parts.server_names.clone(), registry: parts.registry.clone() })
    }

    /// Whom the client wants to talk to; `None` when that is nobody here.
    pub(crate) fn server_name(&self, hello: &ClientHello) -> Option<ServerName> {
        let Some(name) = hello.server_name() else { return Some(ServerName::Absent) };
        if let Some(tenant) = self.registry.propagated().tenant_of_endpoint(name) {
            return Some(ServerName::Endpoint(tenant));
        }
        self.server_names.knows(name).then_some(ServerName::Host)
    }

    /// The rustls configuration for this client.
    ///
    /// AWS: `x-amzn-mqtt-ca` and `mqtt` are MQTT, `x-amzn-http-ca` is HTTPS. A client that offers none of them may speak MQTT, or
    /// WebSocket or HTTPS if the listener does: its first byte tells. Others' protocols (`http/1.1` from browsers) are answered with none.
    ///
    /// # Errors
    /// What it offers is HTTPS alone, which this listener does not speak: better told now than when it has sent its request.
    pub(crate) fn config(&self, hello: &ClientHello) -> Result<Arc<ServerConfig>, NoConnect> {
        let config = self.configs.tolerant(hello);
        let https = hello.alpn().iter().any(|theirs| theirs == ALPN_HTTPS_CLIENT_CERTIFICATE);
        if https && config.alpn_protocols.is_empty() { Err(NoConnect::HttpsPublish) } else { Ok(config) }
    }
}
