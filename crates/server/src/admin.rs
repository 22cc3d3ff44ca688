//! The admin socket: how `tidegate account`, `tidegate explain` and the like reach the running process.
//!
//! One JSON line each way. The socket lives in the data directory (mode 0700) with mode 0600, and the peer must be the
//! own user or root besides.

mod request;

use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    sync::Semaphore,
    time::timeout,
};

pub(crate) use request::{Listing, Place, Request, Scope, Target};

/// The answer: a JSON value, or the sentence that says why not.
type Answer = Result<Value, String>;

/// The user of this machine who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer {
    /// The user's number.
    pub(crate) uid: u32,
}

/// Longest request, in bytes: a client id or topic filter has at most 65 535, each at worst escaped to six.
const REQUEST_BYTES_MAX: u64 = 512 * 1024;
/// Longest answer, in bytes.
const ANSWER_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Requests that are answered at once; more wait.
const CONNECTIONS_MAX: usize = 64;
/// How long a peer may take to ask, and to take its answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long the command line waits for an answer.
const ANSWER_PATIENCE: Duration = Duration::from_secs(60);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AdminError {
    /// Nobody listens.
    #[error("no broker runs on {}: start one with `tidegate serve`, or name its directory with --data", data.display())]
    NotRunning {
        /// Where nobody listens.
        data: PathBuf,
    },
    /// No answer came in time.
    #[error("the running broker did not answer within {} s; is its disk stuck?", ANSWER_PATIENCE.as_secs())]
    Silent,
    /// The connection failed half-way.
    #[error("the admin socket failed")]
    Io(#[from] io::Error),
    /// The answer is not what this program understands; the two are of different versions.
    #[error("the running broker answered something else; is it of another version?")]
    Unreadable(#[from] serde_json::Error),
    /// The broker refused.
    #[error("{0}")]
    Refused(String),
}

/// Asks the broker that runs on `data`.
pub(crate) async fn ask(data: &Path, socket: &Path, request: &Request) -> Result<Value, AdminError> {
    let stream = UnixStream::connect(socket).await.map_err(|_| AdminError::NotRunning { data: data.to_owned() })?;
    let answer = timeout(ANSWER_PATIENCE, exchange(stream, request)).await.map_err(|_| AdminError::Silent)??;
    serde_json::from_slice::<Answer>(&answer)?.map_err(AdminError::Refused)
}

async fn exchange(mut stream: UnixStream, request: &Request) -> Result<Vec<u8>, AdminError> {
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).await?;
    Ok(answer)
}

/// The listening side.
pub(crate) struct AdminSocket {
    listener: UnixListener,
    owner: u32,
}

impl AdminSocket {
    /// Listens on `path`, taking the place of a socket that a killed process left; the caller holds the directory's lock.
    pub(crate) fn bind(path: &Path) -> io::Result<Self> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
        Ok(Self { listener, owner: fs::metadata("/proc/self")?.uid() })
    }

    /// Answers until it is dropped.
    pub(crate) async fn serve<F, Fut>(self, handle: F)
    where
        F: Fn(Request, Peer) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Answer> + Send + 'static,
    {
        let handle = Arc::new(handle);
        let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        loop {
            let permit = permits.clone().acquire_owned().await.expect("the semaphore is never closed");
            let stream = match self.listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "the admin socket cannot accept");
                    tokio::time::sleep(Duration::from_millis(100)).await; // out of descriptors: do not spin
                    continue;
                }
            };
            let peer = stream.peer_cred().map(|peer| Peer { uid: peer.uid() });
            let peer = peer.ok().filter(|peer| peer.uid == self.owner || peer.uid == 0);
            let handle = handle.clone();
            tokio::spawn(async move {
                if let Some(peer) = peer
                    && let Err(error) = answer_one(stream, |request| handle(request, peer)).await
                {
                    tracing::debug!(%error, "an admin request was not answered");
                }
                drop(permit);
            });
        }
    }
}

async fn answer_one<F, Fut>(mut stream: UnixStream, handle: F) -> io::Result<()>
where
    F: Fn(Request) -> Fut,
    Fut: Future<Output = Answer>,
{
    let mut line = Vec::new();
    let mut reader = BufReader::new((&mut stream).take(REQUEST_BYTES_MAX));
    timeout(PATIENCE, reader.read_until(b'\n', &mut line)).await??;
    let answer = match serde_json::from_slice(&line) {
        Ok(request) => handle(request).await,
        Err(error) => Err(format!("not a request: {error}")),
    };
    let answer = serde_json::to_vec(&answer)?;
    timeout(PATIENCE, async {
        stream.write_all(&answer).await?;
        stream.shutdown().await
    })
    .await?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn requests_and_refusals_cross_the_socket() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("admin.sock");
        std::fs::write(&path, "left by a killed process").unwrap();
        let socket = AdminSocket::bind(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        tokio::spawn(socket.serve(|request, _| async move {
            match request {
                Request::ListAccounts => Ok(serde_json::json!(["222222222222"])),
                other => Err(format!("no: {other:?}")),
            }
        }));
        let accounts = ask(root.path(), &path, &Request::ListAccounts).await.unwrap();
        assert_eq!(accounts, serde_json::json!(["222222222222"]));
        let refused = ask(root.path(), &path, &Request::CreateAccount { id: None }).await.unwrap_err();
        assert_eq!(refused.to_string(), "no: CreateAccount { id: None }");
    }

    #[tokio::test]
    async fn garbage_is_answered_and_silence_of_the_broker_is_named() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("admin.sock");
        let missing = ask(root.path(), &path, &Request::ListAccounts).await.unwrap_err();
        assert!(missing.to_string().starts_with("no broker runs on "), "{missing}");
        tokio::spawn(AdminSocket::bind(&path).unwrap().serve(|_, _| async { Ok(Value::Null) }));
        let mut stream = UnixStream::connect(&path).await.unwrap();
        stream.write_all(b"{\"command\":\"shutdown\"}\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.contains("not a request"), "{answer}");
    }
}
