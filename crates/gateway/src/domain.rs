//! What a domain configuration asks of the connections under its name.
//!
//! AWS: developer guide, "Domain configurations"; "Device communication protocols", "Choosing an authentication type".

mod configs;

use std::sync::Arc;

use tidegate_authorizer::Domain as AuthorizerDomain;
use tidegate_registry::{ApplicationProtocol, AuthenticationType, DomainConfiguration, SecurityPolicy, ServerName};
use tidegate_tls::Versions;

pub(crate) use configs::DomainConfigs;

/// Where a connection has come: whom its client named, and what is configured there.
#[derive(Debug, Clone)]
pub(crate) struct Destination {
    pub(crate) server_name: ServerName,
    /// `None`: the listener's own manners.
    pub(crate) domain: Option<Arc<DomainConfiguration>>,
}

/// What a connection may begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Speaks {
    pub(crate) mqtt: bool,
    pub(crate) websocket: bool,
    pub(crate) https: bool,
}

/// Why a domain configuration lets nobody in, or not this client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DomainRefused {
    /// It is DISABLED.
    Disabled,
    /// It speaks what this listener does not.
    NotSpokenHere(ApplicationProtocol),
    /// A custom authorizer should be asked, and there are no functions.
    NoFunctions,
    /// The certificate for it cannot be served.
    Certificate,
    /// The client speaks something else.
    OtherProtocol(ApplicationProtocol),
}

impl Destination {
    /// A place without a configuration.
    pub(crate) fn plain(server_name: ServerName) -> Self {
        Self { server_name, domain: None }
    }

    /// How clients prove here who they are.
    pub(crate) fn authentication(&self) -> AuthenticationType {
        self.domain.as_ref().map_or(AuthenticationType::Default, |domain| domain.record.authentication_type)
    }

    /// What is spoken here, through a listener that speaks WebSocket or HTTPS or neither.
    pub(crate) fn speaks(&self, websocket: bool, https: bool) -> Speaks {
        speaks(self.protocol(), websocket, https)
    }

    fn protocol(&self) -> ApplicationProtocol {
        self.domain.as_ref().map_or(ApplicationProtocol::Default, |domain| domain.record.application_protocol)
    }

    /// What is refused whose first bytes are those of another protocol.
    pub(crate) fn other_protocol(&self) -> DomainRefused {
        DomainRefused::OtherProtocol(self.protocol())
    }

    /// Which custom authorizers are asked.
    pub(crate) fn authorizers(&self) -> Option<AuthorizerDomain<'_>> {
        let config = self.domain.as_ref()?.record.authorizer_config.as_ref()?;
        Some(AuthorizerDomain {
            default_authorizer_name: config.default_authorizer_name.as_ref().map(|name| name.as_str()),
            allow_authorizer_override: config.allow_authorizer_override,
        })
    }
}

/// What is spoken where `protocol` is configured.
fn speaks(protocol: ApplicationProtocol, websocket: bool, https: bool) -> Speaks {
    match protocol {
        ApplicationProtocol::Default => Speaks { mqtt: true, websocket, https },
        ApplicationProtocol::SecureMqtt => Speaks { mqtt: true, websocket: false, https: false },
        ApplicationProtocol::MqttWss => Speaks { mqtt: false, websocket, https: false },
        ApplicationProtocol::Https => Speaks { mqtt: false, websocket: false, https },
    }
}

impl Speaks {
    pub(crate) fn only_mqtt(self) -> bool {
        self.mqtt && !self.websocket && !self.https
    }

    fn nothing(self) -> bool {
        !self.mqtt && !self.websocket && !self.https
    }
}

/// Whether a configuration can let anybody in, through a listener of these manners.
fn judge(configuration: &DomainConfiguration, speaks: Speaks, functions: bool) -> Result<(), DomainRefused> {
    let record = &configuration.record;
    if !configuration.is_enabled() {
        return Err(DomainRefused::Disabled);
    }
    if speaks.nothing() {
        return Err(DomainRefused::NotSpokenHere(record.application_protocol));
    }
    match record.authentication_type {
        AuthenticationType::CustomAuth | AuthenticationType::CustomAuthX509 if !functions => {
            Err(DomainRefused::NoFunctions)
        }
        AuthenticationType::CustomAuth
        | AuthenticationType::CustomAuthX509
        | AuthenticationType::AwsX509
        | AuthenticationType::AwsSigv4
        | AuthenticationType::Default => Ok(()),
    }
}

/// How the request that begins a WebSocket is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// By the client's certificate.
    Certified,
    /// By what it presents to a custom authorizer.
    Presented,
}

/// What counts of a request without a signature that would count. `custom`: whether custom authorizers are asked at all.
///
/// # Errors
/// What the client must do instead.
pub(crate) fn unsigned(
    authentication: AuthenticationType,
    certified: bool,
    custom: bool,
) -> Result<Taken, &'static str> {
    match authentication {
        AuthenticationType::Default if certified => Ok(Taken::Certified),
        AuthenticationType::Default if custom => Ok(Taken::Presented),
        AuthenticationType::Default => {
            Err("sign the request with AWS Signature Version 4, or show a client certificate")
        }
        AuthenticationType::AwsX509 => Ok(Taken::Certified),
        AuthenticationType::AwsSigv4 => Err("sign the request with AWS Signature Version 4: nothing else counts here"),
        AuthenticationType::CustomAuth | AuthenticationType::CustomAuthX509 => Ok(Taken::Presented),
    }
}

/// Whether signatures of requests count.
pub(crate) fn signatures_count(authentication: AuthenticationType) -> bool {
    match authentication {
        AuthenticationType::Default | AuthenticationType::AwsSigv4 => true,
        AuthenticationType::AwsX509 | AuthenticationType::CustomAuth | AuthenticationType::CustomAuthX509 => false,
    }
}

/// The TLS versions of a security policy. Decision: never below 1.2.
///
/// AWS: developer guide, "Transport security", "TLS security policies".
fn versions(policy: SecurityPolicy) -> Versions {
    match policy {
        SecurityPolicy::Tls13_1_3_2022_10 => Versions::Tls13,
        SecurityPolicy::Tls13_1_2_2022_10 => Versions::Tls12AndTls13,
        SecurityPolicy::Tls12_1_2_2022_10 | SecurityPolicy::Tls12_1_0_2016_01 | SecurityPolicy::Tls12_1_0_2015_01 => {
            Versions::Tls12
        }
    }
}

#[cfg(test)]
mod tests;
