//! What a fleet does: groups of devices, in TOML. Unknown keys are refused with line and column.

mod group;
mod values;

use std::{collections::HashSet, fmt, ops::Range, path::PathBuf};

use serde::Deserialize;
use toml::Spanned;

pub use group::{Churn, Group, ProtocolVersion, Publication, Retry, Subscription};
pub use values::{ConnectRate, Period, Share, Sources};

/// Longest scenario, in bytes.
const SCENARIO_BYTES_MAX: usize = 1024 * 1024;

/// A scenario that holds together.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// How long devices go on once all of them have been in.
    pub duration: Period,
    /// How long all devices may take to come in first; then the run goes on without the others.
    pub ramp: Period,
    /// How long to wait, after the last publication, for what is still on its way.
    pub settle: Period,
    /// The same seed gives the same phases, pauses and payloads.
    pub seed: u64,
    /// Threads; as many as cores when absent.
    pub threads: Option<u8>,
    /// Where the broker is.
    pub broker: Place,
    /// The devices.
    pub groups: Vec<Group>,
    /// Moments at which many reconnect.
    pub storms: Vec<Storm>,
}

/// Where the broker is and how it is reached; what is absent comes from the command line or the environment.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Place {
    /// Host name or address; `TIDEGATE_MQTT_HOST` when absent.
    pub host: Option<String>,
    /// Port; `TIDEGATE_MQTT_PORT` when absent, else 8883 with TLS and 1883 without.
    pub port: Option<u16>,
    /// TLS, or nothing.
    pub transport: Transport,
    /// The certificates to trust, as PEM; `TIDEGATE_CA_FILE` when absent.
    pub ca: Option<PathBuf>,
    /// The name in SNI and in the broker's certificate, when it is not `host`.
    pub server_name: Option<String>,
    /// The protocol to ask for in the handshake, such as `x-amzn-mqtt-ca` on port 443.
    pub alpn: Option<String>,
    /// Do not check the broker's certificate.
    pub insecure: bool,
}

/// What carries MQTT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// TLS, with the device's certificate when the group has identities.
    #[default]
    Tls,
    /// TCP without anything.
    Plain,
}

/// Many connections end at one moment, and come back.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storm {
    /// When, after all devices have been in.
    pub at: Period,
    /// Which part of the devices.
    #[serde(default = "all")]
    pub share: Share,
    /// Of which groups; of all when absent.
    #[serde(default)]
    pub groups: Vec<Spanned<String>>,
    /// Without DISCONNECT, as when a network fails.
    #[serde(default = "yes")]
    pub abrupt: bool,
    /// How long each stays away.
    #[serde(default)]
    pub pause: Option<Period>,
}

fn all() -> Share {
    Share(1.0)
}

fn yes() -> bool {
    true
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default = "a_minute")]
    duration: Period,
    #[serde(default = "ten_minutes")]
    ramp: Period,
    #[serde(default = "half_a_minute")]
    settle: Period,
    #[serde(default)]
    seed: u32,
    threads: Option<Spanned<u8>>,
    #[serde(default)]
    broker: Place,
    group: Vec<Spanned<Group>>,
    #[serde(default)]
    storm: Vec<Spanned<Storm>>,
}

fn a_minute() -> Period {
    Period::seconds(60)
}

fn ten_minutes() -> Period {
    Period::seconds(600)
}

fn half_a_minute() -> Period {
    Period::seconds(30)
}

/// What is wrong with a scenario, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioError {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for ScenarioError {}

impl ScenarioError {
    fn at(text: &str, span: Option<Range<usize>>, message: impl Into<String>) -> Self {
        let start = span.map_or(0, |span| span.start).min(text.len());
        let before = text.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message: message.into().lines().map(str::trim).collect::<Vec<_>>().join(" "),
        }
    }
}

impl Scenario {
    /// Reads a scenario.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let at = |span, message: String| ScenarioError::at(text, Some(span), message);
        if text.len() > SCENARIO_BYTES_MAX {
            return Err(ScenarioError::at("", None, "the scenario is longer than 1 MiB"));
        }
        let written: Written =
            toml::from_str(text).map_err(|error| ScenarioError::at(text, error.span(), error.message()))?;
        if written.group.is_empty() {
            return Err(ScenarioError::at("", None, "there is no [[group]] of devices"));
        }
        if let Some(threads) = written.threads.as_ref().filter(|threads| !(1..=64).contains(threads.get_ref())) {
            return Err(at(threads.span(), "threads: 1 to 64".into()));
        }
        let mut names = HashSet::new();
        for group in &written.group {
            group.get_ref().check().map_err(|problem| at(group.span(), problem))?;
            if !names.insert(group.get_ref().name.as_str()) {
                return Err(at(group.span(), format!("two groups have the name {:?}", group.get_ref().name)));
            }
        }
        for storm in &written.storm {
            if storm.get_ref().at > written.duration {
                return Err(at(storm.span(), format!("the storm comes after the end, which is {}", written.duration)));
            }
            for name in &storm.get_ref().groups {
                if !names.contains(name.get_ref().as_str()) {
                    return Err(at(name.span(), format!("there is no group {:?}", name.get_ref())));
                }
            }
        }
        Ok(Self {
            duration: written.duration,
            ramp: written.ramp,
            settle: written.settle,
            seed: written.seed.into(),
            threads: written.threads.map(Spanned::into_inner),
            broker: written.broker,
            groups: written.group.into_iter().map(Spanned::into_inner).collect(),
            storms: written.storm.into_iter().map(Spanned::into_inner).collect(),
        })
    }

    /// How many devices there are.
    pub fn devices(&self) -> usize {
        self.groups.iter().map(|group| group.count as usize).sum()
    }
}

#[cfg(test)]
mod tests;
