//! The broker that the demonstration plays against: one that runs already, or one of its own.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

/// How long a broker may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a running broker is, as its `tidegate.env` says.
#[derive(Clone)]
pub struct Running {
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
}

impl Running {
    /// Reads `tidegate.env` in `data`.
    pub fn read(data: &Path) -> Result<Self> {
        let path = data.join("tidegate.env");
        let text = fs::read_to_string(&path).with_context(|| {
            format!(
                "no broker runs on {} (there is no {}): start one with `tidegate serve --data {0}`",
                data.display(),
                path.display()
            )
        })?;
        let values: HashMap<&str, String> = text.lines().filter_map(assignment).collect();
        let value =
            |name: &str| values.get(name).cloned().with_context(|| format!("{} does not say {name}", path.display()));
        let url = value("TIDEGATE_API_URL")?;
        let (api_host, api_port) = url
            .strip_prefix("https://")
            .and_then(|rest| rest.rsplit_once(':'))
            .with_context(|| format!("TIDEGATE_API_URL is {url}, not https://host:port"))?;
        Ok(Self {
            account_id: value("TIDEGATE_ACCOUNT_ID")?,
            api_host: api_host.to_owned(),
            api_port: api_port.parse()?,
            mqtt_host: value("TIDEGATE_MQTT_HOST")?,
            mqtt_port: value("TIDEGATE_MQTT_PORT")?.parse()?,
            ca_file: value("TIDEGATE_CA_FILE")?.into(),
            access_key_id: value("AWS_ACCESS_KEY_ID")?,
            secret_access_key: value("AWS_SECRET_ACCESS_KEY")?,
            region: value("AWS_DEFAULT_REGION")?,
        })
    }

    /// What a client has to trust.
    pub fn roots(&self) -> Result<RootCertStore> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(&self.ca_file)? {
            roots.add(certificate?)?;
        }
        Ok(roots)
    }
}

/// `export NAME=VALUE`, unquoted as far as `env_file` quotes.
fn assignment(line: &str) -> Option<(&str, String)> {
    let (name, value) = line.strip_prefix("export ")?.split_once('=')?;
    let value = match value.strip_prefix('\'').and_then(|v| v.strip_suffix('\'')) {
        Some(quoted) => quoted.replace(r"'\''", "'"),
        None => value.to_owned(),
    };
    Some((name, value))
}

/// A broker of the demonstration's own, in a temporary directory; it ends with this value.
pub struct OwnBroker {
    child: Child,
    directory: PathBuf,
}

impl OwnBroker {
    /// Starts this very program on free ports of loopback and waits until it listens.
    pub fn start() -> Result<(Self, Running)> {
        let directory = std::env::temp_dir().join(format!("tidegate-demo-{}", std::process::id()));
        fs::create_dir_all(&directory)?;
        let data = directory.join("data");
        let log = fs::File::create(directory.join("log"))?;
        let child = Command::new(std::env::current_exe()?)
            .arg("serve")
            .arg("--data")
            .arg(&data)
            .envs([("TIDEGATE_MQTT_ADDRESS", "127.0.0.1"), ("TIDEGATE_MQTT_PORT", "0"), ("TIDEGATE_API_PORT", "0")])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let mut own = Self { child, directory };
        let since = Instant::now();
        while !data.join("tidegate.env").exists() {
            if let Some(status) = own.child.try_wait()? {
                let log = fs::read_to_string(own.directory.join("log")).unwrap_or_default();
                bail!("the broker ended ({status}):\n{log}");
            }
            if since.elapsed() > PATIENCE {
                bail!("the broker did not start within {} s", PATIENCE.as_secs());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let running = Running::read(&data)?;
        Ok((own, running))
    }
}

impl Drop for OwnBroker {
    fn drop(&mut self) {
        let _ = self.child.kill(); // its directory goes too: nothing to keep
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_are_read_as_a_shell_would() {
        for (line, expected) in [
            ("export A=b", Some(("A", "b".to_owned()))),
            (r"export A='it'\''s'", Some(("A", "it's".to_owned()))),
            ("export A='a b'", Some(("A", "a b".to_owned()))),
            ("# comment", None),
        ] {
            assert_eq!(assignment(line), expected);
        }
    }
}
