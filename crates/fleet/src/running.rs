//! Where a running broker is.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

use crate::FleetError;

const PID: &str = "TIDEGATE_PID";
const ACCOUNT: &str = "TIDEGATE_ACCOUNT_ID";
const API: &str = "TIDEGATE_API_URL";
const HOST: &str = "TIDEGATE_MQTT_HOST";
const PORT: &str = "TIDEGATE_MQTT_PORT";
const CA: &str = "TIDEGATE_CA_FILE";
const KEY: &str = "AWS_ACCESS_KEY_ID";
const SECRET: &str = "AWS_SECRET_ACCESS_KEY";
const REGION: &str = "AWS_DEFAULT_REGION";

/// Where a running broker is, as its `tidegate.env` says.
#[derive(Clone)]
pub struct Running {
    /// Its process.
    pub pid: u32,
    /// Account of the key.
    pub account_id: String,
    /// Host name of the API.
    pub api_host: String,
    /// Port of the API.
    pub api_port: u16,
    /// Host name for devices.
    pub mqtt_host: String,
    /// Port for devices.
    pub mqtt_port: u16,
    /// The certificate to trust.
    pub ca_file: PathBuf,
    /// The administrator's key.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: String,
    /// Region of the account.
    pub region: String,
    values: HashMap<String, String>,
}

impl Running {
    /// Reads `tidegate.env` in `data`.
    pub fn read(data: &Path) -> Result<Self, FleetError> {
        let text = fs::read_to_string(data.join("tidegate.env"))
            .map_err(|source| FleetError::NotRunning { data: data.to_owned(), source })?;
        Self::parse(&text)
    }

    /// Reads the text of a `tidegate.env`.
    pub fn parse(text: &str) -> Result<Self, FleetError> {
        let values: HashMap<String, String> = text.lines().filter_map(assignment).collect();
        Self::of(values, FleetError::NotSaid)
    }

    /// From the variables of this process's environment, after `. data/tidegate.env`.
    pub fn from_environment(environment: impl Fn(&str) -> Option<String>) -> Result<Self, FleetError> {
        let names = [PID, ACCOUNT, API, HOST, PORT, CA, KEY, SECRET, REGION];
        let values = names.iter().filter_map(|name| Some(((*name).to_owned(), environment(name)?))).collect();
        Self::of(values, FleetError::NotInEnvironment)
    }

    fn of(values: HashMap<String, String>, missing: fn(&'static str) -> FleetError) -> Result<Self, FleetError> {
        let value = |name: &'static str| values.get(name).cloned().ok_or_else(|| missing(name));
        let url = value(API)?;
        let (api_host, api_port) = url
            .strip_prefix("https://")
            .and_then(|rest| rest.rsplit_once(':'))
            .ok_or_else(|| FleetError::Unusable { name: API, value: url.clone(), expected: "https://host:port" })?;
        Ok(Self {
            pid: number(PID, value(PID)?)?,
            account_id: value(ACCOUNT)?,
            api_host: api_host.to_owned(),
            api_port: number(API, api_port.to_owned())?,
            mqtt_host: value(HOST)?,
            mqtt_port: number(PORT, value(PORT)?)?,
            ca_file: value(CA)?.into(),
            access_key_id: value(KEY)?,
            secret_access_key: value(SECRET)?,
            region: value(REGION)?,
            values,
        })
    }

    /// The port of a further listener, by its name in the configuration.
    pub fn listener_port(&self, name: &str) -> Result<u16, FleetError> {
        const VARIABLE: &str = "TIDEGATE_MQTT_LISTENER_…_PORT";
        let name = name.to_ascii_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        let value = self.values.get(&format!("TIDEGATE_MQTT_LISTENER_{name}_PORT"));
        number(VARIABLE, value.cloned().ok_or(FleetError::NotSaid(VARIABLE))?)
    }

    /// What a client has to trust.
    pub fn roots(&self) -> Result<RootCertStore, FleetError> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(&self.ca_file)? {
            roots.add(certificate?)?;
        }
        Ok(roots)
    }
}

fn number<N: std::str::FromStr>(name: &'static str, value: String) -> Result<N, FleetError> {
    value.parse().map_err(|_| FleetError::Unusable { name, value, expected: "a number in range" })
}

/// `export NAME=VALUE`, unquoted as far as the broker quotes.
fn assignment(line: &str) -> Option<(String, String)> {
    let (name, value) = line.strip_prefix("export ")?.split_once('=')?;
    let value = match value.strip_prefix('\'').and_then(|v| v.strip_suffix('\'')) {
        Some(quoted) => quoted.replace(r"'\''", "'"),
        None => value.to_owned(),
    };
    Some((name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENV: &str = r"# Written by `tidegate serve` when it listens. Use it: . tidegate.env
export TIDEGATE_PID=42
export TIDEGATE_ACCOUNT_ID=123456789012
export TIDEGATE_API_URL=https://localhost:9443
export TIDEGATE_MQTT_HOST=localhost
export TIDEGATE_MQTT_PORT=8883
export TIDEGATE_CA_FILE='/my data/ca.pem'
export AWS_ENDPOINT_URL=https://localhost:9443
export AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE
export AWS_SECRET_ACCESS_KEY=secret
export AWS_DEFAULT_REGION=us-east-1
export TIDEGATE_MQTT_LISTENER_LAB_1_PORT=1883
";

    #[test]
    fn assignments_are_read_as_a_shell_would() {
        for (line, expected) in [
            ("export A=b", Some(("A", "b"))),
            (r"export A='it'\''s'", Some(("A", "it's"))),
            ("export A='a b'", Some(("A", "a b"))),
            ("export A=", Some(("A", ""))),
            ("# comment", None),
            ("A=b", None),
        ] {
            assert_eq!(assignment(line), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
    }

    #[test]
    fn a_broker_is_found_by_its_file() {
        let running = Running::parse(ENV).unwrap();
        assert_eq!((running.pid, running.api_host.as_str(), running.api_port), (42, "localhost", 9443));
        assert_eq!((running.mqtt_host.as_str(), running.mqtt_port), ("localhost", 8883));
        assert_eq!(running.ca_file, Path::new("/my data/ca.pem"));
        assert_eq!(running.listener_port("lab-1").unwrap(), 1883);
        assert!(running.listener_port("other").is_err());
    }

    #[test]
    fn a_file_that_lacks_or_garbles_a_value_is_refused() {
        for line in ENV.lines().filter(|line| line.starts_with("export") && !line.contains("LISTENER")) {
            let without = ENV.replace(&format!("{line}\n"), "");
            let optional = line.contains("AWS_ENDPOINT_URL");
            assert_eq!(Running::parse(&without).is_ok(), optional, "without {line}");
        }
        for (good, bad) in [("=8883", "=88830"), ("=https://", "=http://"), (":9443", ":x"), ("=42", "=-1")] {
            assert!(Running::parse(&ENV.replace(good, bad)).is_err(), "{bad}");
        }
    }
}
