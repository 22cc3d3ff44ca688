//! `tidegate.env`: what a shell sources so that plain `aws iot …` talks to this broker.

use std::fmt::Write;

use zeroize::Zeroizing;

use crate::data_dir::{DataDir, DataDirError};

/// The values of the file. `Debug` is left out: one of them is a secret.
pub(crate) struct EnvFile {
    /// The running process.
    pub pid: u32,
    /// The account that the key belongs to.
    pub account_id: String,
    /// `https://host:port`
    pub api_url: String,
    /// A name in the server certificate.
    pub mqtt_host: String,
    /// The port of the first listener.
    pub mqtt_port: u16,
    /// The certificate that clients trust.
    pub ca_file: String,
    /// The administrator's key and its secret; `None` when somebody deleted it.
    pub key: Option<(String, Zeroizing<String>)>,
    /// Where the account's things are.
    pub region: String,
    /// Further listeners: name and port.
    pub listeners: Vec<(String, u16)>,
    /// The API's port without TLS, if it has one.
    pub api_plain_port: Option<u16>,
    /// Where monitoring asks, if it may.
    pub metrics_url: Option<String>,
}

impl EnvFile {
    /// Writes the file, mode 0600.
    pub(crate) fn write(&self, data: &DataDir) -> Result<(), DataDirError> {
        data.write("tidegate.env", self.text().as_bytes(), 0o600)
    }

    fn text(&self) -> String {
        let mut text = String::from("# Written by `tidegate serve` when it listens. Use it: . tidegate.env\n");
        let mut line = |name: &str, value: &str| {
            writeln!(text, "export {name}={}", quote(value)).expect("a string takes all that is written");
        };
        line("TIDEGATE_PID", &self.pid.to_string());
        line("TIDEGATE_ACCOUNT_ID", &self.account_id);
        line("TIDEGATE_API_URL", &self.api_url);
        line("TIDEGATE_MQTT_HOST", &self.mqtt_host);
        line("TIDEGATE_MQTT_PORT", &self.mqtt_port.to_string());
        line("TIDEGATE_CA_FILE", &self.ca_file);
        line("AWS_ENDPOINT_URL", &self.api_url);
        if let Some((id, secret)) = &self.key {
            line("AWS_ACCESS_KEY_ID", id);
            line("AWS_SECRET_ACCESS_KEY", secret);
        }
        line("AWS_DEFAULT_REGION", &self.region);
        line("AWS_CA_BUNDLE", &self.ca_file);
        for (name, port) in &self.listeners {
            let name = name.to_ascii_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_");
            line(&format!("TIDEGATE_MQTT_LISTENER_{name}_PORT"), &port.to_string());
        }
        if let Some(port) = self.api_plain_port {
            line("TIDEGATE_API_PLAIN_URL", &format!("http://127.0.0.1:{port}"));
        }
        if let Some(url) = &self.metrics_url {
            line("TIDEGATE_METRICS_URL", url);
        }
        text
    }
}

/// `value` as one word of a POSIX shell.
fn quote(value: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-./:@+=,".contains(&b);
    if !value.is_empty() && value.bytes().all(plain) {
        value.to_owned()
    } else {
        format!("'{}'", value.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_the_shell() {
        for (value, quoted) in [
            ("https://localhost:9443", "https://localhost:9443"),
            ("", "''"),
            ("/my data/ca.pem", "'/my data/ca.pem'"),
            ("a'b", r"'a'\''b'"),
            ("$HOME`x`", "'$HOME`x`'"),
        ] {
            assert_eq!(quote(value), quoted);
        }
    }
}
