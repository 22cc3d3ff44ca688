//! Where requests are left, by the broker and by whoever asks over HTTP; what does not fit is refused here.

use std::{
    collections::hash_map::RandomState,
    fmt,
    hash::BuildHasher,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use parking_lot::Mutex;
use tidegate_broker::{Limits, ServiceAnswer, ServiceRequest, Services};
use tidegate_ids::{Clock, Now, Tenant, ThingName};
use tidegate_logs::{LogBook, Repeated};
use tidegate_shadow::{Answer, Demand, Operation, Pace, Place, REQUEST_BYTES_MAX, Rejection, Request, Shadows, wire};
use tokio::sync::oneshot;

use super::{
    Accepted, Counting,
    entry::{Told, line},
    lane::{Job, Lane, Room},
};

/// Where requests are left.
pub(crate) struct ShadowService {
    pub(super) lanes: Box<[Lane]>,
    pub(super) counting: Arc<Counting>,
    pub(super) waiting: Arc<AtomicUsize>,
    pub(super) hasher: RandomState,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) book: Arc<LogBook>,
    /// Things and quotas that the log was told of.
    pub(super) throttled: Mutex<Repeated<(Tenant, ThingName, Operation, Beyond)>>,
}

impl Services for ShadowService {
    fn request(&self, request: &ServiceRequest<'_>) -> Option<ServiceAnswer> {
        let (place, operation) = Place::parse(request.topic_name)?;
        let (tenant, payload) = (request.tenant, request.payload);
        if payload.len() <= REQUEST_BYTES_MAX {
            let request = Request {
                tenant,
                place: place.clone(),
                pace: pace(request.limits),
                operation,
                payload: payload.to_vec(),
            };
            match self.leave(request, None) {
                Ok(()) => return None,
                Err(rejection) => {
                    let (client_token, _) = Demand::read(payload);
                    return Some(self.rejected(&place, operation, &rejection, client_token.as_deref()));
                }
            }
        }
        let now = self.clock.now();
        let rejection = self.refused(Beyond::Size, &Told { tenant, place: &place, operation, http: false }, now);
        Some(self.rejected(&place, operation, &rejection, None))
    }
}

impl Shadows for ShadowService {
    fn serve(&self, request: Request) -> Answer {
        let (tell, told) = oneshot::channel();
        let left = self.leave(request, Some(tell));
        Box::pin(async move {
            left?;
            told.await.unwrap_or_else(|_| Err(Rejection::internal()))
        })
    }
}

impl ShadowService {
    /// How many requests were accepted.
    pub(crate) fn accepted(&self) -> Accepted {
        let Counting { got, updated, deleted } = &*self.counting;
        Accepted { got: got.load(Relaxed), updated: updated.load(Relaxed), deleted: deleted.load(Relaxed) }
    }

    fn leave(
        &self,
        request: Request,
        caller: Option<oneshot::Sender<Result<Vec<u8>, Rejection>>>,
    ) -> Result<(), Rejection> {
        let (now, http) = (self.clock.now(), caller.is_some());
        let refused = |beyond, request: &Request| {
            let Request { tenant, place, operation, .. } = request;
            self.refused(beyond, &Told { tenant: *tenant, place, operation: *operation, http }, now)
        };
        if request.payload.len() > REQUEST_BYTES_MAX {
            return Err(refused(Beyond::Size, &request));
        }
        let lane = self.hasher.hash_one((request.tenant, &request.place.thing)) as usize % self.lanes.len();
        let lane = &self.lanes[lane];
        let Some(room) = Room::take(&self.waiting, request.payload.len()) else {
            return Err(refused(Beyond::Waiting, &request));
        };
        let Some(turn) = lane.turn(&request, now) else { return Err(refused(Beyond::Pace, &request)) };
        let job = Job { request, caller, _room: room, _turn: turn };
        lane.jobs.try_send(job).map_err(|full| refused(Beyond::Waiting, &full.into_inner().request))
    }

    /// What a refused request gets; the log is told at once, and of more of them every ten seconds.
    fn refused(&self, beyond: Beyond, told: &Told<'_>, now: Now) -> Rejection {
        let rejection = beyond.rejection();
        let about = (told.tenant, told.place.thing.clone(), told.operation, beyond);
        let times = self.throttled.lock().note(about, 1, now.monotonic);
        if let Some(times) = times {
            let entry = told.entry(Some(&rejection), now.wall).with("reason", Some("THROTTLED"));
            let entry = entry.with("quota", Some(beyond.quota())).with("times", Some(times));
            self.book.write(&entry, None);
            line(&entry);
        }
        rejection
    }

    fn rejected(
        &self,
        place: &Place,
        operation: Operation,
        rejection: &Rejection,
        client_token: Option<&str>,
    ) -> ServiceAnswer {
        ServiceAnswer {
            topic_name: place.topic(&format!("{}/rejected", operation.word())),
            payload: wire::rejected(rejection, self.clock.now().wall, client_token),
        }
    }
}

impl fmt::Debug for ShadowService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShadowService").field("waiting_bytes", &self.waiting.load(Relaxed)).finish_non_exhaustive()
    }
}

/// Why a request is refused before anybody looks into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Beyond {
    /// The thing asks too often, or too much at once.
    Pace,
    /// Too many requests wait.
    Waiting,
    /// This one is too large.
    Size,
}

impl Beyond {
    fn rejection(self) -> Rejection {
        match self {
            Self::Pace | Self::Waiting => Rejection::too_many(),
            Self::Size => Rejection::too_large(),
        }
    }

    /// The quota in words.
    fn quota(self) -> &'static str {
        match self {
            Self::Pace => "requests per second, or in flight, to the shadows of a thing",
            Self::Waiting => "shadow requests that wait",
            Self::Size => "size of a shadow request",
        }
    }
}

/// The pace of a profile.
fn pace(limits: &Limits) -> Pace {
    Pace { per_second: limits.shadow_requests_per_second, in_flight_max: limits.shadow_requests_in_flight_max }
}
