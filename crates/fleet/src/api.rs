//! The operator: signed calls to the API, as `aws iot …` makes them.

use std::{fmt, future::poll_fn, pin::Pin, sync::Arc, time::Duration};

use hyper::{
    Request,
    body::{Body, Incoming},
    client::conn::http1,
};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use rustls::pki_types::ServerName;
use serde_json::{Value, json};
use tidegate_ids::{Clock, Timestamp};
use tidegate_sigv4::{PayloadHash, RequestParts, Signer, sign};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;

use crate::{FleetCa, FleetError, Identity, Running};

/// How long one call may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// Connections that are kept for the next call.
const IDLE_MAX: usize = 32;

/// A refusal in AWS's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {message}")]
pub struct ApiRefusal {
    /// Such as `CertificateStateException`.
    pub name: String,
    /// What the service says.
    pub message: String,
}

/// Calls to the API of one broker as one account. Connections are kept and used again.
pub struct Api {
    running: Running,
    tls: TlsConnector,
    clock: Arc<dyn Clock>,
    idle: Mutex<Vec<http1::SendRequest<String>>>,
}

impl Api {
    /// Nothing is sent yet.
    pub fn new(running: Running, clock: Arc<dyn Clock>) -> Result<Self, FleetError> {
        let config = rustls::ClientConfig::builder().with_root_certificates(running.roots()?).with_no_client_auth();
        Ok(Self { running, tls: TlsConnector::from(Arc::new(config)), clock, idle: Mutex::default() })
    }

    /// The present moment, as calls are signed with it.
    pub fn now(&self) -> Timestamp {
        self.clock.now().wall
    }

    /// The region that calls go to.
    pub fn region(&self) -> &str {
        &self.running.region
    }

    /// The account that calls act in.
    pub fn account_id(&self) -> &str {
        &self.running.account_id
    }

    /// `METHOD path?query` of the service `iot` with a JSON body (none when null); the JSON answer.
    ///
    /// # Errors
    /// [`FleetError::Refused`] with what the API refuses with.
    pub async fn call(&self, method: &str, path_and_query: &str, body: Value) -> Result<Value, FleetError> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        timeout(PATIENCE, self.exchange(method, path_and_query, body))
            .await
            .map_err(|_| FleetError::Late("answer of the API"))?
    }

    /// Registers a CA, ACTIVE and with auto-registration, proving that its key is held; its id.
    pub async fn register_ca(&self, ca: &FleetCa) -> Result<String, FleetError> {
        let code = self.call("GET", "/registrationcode", Value::Null).await?;
        let verification = ca.sign(text(&code, "registrationCode")?)?;
        let body = json!({ "caCertificate": ca.pem, "verificationCertificate": verification.pem });
        let made = self.call("POST", "/cacertificate?setAsActive=true&allowAutoRegistration=true", body).await?;
        Ok(text(&made, "certificateId")?.to_owned())
    }

    /// Registers a device certificate, ACTIVE, of a CA that is registered; its ARN.
    pub async fn register_certificate(&self, ca: &FleetCa, device: &Identity) -> Result<String, FleetError> {
        let body = json!({ "certificatePem": device.pem, "caCertificatePem": ca.pem, "status": "ACTIVE" });
        let made = self.call("POST", "/certificate/register", body).await?;
        Ok(text(&made, "certificateArn")?.to_owned())
    }

    /// Makes a policy that allows everything.
    pub async fn create_open_policy(&self, name: &str) -> Result<(), FleetError> {
        let statement = json!([{ "Effect": "Allow", "Action": "iot:*", "Resource": "*" }]);
        let document = json!({ "Version": "2012-10-17", "Statement": statement }).to_string();
        self.call("POST", &format!("/policies/{name}"), json!({ "policyDocument": document })).await.map(drop)
    }

    /// Attaches a policy to a certificate.
    pub async fn attach_policy(&self, name: &str, certificate_arn: &str) -> Result<(), FleetError> {
        let target = json!({ "target": certificate_arn });
        self.call("PUT", &format!("/target-policies/{name}"), target).await.map(drop)
    }

    async fn exchange(&self, method: &str, path_and_query: &str, body: String) -> Result<Value, FleetError> {
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
        let (status, error_type, text) = self.send(request.body(body).map_err(unreadable)?).await?;
        let answer: Value =
            if text.is_empty() { Value::Null } else { serde_json::from_slice(&text).map_err(unreadable)? };
        if status.is_success() {
            return Ok(answer);
        }
        let message = answer["message"].as_str().unwrap_or_default().to_owned();
        Err(ApiRefusal { name: error_type, message }.into())
    }

    async fn send(&self, request: Request<String>) -> Result<(hyper::StatusCode, String, Vec<u8>), FleetError> {
        let mut sender = match self.idle_connection().await {
            Some(sender) => sender,
            None => self.connect().await?,
        };
        let response = sender.send_request(request).await.map_err(unreadable)?;
        let status = response.status();
        let error_type =
            response.headers().get("x-amzn-errortype").and_then(|v| v.to_str().ok()).unwrap_or("").to_owned();
        let body = read(response.into_body()).await?;
        let mut idle = self.idle.lock();
        if idle.len() < IDLE_MAX {
            idle.push(sender);
        }
        Ok((status, error_type, body))
    }

    /// A connection that was used before, and that the API has not closed meanwhile.
    async fn idle_connection(&self) -> Option<http1::SendRequest<String>> {
        loop {
            let mut sender = self.idle.lock().pop()?;
            if sender.ready().await.is_ok() {
                return Some(sender);
            }
        }
    }

    async fn connect(&self) -> Result<http1::SendRequest<String>, FleetError> {
        let Running { api_host, api_port, .. } = &self.running;
        let unreachable = |source| FleetError::Unreachable { to: format!("the API at {api_host}:{api_port}"), source };
        let tcp = TcpStream::connect((api_host.as_str(), *api_port)).await.map_err(unreachable)?;
        tcp.set_nodelay(true)?;
        let name = ServerName::try_from(api_host.clone())?;
        let tls = self.tls.connect(name, tcp).await.map_err(unreachable)?;
        let (sender, connection) = http1::handshake(TokioIo::new(tls)).await.map_err(unreadable)?;
        tokio::spawn(connection); // ends with the sender
        Ok(sender)
    }
}

async fn read(mut body: Incoming) -> Result<Vec<u8>, FleetError> {
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        if let Ok(data) = frame.map_err(unreadable)?.into_data() {
            if bytes.len() + data.len() > ANSWER_BYTES_MAX {
                return Err(FleetError::Answer(format!("longer than {ANSWER_BYTES_MAX} bytes")));
            }
            bytes.extend_from_slice(&data);
        }
    }
    Ok(bytes)
}

pub(crate) fn text<'a>(answer: &'a Value, member: &str) -> Result<&'a str, FleetError> {
    answer[member].as_str().ok_or_else(|| FleetError::Answer(format!("it has no {member}")))
}

fn unreadable(error: impl fmt::Display) -> FleetError {
    FleetError::Answer(error.to_string())
}
