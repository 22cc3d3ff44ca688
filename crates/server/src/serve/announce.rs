//! Says that the broker listens: to people, to shells, to systemd.

use std::{net::SocketAddr, path::Path};

use anyhow::Result;
use tidegate_api::Serving;
use tidegate_gateway::Gateway;

use super::{
    first_start::FirstAccount,
    metrics::Metrics,
    screen::{self, Endpoint},
};
use crate::{cli::Serve, config::Config, data_dir::DataDir, env_file::EnvFile};

/// Prints where, writes `tidegate.env`, tells systemd.
pub(super) fn announce(
    config: &Config,
    options: &Serve,
    data: &DataDir,
    account: &FirstAccount,
    host_names: &[String],
    gateway: &Gateway,
    (api, metrics): (&Serving, &Metrics),
) -> Result<()> {
    let host = host_names[0].as_str();
    let api_url = format!("https://{}:{}", bracketed(host), api.addresses()[0].port());
    let devices = gateway.local_addresses();
    let api_plain_port = api.addresses().get(1).map(SocketAddr::port);
    let metrics_url = metrics.address.map(|address| format!("http://{address}"));
    if !options.no_env_file {
        if account.key.is_none() {
            tracing::warn!(
                "the first account's key was deleted: tidegate.env has none; `tidegate key create` makes one"
            );
        }
        EnvFile {
            pid: std::process::id(),
            account_id: account.id.to_string(),
            api_url: api_url.clone(),
            mqtt_host: host.to_owned(),
            mqtt_port: devices[0].address.port(),
            ca_file: path_text(&data.ca_file()),
            key: account.key.as_ref().map(|(id, secret)| (id.to_string(), secret.clone())),
            region: config.first_start.region.to_string(),
            listeners: devices[1..].iter().map(|l| (l.listener.to_string(), l.address.port())).collect(),
            api_plain_port,
            metrics_url: metrics_url.clone(),
        }
        .write(data)?;
    }
    let mut endpoints = vec![Endpoint { what: "API (HTTPS)".into(), at: api_url }];
    endpoints.extend(
        api_plain_port.map(|port| Endpoint { what: "API (HTTP)".into(), at: format!("http://127.0.0.1:{port}") }),
    );
    endpoints
        .extend(devices.iter().map(|l| Endpoint { what: format!("MQTT ({})", l.listener), at: l.address.to_string() }));
    endpoints.extend(metrics_url.map(|url| Endpoint { what: "metrics (HTTP)".into(), at: format!("{url}/metrics") }));
    println!("{}", screen::text(account.id.as_str(), &endpoints, data, !options.no_env_file));
    sd_notify::notify(&[sd_notify::NotifyState::Ready])?;
    Ok(())
}

/// A host as it stands in a URL.
fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

fn path_text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
