//! The configuration: one TOML file, every key of which an environment variable can override.
//!
//! Unknown keys are refused with line and column: a misspelt key that is silently ignored is the worst kind.

mod anonymous_policy;
mod certificates;
mod environment;
mod error;
mod functions;
mod log;
mod mqtt;
mod outgoing;
mod propagation;
#[cfg(test)]
mod tests;
mod transfers;

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::Deserialize;
use tidegate_ids::{AccountId, Region};

pub(crate) use certificates::Certificate;
pub(crate) use error::ConfigError;
pub(crate) use functions::{Authorizers, Function, OpenFunction, Target};
pub(crate) use log::{Log, LogFormat, Logs};
pub(crate) use mqtt::{Listener, Mqtt, Profile, Transport};
pub(crate) use outgoing::{Outgoing, Place};
pub(crate) use transfers::Transfers;

/// Everything that can be configured, with its defaults.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// The data directory: store, keys, admin socket, `tidegate.env`.
    pub data: PathBuf,
    /// What the first start makes.
    pub first_start: FirstStart,
    /// The broker's own names, in its server certificate.
    pub server: Server,
    /// The devices' edge.
    pub mqtt: Mqtt,
    /// The operators' edge.
    pub api: Api,
    /// What receivers of certificates are told.
    pub transfers: Transfers,
    /// What holds of all custom authorizers.
    pub authorizers: Authorizers,
    /// Server certificates that domain configurations name.
    pub certificate: Vec<Certificate>,
    /// The functions that custom authorizers name.
    pub function: Vec<Function>,
    /// What is logged, and how.
    pub log: Log,
    /// What is kept of what happened.
    pub logs: Logs,
    /// Where monitoring asks.
    pub metrics: Metrics,
}

/// Read once, when the data directory is new; later starts ignore it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct FirstStart {
    /// The account that is made; drawn at random when absent.
    pub account_id: Option<AccountId>,
    /// The region written to `tidegate.env`. Each region of an account is a world of its own.
    pub region: Region,
}

/// The broker's own names.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Server {
    /// Host names and addresses of the server certificate; `localhost` and the machine's name when empty.
    pub host_names: Vec<String>,
}

/// The operators' edge.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Api {
    /// Where the HTTPS API listens.
    pub address: IpAddr,
    /// Its port; 0 takes any free one.
    pub port: u16,
    /// A second port without TLS, on 127.0.0.1 only; none when absent.
    pub plain_port: Option<u16>,
}

/// Where monitoring asks: `/metrics`, `/healthz`, `/readyz` over HTTP, without a key.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Metrics {
    /// Where it listens.
    pub address: IpAddr,
    /// Its port; 0 takes any free one. It does not listen when absent.
    pub port: Option<u16>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: "./data".into(),
            first_start: FirstStart::default(),
            server: Server::default(),
            mqtt: Mqtt::default(),
            api: Api::default(),
            transfers: Transfers::default(),
            authorizers: Authorizers::default(),
            certificate: Vec::new(),
            function: Vec::new(),
            log: Log::default(),
            logs: Logs::default(),
            metrics: Metrics::default(),
        }
    }
}

impl Default for FirstStart {
    fn default() -> Self {
        Self { account_id: None, region: "us-east-1".parse().expect("a region") }
    }
}

impl Default for Api {
    fn default() -> Self {
        Self { address: [127, 0, 0, 1].into(), port: 9443, plain_port: None }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self { address: [127, 0, 0, 1].into(), port: None }
    }
}

impl Config {
    /// The configuration from `file` (the defaults when there is none), overridden by `environment`, checked.
    pub(crate) fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let text = match file {
            None => String::new(),
            Some(path) => std::fs::read_to_string(path)
                .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?,
        };
        let path = file.unwrap_or(Path::new(""));
        let mut config =
            Self::parse(&text).map_err(|message| ConfigError::Invalid { path: path.to_owned(), message })?;
        config.override_from(environment)?;
        config.check()?;
        config.check_propagation(path, &text)?;
        for listener in &mut config.mqtt.listener {
            listener.policy = anonymous_policy::read(listener, path, &text)?.map(Arc::new);
        }
        Ok(config)
    }

    /// Text to values; the error has line and column.
    fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())
    }

    /// Refuses what would start but not be meant.
    fn check(&self) -> Result<(), ConfigError> {
        for listener in &self.mqtt.listener {
            listener.check()?;
        }
        let mut names: Vec<_> = self.mqtt.listener.iter().map(|listener| &listener.name).collect();
        self.transfers.check()?;
        self.authorizers.check()?;
        functions::check(&self.function)?;
        certificates::check(&self.certificate)?;
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(ConfigError::Conflict(format!("two listeners are named {:?}", pair[0])));
        }
        if let Some(name) = self.server.host_names.iter().find(|name| !is_host_name(name)) {
            return Err(ConfigError::Conflict(format!("server.host_names: {name:?} is no host name or address")));
        }
        if !self.mqtt.endpoint_domain.is_empty() && !is_host_name(&self.mqtt.endpoint_domain) {
            return Err(ConfigError::Conflict(format!(
                "mqtt.endpoint_domain: {:?} is no domain name",
                self.mqtt.endpoint_domain
            )));
        }
        Ok(())
    }
}

/// Whether `text` is an address, or a name of at most 253 letters, digits, hyphens and dots.
fn is_host_name(text: &str) -> bool {
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    text.parse::<IpAddr>().is_ok() || (text.len() <= 253 && text.split('.').all(label))
}
