//! What the gateway is told about listeners and limits.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tidegate_broker::Profile;
use tidegate_ids::Tenant;
use tidegate_policy::PolicySet;
use tidegate_registry::{AUTO_REGISTRATIONS_PER_SECOND_AWS, Limits};

use crate::SysTopics;

pub use crate::half_open::HalfOpenLimits;

/// Listeners and limits of a gateway.
#[derive(Debug, Clone)]
pub struct GatewayConfig {
    /// Where devices may connect; none is legal.
    pub listeners: Vec<ListenerConfig>,
    /// Connections in all, half-open ones included. At the limit the listeners pause and half-open connections go.
    ///
    /// Should leave some descriptors of the process's limit for store, API and peers.
    pub connections_max: usize,
    /// Connections that have not sent a whole CONNECT.
    pub half_open: HalfOpenLimits,
    /// Longest CONNECT in bytes; a shorter limit of a listener's profile counts too. Nobody knows yet whose it is.
    ///
    /// MQTT allows five fields of 65 535 bytes in it; an ordinary one, with its Will, has less than one of those.
    pub connect_bytes_max: usize,
    /// How long a connection may take from accept to the last byte of its CONNECT.
    pub connect_deadline: Duration,
    /// Figures of the process in `$SYS/broker/…`; `None`: nowhere.
    pub sys: Option<SysTopics>,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            listeners: Vec::new(),
            connections_max: 100_000,
            half_open: HalfOpenLimits::default(),
            connect_bytes_max: 256 * 1024,
            connect_deadline: Duration::from_secs(10),
            sys: None,
        }
    }
}

/// One address devices may connect to.
#[derive(Debug, Clone)]
pub struct ListenerConfig {
    /// Its name in the configuration, in errors and in logs.
    pub name: Box<str>,
    /// Where it listens; port 0 is any free one. `[::]` takes IPv4 too.
    pub address: SocketAddr,
    /// What lies below MQTT.
    pub transport: Transport,
    /// Whether a client that begins with an HTTP request may go on with MQTT over WebSocket; others speak MQTT as ever.
    pub websocket: bool,
    /// Whether a client with a certificate that begins with an HTTP request, or agrees on `x-amzn-http-ca` by ALPN, may publish and ask
    /// for shadows by HTTPS. Not without TLS.
    pub https: bool,
    /// How MQTT is spoken.
    pub profile: Arc<Profile>,
    /// What a client hears whose CONNECT is refused for who it is.
    pub refusals: Refusals,
}

/// What lies below MQTT on a listener.
#[derive(Debug, Clone)]
pub enum Transport {
    /// TLS 1.2 or 1.3; the client must show a certificate.
    Tls(TlsSettings),
    /// Nothing, and nobody proves who they are: for loopback and trusted networks. Who listens decides that; the
    /// gateway does not look at the address.
    Plain {
        /// The tenant all its connections belong to.
        tenant: Tenant,
        /// What they may do in it; `None`: everything. Variables of the connection are bound, those of certificates and
        /// things have no values.
        policies: Option<PolicySet>,
    },
}

/// TLS on one listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TlsSettings {
    /// Whether clients get session tickets. A resumed session is checked against the registry like a new one.
    /// AWS: none.
    pub session_tickets: bool,
    /// Whether an unknown certificate is registered although the client names no server (SNI); its account is then
    /// found by its issuer. AWS: devices must send SNI to be registered.
    pub registers_without_server_name: bool,
    /// How many unknown certificates may register themselves. AWS: 15 a second in each account and region.
    pub registration: Limits,
}

impl TlsSettings {
    /// Tickets, no server name needed, and no limit on registrations.
    pub fn standard() -> Self {
        Self { session_tickets: true, registers_without_server_name: true, registration: Limits::default() }
    }

    /// As AWS IoT Core.
    pub fn aws() -> Self {
        let registration = Limits { auto_registrations_per_second: Some(AUTO_REGISTRATIONS_PER_SECOND_AWS) };
        Self { session_tickets: false, registers_without_server_name: false, registration }
    }
}

/// What a client hears whose CONNECT is refused because of its certificate's state or its policies.
///
/// Both ways the refusal is in the log with its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusals {
    /// Nothing: the connection is closed without CONNACK. AWS: so for 3.1.1; Unverified for 5.0.
    Silent,
    /// MQTT 5 clients get CONNACK 0x87 with a reason string; 3.1.1 clients CONNACK 5.
    Explained,
}
