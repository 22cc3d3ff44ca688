//! Notes from time to time how much is stored, so that the next start knows when some of it is gone.

use std::{
    convert::Infallible,
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use tidegate_kv::Revision;

use crate::engine::Engine;

/// How far the note may stay behind: what damage takes of these last seconds before a `kill -9` goes unnoticed.
const NOTE_EVERY: Duration = if cfg!(test) { Duration::from_millis(1) } else { Duration::from_secs(5) };

/// The newest revision that an fsync has brought to disk. The commit thread moves it on.
pub(crate) type Durable = Arc<AtomicU64>;

/// A thread that notes the newest durable revision while there are new ones, and once more when it is dropped.
pub(crate) struct Notary {
    /// Nothing is ever sent: its end is the message.
    stop: Option<Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

impl Notary {
    pub(crate) fn start(engine: Arc<Engine>, durable: Durable) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel::<Infallible>();
        let run = move || {
            let mut noted = None;
            loop {
                let ended = stopped.recv_timeout(NOTE_EVERY) != Err(RecvTimeoutError::Timeout);
                let newest = Revision(durable.load(Ordering::Acquire));
                if noted != Some(newest) {
                    match engine.directory().note(newest) {
                        Ok(()) => noted = Some(newest),
                        // The older note stays true.
                        Err(error) => tracing::warn!(event_type = "Store", %error, "how much is stored was not noted"),
                    }
                }
                if ended {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("notary".to_owned()).spawn(run)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Notary {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // a panic was reported where it happened
        }
    }
}
