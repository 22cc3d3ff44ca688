//! One call: resolve, connect, shake hands, ask, read.

use std::{future::poll_fn, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use hyper::{
    Method, Request,
    body::{Body, Incoming},
    client::conn::http1,
    header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue, USER_AGENT},
    rt::{Read, Write},
};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::{CallError, Roots, Target, addresses::is_public, target::literal};

/// Addresses of one name that are tried, one after the other.
const ADDRESSES_MAX: usize = 4;

/// What a call may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From the name's resolution to the last byte of the answer.
    pub time: Duration,
    /// Longest answer.
    pub answer_bytes: usize,
}

/// What the other side answers: any status, a redirect too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP's status.
    pub status: u16,
    /// The body, whole.
    pub body: Vec<u8>,
}

/// Makes calls. It keeps no connection from one to the next.
#[derive(Debug, Clone)]
pub struct Client {
    tls: Arc<ClientConfig>,
    private_addresses: bool,
    limits: Limits,
}

impl Client {
    /// A client that believes `roots`, and calls private addresses only if that is allowed.
    ///
    /// # Errors
    /// What is wrong with `roots`.
    pub fn new(roots: Roots<'_>, private_addresses: bool, limits: Limits) -> Result<Self, String> {
        Ok(Self { tls: roots.config()?, private_addresses, limits })
    }

    /// POSTs a JSON body and reads the answer.
    ///
    /// # Errors
    /// See [`CallError`]. Whether the other side has got the request is then unknown, but for the first kinds.
    pub async fn post(&self, target: &Target, headers: &[(&str, &str)], body: String) -> Result<Answer, CallError> {
        let limit = self.limits.time;
        let late = |_| CallError::Late { host: target.host().to_owned(), limit };
        tokio::time::timeout(limit, self.exchange(target, headers, body)).await.map_err(late)?
    }

    async fn exchange(&self, target: &Target, headers: &[(&str, &str)], body: String) -> Result<Answer, CallError> {
        let request = request(target, headers, body)?;
        let tcp = self.connect(target).await?;
        match target.tls() {
            None => self.ask(target, TokioIo::new(tcp), request).await,
            Some(name) => {
                let failed = |source| CallError::Tls { host: target.host().to_owned(), source };
                let tls = TlsConnector::from(self.tls.clone()).connect(name.clone(), tcp).await.map_err(failed)?;
                self.ask(target, TokioIo::new(tls), request).await
            }
        }
    }

    /// A connection to the first address that may be called and answers.
    async fn connect(&self, target: &Target) -> Result<TcpStream, CallError> {
        let host = || target.host().to_owned();
        let resolved: Vec<SocketAddr> = match literal(target.host()) {
            Some(address) => vec![(address, target.port()).into()],
            None => {
                let unresolved = |source| CallError::Unresolved { host: host(), source: Some(source) };
                let found = tokio::net::lookup_host((target.host(), target.port())).await.map_err(unresolved)?;
                found.take(ADDRESSES_MAX).collect()
            }
        };
        let Some(first) = resolved.first() else { return Err(CallError::Unresolved { host: host(), source: None }) };
        let mut failure = None;
        for address in resolved.iter().filter(|address| self.private_addresses || is_public(address.ip())) {
            match TcpStream::connect(address).await {
                Ok(tcp) => return Ok(tcp),
                Err(error) => failure = Some(error),
            }
        }
        Err(match failure {
            Some(source) => CallError::Unreachable { host: host(), source },
            None => CallError::PrivateAddress { host: host(), address: first.ip() },
        })
    }

    async fn ask<T>(&self, target: &Target, io: T, request: Request<String>) -> Result<Answer, CallError>
    where
        T: Read + Write + Unpin + Send + 'static,
    {
        let failed = |source| CallError::Http { host: target.host().to_owned(), source };
        let (mut sender, connection) = http1::handshake(io).await.map_err(failed)?;
        let talk = async {
            let response = sender.send_request(request).await.map_err(failed)?;
            let status = response.status().as_u16();
            Ok(Answer { status, body: self.read(target, response.into_body()).await? })
        };
        // Both are polled here: when the call is given up, its connection is too.
        let mut connection = std::pin::pin!(connection);
        let mut talk = std::pin::pin!(talk);
        let mut open = true;
        loop {
            tokio::select! {
                biased;
                answer = &mut talk => return answer,
                _ = &mut connection, if open => open = false,
            }
        }
    }

    async fn read(&self, target: &Target, mut body: Incoming) -> Result<Vec<u8>, CallError> {
        let bytes_max = self.limits.answer_bytes;
        let mut bytes = Vec::new();
        while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            let frame = frame.map_err(|source| CallError::Http { host: target.host().to_owned(), source })?;
            let Ok(data) = frame.into_data() else { continue };
            if bytes.len() + data.len() > bytes_max {
                return Err(CallError::TooLong { host: target.host().to_owned(), bytes_max });
            }
            bytes.extend_from_slice(&data);
        }
        Ok(bytes)
    }
}

/// The request, with what belongs to every one.
fn request(target: &Target, headers: &[(&str, &str)], body: String) -> Result<Request<String>, CallError> {
    let mut request = Request::new(body);
    *request.method_mut() = Method::POST;
    *request.uri_mut() = target.path_and_query().parse().map_err(|_| CallError::Header("path".into()))?;
    let host = HeaderValue::try_from(target.authority()).map_err(|_| CallError::Header("host".into()))?;
    let own = request.headers_mut();
    own.insert(HOST, host);
    own.insert(USER_AGENT, HeaderValue::from_static(concat!("tidegate/", env!("CARGO_PKG_VERSION"))));
    own.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in headers {
        let unfit = || CallError::Header((*name).to_owned());
        let value = HeaderValue::from_str(value).map_err(|_| unfit())?;
        own.insert(HeaderName::from_bytes(name.as_bytes()).map_err(|_| unfit())?, value);
    }
    Ok(request)
}
