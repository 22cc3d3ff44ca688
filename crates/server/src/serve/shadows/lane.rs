//! Requests that wait: bounded in each lane, in bytes together, and by the pace of each thing.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use parking_lot::Mutex;
use tidegate_ids::{Now, Tenant, ThingName};
use tidegate_shadow::{Pace, Paces, Rejection, Request};
use tokio::sync::{mpsc, oneshot};

/// Requests that may wait in one lane.
pub(super) const LANE_MAX: usize = 256;

/// Bytes of all requests that wait.
pub(super) const BYTES_MAX: usize = 16 * 1024 * 1024;

/// A request on its way.
pub(super) struct Job {
    pub(super) request: Request,
    /// Who asked by HTTP; `None`: a client that hears by MQTT.
    pub(super) caller: Option<oneshot::Sender<Result<Vec<u8>, Rejection>>>,
    /// Counts until it is answered.
    pub(super) _room: Room,
    pub(super) _turn: Option<Turn>,
}

/// Requests for some of the things.
pub(super) struct Lane {
    pub(super) jobs: mpsc::Sender<Job>,
    pub(super) paces: Arc<Mutex<Paces>>,
}

impl Lane {
    /// `None` when the request is one too many of its thing; without limits nothing is noted.
    pub(super) fn turn(&self, request: &Request, now: Now) -> Option<Option<Turn>> {
        if request.pace == Pace::UNLIMITED {
            return Some(None);
        }
        let (tenant, thing) = (request.tenant, request.place.thing.clone());
        let begun = self.paces.lock().begin((tenant, &thing), request.pace, now.monotonic);
        begun.then(|| Some(Turn { paces: Arc::clone(&self.paces), tenant, thing }))
    }
}

/// A request among those of its thing, until it is answered.
pub(super) struct Turn {
    paces: Arc<Mutex<Paces>>,
    tenant: Tenant,
    thing: ThingName,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.paces.lock().end((self.tenant, &self.thing));
    }
}

/// Bytes of a request among those that wait.
pub(super) struct Room {
    waiting: Arc<AtomicUsize>,
    bytes: usize,
}

impl Room {
    pub(super) fn take(waiting: &Arc<AtomicUsize>, bytes: usize) -> Option<Self> {
        // What a request costs beside its payload.
        let bytes = bytes + 512;
        let fits = |held: usize| held.checked_add(bytes).filter(|held| *held <= BYTES_MAX);
        waiting.fetch_update(Relaxed, Relaxed, fits).ok()?;
        Some(Self { waiting: Arc::clone(waiting), bytes })
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.waiting.fetch_sub(self.bytes, Relaxed);
    }
}
