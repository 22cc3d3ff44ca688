//! How long changes take to the devices' edge: only where all of the edge has AWS's manners.

use std::{path::Path, time::Duration};

use super::{Config, ConfigError, Profile, Transport, anonymous_policy::line_column};

/// The longest delay. AWS: policies take 6 to 8 minutes.
const SECONDS_MAX: u32 = 15 * 60;

impl Config {
    /// How long; zero: not at all.
    pub(crate) fn propagation_delay(&self) -> Duration {
        Duration::from_secs((*self.mqtt.propagation_delay_s.as_ref()).into())
    }

    /// Refuses a delay that is too long, or that a listener of profile `standard` would have too; `configuration` is the text of the
    /// file `path`.
    pub(super) fn check_propagation(&self, path: &Path, configuration: &str) -> Result<(), ConfigError> {
        let setting = &self.mqtt.propagation_delay_s;
        let seconds = *setting.as_ref();
        let wrong = if seconds > SECONDS_MAX {
            format!("{seconds} is too long: it lies between 0 and {SECONDS_MAX} seconds")
        } else if seconds > 0
            && let Some((name, remedy)) = self.standard_listener()
        {
            format!(
                "changes take their time in the manners of AWS only, and {name} has profile = \"standard\": {remedy}, or set 0, \
                 so that changes count at once"
            )
        } else {
            return Ok(());
        };
        let span = setting.span();
        // What the environment says is nowhere in the file.
        let at = if span.is_empty() {
            "environment variable TIDEGATE_MQTT_PROPAGATION_DELAY_S".to_owned()
        } else {
            let (line, column) = line_column(configuration, span.start);
            format!("{}, line {line}, column {column}: mqtt.propagation_delay_s", path.display())
        };
        Err(ConfigError::Conflict(format!("{at}: {wrong}")))
    }

    /// A TLS listener that is not like AWS, and what makes it so. Who comes in without TLS has no certificate.
    fn standard_listener(&self) -> Option<(String, String)> {
        if self.mqtt.profile == Profile::Standard {
            return Some(("the first listener".into(), "set profile = \"aws\" in [mqtt]".into()));
        }
        let mut more = self.mqtt.listener.iter().filter(|listener| listener.transport == Transport::Tls);
        let listener = more.find(|listener| listener.profile == Profile::Standard)?;
        Some((format!("mqtt.listener {:?}", listener.name), "set profile = \"aws\" there".into()))
    }
}
