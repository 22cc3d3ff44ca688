//! The operator of the demonstration: signed calls to the API, as `aws iot …` makes them.

use std::{fmt, future::poll_fn, pin::Pin, sync::Arc, time::Duration};

use anyhow::{Context, Result, anyhow, bail};
use hyper::{
    Request,
    body::{Body, Incoming},
    client::conn::http1,
};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use serde_json::Value;
use tidegate_ids::{Clock, Timestamp};
use tidegate_sigv4::{PayloadHash, RequestParts, Signer, sign};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;

use super::running::Running;
use crate::clock::SystemClock;

/// How long one call may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// A refusal in AWS's words.
#[derive(Debug)]
pub struct ApiError {
    /// Such as `CertificateStateException`.
    pub name: String,
    /// What the service says.
    pub message: String,
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.message)
    }
}

impl std::error::Error for ApiError {}

/// Calls to the API of one broker as one account.
pub struct Api {
    running: Running,
    tls: TlsConnector,
    clock: SystemClock,
}

impl Api {
    /// Nothing is sent yet.
    pub fn new(running: Running) -> Result<Self> {
        let config = rustls::ClientConfig::builder().with_root_certificates(running.roots()?).with_no_client_auth();
        Ok(Self { running, tls: TlsConnector::from(Arc::new(config)), clock: SystemClock::start() })
    }

    /// The present moment, for certificates.
    pub fn now(&self) -> Timestamp {
        self.clock.now().wall
    }

    /// `METHOD path?query` of the service `iot` with a JSON body (none when null); the JSON answer.
    pub async fn call(&self, method: &str, path_and_query: &str, body: Value) -> Result<Value> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        timeout(PATIENCE, self.exchange(method, path_and_query, body))
            .await
            .context("the API did not answer in time")?
    }

    async fn exchange(&self, method: &str, path_and_query: &str, body: String) -> Result<Value> {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let host = format!("{}:{}", self.running.api_host, self.running.api_port);
        let mut headers: Vec<(&str, String)> = vec![("host", host)];
        if !body.is_empty() {
            headers.push(("content-type", "application/json".into()));
        }
        let signed = {
            let covered: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
            let parts = RequestParts { method, raw_path: path, raw_query: query, headers: &covered };
            let signer = Signer {
                access_key_id: &self.running.access_key_id,
                secret_access_key: self.running.secret_access_key.as_bytes(),
                session_token: None,
                region: &self.running.region,
                service: "iot",
            };
            sign(&parts, PayloadHash::of(body.as_bytes()), &signer, self.now())
        };
        headers.extend(signed);
        let mut request = Request::builder().method(method).uri(path_and_query);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let (status, error_type, text) = self.send(request.body(body)?).await?;
        let answer: Value = if text.is_empty() { Value::Null } else { serde_json::from_slice(&text)? };
        if status.is_success() {
            return Ok(answer);
        }
        let message = answer["message"].as_str().unwrap_or_default().to_owned();
        Err(anyhow!(ApiError { name: error_type, message }))
    }

    async fn send(&self, request: Request<String>) -> Result<(hyper::StatusCode, String, Vec<u8>)> {
        let Running { api_host, api_port, .. } = &self.running;
        let tcp = TcpStream::connect((api_host.as_str(), *api_port))
            .await
            .with_context(|| format!("cannot reach the API at {api_host}:{api_port}"))?;
        let tls =
            self.tls.connect(ServerName::try_from(api_host.clone())?, tcp).await.context("no TLS with the API")?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(tls)).await?;
        tokio::spawn(connection);
        let response = sender.send_request(request).await?;
        let status = response.status();
        let error_type =
            response.headers().get("x-amzn-errortype").and_then(|v| v.to_str().ok()).unwrap_or("").to_owned();
        Ok((status, error_type, read(response.into_body()).await?))
    }
}

async fn read(mut body: Incoming) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        if let Ok(data) = frame?.into_data() {
            if bytes.len() + data.len() > ANSWER_BYTES_MAX {
                bail!("the answer is longer than {ANSWER_BYTES_MAX} bytes");
            }
            bytes.extend_from_slice(&data);
        }
    }
    Ok(bytes)
}
