//! What monitoring asks: `/metrics` as Prometheus text, `/healthz`, `/readyz`. Off unless `metrics.port` is set.
//!
//! A request line is all that is read of a request, and each connection gets one answer. Figures are summed when they are asked
//! for; whoever counts them takes no lock.

mod figures;

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU8, Ordering::Relaxed},
    },
    time::Duration,
};

use super::shadows::ShadowService;
use tidegate_broker::Broker;
use tidegate_logs::LogBook;
use tidegate_registry::Registry;
use tidegate_standalone::StandaloneStore;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};

/// Connections served at once; more wait.
const CONNECTIONS_MAX: usize = 16;
/// Longest head of a request.
const HEAD_BYTES_MAX: usize = 8 * 1024;
/// How long a peer may take to ask, and to take its answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// A commit that takes longer means that the disk is stuck.
pub(super) const COMMIT_MAX: Duration = Duration::from_secs(5);

/// Phases; 0 while it starts.
const READY: u8 = 1;
const STOPPING: u8 = 2;

/// The listener, and what it answers from.
pub(super) struct Metrics {
    state: Arc<State>,
    /// Where it listens, if it does.
    pub(super) address: Option<SocketAddr>,
}

#[derive(Default)]
struct State {
    phase: AtomicU8,
    sources: OnceLock<Sources>,
}

/// Who counts.
pub(super) struct Sources {
    pub(super) broker: Arc<Broker>,
    pub(super) registry: Registry,
    pub(super) book: Arc<LogBook>,
    pub(super) store: Arc<StandaloneStore>,
    pub(super) shadows: Arc<ShadowService>,
}

impl Metrics {
    /// Listens, if it is to: not ready until [`Self::ready`].
    pub(super) async fn listen(address: Option<SocketAddr>) -> io::Result<Self> {
        let state: Arc<State> = Arc::default();
        let Some(address) = address else { return Ok(Self { state, address: None }) };
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        tokio::spawn(serve(listener, Arc::clone(&state)));
        Ok(Self { state, address: Some(address) })
    }

    /// All parts run.
    pub(super) fn ready(&self, sources: Sources) {
        let _ = self.state.sources.set(sources);
        self.state.phase.store(READY, Relaxed);
    }

    /// No more work is to be sent.
    pub(super) fn stopping(&self) {
        self.state.phase.store(STOPPING, Relaxed);
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let permit = Arc::clone(&permits).acquire_owned().await.expect("the semaphore is never closed");
        match listener.accept().await {
            Ok((stream, _)) => {
                let state = Arc::clone(&state);
                tokio::spawn(async move {
                    let _ = timeout(PATIENCE, answer(stream, &state)).await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(event_type = "Metrics", %error, "a connection could not be accepted");
                sleep(Duration::from_millis(100)).await; // out of descriptors: do not spin
            }
        }
    }
}

async fn answer(mut stream: TcpStream, state: &State) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if head.len() > HEAD_BYTES_MAX || stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let (status, kind, body) = state.respond(&String::from_utf8_lossy(&head));
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

impl State {
    fn respond(&self, head: &str) -> (&'static str, &'static str, String) {
        const TEXT: &str = "text/plain; charset=utf-8";
        let mut words = head.split_whitespace();
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if method != "GET" {
            return ("405 Method Not Allowed", TEXT, "only GET is served\n".into());
        }
        match target.split('?').next().unwrap_or_default() {
            "/healthz" => ("200 OK", TEXT, "ok\n".into()),
            "/readyz" => match self.unready() {
                None => ("200 OK", TEXT, "ready\n".into()),
                Some(why) => ("503 Service Unavailable", TEXT, format!("not ready: {why}\n")),
            },
            "/metrics" => match self.sources.get() {
                Some(sources) => ("200 OK", "text/plain; version=0.0.4; charset=utf-8", figures::text(sources)),
                None => ("503 Service Unavailable", TEXT, "not ready: the broker starts\n".into()),
            },
            _ => ("404 Not Found", TEXT, "/metrics, /healthz and /readyz are served\n".into()),
        }
    }

    fn unready(&self) -> Option<String> {
        match (self.phase.load(Relaxed), self.sources.get()) {
            (STOPPING, _) => Some("the broker stops".into()),
            (READY, Some(sources)) => {
                let stuck = sources.store.committing_for();
                (stuck >= COMMIT_MAX).then(|| format!("a commit has taken {} s", stuck.as_secs()))
            }
            _ => Some("the broker starts".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_answered_while_the_broker_starts_and_stops() {
        let state = State::default();
        for (head, status) in [
            ("GET /healthz HTTP/1.1\r\n\r\n", "200 OK"),
            ("GET /readyz HTTP/1.1\r\n\r\n", "503 Service Unavailable"),
            ("GET /metrics?x=1 HTTP/1.1\r\n\r\n", "503 Service Unavailable"),
            ("GET /nothing HTTP/1.1\r\n\r\n", "404 Not Found"),
            ("POST /metrics HTTP/1.1\r\n\r\n", "405 Method Not Allowed"),
            ("", "405 Method Not Allowed"),
        ] {
            assert_eq!(state.respond(head).0, status, "{head}");
        }
        state.phase.store(STOPPING, Relaxed);
        assert_eq!(state.unready().as_deref(), Some("the broker stops"));
    }
}
