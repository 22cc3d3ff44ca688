//! rustls configurations: one set for each domain configuration, made once and shared by its connections.

use std::sync::Arc;

use rustls::{
    ServerConfig, SupportedProtocolVersion,
    server::NoServerSessionStorage,
    version::{TLS12, TLS13},
};
use tidegate_ids::Clock;

use crate::{
    ClientCertificates, ClientHello, ServerNames, TlsError,
    clock::OurTime,
    suites::{self, ByOrder},
    tickets::Ticketer,
    verifier::Verifier,
};

/// ALPN of MQTT with a client certificate on port 443. AWS: developer guide, "Device communication protocols".
pub const ALPN_MQTT_CLIENT_CERTIFICATE: &[u8] = b"x-amzn-mqtt-ca";
/// ALPN of MQTT with custom authentication on port 443.
pub const ALPN_MQTT: &[u8] = b"mqtt";

/// ALPN of publishing by HTTPS with a client certificate on port 443.
pub const ALPN_HTTPS_CLIENT_CERTIFICATE: &[u8] = b"x-amzn-http-ca";

/// Which protocol versions are spoken. AWS: the security policies `IoTSecurityPolicy_TLS13_1_2_2022_10` (the default),
/// `_TLS13_1_3_2022_10`, `_TLS12_1_2_2022_10`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Versions {
    /// TLS 1.2 and 1.3.
    #[default]
    Tls12AndTls13,
    /// TLS 1.3 alone.
    Tls13,
    /// TLS 1.2 alone.
    Tls12,
}

impl Versions {
    pub(crate) fn supported(self) -> &'static [&'static SupportedProtocolVersion] {
        static BOTH: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];
        match self {
            Self::Tls12AndTls13 => &BOTH,
            Self::Tls13 => &BOTH[..1],
            Self::Tls12 => &BOTH[1..],
        }
    }
}

/// Whether sessions can be resumed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Tickets {
    /// One ticket per connection; resumed sessions bring the client's certificate back. Profile `standard`.
    #[default]
    Issued,
    /// None, and no session ids. Profile `aws`: AWS IoT does not support the SessionTicket extension.
    Never,
}

/// What makes one set of configurations.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The server certificates; shared by all sets.
    pub names: Arc<ServerNames>,
    /// Who decides about client certificates; `None`: no certificate is asked for.
    pub client_certificates: Option<Arc<dyn ClientCertificates>>,
    /// Whether who agrees on none of our application protocols may come without a certificate: it proves who it is by
    /// what it says later, or is refused then.
    pub optional_without_alpn: bool,
    /// Whether who agrees on `mqtt` may come without a certificate, too: a custom authorizer is asked about it.
    pub custom_authentication: bool,
    /// The application protocols we speak, best first; may be empty.
    pub alpn: Vec<Vec<u8>>,
    /// Whether sessions can be resumed.
    pub tickets: Tickets,
    /// Protocol versions.
    pub versions: Versions,
    /// The time that dates and tickets are compared with.
    pub clock: Arc<dyn Clock>,
}

/// The rustls configurations of one listener or domain configuration.
///
/// Each set has ticket keys of its own, so that a ticket never resumes a session under another account's rules.
#[derive(Debug, Clone)]
pub struct ServerConfigs {
    with_alpn: ByOrder,
    without_alpn: ByOrder,
    /// With `mqtt` alone, and without the need of a certificate.
    custom: Option<ByOrder>,
}

impl ServerConfigs {
    /// Makes a set; fails only for settings that contradict each other.
    pub fn new(settings: Settings) -> Result<Self, TlsError> {
        let builder = ServerConfig::builder_with_details(
            suites::provider(settings.versions),
            Arc::new(OurTime(Arc::clone(&settings.clock))),
        )
        .with_protocol_versions(settings.versions.supported())
        .map_err(TlsError::Settings)?;
        let verifier = |mandatory: bool| {
            let certificates = settings.client_certificates.clone()?;
            Some(Arc::new(Verifier { certificates, clock: Arc::clone(&settings.clock), mandatory }))
        };
        let of = |verifier: Option<Arc<Verifier>>| {
            let builder = match verifier {
                Some(verifier) => builder.clone().with_client_cert_verifier(verifier),
                None => builder.clone().with_no_client_auth(),
            };
            builder.with_cert_resolver(Arc::clone(&settings.names) as _)
        };
        let (mut with_alpn, mut without_alpn) = (of(verifier(true)), of(verifier(!settings.optional_without_alpn)));
        let mut custom = of(verifier(false));
        let ticketer = Arc::new(Ticketer::new(Arc::clone(&settings.clock)));
        for config in [&mut with_alpn, &mut without_alpn, &mut custom] {
            // Session ids would keep sessions on our side, and outlive what tickets may.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            let tickets = match settings.tickets {
                Tickets::Issued => {
                    config.ticketer = ticketer.clone();
                    1 // however many the client asks for (RFC 9149)
                }
                Tickets::Never => 0,
            };
            config.send_tls13_tickets = tickets;
            config.max_tls13_tickets = tickets;
        }
        with_alpn.alpn_protocols = settings.alpn;
        custom.alpn_protocols = vec![ALPN_MQTT.to_vec()];
        let custom = settings.custom_authentication.then(|| ByOrder::new(custom));
        Ok(Self { with_alpn: ByOrder::new(with_alpn), without_alpn: ByOrder::new(without_alpn), custom })
    }

    /// The configuration that refuses a client whose application protocols are all unknown to us.
    ///
    /// A client that offers none is accepted. Spec: RFC 7301, 3.2.
    pub fn strict(&self) -> Arc<ServerConfig> {
        Arc::clone(self.with_alpn.ours())
    }

    /// The configuration for this client: whatever it offers beside ours is tolerated, and answered with none.
    ///
    /// AWS: 8883 needs no ALPN, and clients that offer `x-amzn-mqtt-ca` or another there are accepted. One that offers `mqtt`, and
    /// nothing that stands for a certificate, means custom authentication.
    pub fn tolerant(&self, hello: &ClientHello) -> Arc<ServerConfig> {
        let offers = |protocol: &[u8]| hello.alpn().iter().any(|theirs| theirs == protocol);
        let certified = offers(ALPN_MQTT_CLIENT_CERTIFICATE) || offers(ALPN_HTTPS_CLIENT_CERTIFICATE);
        if let Some(custom) = self.custom.as_ref().filter(|_| offers(ALPN_MQTT) && !certified) {
            return Arc::clone(custom.of(hello));
        }
        let known = |ours: &Vec<u8>| hello.alpn().iter().any(|theirs| theirs == ours);
        let agreed = self.with_alpn.ours().alpn_protocols.iter().any(known);
        let config = if agreed { &self.with_alpn } else { &self.without_alpn };
        Arc::clone(config.of(hello))
    }
}
