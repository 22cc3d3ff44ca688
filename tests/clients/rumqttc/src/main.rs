//! rumqttc, told what to do by JSON lines on standard input; what happens is told by JSON lines on standard output. The
//! commands and events are described in tests/support/programs.py.
//!
//! Its clients for 3.1.1 and 5 are two sets of types without a common trait: one module each.

mod five;
mod three;

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use rumqttc::{TlsConfiguration, Transport};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin, stdin};
use tokio_rustls::rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

const KEEP_ALIVE: Duration = Duration::from_secs(60);
/// Requests that may wait within rumqttc.
const REQUESTS_MAX: usize = 64;

#[derive(Debug, Deserialize)]
#[serde(tag = "command", rename_all = "camelCase")]
enum Command {
    Connect(Connect),
    Subscribe { filter: String, qos: u8 },
    Unsubscribe { filter: String },
    Publish { topic: String, payload: String, qos: u8, retain: bool },
    Disconnect,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Connect {
    host: String,
    port: u16,
    ca: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
    client_id: String,
    version: u8,
    clean: bool,
    expiry: u32,
    will: Option<Will>,
}

#[derive(Debug, Deserialize)]
struct Will {
    topic: String,
    payload: String,
    qos: u8,
    retain: bool,
}

impl Connect {
    fn transport(&self) -> Result<Transport> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(&self.ca)? {
            roots.add(certificate?)?;
        }
        let chain = CertificateDer::pem_file_iter(&self.certificate)?.collect::<Result<Vec<_>, _>>()?;
        let key = PrivateKeyDer::from_pem_slice(&fs::read(&self.key)?)?;
        let config = ClientConfig::builder().with_root_certificates(roots).with_client_auth_cert(chain, key)?;
        Ok(Transport::tls_with_config(TlsConfiguration::Rustls(Arc::new(config))))
    }
}

/// One line for the test.
fn tell(event: &str, mut more: Value) {
    more["event"] = event.into();
    println!("{more}");
}

fn tell_message(topic: &str, payload: &[u8], qos: u8, retain: bool) {
    let payload = String::from_utf8_lossy(payload);
    tell("message", json!({ "topic": topic, "payload": payload, "qos": qos, "retain": retain }));
}

async fn next(lines: &mut Lines<BufReader<Stdin>>) -> Result<Option<Command>> {
    let Some(line) = lines.next_line().await? else { return Ok(None) };
    Ok(Some(serde_json::from_str(&line).with_context(|| format!("the command {line}"))?))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut lines = BufReader::new(stdin()).lines();
    let connect = match next(&mut lines).await? {
        Some(Command::Connect(connect)) => connect,
        other => bail!("{other:?} before connect"),
    };
    match connect.version {
        5 => {
            let (client, events) = five::connect(connect)?;
            tokio::spawn(five::tell_of(events));
            while let Some(command) = next(&mut lines).await? {
                five::carry_out(&client, command)?;
            }
        }
        _ => {
            let (client, events) = three::connect(connect)?;
            tokio::spawn(three::tell_of(events));
            while let Some(command) = next(&mut lines).await? {
                three::carry_out(&client, command)?;
            }
        }
    }
    Ok(())
}
