//! The shadow service: requests of devices (MQTT, HTTPS) and operators, carried out one after the other for each thing.
//!
//! ```text
//!   broker ── Services::request ──┐                                      ┌▶ registry: rows, durable
//!   api, gateway ── Shadows::serve ┴▶ a lane, chosen by the thing ─▶ task ┴▶ broker: accepted, documents, delta
//! ```
//!
//! Lanes are bounded in requests, and all together in bytes: what does not fit is rejected at once (429), and so is what a thing asks beyond
//! the pace of the profile. What is answered as accepted is durable.
//!
//! AWS: developer guide, "AWS IoT Device Shadow service". Unverified: that updates and deletions by HTTP are published as
//! accepted, too; rejections are not.

mod entry;
mod lane;
mod service;
mod worker;

use std::{
    collections::hash_map::RandomState,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use parking_lot::Mutex;
use tidegate_ids::Clock;
use tidegate_logs::LogBook;
use tidegate_shadow::Operation;
use tokio::sync::mpsc;

pub(super) use service::ShadowService;
pub(super) use worker::Workers;

use lane::{LANE_MAX, Lane};

/// Things whose requests are carried out at the same time.
const LANES: usize = 64;

/// Requests that were answered as accepted, since the start.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Accepted {
    pub(super) got: u64,
    pub(super) updated: u64,
    pub(super) deleted: u64,
}

/// The same while it is counted.
#[derive(Default)]
struct Counting {
    got: AtomicU64,
    updated: AtomicU64,
    deleted: AtomicU64,
}

impl Counting {
    fn note(&self, operation: Operation) {
        let counter = match operation {
            Operation::Get => &self.got,
            Operation::Update => &self.updated,
            Operation::Delete => &self.deleted,
        };
        counter.fetch_add(1, Relaxed);
    }
}

/// The service and its workers: the broker must be given the service, and the workers need the broker.
pub(super) fn new(clock: &Arc<dyn Clock>, book: &Arc<LogBook>) -> (Arc<ShadowService>, Workers) {
    let (lanes, receivers): (Vec<_>, Vec<_>) = (0..LANES).map(|_| mpsc::channel(LANE_MAX)).unzip();
    let service = ShadowService {
        lanes: lanes.into_iter().map(|jobs| Lane { jobs, paces: Arc::default() }).collect(),
        counting: Arc::default(),
        waiting: Arc::default(),
        hasher: RandomState::new(),
        clock: Arc::clone(clock),
        book: Arc::clone(book),
        throttled: Mutex::default(),
    };
    let counting = Arc::clone(&service.counting);
    (Arc::new(service), Workers(receivers, counting))
}

#[cfg(test)]
mod tests;
