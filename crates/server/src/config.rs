//! The configuration: one TOML file, every key of which an environment variable can override.
//!
//! Unknown keys are refused with line and column: a misspelt key that is silently ignored is the worst kind.

mod anonymous_policy;
mod certificates;
mod environment;
mod functions;
mod outgoing;
mod propagation;
#[cfg(test)]
mod tests;

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::Deserialize;
use tidegate_ids::{AccountId, Region};
use tidegate_policy::Document;
use toml::Spanned;

pub(crate) use certificates::Certificate;
pub(crate) use functions::{Authorizers, Function, OpenFunction, Target};
pub(crate) use outgoing::{Outgoing, Place};

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
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Server {
    /// Host names and addresses of the server certificate; `localhost` and the machine's name when empty.
    pub host_names: Vec<String>,
}

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

/// What the receiver of a certificate is told when another account offers it, or takes the offer back.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Transfers {
    /// Whether its clients get an event, on `$tidegate/events/certificates/…`.
    pub events: bool,
    /// Receivers that are called, one an account.
    pub webhook: Vec<Webhook>,
}

/// An account that is called.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Webhook {
    /// Whose.
    pub account_id: AccountId,
    /// Where a POST goes.
    pub url: String,
    /// A file with the secret that calls are signed with, from the configuration's folder; not signed when absent.
    pub secret_file: Option<PathBuf>,
    /// A file with the PEM certificates that TLS believes, from the configuration's folder; the system's when absent.
    pub ca_file: Option<PathBuf>,
    /// Allows a URL that leads to this machine or to a private network.
    #[serde(default)]
    pub private_addresses: bool,
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Log {
    /// `error`, `warn`, `info`, `debug`, or directives such as `info,tidegate::connections=debug`.
    pub level: String,
    /// Text on a terminal and JSON lines elsewhere, unless said.
    pub format: LogFormat,
}

/// What is kept of what happened: the log groups of `aws logs`, and refusals for `tidegate why`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Logs {
    /// Days that entries are kept.
    pub retention_days: u32,
    /// Mebibytes of each log group of an account in a region, and of its refusals; the oldest go first.
    pub mib_max: u64,
    /// Days that records of the audit trail are kept.
    pub audit_retention_days: u32,
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

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: "./data".into(),
            first_start: FirstStart::default(),
            server: Server { host_names: Vec::new() },
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

#[allow(clippy::derivable_impls)] // the defaults stand together, in one place
impl Default for Server {
    fn default() -> Self {
        Self { host_names: Vec::new() }
    }
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

impl Default for Api {
    fn default() -> Self {
        Self { address: [127, 0, 0, 1].into(), port: 9443, plain_port: None }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".into(), format: LogFormat::Auto }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self { address: [127, 0, 0, 1].into(), port: None }
    }
}

impl Default for Logs {
    fn default() -> Self {
        Self { retention_days: 30, mib_max: 64, audit_retention_days: 365 }
    }
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is not what it should be; the message has line and column.
    #[error("{}: {message}", path.display())]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// What is wrong, and where.
        message: String,
    },
    /// An environment variable has a value of the wrong kind.
    #[error("environment variable {name}: {message}")]
    Environment {
        /// Which variable.
        name: String,
        /// What is wrong.
        message: String,
    },
    /// A policy document cannot be read, or is none.
    #[error("{at}: {message}")]
    Policy {
        /// The file, with line and column where they are known; for a document within the configuration, which setting.
        at: String,
        /// What is wrong.
        message: String,
    },
    /// Two settings do not go together, or one is dangerous.
    #[error("{0}")]
    Conflict(String),
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
            let Listener { name, address, .. } = listener;
            if name.is_empty() {
                return Err(ConfigError::Conflict("a [[mqtt.listener]] has an empty name".into()));
            }
            if listener.transport == Transport::Plain && !address.is_loopback() && !listener.insecure {
                return Err(ConfigError::Conflict(format!(
                    "mqtt.listener {name:?} would let anybody who reaches {address} {}: listen on 127.0.0.1, use \
                     transport = \"tls\", or set insecure = true if the network is trusted",
                    if listener.anonymous_policy.is_some() {
                        "in without a key, and read what others send"
                    } else {
                        "do anything in the account"
                    }
                )));
            }
            if listener.transport == Transport::Plain && listener.https {
                return Err(ConfigError::Conflict(format!(
                    "mqtt.listener {name:?} has https = true and transport = \"plain\", where no certificate says who publishes"
                )));
            }
            if listener.transport == Transport::Tls && listener.anonymous_policy.is_some() {
                return Err(ConfigError::Conflict(format!(
                    "mqtt.listener {name:?} has an anonymous_policy and transport = \"tls\", where nobody is anonymous: its \
                     clients have the policies of their certificates"
                )));
            }
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

impl Transfers {
    fn check(&self) -> Result<(), ConfigError> {
        let mut accounts: Vec<_> = self.webhook.iter().map(|webhook| webhook.account_id).collect();
        accounts.sort_unstable();
        match accounts.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(ConfigError::Conflict(format!("two [[transfers.webhook]] are of account {}", pair[0]))),
            None => Ok(()),
        }
    }

    /// The webhooks with what their files hold; `configuration` is the path of the file that names them.
    pub(crate) fn open(
        &self,
        configuration: Option<&Path>,
        limits: tidegate_outbound::Limits,
    ) -> Result<Vec<(AccountId, Outgoing)>, ConfigError> {
        let folder = configuration.and_then(Path::parent).unwrap_or(Path::new(""));
        let open = |webhook: &Webhook| {
            let setting = format!("transfers.webhook of account {}", webhook.account_id);
            let place = Place {
                url: &webhook.url,
                secret_file: webhook.secret_file.as_deref(),
                ca_file: webhook.ca_file.as_deref(),
                private_addresses: webhook.private_addresses,
            };
            Ok((webhook.account_id, Outgoing::open(place, &setting, folder, limits)?))
        };
        self.webhook.iter().map(open).collect()
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
