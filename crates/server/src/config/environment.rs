//! Every key of the configuration has an environment variable: `mqtt.port` is `TIDEGATE_MQTT_PORT`,
//! `port` of the listener named `lab` is `TIDEGATE_MQTT_LISTENER_LAB_PORT`.

use std::{fmt::Display, str::FromStr};

use super::{Config, ConfigError, Listener};

const PREFIX: &str = "TIDEGATE_";
const LISTENER: &str = "MQTT_LISTENER_";

impl Config {
    /// Lets the variables of `environment` win over the file. Variables of other names are left alone.
    pub(super) fn override_from(
        &mut self,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<(), ConfigError> {
        for (name, value) in environment {
            let Some(key) = name.strip_prefix(PREFIX) else { continue };
            let set = match key.strip_prefix(LISTENER) {
                Some(rest) => self.set_listener(rest, &value),
                None => self.set(key, &value),
            };
            set.map_err(|message| ConfigError::Environment { name: name.clone(), message })?;
        }
        Ok(())
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "DATA" => self.data = value.into(),
            "FIRST_START_ACCOUNT_ID" => self.first_start.account_id = Some(parse(value)?),
            "FIRST_START_REGION" => self.first_start.region = parse(value)?,
            "SERVER_HOST_NAMES" => {
                self.server.host_names = value.split(',').map(|name| name.trim().to_owned()).collect();
            }
            "MQTT_ADDRESS" => self.mqtt.address = parse(value)?,
            "MQTT_PORT" => self.mqtt.port = parse(value)?,
            "MQTT_PROFILE" => self.mqtt.profile = word(value)?,
            "MQTT_WEBSOCKET" => self.mqtt.websocket = parse(value)?,
            "MQTT_HTTPS" => self.mqtt.https = parse(value)?,
            "MQTT_CORES" => self.mqtt.cores = parse(value)?,
            "MQTT_PERSISTENCE" => self.mqtt.persistence = parse(value)?,
            "MQTT_ENDPOINT_DOMAIN" => self.mqtt.endpoint_domain = value.to_owned(),
            "MQTT_SYS_INTERVAL_S" => self.mqtt.sys_interval_s = parse(value)?,
            "MQTT_PROPAGATION_DELAY_S" => self.mqtt.propagation_delay_s = toml::Spanned::new(0..0, parse(value)?),
            "API_ADDRESS" => self.api.address = parse(value)?,
            "API_PORT" => self.api.port = parse(value)?,
            "API_PLAIN_PORT" => self.api.plain_port = Some(parse(value)?),
            "TRANSFERS_EVENTS" => self.transfers.events = parse(value)?,
            "LOG_LEVEL" => self.log.level = value.to_owned(),
            "METRICS_ADDRESS" => self.metrics.address = parse(value)?,
            "METRICS_PORT" => self.metrics.port = Some(parse(value)?),
            "LOGS_RETENTION_DAYS" => self.logs.retention_days = parse(value)?,
            "LOGS_AUDIT_RETENTION_DAYS" => self.logs.audit_retention_days = parse(value)?,
            "LOGS_MIB_MAX" => self.logs.mib_max = parse(value)?,
            "LOG_FORMAT" => self.log.format = word(value)?,
            _ => {} // TIDEGATE_PID and its like come from tidegate.env
        }
        Ok(())
    }

    /// `rest` is `<NAME>_<KEY>`; the name is compared without case, with `-` as `_`.
    fn set_listener(&mut self, rest: &str, value: &str) -> Result<(), String> {
        let named = |listener: &&mut Listener| {
            let name = listener.name.to_ascii_uppercase().replace('-', "_");
            rest.strip_prefix(&name).is_some_and(|key| key.starts_with('_'))
        };
        let Some(listener) = self.mqtt.listener.iter_mut().find(named) else {
            return Err("there is no [[mqtt.listener]] of that name in the configuration".into());
        };
        match &rest[listener.name.len() + 1..] {
            "ADDRESS" => listener.address = parse(value)?,
            "PORT" => listener.port = parse(value)?,
            "TRANSPORT" => listener.transport = word(value)?,
            "PROFILE" => listener.profile = word(value)?,
            "WEBSOCKET" => listener.websocket = parse(value)?,
            "HTTPS" => listener.https = parse(value)?,
            "ANONYMOUS_POLICY" => {
                listener.anonymous_policy = (!value.is_empty()).then(|| toml::Spanned::new(0..0, value.to_owned()));
            }
            "INSECURE" => listener.insecure = parse(value)?,
            key => return Err(format!("a listener has no key {key}")),
        }
        Ok(())
    }
}

fn parse<T: FromStr<Err: Display>>(value: &str) -> Result<T, String> {
    value.parse().map_err(|error| format!("{value:?}: {error}"))
}

/// One of the words that the file uses for an enum.
fn word<T: for<'de> serde::Deserialize<'de>>(value: &str) -> Result<T, String> {
    use serde::de::{IntoDeserializer, value::Error};
    T::deserialize(IntoDeserializer::<Error>::into_deserializer(value)).map_err(|error| error.to_string())
}
