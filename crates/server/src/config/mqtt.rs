//! `[mqtt]` and `[[mqtt.listener]]`: the devices' edge.

use std::{net::IpAddr, sync::Arc};

use serde::Deserialize;
use tidegate_policy::Document;
use toml::Spanned;

use super::ConfigError;

/// The devices' edge.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Mqtt {
    /// Where the first listener listens; it speaks MQTT over TLS with client certificates.
    pub address: IpAddr,
    /// Its port; 0 takes any free one.
    pub port: u16,
    /// Whose manners it has.
    pub profile: Profile,
    /// Whether the first listener takes MQTT over WebSocket too, at `/mqtt`.
    pub websocket: bool,
    /// Whether the first listener takes what devices publish, and ask of shadows, by HTTPS too.
    pub https: bool,
    /// Core threads that carry connections; as many as the machine has when 0.
    pub cores: u16,
    /// Whether sessions that outlive their connection, their messages, and retained messages survive the process.
    pub persistence: bool,
    /// `<prefix>-ats.iot.<region>.<endpoint_domain>` becomes each account's endpoint, chosen by SNI; none when empty.
    pub endpoint_domain: String,
    /// Seconds between two reports in `$SYS/broker/…`, in the first account; none when 0.
    pub sys_interval_s: u32,
    /// Seconds until what is changed of certificates, CA certificates, policies, things and thing groups counts for devices.
    pub propagation_delay_s: Spanned<u32>,
    /// More listeners.
    pub listener: Vec<Listener>,
}

impl Default for Mqtt {
    fn default() -> Self {
        Self {
            address: [0, 0, 0, 0].into(),
            port: 8883,
            profile: Profile::Standard,
            websocket: false,
            https: false,
            cores: 0,
            persistence: true,
            endpoint_domain: String::new(),
            sys_interval_s: 10,
            propagation_delay_s: Spanned::new(0..0, 0),
            listener: Vec::new(),
        }
    }
}

/// One more place where devices connect.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listener {
    /// For messages and logs.
    pub name: String,
    /// Where it listens.
    pub address: IpAddr,
    /// Its port; 0 takes any free one.
    pub port: u16,
    /// With or without TLS.
    #[serde(default)]
    pub transport: Transport,
    /// Whose manners it has.
    #[serde(default)]
    pub profile: Profile,
    /// Whether MQTT over WebSocket is taken too, at `/mqtt`.
    #[serde(default)]
    pub websocket: bool,
    /// Whether devices may publish, and ask for shadows, by HTTPS too; only with TLS.
    #[serde(default)]
    pub https: bool,
    /// What the anonymous clients of `transport = "plain"` may do: a policy document, which begins with `{`, or the path of a
    /// file with one, from the configuration's folder. Anything in the first account when absent.
    pub anonymous_policy: Option<Spanned<String>>,
    /// The document, once it is read.
    #[serde(skip)]
    pub policy: Option<Arc<Document>>,
    /// Allows `transport = "plain"` on an address that is not loopback: whoever reaches it needs no key, and nothing is
    /// encrypted.
    #[serde(default)]
    pub insecure: bool,
}

impl Listener {
    /// Refuses what would start but not be meant.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let Self { name, address, .. } = self;
        if name.is_empty() {
            return Err(ConfigError::Conflict("a [[mqtt.listener]] has an empty name".into()));
        }
        if self.transport == Transport::Plain && !address.is_loopback() && !self.insecure {
            return Err(ConfigError::Conflict(format!(
                "mqtt.listener {name:?} would let anybody who reaches {address} {}: listen on 127.0.0.1, use \
                 transport = \"tls\", or set insecure = true if the network is trusted",
                if self.anonymous_policy.is_some() {
                    "in without a key, and read what others send"
                } else {
                    "do anything in the account"
                }
            )));
        }
        if self.transport == Transport::Plain && self.https {
            return Err(ConfigError::Conflict(format!(
                "mqtt.listener {name:?} has https = true and transport = \"plain\", where no certificate says who publishes"
            )));
        }
        if self.transport == Transport::Tls && self.anonymous_policy.is_some() {
            return Err(ConfigError::Conflict(format!(
                "mqtt.listener {name:?} has an anonymous_policy and transport = \"tls\", where nobody is anonymous: its \
                 clients have the policies of their certificates"
            )));
        }
        Ok(())
    }
}

/// With or without TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Transport {
    /// TLS with client certificates.
    #[default]
    Tls,
    /// No TLS, anonymous clients.
    Plain,
}

/// Whose manners a listener has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Profile {
    /// All of MQTT 3.1.1 and 5.0, and reasons in the answers.
    #[default]
    Standard,
    /// AWS IoT Core's limits and quirks.
    Aws,
}
